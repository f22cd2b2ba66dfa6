#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""The shrinker, with failures that are made up: no runner, so each test says what is the least."""

import random
import unittest

import shrink_edits as edits
from shrink import Shrinker
from shrink_edits import language

LONG = """
pair a b
small-pair c d
tcp e f
unix-listener l 3
slot s
slot u
wakeup k
task main
    spawn t1
    spawn t2
    recv a 16 within 5us
    scope within 2ms
    recv-exact c 100
    leave
    connect s l within 1ms
    sleep 10us
    send-all e 3000
    shutdown a both
    join t1
    join t2
task t1
    accept l u
    wait-recv a within 0ns
    send b 300
    cancel t2
    signal k
    release a
task t2
    wait-wakeup k
    send a 7
    spawn t3
    try-send f 9
task t3
    recv f 5
    close a
outside
    put d 12
    at 3ms fill d
    drain c
    take b 30
    shutdown d both
"""


def steps(program):
    return [step for task in program.tasks for step in task.steps]


def kinds(program):
    return {step.kind for step in steps(program)}


def closes_after_send(program):
    """Some task closes what a task before it has sent on."""
    sent = set()
    for step in steps(program):
        if step.kind in (language.SEND, language.SEND_ALL):
            sent.add(step.object)
        elif step.kind in (language.CLOSE, language.RELEASE) and step.object in sent:
            return True
    return False


def shrunk(text, fails, **options):
    program = language.read(text)
    assert fails(program)
    shrinker = Shrinker(program, fails, **options)
    assert shrinker.run() is shrinker.best
    assert fails(shrinker.best)
    # What it gives is a program that can be read.
    assert language.write(language.read(language.write(shrinker.best))) == language.write(
        shrinker.best)
    return shrinker


class ShrinkTest(unittest.TestCase):
    maxDiff = None

    def assert_least(self, fails, least):
        shrinker = shrunk(LONG, fails)
        self.assertTrue(shrinker.is_complete)
        self.assertEqual(language.write(shrinker.best), least)

    def test_what_has_no_part_in_it_goes(self):
        self.assert_least(closes_after_send,
                          "pair a b\ntask main\n    send a 1\n    close a\n")

    def test_kinds_become_simpler_only_where_the_failure_allows(self):
        self.assert_least(lambda program: language.SEND_ALL in kinds(program),
                          "pair a b\ntask main\n    send-all a 1\n")
        self.assert_least(
            lambda program: any(thing.kind == language.SMALL_PAIR for thing in program.objects),
            "small-pair a b\ntask main\n")

    def test_numbers_come_down_to_where_it_begins(self):
        self.assert_least(
            lambda program: any(s.kind == language.SEND_ALL and s.bytes >= 1234
                                for s in steps(program)),
            "pair a b\ntask main\n    send-all a 1234\n")
        self.assert_least(
            lambda program: any(s.within_ns >= 777_000 for s in steps(program)),
            "task main\n    scope within 777us\n")

    def test_a_deadline_that_counts_stays(self):
        self.assert_least(
            lambda program: any(s.kind == language.RECV and s.within_ns != language.NO_TIME
                                for s in steps(program)),
            "pair a b\ntask main\n    recv a 1 within 1us\n")

    def test_stimuli_are_dropped_and_made_simpler(self):
        self.assert_least(
            lambda program: {s.kind for s in program.stimuli} >= {language.PUT, language.TAKE},
            "pair a b\npair c d\ntask main\noutside\n    put d 1\n    take b 1\n")
        self.assert_least(
            lambda program: any(s.kind == language.OUTSIDE_SHUTDOWN for s in program.stimuli),
            "pair a b\ntask main\noutside\n    shutdown b recv\n")

    def test_tasks_are_merged_into_others(self):
        """What t3 does, spawned by t2, spawned by main, can be done by main."""
        least = shrunk(LONG, lambda program: {language.CLOSE, language.WAIT_WAKEUP}
                       <= kinds(program)).best
        self.assertEqual((len(least.tasks), len(steps(least))), (1, 2))

    def test_two_tasks_stay_where_two_are_needed(self):
        self.assert_least(
            lambda program: any(step.kind == language.SPAWN and program.tasks[step.object].steps
                                for step in program.tasks[0].steps),
            "pair a b\ntask main\n    spawn t1\ntask t1\n    wait-recv a\n")

    def test_what_goes_only_together_goes(self):
        self.assert_least(
            lambda program: (language.SCOPE in kinds(program)) == (language.LEAVE in kinds(program))
            and language.ACCEPT in kinds(program),
            "unix-listener a 0\nslot b\ntask main\n    accept a b\n")

    def test_a_failing_program_that_is_least_stays(self):
        text = "task main\n    pause\n"
        shrinker = shrunk(text, lambda program: language.PAUSE in kinds(program))
        self.assertEqual(language.write(shrinker.best), text)

    def test_every_candidate_is_new_and_can_be_read(self):
        tried = set()

        def fails(program):
            text = language.write(program)
            self.assertNotIn(text, tried)
            tried.add(text)
            language.read(text)
            return closes_after_send(program)
        Shrinker(language.read(LONG), fails).run()
        self.assertGreater(len(tried), 20)

    def test_the_time_is_kept(self):
        shrinker = shrunk(LONG, closes_after_send, seconds=-1)
        self.assertFalse(shrinker.is_complete)
        self.assertEqual(shrinker.tried, 0)

    def test_random_failures_become_as_small_as_the_cause(self):
        """The cause: three kinds of step, drawn at random, in this order in any tasks."""
        for seed in range(30):
            chance = random.Random(seed)
            order = [step.kind for step in steps(language.read(LONG))]
            places = sorted(chance.sample(range(len(order)), 3))
            cause = [order[place] for place in places]

            def fails(program, cause=cause):
                rest = iter([step.kind for step in steps(program)])
                return all(kind in rest for kind in cause)
            least = shrunk(LONG, fails).best
            self.assertLessEqual(len(steps(least)), 3 + len(least.tasks) - 1, seed)


class EditsTest(unittest.TestCase):
    def test_what_names_what_is_gone_goes_too(self):
        program = language.read(LONG)
        less = edits.without(program, tasks=[1], objects=[0, 1])
        text = language.write(less)
        self.assertNotIn("t1", text)
        self.assertNotIn("pair a b", text)
        self.assertIn("spawn t2", text)
        self.assertIn("recv-exact c 100", text)
        self.assertIn("drain c", text)
        self.assertEqual(language.write(language.read(text)), text)

    def test_renaming_changes_names_only(self):
        program = language.read("pair left right\nslot place\ntask first\n    spawn second\n"
                                "    accept left place\ntask second\n    close right\n")
        self.assertEqual(language.write(edits.renamed(program)),
                         "pair a b\nslot c\ntask main\n    spawn t1\n    accept a c\n"
                         "task t1\n    close b\n")

    def test_a_task_is_merged_into_each_that_spawns_it_and_into_the_first(self):
        program = language.read("task a\n    spawn b\n    pause\n"
                                "task b\n    spawn b\n    sleep 1us\n    spawn c\ntask c\n")
        self.assertEqual(
            [language.write(candidate) for candidate in edits.merged(program, 1)],
            ["task a\n    sleep 1us\n    spawn c\n    pause\ntask c\n",
             "task a\n    pause\n    sleep 1us\n    spawn c\ntask c\n"])


if __name__ == "__main__":
    unittest.main()
