#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""The bugs of the measurement apply and compile, as every negated branch does; some are found."""

import concurrent.futures
import contextlib
import io
import os
import subprocess
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import bugs
import bugs_look
import bugs_read
import bugs_shrink
import faults
import negate
from bugs_build import Bench
from bugs_expect import NotTheModel, expectation
from verdict import NoProgram

# Bazel starts a test in the root of the tree that it was given.
ROOT = Path.cwd()
BUG_COUNT = 50  # Those that random programs find.

# A few bugs, found within so many programs; the first of them is all backends' own, so that only
# the model can find it.
SAMPLE_PROGRAMS = 100
SAMPLE = (
    "scheduler_calls_forget_to_restore_the_deadline",
    "attempt_forgets_progress_when_blocked",
    "epoll_cache_outlives_the_close",
    "operation_removal_keeps_the_tail",
    "readiness_does_not_arm_what_moved",
    "select_report_disarms_both_ways",
    "tick_wakes_the_late_with_their_class",
    "uring_closes_before_it_submits",
)

CHECK = ["gcc", "-std=gnu11", "-D_GNU_SOURCE", "-fsyntax-only", "-iquote", str(ROOT)]
WARNINGS = ["-Wall", "-Wextra", "-Werror"]

PLANTED = '''// if (a comment)
#define WHEN(x) if (x)
static const char *text = "if (a string) ? ':'";
static int first(int a, int b)
{
    if (a == b && (a || b))
        return a ? b : 0;
    for (int i = 0; i < a; i++)
        do {
            b = f(a <= b ? a : b, '?');
        } while (b);
    for (;;)
        b += a == b
                 ? 1
                 : a != b ? 2 : 3;
}

struct thing *second(void)
{
    if (a == b && (a || b))
        return;
    if (a == b && (a || b))
        return;
}
'''

NEGATED = [
    ("first", "if", "a == b && (a || b)", 1, 6),
    ("first", "?:", "a", 1, 7),
    ("first", "for", "i < a", 1, 8),
    ("first", "?:", "a <= b", 1, 10),
    ("first", "while", "b", 1, 11),
    ("first", "?:", "a == b", 1, 13),
    ("first", "?:", "a != b", 1, 15),
    ("second", "if", "a == b && (a || b)", 1, 20),
    ("second", "if", "a == b && (a || b)", 2, 22),
]


def complaints(variants, flags):
    """What the compiler says, for those it does not take."""
    with tempfile.TemporaryDirectory() as folder, \
            concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        def compile_one(numbered):
            number, variant = numbered
            path = Path(folder) / f"{number}.c"
            path.write_text(variant.source, encoding="utf-8")
            done = subprocess.run([*CHECK, *flags, path], capture_output=True, text=True,
                                  check=False)
            return f"{variant.name}: {done.stderr}" if done.returncode else None
        return [said for said in pool.map(compile_one, enumerate(variants)) if said]


