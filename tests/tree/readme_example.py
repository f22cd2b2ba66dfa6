#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""Prints the first C program of a README, for Bazel to compile: `readme_example.py README.md`."""

import re
import sys
from pathlib import Path


def first_c_block(text):
    """The text between the first ```c and the next ```."""
    found = re.search(r"^```c\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    if found is None:
        raise SystemExit("readme_example: no block that begins with ```c")
    return found.group(1)


if __name__ == "__main__":
    print(first_c_block(Path(sys.argv[1]).read_text(encoding="utf-8")), end="")
