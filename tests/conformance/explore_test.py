#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""A fixed share of the programs: the backends agree, and the model agrees with them.

The same front-end as for the long runs, docs/testing.md; so what is found is written down in the
test's outputs, small, with the command that plays it again.
"""

import os
import subprocess
import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
OUTPUTS = os.environ.get("TEST_UNDECLARED_OUTPUTS_DIR", "failures")

RANDOM, CONFLUENT, PLAYED, ACCEPTED = 12_000, 1500, 2500, 500


class ExploreTest(unittest.TestCase):
    def explore(self, *words):
        """Runs a campaign; fails with everything it said."""
        command = [sys.executable, "-B", HERE / "explore.py", "--failures", OUTPUTS, "--seconds",
                   "20", *words]
        result = subprocess.run(list(map(str, command)), capture_output=True, text=True,
                                check=False)
        print(result.stdout + result.stderr, flush=True)
        self.assertEqual(result.returncode, 0, "\n" + result.stdout + result.stderr)

    def test_the_backends_agree_on_random_programs(self):
        self.explore("--programs", RANDOM, "--seed", 1)

    def test_confluent_programs_come_to_the_same_whatever_the_schedule(self):
        self.explore("--programs", CONFLUENT, "--seed", 2, "--kind", "confluent")

    def test_the_player_agrees_with_select(self):
        self.explore("--programs", PLAYED, "--seed", 3, "--model", "player")

    def test_the_acceptor_accepts_normal_mode_on_each_backend(self):
        self.explore("--programs", ACCEPTED, "--seed", 4, "--model", "acceptor")


if __name__ == "__main__":
    unittest.main()