class BugsTest(unittest.TestCase):
    maxDiff = None

    def test_every_bug_applies_and_compiles_without_a_warning(self):
        found = bugs_read.bugs()
        print(f"{len(found)} bugs in {len({bug.file for bug in found})} files")
        self.assertEqual(sum(not one.survives for one in found), BUG_COUNT)
        self.assertEqual(complaints(found, WARNINGS), [])

    def test_every_negated_branch_applies_and_compiles(self):
        variants = bugs_read.negated()
        print(f"{len(variants)} branches in {len(bugs_read.NEGATED)} files")
        self.assertEqual(len({variant.name for variant in variants}), len(variants))
        for variant in variants:
            original = Path(variant.file).read_text(encoding="utf-8")
            self.assertEqual(len(variant.source), len(original) + len("!()"), variant.name)
        self.assertEqual(complaints(variants, ["-w"]), [])

    def test_a_sample_is_found_and_nothing_without_a_bug(self):
        with tempfile.TemporaryDirectory() as folder, \
                concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            bench = Bench(ROOT, folder, pool)
            healthy = bench.healthy()
            limits = bugs_look.Limits(programs=SAMPLE_PROGRAMS, backends=bugs.allowed(healthy))
            expect = expectation(healthy, Path(folder), "test", limits, os.cpu_count())

            def look(path):
                variant = bugs_read.bug(path)
                runner = bench.variant(variant.name, variant.source)
                return variant.name, bugs_look.look(runner, limits, expect, False)

            paths = [bugs_read.HERE / "bugs" / f"{name}.bug" for name in SAMPLE]
            found = dict(pool.map(look, paths))
            # Were the digests another runner's, that would be told before anything is looked for.
            broken = bench.variant("broken", bugs_read.bug(paths[0]).source)
            with self.assertRaises(NotTheModel):
                expectation(broken, Path(folder), "broken", limits, os.cpu_count())
        for name, what in found.items():
            print(f"{name}: {what}")
        if "io_uring" not in limits.backends:
            del found["uring_closes_before_it_submits"]
        self.assertEqual([name for name, what in found.items() if what is None], [])
        self.assertEqual(found[SAMPLE[0]].way, bugs_look.MODEL)

    def test_the_programs_of_the_ways_that_found_nothing_are_counted(self):
        limits = bugs_look.Limits(programs=2000)
        rude = bugs_look.Found(bugs_look.RUDE, "leak", 9)
        with mock.patch.object(bugs_look, "_look", side_effect=[None, None, None, rude]):
            found = bugs_look.look("runner", limits, "digests", True)
        self.assertEqual(found.programs, 2000 + 2000 + 1000 + 10)
        with mock.patch.object(bugs_look, "_look", side_effect=[rude]):
            self.assertEqual(bugs_look.look("runner", limits, "digests", True).programs, 10)

    def test_what_was_found_must_fail_again(self):
        text = "task main\n    pause\n    pause\n"
        hang, broken = (bugs_look.Found(bugs_look.BACKENDS, kind, 12)
                        for kind in ("hang", bugs_look.BROKEN))

        def shrink(found, **behaviour):
            with mock.patch.object(bugs_shrink, "_program", return_value=text), \
                    mock.patch.object(bugs_shrink, "_judge"), \
                    mock.patch.object(bugs_shrink, "shrink_text", **behaviour):
                return bugs_shrink.shrink("runner", bugs_look.Limits(), found)

        self.assertIsNone(shrink(broken, side_effect=NoProgram), "it does not even open")
        gone = shrink(hang, return_value=None)
        self.assertEqual((gone.kind, gone.operations, gone.replayed), ("hang", 2, 0))
        self.assertEqual(shrink(broken, return_value=None).replayed, 0)
        self.assertEqual(shrink(hang, side_effect=NoProgram).replayed, 0)

        bug = bugs_read.Variant("planted", "a.c", "text", True, operations=1)
        with tempfile.TemporaryDirectory() as folder:
            ledger = bugs.Ledger(Path(folder), "key")
            measurement = bugs.Measurement([bug], ledger, bugs_look.Limits())
            for found, shrunk, complaints_ in (
                    (broken, None, []),
                    (hang, gone._replace(replayed=100, steps=1), []),
                    (hang, gone, ["planted is found by a program that does not fail again"])):
                ledger.add(bug, found, shrunk)
                with contextlib.redirect_stdout(io.StringIO()) as printed:
                    self.assertEqual(list(measurement.report("bugs", [bug])), complaints_)
        self.assertIn("planted: backends (hang), 13 programs; it does not fail again\n",
                      printed.getvalue())

    def test_branches_are_found_in_code_alone(self):
        found = list(negate.branches("planted.c", PLANTED))
        self.assertEqual([(branch.function, branch.kind, branch.text, branch.number, branch.line)
                          for branch in found], NEGATED)
        third = negate.negated(found[2], PLANTED)
        self.assertEqual(third, PLANTED.replace("i < a", "!(i < a)"))
        last = negate.negated(found[8], PLANTED)
        self.assertEqual(last.rpartition("if ")[2].split("\n")[0], "(!(a == b && (a || b)))")
        for text in ("int f(void)\n{\n    if (a", "if (a)\n"):
            with self.assertRaises(negate.Unfit):
                list(negate.branches("planted.c", text))

    def test_a_bug_that_cannot_be_read_is_found(self):
        fault, own = bugs_read.read_bug("planted", "# Why.\nfile: a.c\nmode: normal\n"
                                        "survives: a reason\n- one\n+ two\n")
        self.assertEqual(own, {"mode": "normal", "survives": "a reason"})
        self.assertEqual(faults.apply(fault, "one\n"), "two\n")
        for text in ("file: a.c\nmode: strict\n- one\n+ two\n", "- one\n+ two\n", "anything\n"):
            with self.assertRaises(faults.Unfit):
                bugs_read.read_bug("planted", text)

    def test_survivors_have_reasons(self):
        text = "# Why.\n\na.c f: if (x)\n    one\n    two\nb.c f: if (y)\n    three\n"
        self.assertEqual(bugs_read.read_survivors(text),
                         {"a.c f: if (x)": "one two", "b.c f: if (y)": "three"})
        for text in ("    a reason\n", "a.c f: if (x)\nb.c f: if (y)\n    one\n"):
            with self.assertRaises(faults.Unfit):
                bugs_read.read_survivors(text)


if __name__ == "__main__":
    unittest.main()
