#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""Every header of the library compiles alone and may be included twice, with the flags of COPTS."""

import shutil
import subprocess
import unittest

import tree


def copts():
    """The list COPTS of bazel/copts.bzl, as it is on a processor and in a mode without specials."""
    scope = {"select": lambda choices: choices["//conditions:default"]}
    exec(tree.read("bazel/copts.bzl"), scope)  # pylint: disable=exec-used
    return scope["COPTS"]


def headers():
    for path in tree.files(*tree.LIBRARY_FOLDERS):
        if path.suffix == ".h":
            yield path.as_posix()
    if (tree.ROOT / "cede.h").exists():
        yield "cede.h"


def complaints(compiler, text):
    """What the compiler says about a translation unit with this text; empty if it is content."""
    command = [compiler, *copts(), "-O1", "-iquote", str(tree.ROOT), "-fsyntax-only", "-xc", "-"]
    result = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    return result.stderr or ("" if result.returncode == 0 else f"status {result.returncode}")


def including(header):
    line = f'#include "{header}"\n'
    return line + line + "extern int not_empty;\n"


class HeadersTest(unittest.TestCase):
    maxDiff = 0

    def test_every_header_compiles_alone_and_twice(self):
        found, count = [], 0
        for compiler in ("gcc", "clang"):
            if shutil.which(compiler) is None:
                print(f"{compiler}: not tried, for it is not installed")
                continue
            for header in headers():
                said = complaints(compiler, including(header))
                found += [f"{header}, {compiler}:\n{said}"] if said else []
                count += 1
        print(f"{count} compilations")
        self.assertGreater(count, 0)
        self.assertEqual(found, [], "\n" + "\n".join(found))

    def test_a_header_that_leans_on_others_is_found(self):
        self.assertNotEqual(complaints("gcc", "struct a {\n    size_t bytes;\n};\n"), "")
        self.assertNotEqual(complaints("gcc", including("engine/there_is_none.h")), "")

    def test_a_header_without_a_guard_is_found(self):
        self.assertNotEqual(complaints("gcc", "struct a {\n    int b;\n};\n" * 2), "")


if __name__ == "__main__":
    unittest.main()
