#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""What the acceptor accepts and what it does not: tasks, their order, time."""

import unittest

import acceptor_plants as plants


class OrderTest(plants.Planted):
    """Who runs when (T1, T4), and that tasks keep to their programs."""

    PROGRAM = """
        pair a b
        pair c d
        task main
            spawn one
            spawn two
            spawn three
            recv a 2
            join one
        task one
            recv c 2
        task two
            send b 2
            close b
            pause
        task three
            send d 2
            sleep 1us
        """
    GOOD = """
        - spawn main
        main spawn reaper
        main spawn one
        main spawn two
        main spawn three
        main submit recv a 2
        reaper submit wakeup
        one submit recv c 2
        two submit send b 2
        three submit send d 2
        tick 1000
        main end recv a = 2 of b 0
        main submit park
        one end recv c = 2 of d 0
        one done
        two end send b = 2 of b 0
        two submit close b
        three end send d = 2 of d 0
        three submit park until 2500
        main end park = 0
        main join one = 0
        main done
        tick 2000
        two end close b = 0
        two pause = 0
        two done
        tick 2600
        three end park = 0
        three done
        - note reap
        tick 2700
        reaper end wakeup = 0
        reaper done
        outcome 0
        """

    def test_wakes_of_one_class_swapped(self):
        self.move("one end recv c", "one done", before="main end recv a")
        self.rejects("T4")

    def test_senders_woken_before_receivers(self):
        self.move("two end send b", "two submit close", before="one end recv c")
        self.rejects("T4|turn")

    def test_a_task_runs_out_of_its_turn(self):
        self.move("three submit send d", before="two submit send b")
        self.rejects("T1: three runs, but it is the turn of two")

    def test_a_joiner_is_woken_before_those_that_are_runnable(self):
        self.move("main end park", "main done", before="two end send b")
        self.rejects("T1|T4|turn")

    def test_a_task_runs_while_it_is_parked(self):
        self.insert("main done", before="reaper submit wakeup")
        self.rejects("ends before its last step|parked|runs while")

    def test_a_second_task_runs_in_the_middle_of_another(self):
        self.move("reaper submit wakeup", before="main submit recv a")
        self.rejects("has not suspended")

    def test_a_sleep_is_over_early(self):
        self.replace("tick 2600", "tick 2499")
        self.rejects("S13")

    def test_a_sleep_is_over_late(self):
        self.insert("tick 2550", before="two end close b")
        self.remove("tick 2600")
        self.move("three end park", "three done", before="two end close b")
        self.rejects("T4|S13|S6")

    def test_a_pause_is_no_turn(self):
        self.insert("tick 2100", before="two pause")
        self.rejects("woke nobody|S13")

    def test_a_step_is_left_out(self):
        self.remove("two pause")
        self.rejects("two")

    def test_a_step_is_taken_twice(self):
        self.insert("main join one = 0", before="main done")
        self.rejects("no step left")

    def test_another_verb_than_the_step(self):
        self.replace("main submit recv a 2", "main submit read a 2")
        self.rejects("something else than its step")

    def test_a_join_of_a_task_that_is_not_done(self):
        self.move("one done", before="tick 2000")
        self.rejects("S12|T1|woken")

    def test_a_joiner_without_its_result(self):
        self.replace("main join one = 0", "main join one = -EINVAL")
        self.rejects("S12")

    def test_the_run_ends_with_a_task_left(self):
        self.remove("three done")
        self.rejects("T3|S12")

    def test_the_run_ends_with_an_error(self):
        self.replace("outcome 0", "outcome -EDEADLK")
        self.rejects("S12")

    def test_something_happens_after_the_end(self):
        self.insert("tick 3000", after="outcome")
        self.rejects("after the end")

    def test_everybody_sleeps_while_somebody_is_runnable(self):
        self.move("- note reap", before="three end park")
        self.rejects("T3|T4")

    def test_a_tick_wakes_nobody(self):
        self.insert("tick 2650", before="- note reap")
        self.rejects("woke nobody")

    def test_time_goes_back(self):
        self.replace("tick 2000", "tick 999")
        self.rejects("S13")

    def test_a_close_is_not_carried_out_in_its_tick(self):
        self.insert("tick 1500", before="two end send b")
        self.rejects("T4|T2|S6")

    def test_a_task_is_spawned_under_another_number(self):
        self.replace("main spawn one", "main spawn one", number=9)
        self.rejects("spawning one as 9")

    def test_the_trace_breaks_off(self):
        self.remove("outcome 0")
        self.rejects("no end")


