#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""What the acceptor accepts and what it does not: connections, resets, messages."""

import unittest

import acceptor_plants as plants


class ConnectTest(plants.Planted):
    """Connections: made, queued, accepted, in their order (S2, S17)."""

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
        """ + plants.END

    def test_accepted_before_anybody_connects(self):
        self.insert("tick 500", after="reaper submit wakeup")
        self.move("main end accept l", "main submit recv s", after="tick 500")
        self.rejects("T4|no connection can be there|turn")

    def test_a_connection_is_not_accepted(self):
        self.move("main end recv s", "main done", before="- note reap")
        self.insert("tick 8100", before="main end recv s")
        self.move("main end accept l", "main submit recv s", before="tick 8100")
        self.insert("tick 8000", before="main end accept l")
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


class ResetTest(plants.Planted):
    """What Linux tells whom when bytes or messages are not wanted any more (S17)."""

    PROGRAM = """
        pair a b
        pair c d
        tcp e f
        datagrams g h
        task main
            send a 2
            close b
            recv a 1
            recv a 1
            send a 1
            close d
            recv c 1
            shutdown e send
            send e 1
            close h
            send g 1
        """
    GOOD = """
        - spawn main
        main spawn reaper
        main submit send a 2
        reaper submit wakeup
        tick 1000
        main end send a = 2 of a 0
        main submit close b
        tick 1100
        main end close b = 0
        main submit recv a 1
        tick 1200
        main end recv a = -ECONNRESET
        main submit recv a 1
        tick 1300
        main end recv a = 0
        main submit send a 1
        tick 1400
        main end send a = -EPIPE
        main submit close d
        tick 1500
        main end close d = 0
        main submit recv c 1
        tick 1600
        main end recv c = 0
        main shutdown e send = 0
        main submit send e 1
        tick 1700
        main end send e = -EPIPE
        main submit close h
        tick 1800
        main end close h = 0
        main submit send g 1
        tick 1900
        main end send g = -ECONNREFUSED
        main done
        """ + plants.END

    def test_a_reset_is_told_twice(self):
        self.replace("main end recv a = 0", "main end recv a = -ECONNRESET")
        self.rejects("S17")

    def test_a_reset_is_not_told(self):
        self.replace("main end recv a = -ECONNRESET", "main end recv a = 0")
        self.rejects("S17: .* its reset")

    def test_a_reset_where_nothing_was_thrown_away(self):
        self.replace("main end recv c = 0", "main end recv c = -ECONNRESET")
        self.rejects("S17")

    def test_a_reset_is_told_to_a_sender(self):
        self.replace("main end send a = -EPIPE", "main end send a = -ECONNRESET")
        self.rejects("S17")

    def test_an_own_shutdown_is_told_as_a_reset(self):
        self.replace("main end send e = -EPIPE", "main end send e = -ECONNRESET")
        self.rejects("S17")

    def test_a_message_for_nobody_is_told_as_a_broken_pipe(self):
        self.replace("main end send g = -ECONNREFUSED", "main end send g = -EPIPE")
        self.rejects("S17")


class MessagesTest(plants.Planted):
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
        """ + plants.END

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
