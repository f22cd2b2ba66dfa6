#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""What the acceptor accepts and what it does not: bytes, ends of streams, closes."""

import unittest

import acceptor_plants as plants


class BytesTest(plants.Planted):
    """A stream: its bytes in order, and then its end (S17, S18)."""

    PROGRAM = """
        pair a b
        task main
            spawn other
            recv a 3
            recv-exact a 4
            recv a 2
            close a
        task other
            send b 3
            send-all b 4
            shutdown b send
            send b 1
        """
    GOOD = """
        - spawn main
        main spawn reaper
        main spawn other
        main submit recv a 3
        reaper submit wakeup
        other submit send b 3
        tick 1000
        main end recv a = 3 of b 0
        main submit recv-exact a 4
        other end send b = 3 of b 0
        other submit send-all b 4
        tick 2000
        main end recv-exact a = 4 of b 3
        main submit recv a 2
        other end send-all b = 4 of b 3
        other shutdown b send = 0
        other submit send b 1
        tick 3000
        main end recv a = 0
        main submit close a
        other end send b = -EPIPE
        other done
        tick 4000
        main end close a = 0
        main done
        """ + plants.END

    def test_a_byte_is_lost(self):
        self.replace("main end recv-exact a", "main end recv-exact a = 4 of b 4")
        self.rejects("other bytes than were sent")

    def test_a_byte_comes_twice(self):
        self.replace("main end recv-exact a", "main end recv-exact a = 4 of b 2")
        self.rejects("other bytes than were sent")

    def test_a_wrong_digest(self):
        self.replace("main end recv a = 3", "main end recv a = 3 of b 0 digest 1")
        self.rejects("other bytes than were sent")

    def test_a_byte_that_nobody_sent(self):
        self.replace("other end send-all b = 4", "other end send-all b = -ECONNRESET of b 3 3")
        self.rejects("3 can have been there")

    def test_other_bytes_are_sent_than_there_were(self):
        self.replace("other end send b = 3", "other end send b = 3 of b 1")
        self.rejects("sent other bytes")

    def test_more_bytes_are_received_than_wanted(self):
        self.replace("main end recv a = 0", "main end recv a = 3 of b 7")
        self.rejects("moved 3|but wanted|gives 3")

    def test_a_send_all_that_is_short(self):
        self.replace("other end send-all b = 4", "other end send-all b = 3 of b 3")
        self.rejects("gives 3 and moved 3")

    def test_the_end_of_the_stream_before_its_last_bytes(self):
        self.replace("main end recv-exact a = 4", "main end recv-exact a = 3 of b 3")
        self.replace("other shutdown b send = 0", "other shutdown b send = 0")
        self.rejects("S18")

    def test_the_end_of_a_stream_that_goes_on(self):
        self.replace("other shutdown b send = 0", "other shutdown b send = -ENOTCONN")
        self.rejects("S18|S17")

    def test_a_send_behind_the_end(self):
        self.replace("other end send b = -EPIPE", "other end send b = 1 of b 7")
        self.rejects("where none can be sent")

    def test_a_broken_pipe_that_is_whole(self):
        self.replace("other end send b = 3", "other end send b = -EPIPE")
        self.rejects("S17|can have been there")

    def test_would_block_is_seen(self):
        self.replace("other end send b = -EPIPE", "other end send b = -EAGAIN")
        self.rejects("S17")

    def test_a_reset_of_a_peer_that_is_there(self):
        self.replace("main end recv a = 0", "main end recv a = -ECONNRESET")
        self.rejects("S17")

    def test_a_close_that_fails(self):
        self.replace("main end close a = 0", "main end close a = -EBADF")
        self.rejects("S6")


class QuietTest(plants.Planted):
    """Nothing may wait that could go on (S2), and one alone may wait (S5)."""

    PROGRAM = """
        pair a b
        task main
            spawn other
            recv a 4
        task other
            recv a 4
            wait-send b
        outside
            put b 4
            put a 1
            put a 1
        """
    GOOD = """
        - spawn main
        main spawn reaper
        main spawn other
        main submit recv a 4
        reaper submit wakeup
        other submit recv a 4
        tick 1000
        other end recv a = -EBUSY
        other submit wait-send b
        tick 1100
        other end wait-send b = 0
        other done
        - note put b = 4 of b 0
        tick 2000
        main end recv a = 4 of b 0
        main done
        - note put a = 1 of a 0
        - note put a = 1 of a 1
        """ + plants.END

    def test_a_wake_up_is_lost(self):
        self.move("tick 2000", "main done", before="- note reap")
        self.rejects("S2: recv of main")

    def test_a_wait_that_is_ready_sleeps(self):
        self.move("tick 1100", "other done", before="tick 2000")
        self.rejects("S2: wait-send of other")

    def test_busy_without_a_waiter(self):
        self.replace("main end recv a = 4", "main end recv a = -EBUSY")
        self.rejects("S5")

    def test_the_second_waiter_gets_in(self):
        self.replace("other end recv a = -EBUSY", "other end recv a = 4 of b 0")
        self.rejects("S5|can have been there")

    def test_the_second_waiter_is_woken_instead_of_the_first(self):
        self.remove("other end recv a = -EBUSY")
        self.remove("other submit wait-send b")
        self.remove("tick 1100")
        self.remove("other end wait-send b = 0")
        self.replace("main end recv a = 4", "other end recv a = 4 of b 0")
        self.rejects("T4|is not runnable|S5|woke nobody|next step|goes on|parked")

    def test_bytes_are_received_before_they_are_sent(self):
        self.move("- note put b", before="- note put a = 1 of a 0")
        self.rejects("0 can have been there|next stimulus")

    def test_stimuli_out_of_order(self):
        self.move("- note put b", before="- note put a = 1 of a 1")
        self.rejects("next stimulus")

    def test_reaped_while_a_stimulus_is_left(self):
        self.remove("- note put a = 1 of a 1")
        self.rejects("reaps too early")