class CutTest(plants.Planted):
    """Deadlines, scopes, cancellations (S13, S14, S15)."""

    PROGRAM = """
        pair a b
        task main
            spawn one
            spawn two
            scope within 1us
            recv a 4
            leave
            cancel one
            cancel two
        task one
            wait-recv b
            recv b 1
            close b
        task two
            pause
            sleep 5us
        """
    GOOD = """
        - spawn main
        main spawn reaper
        main spawn one
        main spawn two
        main scope enter 1100
        main submit recv a 4 until 1100
        reaper submit wakeup
        one submit wait-recv b
        two pause = 0
        two submit park until 5200
        tick 1200
        main end recv a = -ETIMEDOUT
        main scope leave = -ETIMEDOUT
        main cancel one
        main cancel two
        main done
        tick 1300
        one end wait-recv b = -ECANCELED
        one submit recv b 1
        two end park = -ECANCELED
        two done
        tick 1400
        one end recv b = -ECANCELED
        one submit close b
        tick 1500
        one end close b = 0
        one done
        - note reap
        tick 1600
        reaper end wakeup = 0
        reaper done
        outcome 0
        """

    def test_an_early_timeout(self):
        self.replace("tick 1200", "tick 1099")
        self.rejects("S13")

    def test_a_deadline_that_is_not_in_force(self):
        self.replace("main submit recv a 4 until 1100", "main submit recv a 4")
        self.rejects("S13: the deadline in force")

    def test_a_deadline_of_the_past(self):
        self.replace("two submit park until 5200", "two submit park until 4000")
        self.rejects("S13|asks for")

    def test_a_cancellation_without_a_cause(self):
        self.remove("main cancel one")
        self.rejects("cancels two")

    def test_cancelled_before_anybody_cancels(self):
        self.replace("main end recv a = -ETIMEDOUT", "main end recv a = -ECANCELED")
        self.rejects("S14")

    def test_a_cancelled_wait_goes_on_waiting(self):
        self.move("one end wait-recv b", "one submit recv b", before="one end recv b")
        self.remove("one end recv b = -ECANCELED")
        self.remove("one submit recv b 1")
        self.rejects("T4|S14")

    def test_what_is_cancelled_wakes_a_tick_late(self):
        self.move("two end park", "two done", before="tick 1500")
        self.rejects("S14: it was cancelled at tick 2")

    def test_an_operation_of_a_cancelled_task_is_attempted(self):
        self.replace("one end recv b = -ECANCELED", "one end recv b = 0")
        self.rejects("S14")

    def test_an_operation_of_a_cancelled_task_waits(self):
        self.insert("- note reap", before="tick 1400")
        self.rejects("T3|S14|S2")

    def test_a_close_is_cut_off(self):
        self.replace("one end close b = 0", "one end close b = -ECANCELED")
        self.rejects("S6")

    def test_a_scope_that_is_late_is_left_in_good_order(self):
        self.replace("main scope leave = -ETIMEDOUT", "main scope leave = 0")
        self.rejects("S14")

    def test_a_scope_is_left_as_cancelled_by_nobody(self):
        self.replace("main scope leave = -ETIMEDOUT", "main scope leave = -ECANCELED")
        self.rejects("S14")

    def test_a_pause_fails_for_no_reason(self):
        self.replace("two pause = 0", "two pause = -ECANCELED")
        self.rejects("S14")

    def test_a_sleep_that_is_cancelled_says_late(self):
        self.replace("two end park = -ECANCELED", "two end park = -ETIMEDOUT")
        self.rejects("S13|gives")

    def test_what_has_no_descriptor_wakes_before_receivers(self):
        self.move("two end park", "two done", before="one end wait-recv b")
        self.rejects("T4")


class WakeupTest(plants.Planted):
    """Wakeups: signals wake last, in their order (T4)."""

    PROGRAM = """
        wakeup u
        wakeup v
        task main
            spawn one
            spawn two
            wait-wakeup u
        task one
            wait-wakeup v
        task two
            signal v
            signal u
            wait-wakeup u
        """
    GOOD = """
        - spawn main
        main spawn reaper
        main spawn one
        main spawn two
        main submit wakeup
        reaper submit wakeup
        one submit wakeup
        two note signal v = 0
        two note signal u = 0
        two submit wakeup
        tick 1000
        two end wakeup = -EBUSY
        two done
        one end wakeup = 0
        one done
        main end wakeup = 0
        main done
        - note reap
        tick 2000
        reaper end wakeup = 0
        reaper done
        outcome 0
        """

    def test_wakeups_out_of_the_order_of_signals(self):
        self.move("main end wakeup", "main done", before="one end wakeup")
        self.rejects("T4")

    def test_a_wake_up_that_nobody_signalled(self):
        self.replace("two note signal v = 0", "two note signal u = 0")
        self.rejects("two|signalled")

    def test_a_second_waiter_gets_in(self):
        self.replace("two end wakeup = -EBUSY", "two end wakeup = 0")
        self.rejects("nobody signalled")

    def test_a_signal_is_lost(self):
        self.move("- note reap", "tick 2000", before="main end wakeup")
        self.rejects("S2|T3|T4|turn")


if __name__ == "__main__":
    unittest.main()
