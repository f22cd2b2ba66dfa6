# SPDX-License-Identifier: MIT
"""Plants errors into good traces that are written as scripts (acceptor_script.py).

Each good trace is written down from docs/spec.md. A bad one is a good one with one small change,
which has a name; it must be rejected, and for the right reason.
"""

import textwrap
import unittest

import acceptor
import program as p
from acceptor_script import Script

# How a run ends in normal mode: the reaper finds nobody.
END = """
        - note reap
        tick 90000
        reaper end wakeup = 0
        reaper done
        outcome 0
        """


class Planted(unittest.TestCase):
    """Of a class with PROGRAM and GOOD. The good trace is accepted; each other test changes its
    lines. By its name alone it would be taken for such a class: modules of tests import its module.
    """

    PROGRAM = None
    GOOD = None

    def setUp(self):
        self.made = p.read(textwrap.dedent(self.PROGRAM))
        self.lines = [line.strip() for line in self.GOOD.strip().splitlines()]
        self.numbers = {}  # What a spawned task is called instead, by line.

    def place(self, start):
        """The only line that begins so."""
        found = [place for place, line in enumerate(self.lines) if line.startswith(start)]
        self.assertEqual(len(found), 1, f"{start}: {found}")
        return found[0]

    # --- Changes --------------------------------------------------------------------------------

    def remove(self, start):
        del self.lines[self.place(start)]

    def replace(self, start, line, number=None):
        place = self.place(start)
        self.lines[place] = line
        if number is not None:
            self.numbers[place] = number

    def insert(self, line, before=None, after=None):
        self.lines.insert(self.place(before) if before else self.place(after) + 1, line)

    def move(self, first, last=None, *, before=None, after=None):
        """A line, or all from one to another."""
        start = self.place(first)
        end = (self.place(last) if last else start) + 1
        moved = self.lines[start:end]
        del self.lines[start:end]
        place = self.place(before) if before else self.place(after) + 1
        self.lines[place:place] = moved

    # --- Verdicts -------------------------------------------------------------------------------

    def verdict(self):
        events = Script(self.made).events("\n".join(self.lines))
        for place, number in self.numbers.items():
            events[place] = (*events[place][:2], number, *events[place][3:])
        return acceptor.judge(self.made, events)

    def accepts(self):
        verdict = self.verdict()
        self.assertTrue(verdict.is_accepted, f"event {verdict.place}: {verdict.why}")

    def rejects(self, why):
        verdict = self.verdict()
        self.assertFalse(verdict.is_accepted)
        self.assertFalse(verdict.is_undecided, verdict.why)
        self.assertRegex(verdict.why, why)

    def test_good(self):
        self.accepts()
