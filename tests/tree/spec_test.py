#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""docs/spec.md ends with a list of what checks each clause, and that list is true.

It is made of what the checks themselves say: a claim has its clause in claims.h, a program of the
corpus has a line `# Clauses:`, a unit test in C names clauses in the comment above it, in the bar
above its section, or in the first comment of its file, which then counts as a whole, and a test in
Python has them in front of its name (test_s13_s15_...), or its class in the comment below its name.
`spec_test.py --write` writes the list.
"""

import collections
import re
import sys
import textwrap
import unittest
from pathlib import Path

import tree

SPEC = Path("docs/spec.md")
CLAIMS = Path("tests/conformance/claims.h")
CORPUS = Path("tests/conformance/corpus")
UNPLAYED = CORPUS / "README.md"  # With a table of tests for what no program can show.
MODEL = Path("tests/model")

# What has no number in the text, and the heading under which it stands there.
STRICT_MODE = "strict mode"
OPERATION_LAYER = "operation layer"

HEADING = "## What checks each clause"
WIDTH = 120
INTRODUCTION = """\
Written by `tests/tree/spec_test.py --write`, and kept true by it. *Claims* are functions of
`tests/conformance/`, checked on every backend, each with a fault that breaks it
(`tests/conformance/fault_matrix_test.py`); *programs* lie in `tests/conformance/corpus/`, and are
played on every backend and by the model. Beside all of these stand random programs, which are held
against every clause that they can reach (docs/testing.md).
"""

_CLAUSE = re.compile(r"\b[TS][1-9][0-9]?\b")
_DEFINED = re.compile(r"^- \*\*([TS]\d+) ([^*]+?)\.?\*\*", re.MULTILINE)
_CLAIM = re.compile(r'X\("([^"]*)", (\w+)\)')
_TEST = re.compile(r"^(?:static )?void (test_\w+)\(void \*\*state\)", re.MULTILINE)
_PYTHON_TEST = re.compile(r"^    def (test((?:_[ts][1-9]\d?)+)_\w+)\(self\)", re.MULTILINE)
_PYTHON_CLASS = re.compile(r'^class (\w+)\(.*\):\n    """((?:[^"]|"(?!""))*)"""', re.MULTILINE)
_PROGRAM_CLAUSES = re.compile(r"^# Clauses: (.*)$", re.MULTILINE)

Check = collections.namedtuple("Check", "kind name clauses")


# --- What the specification says ----------------------------------------------------------------

def without_list(text):
    return text.partition("\n" + HEADING)[0].rstrip("\n") + "\n"


def clauses(text):
    """Each clause with its title, in the order of the text, those without a number last."""
    found = dict(_DEFINED.findall(without_list(text)))
    found[STRICT_MODE] = "the trace is the same on every backend"
    found[OPERATION_LAYER] = "what each verb is defined as"
    return found


def clause_text(text, clause):
    if clause in (STRICT_MODE, OPERATION_LAYER):
        start = "**Strict mode**" if clause == STRICT_MODE else "## The operation layer"
        return re.split(r"\n\n(?=\S)|\n## ", text.partition(start)[2].lstrip("\n"))[0]
    rest = text.partition(f"- **{clause} ")[2].partition("**")[2]
    return re.split(r"\n- \*\*|\n\n", rest)[0]


def later_parts(text, clause):
    """What the clause itself calls *later*: each such sentence, up to the word."""
    flat = " ".join(clause_text(text, clause).split())
    for match in re.finditer(r"(?:[^.]|\.(?=\S))+(?=\(\*later\*)", flat):
        yield match.group().strip()


# --- What the checks say ------------------------------------------------------------------------

def claim_checks(text):
    for clause, name in _CLAIM.findall(text):
        yield Check("claims", name, (clause,))


def program_check(path, text):
    match = _PROGRAM_CLAUSES.search(text)
    names = match.group(1).rstrip(".").split(", ") if match else []
    return Check("programs", path.stem, tuple(names))


def c_test_checks(path, text):
    """The cmocka tests of a file that name a clause; the file itself where its head does."""
    lines = text.splitlines()
    head, bar, above = set(), set(), set()
    in_head = True
    for line in lines:
        if line.startswith("//"):
            named = set(_CLAUSE.findall(line))
            if line.startswith("// ---"):
                bar, above = named, set()
            elif in_head:
                head |= named
            else:
                above |= named
            continue
        match = _TEST.match(line)
        if match and (bar | above) - head:
            yield Check("tests", (path.as_posix(), match.group(1)), tuple(sorted(bar | above)))
        in_head = False
        above = set()
    if head:
        yield Check("tests", (path.as_posix(), None), tuple(sorted(head)))


def python_checks(path, text):
    """The tests of a file that have clauses in front of their names, and the classes of tests that
    name some."""
    kind = "model" if path.parts[:2] == MODEL.parts else "tests"
    for name, clauses_in_it in _PYTHON_TEST.findall(text):
        named = clauses_in_it.strip("_").upper().split("_")
        yield Check(kind, (path.as_posix(), name), tuple(named))
    for name, comment in _PYTHON_CLASS.findall(text):
        named = sorted(set(_CLAUSE.findall(comment)))
        if named:
            yield Check(kind, (path.as_posix(), name), tuple(named))


def checks():
    """Everything that names a clause, as it lies in the tree."""
    yield from claim_checks(tree.read(CLAIMS))
    for path in tree.files("tests"):
        if path.suffix == ".program" and path.parent == CORPUS:
            yield program_check(path, tree.read(path))
        elif path.name.endswith("_test.c"):
            yield from c_test_checks(path, tree.read(path))
        elif path.name.endswith("_test.py"):
            yield from python_checks(path, tree.read(path))


# --- The list -----------------------------------------------------------------------------------

def names_of_kind(kind, found):
    """The names of one kind, as they are printed; unit tests behind their file."""
    if kind in ("claims", "programs"):
        return [f"`{check.name}`" for check in found]
    files = collections.defaultdict(list)
    for check in found:
        files[check.name[0]].append(check.name[1])
    return [f"`{path}`" if None in tests else
            f"`{path}` (" + ", ".join(f"`{test}`" for test in tests) + ")"
            for path, tests in sorted(files.items())]


def wrapped(text):
    return textwrap.fill(text, WIDTH, initial_indent="    - ", subsequent_indent="      ",
                         break_long_words=False, break_on_hyphens=False)


def make_list(text, found):
    """The last section of the specification."""
    lines = [HEADING, "", INTRODUCTION]
    for clause, title in clauses(text).items():
        lines.append(f"- **{clause}** {title}" if clause != title else f"- **{clause}**")
        mine = [check for check in found if clause in check.clauses]
        for kind in ("claims", "programs", "tests", "model"):
            names = names_of_kind(kind, [check for check in mine if check.kind == kind])
            if names:
                lines.append(wrapped(f"{kind}: " + ", ".join(names)))
        for part in later_parts(text, clause):
            lines.append(wrapped(f"*later*, and not checked: \"{part}\""))
    return "\n".join(lines) + "\n"


def objections(text, found):
    """What is wrong with the checks, whatever the list says."""
    known = clauses(text)
    for check in found:
        if not check.clauses:
            yield f"{check.name} names no clause"
        for clause in check.clauses:
            if clause not in known:
                yield f"{check.name} names {clause}, which is no clause"
    checked = {clause for check in found for clause in check.clauses}
    for clause in known:
        if clause not in checked:
            yield f"nothing checks {clause}"


def named_in_tables(text):
    """What stands in the last column of each table, between backticks."""
    for line in text.splitlines():
        if line.startswith("| "):
            yield from re.findall(r"`([^`]+)`", line.rstrip("| ").rpartition(" | ")[2])


def all_tests():
    """The names of all claims and of all cmocka tests."""
    yield from (name for _, name in _CLAIM.findall(tree.read(CLAIMS)))
    for path in tree.files("tests"):
        if path.name.endswith("_test.c"):
            yield from _TEST.findall(tree.read(path))


def write():
    text = without_list(tree.read(SPEC))
    (tree.ROOT / SPEC).write_text(text + "\n" + make_list(text, list(checks())), encoding="utf-8")


# --- The tests ----------------------------------------------------------------------------------

class SpecTest(unittest.TestCase):
    maxDiff = None

    def test_every_check_names_a_clause_and_every_clause_has_a_check(self):
        text, found = tree.read(SPEC), list(checks())
        print(f"{len(clauses(text))} clauses, {len(found)} checks")
        self.assertEqual(list(objections(text, found)), [])

    def test_the_list_is_what_the_checks_say(self):
        text = tree.read(SPEC)
        there = text[len(without_list(text)):].lstrip("\n")
        self.assertEqual(there, make_list(text, list(checks())), "run `spec_test.py --write`")

    def test_what_no_program_can_show_has_tests_that_exist(self):
        named, there = list(named_in_tables(tree.read(UNPLAYED))), set(all_tests())
        print(f"{len(named)} tests of what no program can show")
        self.assertEqual([name for name in named
                          if name not in there and not (tree.ROOT / name).is_file()], [])

    def test_the_numbers_have_no_gap(self):
        found = list(clauses(tree.read(SPEC)))
        for letter in "TS":
            mine = [clause for clause in found if re.fullmatch(letter + r"\d+", clause)]
            self.assertEqual(mine, [f"{letter}{i + 1}" for i in range(len(mine))])


SMALL = """\
- **T1 run.** Tasks run.
- **S1 Wait.** It ends. Some day it sings (*later*). It ends once.

**Strict mode** forbids.

## The operation layer

It is so. A word; and read-ahead (*later*).

More.
"""


class ReadingTest(unittest.TestCase):
    maxDiff = None

    def test_a_specification_is_read(self):
        self.assertEqual(list(clauses(SMALL)), ["T1", "S1", STRICT_MODE, OPERATION_LAYER])
        self.assertEqual(clauses(SMALL)["T1"], "run")
        self.assertEqual(list(later_parts(SMALL, "S1")), ["Some day it sings"])
        self.assertEqual(list(later_parts(SMALL, OPERATION_LAYER)), ["A word; and read-ahead"])
        self.assertEqual(list(later_parts(SMALL, "T1")), [])
        self.assertEqual(clauses(SMALL + "\n" + HEADING + "\n- **S2 No.**\n"), clauses(SMALL))

    def test_clauses_are_found_where_tests_name_them(self):
        text = ("// SPDX-License-Identifier: MIT\n//\n// Claims (S9).\n\n"
                "static void test_a(void **state)\n{\n}\n\n// --- Next (S2) ---\n\n"
                "// Says why (T4).\nstatic void test_b(void **state)\n{\n}\n\n"
                "static void test_c(void **state)\n{\n    // Not here: S3.\n}\n\n"
                "// --- Last ---\n\nstatic void test_d(void **state)\n{\n}\n")
        self.assertEqual(sorted(c_test_checks(Path("x_test.c"), text), key=str), [
            Check("tests", ("x_test.c", "test_b"), ("S2", "T4")),
            Check("tests", ("x_test.c", "test_c"), ("S2",)),
            Check("tests", ("x_test.c", None), ("S9",))])
        self.assertEqual(program_check(Path("a/b.program"), "# X.\n# Clauses: S2, strict mode\n"),
                         Check("programs", "b", ("S2", "strict mode")))
        text = ("class A:\n    def test_s2_t1_is_so(self):\n        pass\n\n"
                "    def test_s_is_so(self):\n        pass\n\n\n"
                "class B(A):\n    \"\"\"More (S4,\n    T1).\"\"\"\n\n\n"
                "class C(A):\n    \"\"\"None.\"\"\"\n\n    def f(self):\n        \"\"\"S3.\"\"\"\n")
        self.assertEqual(list(python_checks(Path("tests/model/a_test.py"), text)), [
            Check("model", ("tests/model/a_test.py", "test_s2_t1_is_so"), ("S2", "T1")),
            Check("model", ("tests/model/a_test.py", "B"), ("S4", "T1"))])

    def test_what_is_wrong_is_found(self):
        found = [Check("claims", "a", ("T1",)), Check("claims", "b", ("S1",)),
                 Check("programs", "c", (STRICT_MODE, OPERATION_LAYER))]
        self.assertEqual(list(objections(SMALL, found)), [])
        self.assertEqual(list(objections(SMALL, found[1:])), ["nothing checks T1"])
        self.assertEqual(list(objections(SMALL, found + [Check("programs", "d", ())])),
                         ["d names no clause"])
        self.assertEqual(list(objections(SMALL, found + [Check("claims", "d", ("S7",))])),
                         ["d names S7, which is no clause"])

    def test_the_names_in_a_table_are_read(self):
        self.assertEqual(list(named_in_tables("| a `x` | b |\n|---|---|\n| `y` | `c`, `d/e.c` |\n"
                                              "`f`\n")), ["c", "d/e.c"])

    def test_the_list_has_each_name_under_its_clause(self):
        made = make_list(SMALL, [Check("claims", "a", ("T1",)),
                                 Check("tests", ("x_test.c", "test_b"), ("T1", "S1"))])
        self.assertIn("- **T1** run\n    - claims: `a`\n    - tests: `x_test.c` (`test_b`)\n"
                      "- **S1** Wait\n    - tests: `x_test.c` (`test_b`)\n"
                      "    - *later*, and not checked: \"Some day it sings\"\n", made)


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        write()
    else:
        unittest.main()
