# SPDX-License-Identifier: MIT
"""What the tests of the player expect: the lines of a trace."""

import unittest
from zlib import crc32

import player_outside
import program
import trace


def sent(number, size, first=0):
    """The digest of bytes that object `number` sends, as a trace's text has it."""
    return f"{crc32(bytes((number * 37 + k) % 251 for k in range(first, first + size))):08x}"


def play(text):
    """The lines of the trace of a program, but for the numbers of its events and who is spawned."""
    made = program.read(text)
    names = [thing.name for thing in made.objects]
    lines = trace.text(player_outside.play(made), names).splitlines()
    return [" ".join(line.split()[1:]) for line in lines if " spawn " not in line]


def lines(text):
    return [line.strip() for line in text.strip().splitlines()]


class ExpectTest(unittest.TestCase):
    maxDiff = None

    def check(self, text, expected):
        self.assertEqual(play(text), lines(expected))

    def check_among(self, text, expected):
        """Among others these lines are there, in this order."""
        found = iter(play(text))
        for line in lines(expected):
            self.assertIn(line, found)
