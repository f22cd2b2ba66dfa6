# SPDX-License-Identifier: MIT
"""The runner with a variant of one file in it: everything else is compiled once.

bugs.py calls it. Knows nothing of what runners do.
"""

import platform
import re
import subprocess
from pathlib import Path

HERE = Path("tests/conformance")
PROGRAM = HERE / "explore"

COMPILE = ["gcc", "-std=gnu11", "-D_GNU_SOURCE", "-O1", "-g", "-w"]


class Broken(Exception):
    """A command failed; the text says what it said."""


def run(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        raise Broken(f"{' '.join(map(str, command))}:\n{done.stdout}{done.stderr}")
    return done.stdout


def library_sources(root):
    for folder in ("engine", "tasks", "net"):
        for path in sorted((root / folder).glob("*.c")):
            if path.name != "context_fallback.c":
                yield path.relative_to(root)
    own = Path(f"tasks/context_{platform.machine()}.S")
    yield own if (root / own).exists() else Path("tasks/context_fallback.c")


def program_sources(root):
    """Those of the runner: the unit tests beside them have mains of their own."""
    for path in sorted((root / PROGRAM).glob("*.c")):
        if not path.name.endswith("_test.c"):
            yield path.relative_to(root)


def wrapped(root):
    """What the linker is to wrap, as BUILD.bazel says."""
    text = (root / PROGRAM / "BUILD.bazel").read_text(encoding="utf-8")
    names = re.search(r"^WRAPPED = \[(.*?)\]", text, re.MULTILINE | re.DOTALL).group(1)
    return ["-Wl,--wrap=" + name for name in re.findall(r'"(\w+)"', names)]


class Bench:
    """A folder with everything compiled once, and runners that are linked there."""

    def __init__(self, root, folder, pool):
        self.root, self.folder = Path(root), Path(folder)
        self.library = self.folder / "library.a"
        self.flags = wrapped(self.root)
        objects = list(pool.map(self._compile, library_sources(self.root)))
        self.library.unlink(missing_ok=True)
        run("ar", "rc", self.library, *objects)
        self.program = list(pool.map(self._compile, program_sources(self.root)))

    def _compile(self, path):
        target = self.folder / (str(path).replace("/", "_") + ".o")
        run(*COMPILE, "-iquote", self.root, "-c", self.root / path, "-o", target)
        return target

    def _link(self, name, objects):
        program = self.folder / name
        # What comes first takes the place of the same in the library.
        run("gcc", *objects, *self.program, self.library, *self.flags, "-pthread", "-luring",
            "-o", program)
        return program

    def healthy(self):
        """The path of the runner as it is."""
        return self._link("runner", [])

    def variant(self, name, source):
        """The path of a runner with `source` in place of one file. The caller deletes it."""
        copy, target = self.folder / f"{name}.c", self.folder / f"{name}.o"
        copy.write_text(source, encoding="utf-8")
        run(*COMPILE, "-iquote", self.root, "-c", copy, "-o", target)
        program = self._link(f"{name}.runner", [target])
        copy.unlink()
        target.unlink()
        return program
