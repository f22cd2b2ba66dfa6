#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""Which programs the judges may say something about: strict ones, and confluent ones."""

import contextlib
import io
import types
import unittest
from pathlib import Path
from unittest import mock

import explore_failures
import figures
import lawful
from confluence import is_orderly, may_be_confluent
from runner_client import TRACE, Played
from shrink_edits import language
import trace
import verdict

WHOLE = "pair a b\ntask main\n    send-all a 5\n    send-all a 7\n    recv-exact b 12\n"


def end(verb, result, moved):
    return (trace.END, 1, verb, 0, result, moved, 0)


class LawfulTest(unittest.TestCase):
    def objections(self, text):
        return list(lawful.objections(language.read(text)))

    def test_a_strict_program_is_let_through(self):
        self.assertEqual(self.objections(
            "tcp a b\npair c d\ntask main\n    send a 4096\n    send b 4000\n    send c 100000\n"
            "outside\n    put b 96\n    close d\n    fill c\n"), [])

    def test_each_broken_rule_is_named(self):
        self.assertEqual(self.objections(
            "tcp a b\nslot c\ntask main\n    try-send a 4000\n    accept a c\n"
            "outside\n    put a 97\n    shutdown a recv\n    close c\n    fill b\n"),
            ["the outside has a shutdown of a, which is for tasks",
             "the outside has a close of c, which is for tasks",
             "the outside fills b, which is TCP",
             "more than 4096 bytes may be unread at the peer of a"])


class ConfluenceTest(unittest.TestCase):
    def test_a_run_is_orderly_when_all_came_to_a_good_end(self):
        good = [end(trace.VERB_SEND_ALL, 5, 5), end(trace.VERB_RECV_EXACT, 5, 5),
                (trace.JOIN, 1, 2, 0, 0), (trace.OUTCOME, 0)]
        self.assertTrue(is_orderly(good))
        self.assertFalse(is_orderly(good[1:]), "more was received than sent")
        self.assertFalse(is_orderly(good[:1] + good[2:]), "something is left")
        self.assertFalse(is_orderly(good[:3] + [(trace.OUTCOME, -35)]))
        self.assertFalse(is_orderly(good[:2] + [(trace.JOIN, 1, 2, -125, 0)] + good[3:]))

    def test_other_transfers_may_depend_on_the_schedule(self):
        events = [(trace.OUTCOME, 0)]
        self.assertTrue(may_be_confluent(WHOLE, WHOLE, events))
        self.assertTrue(may_be_confluent(WHOLE.replace("    send-all a 5\n", ""), WHOLE, events))
        self.assertFalse(may_be_confluent(WHOLE.replace("b 12", "b 5"), WHOLE, events))
        self.assertFalse(may_be_confluent(WHOLE.replace("recv-exact", "recv"), WHOLE, events))


class UndecidedTest(unittest.TestCase):
    def replay(self, **said):
        """What is printed when the acceptor says something of each backend."""
        judge = verdict.Judge("runner", tuple(said), "normal", "acceptor")
        judge.client = mock.Mock(play=lambda *_: Played(TRACE, b""))
        judge.model = mock.Mock(ask=lambda request, *_: said[request.split()[1]])
        options = types.SimpleNamespace(replay="a.program", times=2, mode="normal", kind="random",
                                        model="acceptor", backends=tuple(said))
        printed = io.StringIO()
        with mock.patch.object(explore_failures, "open_judge", return_value=judge), \
                mock.patch.object(Path, "read_text", return_value="task main\n"), \
                contextlib.redirect_stdout(printed):
            is_wrong = explore_failures.play_again(options)
        return is_wrong, printed.getvalue()

    def test_a_trace_that_nobody_could_decide_on_is_not_said_to_be_accepted(self):
        fine, open_ = Played("accepted"), Played("undecided", text="event 7: a reason")
        self.assertEqual(self.replay(select=fine, epoll=fine),
                         (False, "nothing fails: accepted\n"))
        self.assertEqual(self.replay(select=fine, epoll=open_),
                         (False, "undecided: epoll, event 7: a reason\n"))
        is_wrong, printed = self.replay(select=open_, epoll=Played("rejected", text="event 9: no"))
        self.assertTrue(is_wrong)
        self.assertEqual(printed, "acceptor on epoll: 2 of 2 times\nevent 9: no\n")


class FiguresTest(unittest.TestCase):
    def test_figures_of_one_shape_are_added(self):
        self.assertEqual(figures.add({"a": 1, "b": [1, 2], "c": {"x": 1}},
                                     {"a": 2, "b": [1, 1, 4], "c": {"y": 5}}),
                         {"a": 3, "b": [2, 3, 4], "c": {"x": 1, "y": 5}})
        self.assertEqual(figures.trimmed({"a": [0, 1, 0, 0], "b": [0]}), {"a": [0, 1], "b": []})

    def test_the_median_is_that_of_what_was_counted(self):
        for histogram, median in (([0, 0, 5], 2), ([3, 1, 1], 0), ([1, 1, 1], 1), ([0, 2, 2], 1)):
            self.assertEqual(figures.median(histogram), median)


if __name__ == "__main__":
    unittest.main()
