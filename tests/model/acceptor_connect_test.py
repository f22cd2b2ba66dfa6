#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""What the acceptor accepts and what it does not: connections and messages.

Each good trace is written down from docs/spec.md. A bad one is a good one with one small change,
which has a name; it must be rejected, and for the right reason.
"""

import unittest

from acceptor_plants import END, Planted


class ConnectTest(Planted):
    """Connections: made, queued, accepted, in their order."""

    PROGRAM = """
        unix-listener l 4
        slot s
        slot c
        slot d
        task main
            spawn one
            accept l s
            recv s 2
        task one
            connect c l
            send c 2
            connect d l
        outside
            accept l d
            take s 1
            take s 1
        """
    GOOD = """
        - spawn main
        main spawn reaper
        main spawn one
        main submit accept l
        reaper submit wakeup
        one submit connect c
        tick 1000
        main end accept l = s
        main submit recv s 2
        one end connect c = 0
        one submit send c 2
        tick 2000
        main end recv s = 2 of c 0
        main done
        one end send c = 2 of c 0
        one submit connect d
        tick 3000
        one end connect d = 0
        one done
        - note accept l = -EEXIST
        - note take s = -EAGAIN
        - note take s = -EAGAIN
        """ + END

    def test_good(self):
        self.accepts()

    def test_accepted_before_anybody_connects(self):
        self.insert("tick 500", after="reaper submit wakeup")
        place = self.place("main end accept l")
        moved = self.lines[place:place + 2]
        del self.lines[place:place + 2]
        at = self.place("tick 500") + 1
        self.lines[at:at] = moved
        self.rejects("T4|no connection can be there|turn")

    def test_a_connection_is_not_accepted(self):
        place = self.place("main end accept l")
        rest = self.lines[place:place + 2]
        del self.lines[place:place + 2]
        self.remove("main end recv s")
        self.remove("main done")
        at = self.place("- note reap")
        self.lines[at:at] = ["tick 8000", *rest, "tick 8100", "main end recv s = 2 of c 0",
                             "main done"]
        self.replace("- note accept l", "- note accept l = -EEXIST")
        self.rejects("S2: accept of main|empty object")

    def test_accepted_into_another_slot(self):
        self.replace("main end accept l = s", "main end accept l = d")
        self.rejects("gives 3")

    def test_connected_twice(self):
        self.replace("- note accept l = -EEXIST", "- note accept l = d")
        self.rejects("accept that is none")

    def test_bytes_of_another_connection(self):
        self.replace("main end recv s = 2", "main end recv s = 2 of d 0")
        self.rejects("other bytes")

    def test_a_connect_that_is_refused_by_who_listens(self):
        self.replace("one end connect c = 0", "one end connect c = -EAGAIN")
        self.rejects("S17|can be there")


class MessagesTest(Planted):
    """Datagrams: whole ones, and what is not taken of one is gone."""

    PROGRAM = """
        datagrams g h
        task main
            recv g 2
            recvmsg g 9
            recv g 9
        outside
            put h 4
            put h 3
            put h 1
        """
    GOOD = """
        - spawn main
        main spawn reaper
        main submit recv g 2
        reaper submit wakeup
        - note put h = 4 of h 0
        - note put h = 3 of h 4
        tick 1000
        main end recv g = 2 of h 0
        main submit recvmsg g 9
        tick 1100
        main end recvmsg g = 3 of h 4
        main submit recv g 9
        - note put h = 1 of h 7
        tick 1200
        main end recv g = 1 of h 7
        main done
        """ + END

    def test_good(self):
        self.accepts()

    def test_the_rest_of_a_message_comes_later(self):
        self.replace("main end recvmsg g = 3", "main end recvmsg g = 2 of h 2")
        self.rejects("other bytes than were sent")

    def test_two_messages_in_one(self):
        self.replace("main end recv g = 1 of h 7", "main end recv g = 2 of h 7")
        self.rejects("other bytes than were sent")

    def test_a_message_is_lost(self):
        self.replace("main end recvmsg g = 3", "main end recvmsg g = 1 of h 7")
        self.rejects("other bytes than were sent")


if __name__ == "__main__":
    unittest.main()
