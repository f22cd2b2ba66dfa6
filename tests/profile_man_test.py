#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""The man page of the profiler has every verb and every option that --help has, and no others."""

import re
import subprocess
import sys
import unittest

PROFILE, PAGE = "tools/profile/profile", "docs/man/cede-profile.1"
VERBS = ["run", "sweep", "capacity", "compare", "report", "selfcheck"]


def options_of_help(verb):
    """The long and short options that `profile VERB --help` lists."""
    text = subprocess.run([PROFILE, verb, "--help"], stdout=subprocess.PIPE, check=True)
    found = set()
    for line in text.stdout.decode().splitlines():
        row = re.match(r"  (?:(-\w), |    )(--[\w-]+)", line)
        if row:
            found.update(option for option in row.groups() if option)
    return found


def options_of_page(text):
    """The options that the lines of the page begin with: of its items, not of its sentences."""
    section = text[text.index(".SH OPTIONS"):text.index(".SH EXIT STATUS")]
    lines = [below for above, below in zip(section.splitlines(), section.splitlines()[1:])
             if above == ".TP"]
    plain = " ".join(lines).replace("\\-", "-")
    return set(re.findall(r"(?<![\w-])--?[a-zA-Z][\w-]*", re.sub(r"\\f[PRBI]", "", plain)))


class ManTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        with open(PAGE, encoding="utf-8") as file:
            self.page = file.read()

    def test_the_page_has_the_options_of_the_help(self):
        wanted = set().union(*(options_of_help(verb) for verb in VERBS))
        self.assertGreater(len(wanted), 25)
        self.assertEqual(sorted(options_of_page(self.page)), sorted(wanted))

    def test_the_page_has_the_verbs(self):
        for verb in VERBS:
            self.assertRegex(self.page, rf"\n\.TP\n\.B {verb}\n")

    def test_no_line_begins_by_accident_with_a_control_character(self):
        macros = {"TH", "SH", "SS", "TP", "B", "BI", "BR", "RI", "I", "IR", "RB", "PP", "br", "nf",
                  "fi", '\\"'}
        for line in self.page.splitlines():
            self.assertNotRegex(line, r"^'")
            if line.startswith("."):
                self.assertIn(line[1:].split(" ")[0], macros, line)


if __name__ == "__main__":
    sys.exit(unittest.main())
