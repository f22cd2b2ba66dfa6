#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""The flags of bazel/copts.bzl are in a program: `hardening_test.py PROGRAM [fortified]`."""

import platform
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SOURCE = """
#include <stdio.h>
#include <string.h>
int main(int count, char **words)
{
    char text[64];
    snprintf(text, (size_t)count * 8, "%s", words[0]);
    return puts(text) < 0;
}
"""

# Everything off that can be switched off.
SOFT_FLAGS = ["-O2", "-no-pie", "-fno-pie", "-fno-stack-protector", "-fcf-protection=none",
              "-U_FORTIFY_SOURCE", "-Wl,-z,norelro,-z,lazy,-z,execstack"]


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def weaknesses(program, fortified):
    """The protections that the program lacks, in words."""
    elf = run("readelf", "--wide", "--file-header", "--segments", "--dynamic", program)
    imports = run("nm", "--dynamic", "--undefined-only", program)
    expected = {
        "position independent": re.search(r"FLAGS_1.*\bPIE\b", elf),
        "read-only relocations": "GNU_RELRO" in elf,
        "bound at start": re.search(r"FLAGS_1.*\bNOW\b", elf),
        "no executable stack": re.search(r"GNU_STACK.* RW +0x", elf),
        "stack protector": "__stack_chk_fail" in imports,
        "no search path for libraries": not re.search(r"\((RPATH|RUNPATH)\)", elf),
    }
    if fortified:
        expected["checked buffer sizes"] = re.search(r"__(?!stack)\w+_chk\b", imports)
    if platform.machine() == "x86_64":
        main = run("objdump", "--disassemble=main", "--no-show-raw-insn", program)
        expected["landing marks"] = re.search(r"<main>:\n.*\bendbr64\b", main)
    return [name for name, found in expected.items() if not found]


class HardeningTest(unittest.TestCase):
    program = None
    fortified = False

    def test_the_program_is_protected(self):
        self.assertEqual(weaknesses(self.program, self.fortified), [])

    def test_a_soft_program_is_found(self):
        with tempfile.TemporaryDirectory() as scratch:
            source, program = Path(scratch) / "soft.c", Path(scratch) / "soft"
            source.write_text(SOURCE)
            run("gcc", *SOFT_FLAGS, str(source), "-o", str(program))
            self.assertGreaterEqual(len(weaknesses(str(program), True)), 6)


if __name__ == "__main__":
    HardeningTest.program = sys.argv[1]
    HardeningTest.fortified = "fortified" in sys.argv[2:]
    unittest.main(argv=sys.argv[:1])
