#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""The limits that keep the tree readable, and the share of comments, which is printed only."""

import ast
import collections
import re
import unittest

import tree

FILE_LINES = 400
FUNCTION_LINES = 60
COLUMNS = 100

_SPDX = re.compile(r"^(//|#|/\*) SPDX-License-Identifier: MIT( \*/)?$")

# In two halves each, so that this file does not contain them.
_NOTES_TO_SELF = re.compile(r"\b(" + "|".join(["TO" "DO", "FIX" "ME", "X" "XX"]) + r")\b")

# A function whose brace shares the line of its name would escape the count below.
_MISPLACED_BRACE = re.compile(r"^[A-Za-z_][^=;]*\)\s*\{\s*$")


def c_functions(lines):
    """Yields (first line, count of lines) of each function, from its declaration to its brace."""
    first = 0
    start = None
    for number, line in enumerate(lines, 1):
        if start is None and line == "{":
            start = first
        elif line.startswith("}"):
            if start is not None and line == "}":
                yield start, number - start + 1
            start, first = None, number + 1
        elif not line or line.startswith(("//", "/*", " */", "#")):
            first = number + 1 if start is None else first


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.lineno, node.end_lineno - node.lineno + 1


def line_objections(path, number, line):
    if len(line) > COLUMNS:
        yield f"{path}:{number}: {len(line)} columns"
    if "\t" in line:
        yield f"{path}:{number}: a tab"
    if line != line.rstrip():
        yield f"{path}:{number}: blanks at the end of the line"
    if _NOTES_TO_SELF.search(line):
        yield f"{path}:{number}: a note to self"
    if path.suffix in (".c", ".h") and _MISPLACED_BRACE.match(line):
        yield f"{path}:{number}: a function's brace stands on a line of its own"


def objections(path, text):
    """Everything in the file `path` with the content `text` that goes over a limit."""
    lines = text.splitlines()
    if path.name != ".bazelrc" and not any(
            _SPDX.match(line) for line in lines[:2 if text.startswith("#!") else 1]):
        yield f"{path}: no SPDX line at its beginning"
    if len(lines) > FILE_LINES:
        yield f"{path}: {len(lines)} lines"
    for number, line in enumerate(lines, 1):
        yield from line_objections(path, number, line)
    functions = ()
    if path.suffix in (".c", ".h"):
        functions = c_functions(lines)
    elif path.suffix == ".py":
        functions = python_functions(text)
    for number, count in functions:
        if count > FUNCTION_LINES:
            yield f"{path}:{number}: a function of {count} lines"


def comment_lines(text):
    """The count of lines of C that are comment, alone or beside code."""
    count, inside = 0, False
    for line in text.splitlines():
        if inside or "//" in line or "/*" in line:
            count += 1
        if "/*" in line:
            inside = True
        if "*/" in line:
            inside = False
    return count


def print_comment_shares():
    lines, comments = collections.Counter(), collections.Counter()
    for path in tree.code_files():
        if path.suffix in (".c", ".h"):
            key = f"{path.parts[0]}/*{path.suffix}"
            text = tree.read(path)
            lines[key] += sum(1 for line in text.splitlines() if line.strip())
            comments[key] += comment_lines(text)
    for key in sorted(lines):
        print(f"{key:12} {lines[key]:6} lines, {100 * comments[key] // lines[key]:3} % comment")


class LimitsTest(unittest.TestCase):
    maxDiff = 0

    def objections_to(self, name, text):
        return list(objections(tree.Path(name), text))

    def test_every_file_keeps_the_limits(self):
        found = []
        for path in tree.code_files():
            found += objections(path, tree.read(path))
        print_comment_shares()
        self.assertEqual(found, [], "\n" + "\n".join(found))

    def test_what_is_over_a_limit_is_found(self):
        head = "// SPDX-License-Identifier: MIT\n"
        body = "int f(void)\n{\n" + "    f();\n" * (FUNCTION_LINES - 2) + "}\n"
        for text in [
            "int a;\n",
            head + "int a;\n" * FILE_LINES,
            head + "// " + "a" * COLUMNS + "\n",
            head + "\tint a;\n",
            head + "int a; \n",
            head + "// TO" "DO: more.\n",
            head + body,
            head + "static int f(int a) {\n    return a;\n}\n",
        ]:
            self.assertEqual(len(self.objections_to("engine/a.c", text)), 1, text)
        python = "# SPDX-License-Identifier: MIT\ndef f():\n" + "    f()\n" * FUNCTION_LINES
        self.assertEqual(len(self.objections_to("tests/a.py", python)), 1)

    def test_what_fits_is_let_through(self):
        head = "// SPDX-License-Identifier: MIT\n"
        body = "int f(void)\n{\n" + "    f();\n" * (FUNCTION_LINES - 3) + "}\n"
        table = "static const int table[] = {\n" + "    1,\n" * FUNCTION_LINES + "};\n"
        for text in [head + body, head + body + "\n// Another.\n" + body, head + table]:
            self.assertEqual(self.objections_to("engine/a.c", text), [], text)


if __name__ == "__main__":
    unittest.main()
