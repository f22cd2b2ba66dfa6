# SPDX-License-Identifier: MIT
"""The source tree as the tests in this folder see it: where it is, and which files are ours.

These tests read the tree itself and not copies of declared files, so that a new file cannot escape
them. Bazel therefore runs them outside its sandbox and never takes an old result for a new one.
"""

import os
import re
from pathlib import Path

# Bazel links this file from its own folders; the file that is meant lies in the tree.
ROOT = Path(__file__).resolve().parents[2]

LIBRARY_FOLDERS = ("engine", "tasks", "net")

CODE_SUFFIXES = (".c", ".h", ".S", ".py", ".sh", ".js", ".css", ".bzl", ".bazel", ".BUILD")
CODE_NAMES = ("WORKSPACE", ".bazelrc", "tools/setup", ".ci/run")

# Folders of version control, of tools and of Bazel; and what third parties wrote.
_SKIPPED_FOLDER = re.compile(r"^(\.(?!ci$).*|bazel-.*|__pycache__)$")


def files(*folders):
    """Yields the paths, relative to the tree, of all files in `folders`; everywhere if none."""
    for folder in folders or (".",):
        for directory, names, file_names in os.walk(ROOT / folder):
            names[:] = sorted(name for name in names if not _SKIPPED_FOLDER.match(name))
            for name in sorted(file_names):
                yield (Path(directory) / name).relative_to(ROOT)


def code_files():
    """Yields the paths of everything that is written in a language a machine reads."""
    for path in files():
        if path.parts[0] == "third_party" and path.suffix not in (".BUILD", ".bazel"):
            continue
        if path.suffix in CODE_SUFFIXES or path.as_posix() in CODE_NAMES:
            yield path


def read(path):
    return (ROOT / path).read_text(encoding="utf-8")
