#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""A fixed share of programs: the library's traces, on select, are the model's and the brief's.

`play_runner_test.py RUNNER`. More: play.py reads what `runner run --emit -` writes, and
brief_compare.py says how many of its programs there are to be.
"""

import subprocess
import sys
import unittest

import brief
import brief_compare
import play

PROGRAMS = 1000
RUNNER = sys.argv.pop(1)


class RunnerTest(unittest.TestCase):
    def test_the_library_plays_random_programs_like_the_model(self):
        command = [RUNNER, "run", "--seed", "1", "--first", "0", "--count", str(PROGRAMS),
                   "--backends", "select", "--emit", "-"]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as runner:
            count, different, others = play.compare(runner.stdout)
        self.assertEqual((count, different, others), (PROGRAMS, 0, 0))

    def test_the_library_wakes_in_the_order_of_the_brief(self):
        runner = brief_compare.Runner(RUNNER)
        compared = 0
        for number in range(PROGRAMS):
            made = brief_compare.Maker(f"1 {number}").program()
            try:
                self.assertEqual(brief_compare.difference(made, runner), "", f"number {number}")
            except brief.Unknown:
                continue
            compared += 1
        runner.close()
        self.assertGreater(compared, PROGRAMS * 9 // 10)


if __name__ == "__main__":
    play.pin()
    unittest.main()
