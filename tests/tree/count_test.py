#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
""".ci/count.py believes no test that did not say it passed."""

import sys
import unittest

import tree

sys.path.insert(0, str(tree.ROOT / ".ci"))
import count  # noqa: E402

PASSES = "[ RUN      ] test_a\n[       OK ] test_a\n"
FAILS = "[ RUN      ] test_b\n[  ERROR   ] --- 0x1 != 0x2\n[  FAILED  ] test_b\n"
SKIPS = "[ RUN      ] test_c\n[  SKIPPED ] test_c\n"
CRASHES = "[ RUN      ] test_d\n"
CLOSING_LISTS = (
    "[  PASSED  ] 1 test(s).\n[  SKIPPED ] 1 test(s), listed below:\n[  SKIPPED ] test_c\n"
    "[  FAILED  ] 1 test(s), listed below:\n[  FAILED  ] test_b\n")


class CountTest(unittest.TestCase):
    def test_each_case_of_a_cmocka_log_counts_once(self):
        self.assertEqual(count.count_test("PASSED", PASSES + PASSES), (2, 0, 0))
        self.assertEqual(count.count_test("FAILED", PASSES + FAILS + SKIPS), (1, 1, 1))
        self.assertEqual(count.count_test("FAILED", PASSES + FAILS + SKIPS + CLOSING_LISTS),
                         (1, 1, 1))

    def test_a_case_that_never_ended_has_failed(self):
        self.assertEqual(count.count_test("FAILED", PASSES + CRASHES), (1, 1, 0))

    def test_a_program_that_fails_beside_its_cases_has_failed(self):
        self.assertEqual(count.count_test("FAILED", PASSES), (1, 1, 0))
        self.assertEqual(count.count_test("TIMEOUT", ""), (0, 1, 0))

    def test_a_program_without_cases_counts_as_one(self):
        self.assertEqual(count.count_test("PASSED", "all is well\n"), (1, 0, 0))
        self.assertEqual(count.count_test("FAILED", "all is well\n"), (0, 1, 0))

    def test_a_program_that_skips_itself_has_not_passed(self):
        self.assertEqual(count.count_test("PASSED", "begun\nskipped: no gdb\n"), (0, 0, 1))
        self.assertEqual(count.count_test("PASSED", "skipped: a part\nall is well\n"), (1, 0, 0))
        self.assertEqual(count.count_test("FAILED", "skipped: no gdb\n"), (0, 1, 0))

    def test_a_target_that_does_not_build_has_failed(self):
        label = {"targetCompleted": {"label": "//a:b"}}
        events = [{"id": label, "completed": {}},
                  {"id": label, "completed": {"success": True}}]
        self.assertEqual(list(count.outcomes(events)), [("//a:b", "FAILED TO BUILD", 0, 1, 0)])


if __name__ == "__main__":
    unittest.main()
