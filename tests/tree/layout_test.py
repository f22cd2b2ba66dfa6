#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""The code layout in README.md names every file of the library, and none that is not there."""

import re
import unittest

import tree

# "    engine/   what it is" opens a folder, "      sys.h .c   what it is" names files in it.
_FOLDER = re.compile(r"^    ([\w./]+)/ ")
_FILES = re.compile(r"^      (\w+)((?:\.\w+ )(?:\.\w+ )*) +\S")


def listed_files(text):
    """The paths that stand in the section `Code layout` of the text."""
    section = re.search(r"^## Code layout\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    folder, paths = None, set()
    for line in section.group(1).splitlines():
        opened, files = _FOLDER.match(line), _FILES.match(line)
        if opened:
            folder = opened.group(1)
        elif files:
            paths.update(f"{folder}/{files.group(1)}{suffix}" for suffix in files.group(2).split())
    return paths


def library_files():
    return {path.as_posix() for path in tree.files(*tree.LIBRARY_FOLDERS)
            if path.suffix in (".c", ".h", ".S")}


class LayoutTest(unittest.TestCase):
    maxDiff = None

    def test_the_layout_is_the_tree(self):
        listed = {path for path in listed_files(tree.read("README.md"))
                  if path.startswith(tuple(f"{folder}/" for folder in tree.LIBRARY_FOLDERS))}
        print(f"{len(listed)} files listed")
        self.assertEqual(sorted(listed - library_files()), [], "listed, but not there")
        self.assertEqual(sorted(library_files() - listed), [], "there, but not listed")

    def test_a_layout_is_read(self):
        text = ("# Title\n\n## Code layout\n\n    cede.h       all\n    engine/      it\n"
                "      sys.h .c     one\n      tick.c       two\n    net/         it\n"
                "      socket.h     three\n\n## Next\n\n      other.c      none\n")
        self.assertEqual(listed_files(text), {"engine/sys.h", "engine/sys.c", "engine/tick.c",
                                              "net/socket.h"})


if __name__ == "__main__":
    unittest.main()
