#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""The brief's program wakes its tasks as the player does, save for the repairs that it lists."""

import unittest

import brief
import brief_compare
import player_outside
import program
import trace

PROGRAMS = 300


def play(text):
    return brief.BriefPlay(program.read(text)).play()


def ends(events):
    """Who goes on, in order."""
    return [event[1] for event in events if event[0] == trace.END]


class BriefTest(unittest.TestCase):
    def test_receivers_go_on_before_senders_each_in_the_order_of_waiting(self):
        events, is_over = play("""
            pair a b
            pair c d
            task main
                try-send b 1
                try-send d 1
                spawn one
                spawn two
                wait-send a
            task one
                wait-recv c
            task two
                wait-recv a
            """)
        self.assertEqual((ends(events), is_over), ([2, 3, 1], True))

    def test_nothing_is_polled_while_somebody_can_run(self):
        # `one` waits for what is ready at once, and yet `two` runs first.
        events, _ = play("pair a b\ntask main\nspawn one\nspawn two\n"
                         "task one\nwait-send a\ntask two\ntry-send a 1")
        self.assertEqual([event[1] for event in events if event[0] == trace.DONE], [1, 3, 2])

    def test_what_nobody_can_wake_waits_for_ever(self):
        events, is_over = play("pair a b\ntask main\nwait-recv a")
        self.assertFalse(is_over)
        self.assertEqual(events[-1][0], trace.SUBMIT)

    def test_a_second_waiter_is_a_repair(self):
        with self.assertRaisesRegex(brief.Unknown, "a second waiter"):
            play("pair a b\ntask main\nspawn one\nwait-recv a\ntask one\nwait-recv a")

    def test_a_bad_descriptor_is_a_repair(self):
        with self.assertRaisesRegex(brief.Unknown, "a bad descriptor"):
            play("pipe r w\ntask main\nwait-send r")

    def test_wait_after_wait_for_a_hang_up_is_a_repair(self):
        text = "pipe r w\ntask main\nwait-recv r\n{}outside\nclose w"
        self.assertTrue(play(text.format("wait-recv r\n" * 2))[1])
        with self.assertRaisesRegex(brief.Unknown, "a wait for a hang-up"):
            play(text.format("wait-recv r\n" * 3))

    def test_a_long_run_without_a_poll_is_a_repair(self):
        played = brief.BriefPlay(program.read("task main"))
        played.resumed = brief.RESUMPTIONS
        with self.assertRaisesRegex(brief.Unknown, "a long T1"):
            played.play()

    def test_another_step_is_not_known(self):
        with self.assertRaisesRegex(brief.Unknown, "a step"):
            play("task main\npause")

    def test_the_player_wakes_as_the_brief_does(self):
        compared = 0
        for number in range(PROGRAMS):
            made = brief_compare.Maker(f"2 {number}").program()
            try:
                events, is_over = brief.BriefPlay(made).play()
            except brief.Unknown:
                continue
            found = player_outside.play(made)
            self.assertEqual(found if is_over else found[:len(events)], events, f"number {number}")
            compared += 1
        self.assertGreater(compared, PROGRAMS * 9 // 10)


if __name__ == "__main__":
    unittest.main()
