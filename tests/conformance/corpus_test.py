#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""Each program of the corpus means what it says, and the same to all: `corpus_test.py RUNNER`.

In strict mode its trace is equal on every backend and for the model's player, and in few words the
one that stands in the program. In normal mode the acceptor accepts what each backend does.
"""

import difflib
import re
import sys
import unittest

import corpus
import play
import program
import trace
import verdict
from runner_client import CRASH, HANG, LEAK, TRACE, Client

BACKENDS = ("select", "epoll", "io_uring")

# How long a program may take, on a machine that has much else to do.
LIMIT_S = 30.0


def objection(expected, found):
    """Where the lines of a trace are not the expected ones; empty if they are."""
    lines = difflib.ndiff(corpus.bind(expected, found), found)
    return "".join(f"{line}\n" for line in lines if line[0] in "-+")


def told(found):
    """What a verdict says; nothing if there is none."""
    return f"{found.kind} on {found.backend}\n{found.text}" if found else ""


class CorpusTest(unittest.TestCase):
    runner = None
    backends = BACKENDS

    @classmethod
    def setUpClass(cls):
        play.pin()
        cls.kept = corpus.read_all()
        refused = dict(verdict.refused_backends(cls.runner, BACKENDS))
        for backend, reason in refused.items():
            # Only the ring is ever denied.
            if backend != "io_uring" or reason.split()[0] in (CRASH, HANG, LEAK):
                raise AssertionError(f"{backend}: {reason}")
            print(f"not played on {backend}: {reason}")
        cls.backends = [backend for backend in BACKENDS if backend not in refused]
        print(f"{len(cls.kept)} programs on {', '.join(cls.backends)}")

    def judge(self, mode, model):
        """A judge that has time."""
        found = verdict.Judge(self.runner, self.backends, mode, model)
        found.limit(LIMIT_S)
        return found

    def test_every_program_says_what_it_is_about(self):
        self.assertGreater(len(self.kept), 0)
        for kept in self.kept:
            with self.subTest(kept.name):
                self.assertRegex(kept.name, r"^[a-z0-9_]+$")
                self.assertRegex(kept.text, r"\A# SPDX-License-Identifier: MIT\n#\n# \S")
                self.assertNotEqual(kept.clauses, ())
                self.assertNotEqual(kept.expected, ())

    def test_the_trace_is_the_one_that_is_expected_and_that_of_the_model(self):
        with Client(self.runner, "serve", limit_s=LIMIT_S) as client:
            for kept in self.kept:
                with self.subTest(kept.name):
                    played = client.play(kept.text, self.backends[0], "strict")
                    self.assertEqual(played.kind, TRACE, played.text)
                    found = corpus.condense(program.read(kept.text), trace.decode(played.trace))
                    self.assertEqual(objection(kept.expected, found), "")
                    self.assertEqual(play.difference(kept.text, played.trace), "", "of the model")

    def test_the_trace_is_the_same_on_every_backend(self):
        with self.judge("strict", None) as judge:
            for kept in self.kept:
                with self.subTest(kept.name):
                    self.assertEqual(told(judge.judge(kept.text)), "")

    def test_what_happens_in_normal_mode_is_accepted(self):
        with self.judge("normal", verdict.ACCEPTOR) as judge:
            for kept in self.kept:
                with self.subTest(kept.name):
                    self.assertEqual(told(judge.judge(kept.text)), "")


# A program whose traces have something of every kind.
PLANTED = """\
# Clauses: S1, S13.
#
# Expected:
#     start main try-send b = $n; main shutdown a = 0
#     outside put b = some
#     1us t recv a = -ETIMEDOUT; t leave = -ETIMEDOUT;
#         main join t = 0
#     outcome 0
pair a b
task main
"""
MADE = program.read("pair a b\nslot s\ntask main\n    recv a 1\ntask t\n    recv a 1\n")


class ReadingTest(unittest.TestCase):
    """That the test can fail."""

    maxDiff = None

    def found(self):
        """What the program above might come to."""
        return ["start main try-send b = 7; main shutdown a = 0", "outside put b = 3",
                "1us t recv a = -ETIMEDOUT; t leave = -ETIMEDOUT; main join t = 0", "outcome 0"]

    def expected(self):
        return corpus.read_text("planted", PLANTED).expected

    def test_an_expectation_is_read(self):
        kept = corpus.read_text("planted", PLANTED)
        self.assertEqual(kept.clauses, ("S1", "S13"))
        self.assertEqual(len(kept.expected), 4)
        self.assertEqual(kept.expected[2], self.found()[2])

    def test_what_is_expected_has_no_objection(self):
        self.assertEqual(objection(self.expected(), self.found()), "")

    def test_every_change_of_a_trace_is_found(self):
        for number, line in enumerate(self.found()):
            changed = self.found()
            del changed[number]
            self.assertNotEqual(objection(self.expected(), changed), "", f"without {line}")
            for word in (word for word in re.split(r"[ ;]+", line) if not word.isdecimal()):
                changed = self.found()
                changed[number] = line.replace(word, "other", 1)
                self.assertNotEqual(objection(self.expected(), changed), "", word)
        self.assertNotEqual(objection(self.expected(), self.found() + ["outcome 0"]), "")

    def test_some_is_a_number_above_zero_and_a_name_the_same_one_everywhere(self):
        self.assertEqual(objection(["a = some; b = $x", "c = $x"], ["a = 3; b = 4", "c = 4"]), "")
        for found in (["a = 0; b = 4", "c = 4"], ["a = 3; b = 4", "c = 5"],
                      ["a = -EPIPE; b = 4", "c = 4"], ["a = 3; b = 4", "c = -EPIPE"]):
            self.assertNotEqual(objection(["a = some; b = $x", "c = $x"], found), "", found)

    def test_a_trace_is_condensed(self):
        events = [(trace.SPAWN, 0, 1, 0, "main"), (trace.SPAWN, 1, 2, 0, "t"),
                  (trace.NOTE, 1, 25, 1, 7, 99), (trace.SUBMIT, 2, trace.VERB_RECV, 0, 1, -1),
                  (trace.NOTE, 0, 64, 1, 3, 98), (trace.TICK, 1000),
                  (trace.END, 2, trace.VERB_RECV_EXACT, 0, -110, 3, 97),
                  (trace.SCOPE, 2, trace.SCOPE_LEAVE, -110), (trace.DONE, 2, 0),
                  (trace.END, 1, trace.VERB_PARK, -1, 0, 0, 0), (trace.JOIN, 1, 2, 0, 0),
                  (trace.END, 1, trace.VERB_ACCEPT, 0, 2, 0, 0), (trace.PAUSE, 1, 0),
                  (trace.SHUTDOWN, 1, 2, 0, 0), (trace.OUTCOME, -35)]
        self.assertEqual(corpus.condense(MADE, events), [
            "start main try-send b = 7", "outside put b = 3",
            "1us t recv-exact a = -ETIMEDOUT after 3; t leave = -ETIMEDOUT; main join t = 0; "
            "main accept a = s; main shutdown a = 0", "outcome -EDEADLK"])


if __name__ == "__main__":
    CorpusTest.runner = sys.argv[1]
    unittest.main(argv=sys.argv[:1])
