#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""The fault matrix: whether the claims would notice, each by itself, what it is that is broken.

Each fault is compiled into a copy of its source file, which is linked with the claims before the
library, so that it takes the place of the original. Then all claims are checked. The rule: the
claim that a fault is aimed at does not hold any more, and at most three others do not. And every
claim has a fault that breaks it and keeps this rule.

`fault_matrix_test.py NAME...` plants the named faults only.
"""

import concurrent.futures
import os
import platform
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import faults

# Bazel starts a test in the root of the tree that it was given.
ROOT = Path.cwd()
HERE = Path("tests/conformance")
BACKENDS = ("epoll", "io_uring", "select")

BROKEN_BESIDES = 3  # How many claims a fault may break beside the one it is aimed at.
LIMIT_SECONDS = 1  # For a claim; it takes milliseconds.
LIMIT_SECONDS_AGAIN = 10  # For a second look, in case the machine was busy.

COMPILE = ["gcc", "-std=gnu11", "-D_GNU_SOURCE", "-O1", "-w", "-iquote", str(ROOT)]


def run(*command):
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}:\n{result.stdout}{result.stderr}")
    return result.stdout


def wrapped():
    """The names that BUILD.bazel has the linker wrap."""
    text = (HERE / "BUILD.bazel").read_text(encoding="utf-8")
    names = re.search(r"^WRAPPED = \[(.*?)\]", text, re.MULTILINE | re.DOTALL).group(1)
    return ["-Wl,--wrap=" + name for name in re.findall(r'"(\w+)"', names)]


def library_sources():
    for folder in ("engine", "tasks", "net"):
        for path in sorted(Path(folder).glob("*.c")):
            if path.name != "context_fallback.c":
                yield path
    own = Path(f"tasks/context_{platform.machine()}.S")
    yield own if own.exists() else Path("tasks/context_fallback.c")


def claim_sources():
    names = ("matrix_row.c", "sockets.c", "suite.c", "support.c", "watch.c")
    yield from sorted(HERE.glob("claims_*.c"))
    yield from (HERE / name for name in names)


def clauses():
    """Every claim of claims.h, with its clause."""
    text = (HERE / "claims.h").read_text(encoding="utf-8")
    return {name: clause for clause, name in re.findall(r'X\("(\w+)", (\w+)\)', text)}


class Bench:
    """A folder with everything compiled once, and what is done with a fault there."""

    def __init__(self, folder, pool):
        self.folder = Path(folder)
        self.library = self.folder / "library.a"
        run("ar", "rc", self.library, *pool.map(self.compile, library_sources()))
        self.claims = list(pool.map(self.compile, claim_sources()))

    def compile(self, path):
        target = self.folder / (str(path).replace("/", "_") + ".o")
        run(*COMPILE, "-c", path, "-o", target)
        return target

    def broken(self, name, objects, limit_seconds, backends=BACKENDS):
        """Links, checks all claims: those that do not hold, each with what it said."""
        program = self.folder / name
        run("gcc", *objects, *self.claims, self.library, *wrapped(), "-pthread", "-luring",
            "-o", program)
        lines = run(program, str(limit_seconds), *backends).splitlines()
        program.unlink()
        return dict(line.partition("\t")[::2] for line in lines)

    def plant(self, fault, limit_seconds=LIMIT_SECONDS):
        """The claims that the fault breaks."""
        source = faults.apply(fault, Path(fault.file).read_text(encoding="utf-8"))
        copy, target = self.folder / f"{fault.name}.c", self.folder / f"{fault.name}.o"
        copy.write_text(source, encoding="utf-8")
        run(*COMPILE, "-c", copy, "-o", target)
        backends = (fault.backend,) if fault.backend else BACKENDS
        return self.broken(fault.name + ".row", [target], limit_seconds, backends)


def objection(fault, broken):
    """What the rule has against a row of the matrix, or None."""
    if fault.claim not in broken:
        return f"{fault.name} does not break {fault.claim}"
    if len(broken) > 1 + BROKEN_BESIDES:
        return f"{fault.name} breaks {len(broken)} claims: {', '.join(broken)}"
    return None


def read_faults(names):
    files = sorted((HERE / "faults").glob("*.fault"))
    return [faults.parse(path.stem, path.read_text(encoding="utf-8"))
            for path in files if not names or path.stem in names]


def print_row(fault, broken):
    besides = [claim for claim in broken if claim != fault.claim]
    hit = "x" if fault.claim in broken else "-"
    print(f"{fault.name}\n    {hit} {fault.claim}")
    for claim in besides:
        print(f"    + {claim}")


class FaultMatrixTest(unittest.TestCase):
    maxDiff = 0
    names = ()

    def look_again(self, bench, fault, broken):
        """The row, seen once more with more patience if there is something against it."""
        if objection(fault, broken) is None:
            return broken
        again = bench.plant(fault, LIMIT_SECONDS_AGAIN)
        for claim, said in again.items():
            print(f"    {fault.name} > {claim}: {said}")
        return again

    def test_every_claim_is_told_apart_by_a_fault(self):
        planted = read_faults(self.names)
        with tempfile.TemporaryDirectory() as folder, \
                concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            bench = Bench(folder, pool)
            self.assertEqual(bench.broken("whole", [], LIMIT_SECONDS_AGAIN), {}, "without a fault")
            rows = list(pool.map(bench.plant, planted))
            rows = [self.look_again(bench, *pair) for pair in zip(planted, rows)]
        for fault, broken in zip(planted, rows):
            print_row(fault, broken)
        found = [objection(*pair) for pair in zip(planted, rows)]
        found = [reason for reason in found if reason]
        fitting = [pair for pair in zip(planted, rows) if objection(*pair) is None]
        told_apart = {claim for _, broken in fitting for claim in broken}
        print(f"{len(clauses())} claims, {len(planted)} faults, {len(told_apart)} claims broken")
        if not self.names:
            found += [f"no fault tells apart: {claim}"
                      for claim in clauses() if claim not in told_apart]
        self.assertEqual(found, [], "\n" + "\n".join(found))

    def test_a_fault_that_does_not_apply_is_found(self):
        fault = faults.parse("planted", "# Why.\nclaim: c\nfile: a.c\n- one\n- two\n+ three\n")
        self.assertEqual(faults.apply(fault, "zero\none\ntwo\n"), "zero\nthree\n")
        for source in ("one\n", "one\ntwo\none\ntwo\n"):
            with self.assertRaises(faults.Unfit):
                faults.apply(fault, source)
        for text in ("claim: c\nfile: a.c\n", "file: a.c\n- a\n+ b\n", "anything\n"):
            with self.assertRaises(faults.Unfit):
                faults.parse("planted", text)

    def test_a_row_that_breaks_the_rule_is_found(self):
        fault = faults.Fault("planted", claim="a")
        self.assertIsNone(objection(fault, {"a": "", "b": "", "c": "", "d": ""}))
        self.assertIsNotNone(objection(fault, {"b": ""}))
        self.assertIsNotNone(objection(fault, {"a": "", "b": "", "c": "", "d": "", "e": ""}))


if __name__ == "__main__":
    FaultMatrixTest.names = sys.argv[1:]
    unittest.main(argv=sys.argv[:1])
