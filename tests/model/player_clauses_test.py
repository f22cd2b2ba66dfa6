#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""The player against docs/spec.md: small programs, of which the text says what happens. What is
expected here was reasoned, and not seen."""

import unittest

from player_expect import ExpectTest, play, sent


class ClauseTest(ExpectTest):
    def test_t4_receivers_before_senders_before_closes_and_each_by_ticket(self):
        self.check("""
            pair a b
            pair c d
            pair e f
            task main
                try-send d 1
                try-send b 1
                spawn one
                spawn two
                spawn three
                close e
            task one
                wait-send a
            task two
                wait-recv c
            task three
                wait-recv a
            """, f"""
            main(1) note try-send d = 1 {sent(3, 1)}
            main(1) note try-send b = 1 {sent(1, 1)}
            main(1) submit close e
            one(2) submit wait-send a
            two(3) submit wait-recv c
            three(4) submit wait-recv a
            - tick 1 at 0ns
            two(3) end wait-recv c = 0
            two(3) done = 0
            three(4) end wait-recv a = 0
            three(4) done = 0
            one(2) end wait-send a = 0
            one(2) done = 0
            main(1) end close e = 0
            main(1) done = 0
            - outcome = 0
            """)

    def test_t1_ends_after_256_resumptions(self):
        pauses = "pause\n" * 300
        found = play(f"pair a b\ntask main\nspawn one\ntry-send a 1\n{pauses}\n"
                     "task one\nwait-recv b")
        tick = found.index("- tick 1 at 0ns")
        # The other's first resumption, and main's first, are among the 256.
        self.assertEqual(found[:tick].count("main(1) pause = 0"), 254)
        self.assertEqual(found[tick + 1:tick + 3],
                         ["main(1) pause = 0", "one(2) end wait-recv b = 0"])

    def test_t3_a_transfer_settles_within_a_tick(self):
        self.check_among("""
            small-pair a b
            task main
                spawn one
                send-all a 50000
            task one
                recv-exact b 50000
            """, f"""
            - tick 1 at 0ns
            one(2) end recv-exact b = 50000, 50000 bytes {sent(0, 50000)}
            main(1) end send-all a = 50000, 50000 bytes {sent(0, 50000)}
            """)

    def test_s3_the_wrong_end_of_a_pipe(self):
        self.check_among("""
            pipe r w
            task main
                wait-recv w
                wait-send r
                wait-send w
            """, """
            main(1) end wait-recv w = -EBADF
            main(1) end wait-send r = -EBADF
            main(1) end wait-send w = 0
            """)

    def test_s5_the_second_waiter_is_refused_and_the_first_is_not_disturbed(self):
        self.check_among("""
            pair a b
            task main
                spawn one
                recv a 1
            task one
                recv a 1
                wait-send a
            outside
                put b 1
            """, f"""
            - tick 1 at 0ns
            one(2) end recv a = -EBUSY
            one(2) end wait-send a = 0
            - note put b = 1 {sent(1, 1)}
            main(1) end recv a = 1, 1 bytes {sent(1, 1)}
            """)

    def test_s6_a_close_ends_who_waits_and_the_object_is_empty(self):
        self.check("""
            pair a b
            task main
                spawn one
                recv a 1
            task one
                close a
                close a
            """, """
            main(1) submit recv a 1
            one(2) submit close a
            - tick 1 at 0ns
            main(1) end recv a = -EBADF
            main(1) done = 0
            one(2) end close a = 0
            one(2) submit close a
            - tick 2 at 0ns
            one(2) end close a = -EBADF
            one(2) done = 0
            - outcome = 0
            """)

    def test_s6_the_first_of_two_closes_of_a_tick_counts(self):
        self.check_among("""
            pair a b
            task main
                spawn one
                release a
                try-send a 1
            task one
                close a
            """, f"""
            main(1) end release a = 0
            main(1) note try-send a = -EBADF
            one(2) end close a = -EBADF
            """)

    def test_s8_a_shutdown_ends_bare_waits_and_has_the_others_tried(self):
        found = play("""
            pair a b
            small-pair c d
            task main
                spawn one
                spawn two
                sleep 1ns
                shutdown c send
                shutdown a recv
            task one
                wait-recv a
            task two
                send-all c 100000
            """)
        tick = found.index("- tick 2 at 1ns")
        self.assertEqual(found[tick + 1:tick + 3],
                         ["one(2) end wait-recv a = 0", "one(2) done = 0"])
        self.assertIn("two(3) end send-all c = -EPIPE, ", found[tick + 3])

    def test_s11_an_unknown_verb(self):
        self.check_among("pair a b\ntask main\nunknown a\npause",
                         "main(1) end verb-200 a = -EINVAL\nmain(1) pause = 0")

    def test_s12_a_joiner_is_woken_when_the_other_is_done_and_once(self):
        self.check("""
            task main
                spawn one
                join one
                join one
                join main
            task one
                pause
            """, """
            main(1) submit park
            one(2) pause = 0
            one(2) done = 0
            main(1) end park = 0
            main(1) join one(2) = 0, value 0
            main(1) join one(2) = -EINVAL
            main(1) join main(1) = -EINVAL
            main(1) done = 0
            - outcome = 0
            """)

    def test_s12_whom_nothing_can_wake_is_cancelled(self):
        self.check("""
            pair a b
            task main
                spawn one
                recv a 1
                send a 1
            task one
                wait-recv b
            """, """
            main(1) submit recv a 1
            one(2) submit wait-recv b
            - tick 1 at 0ns
            main(1) end recv a = -ECANCELED
            main(1) submit send a 1
            one(2) end wait-recv b = -ECANCELED
            one(2) done = 0
            - tick 2 at 0ns
            main(1) end send a = -ECANCELED
            main(1) done = 0
            - outcome = -EDEADLK
            """)

    def test_s13_what_is_due_ends_by_deadline_and_then_by_ticket(self):
        self.check("""
            pair a b
            pair c d
            task main
                spawn one
                spawn two
                sleep 5us
            task one
                recv a 1 within 5us
            task two
                recv c 1 within 4us
            """, """
            main(1) submit park until 5us
            one(2) submit recv a 1 until 5us
            two(3) submit recv c 1 until 4us
            - tick 1 at 4us
            two(3) end recv c = -ETIMEDOUT
            two(3) done = 0
            - tick 2 at 5us
            main(1) end park = 0
            main(1) done = 0
            one(2) end recv a = -ETIMEDOUT
            one(2) done = 0
            - outcome = 0
            """)

    def test_s13_ready_and_due_counts_as_ready(self):
        self.check_among("pair a b\ntask main\ntry-send b 1\nwait-recv a within 0ns\n"
                         "recv a 2 within 0ns\nrecv a 2 within 0ns",
                         f"main(1) end wait-recv a = 0\n"
                         f"main(1) end recv a = 1, 1 bytes {sent(1, 1)}\n"
                         f"main(1) end recv a = -ETIMEDOUT")

    def test_s14_a_cancelled_task_sees_every_suspension_fail_but_a_close(self):
        self.check_among("""
            pair a b
            task main
                spawn one
                pause
                try-send b 1
                cancel one
            task one
                wait-recv b
                recv a 1
                pause
                close a
            """, """
            main(1) cancel one(2)
            - tick 1 at 0ns
            one(2) end wait-recv b = -ECANCELED
            one(2) submit recv a 1
            - tick 2 at 0ns
            one(2) end recv a = -ECANCELED
            one(2) pause = -ECANCELED
            one(2) submit close a
            - tick 3 at 0ns
            one(2) end close a = 0
            """)

    def test_s15_no_byte_is_lost_to_a_cancellation(self):
        self.check_among("""
            pair a b
            task main
                spawn one
                sleep 1us
                try-send b 3
                cancel one
            task one
                recv a 3
                wait-recv a
            """, f"""
            main(1) note try-send b = 3 {sent(1, 3)}
            main(1) cancel one(2)
            one(2) end recv a = 3, 3 bytes {sent(1, 3)}
            one(2) submit wait-recv a
            one(2) end wait-recv a = -ECANCELED
            """)

    def test_s18_the_end_of_a_stream(self):
        self.check_among("pair a b\ntask main\ntry-send b 2\nclose b\nrecv-exact a 5\nrecv a 5",
                         f"main(1) end recv-exact a = 2, 2 bytes {sent(1, 2)}\n"
                         "main(1) end recv a = 0")

    def test_s2_a_connect_to_a_full_backlog_rests_longer_and_longer(self):
        # It rests 1 ms, 2 ms, 4 ms; the accept comes in the third rest, which ends at 7 ms.
        self.check_among("""
            unix-listener l 0
            slot one
            slot two
            slot three
            task main
                connect one l
                connect two l within 20ms
            outside
                at 4ms accept l three
            """, """
            main(1) end connect one = 0
            main(1) submit connect two until 20ms
            - note accept l = 3
            - tick 2 at 7ms
            main(1) end connect two = 0
            """)

if __name__ == "__main__":
    unittest.main()