class FullTest(plants.Planted):
    """A sender that has to wait, until somebody takes something (S1, S2)."""

    PROGRAM = """
        small-pair a b
        task main
            try-send a 9000
            wait-send a
            send a 5000
        outside
            put b 1
            drain b
            take b 4000
            take b 4000
            put b 1
            put b 1
        """
    GOOD = """
        - spawn main
        main spawn reaper
        main note try-send a = 4480 of a 0
        main submit wait-send a
        reaper submit wakeup
        - note put b = 1 of b 0
        - note drain b = 4480 of a 0
        tick 1000
        main end wait-send a = 0
        main submit send a 5000
        tick 1100
        main end send a = 4480 of a 4480
        main done
        - note take b = 4000 of a 4480
        - note take b = 480 of a 8480
        - note put b = 1 of b 1
        - note put b = 1 of b 2
        """ + plants.END

    def test_woken_though_nothing_was_taken(self):
        self.move("tick 1000", "main submit send a", before="- note drain b")
        self.rejects("S1")

    def test_waits_though_everything_was_taken(self):
        self.replace("- note take b = 4000", "- note take b = -EAGAIN")
        self.replace("- note take b = 480", "- note take b = -EAGAIN")
        self.move("tick 1000", "main done", before="- note reap")
        self.rejects("S2: wait-send of main")

    def test_bytes_that_are_there_are_not_found(self):
        self.replace("- note take b = 480", "- note take b = -EAGAIN")
        self.rejects("finds nothing")


class LateTest(plants.Planted):
    """What was ready before its deadline is not lost to it (S2, S13, S15)."""

    PROGRAM = """
        pair a b
        task main
            wait-recv a within 2us
            recv a 1 within 2us
        outside
            put b 1
        """
    GOOD = """
        - spawn main
        main spawn reaper
        main submit wait-recv a until 3000
        reaper submit wakeup
        - note put b = 1 of b 0
        tick 2000
        main end wait-recv a = 0
        main submit recv a 1 until 4100
        tick 2200
        main end recv a = 1 of b 0
        main done
        """ + plants.END

    def test_a_wait_that_was_ready_is_late(self):
        self.replace("tick 2000", "tick 3100")
        self.replace("main end wait-recv a = 0", "main end wait-recv a = -ETIMEDOUT")
        self.replace("main submit recv a 1", "main submit recv a 1 until 5200")
        self.replace("tick 2200", "tick 3300")
        self.rejects("S2, S13: wait-recv of main")

    def test_a_byte_that_was_there_is_late(self):
        self.replace("tick 2200", "tick 4200")
        self.replace("main end recv a = 1", "main end recv a = -ETIMEDOUT")
        self.rejects("S15: recv of main")


class CloseTest(plants.Planted):
    """A close ends who waits, and the number is gone (S3, S6, S11)."""

    PROGRAM = """
        pair a b
        task main
            spawn other
            recv a 4
            recv a 4
            unknown b
        task other
            close a
        outside
            put b 1
        """
    GOOD = """
        - spawn main
        main spawn reaper
        main spawn other
        main submit recv a 4
        reaper submit wakeup
        other submit close a
        tick 1000
        main end recv a = -EBADF
        main submit recv a 4
        other end close a = 0
        other done
        tick 2000
        main end recv a = -EBADF
        main submit unknown b
        tick 3000
        main end unknown b = -EINVAL
        main done
        - note put b = -EPIPE
        """ + plants.END

    def at_last(self, line):
        """Puts a line in the place of the end of the second receive."""
        place = self.place("tick 2000") + 1
        self.lines[place] = line

    def test_a_result_after_the_close(self):
        self.at_last("main end recv a = 4 of b 0")
        self.rejects("S3")

    def test_the_end_of_the_stream_after_the_close(self):
        self.at_last("main end recv a = 0")
        self.rejects("S3")

    def test_closed_by_nobody(self):
        self.replace("other end close a = 0", "other end close a = -EBADF")
        self.rejects("S6")

    def test_a_close_that_ends_nobody(self):
        place = self.place("tick 1000") + 1
        moved = self.lines[place:place + 2]
        del self.lines[place:place + 2]
        at = self.place("tick 2000") + 1
        self.lines[at:at + 1] = moved
        at = self.place("main submit unknown")
        self.lines[at:at] = ["tick 2500", "main end recv a = -EBADF"]
        self.rejects("S6")

    def test_a_verb_that_nobody_knows_succeeds(self):
        self.replace("main end unknown b = -EINVAL", "main end unknown b = 0")
        self.rejects("S11|S3|gives 0")

    def test_the_bad_descriptor_waits(self):
        self.move("- note put b", before="tick 2000")
        self.rejects("T3")


if __name__ == "__main__":
    unittest.main()
