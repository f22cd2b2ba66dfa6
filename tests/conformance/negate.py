#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""Negated branches: every condition of a source file, and the file with one of them negated.

A branch is an if, a while (of do, too), the condition of a for, or a ?:. Checks are none: what they
say holds. The parser knows as much C as the style of this tree needs: comments, strings, and
brackets; lines of the preprocessor are passed over.

`negate.py FILE...` lists the branches.
"""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

# What is not code: comments, strings, characters, and lines of the preprocessor with those that
# continue them.
NO_CODE = re.compile(r"""
    //[^\n]* | /\*.*?\*/ | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*' | ^\#(?:\\\n|[^\n])*
    """, re.DOTALL | re.MULTILINE | re.VERBOSE)

KEYWORD = re.compile(r"\b(if|while|for)\s*\(")

# Where a function begins: its name stands in a line without indentation.
FUNCTION = re.compile(r"^[a-z][\w *]*?(\w+)\(", re.MULTILINE)

OPENING, CLOSING = "([{", ")]}"


class Unfit(Exception):
    """The source has something that the parser does not know."""


@dataclass(frozen=True)
class Branch:
    """A condition, which is source[start:end]."""
    file: str
    function: str
    kind: str
    text: str
    number: int  # Among those that are alike in all of the above, from 1.
    line: int
    start: int
    end: int

    @property
    def name(self):
        """Stays the same when other lines change."""
        again = f" #{self.number}" if self.number > 1 else ""
        return f"{self.file} {self.function}: {self.kind} ({self.text}){again}"


def only_code(source):
    """The source with everything else blank, and each character in its place."""
    return NO_CODE.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), source)


def closing_of(code, start):
    """Where the bracket that is open at `start` is closed."""
    depth = 0
    for place in range(start, len(code)):
        depth += (code[place] in OPENING) - (code[place] in CLOSING)
        if depth == 0:
            return place
    raise Unfit(f"a bracket is not closed: {code[start:start + 40]}")


def condition_of_for(code, start, end):
    """The span between the two semicolons."""
    first = code.index(";", start)
    second = code.index(";", first + 1)
    if second > end:
        raise Unfit(f"not a for: {code[start:end]}")
    return first + 1, second


def is_assignment(code, place):
    return code[place] == "=" and code[place + 1] != "=" and code[place - 1] not in "=!<>"


def start_of_question(code, question):
    """Where the condition of a ?: begins: behind what binds weaker, or a return."""
    depth = 0
    place = question - 1
    while place >= 0:
        here = code[place]
        if depth == 0 and (here in OPENING + ",;}?:" or is_assignment(code, place)):
            break
        depth += (here in CLOSING) - (here in OPENING)
        if depth == 0 and re.match(r"\breturn\b", code[place:place + 7]) \
                and not code[place - 1].isalnum() and code[place - 1] != "_":
            place += len("return") - 1
            break
        place -= 1
    return place + 1


def spans(code):
    """(kind, start, end) of every condition."""
    for found in KEYWORD.finditer(code):
        opening = found.end() - 1
        start, end = opening + 1, closing_of(code, opening)
        if found.group(1) == "for":
            start, end = condition_of_for(code, start, end)
        yield found.group(1), start, end
    for question in re.finditer(r"\?", code):
        yield "?:", start_of_question(code, question.start()), question.start()


def function_at(code, place):
    names = [found.group(1) for found in FUNCTION.finditer(code, 0, place)]
    if not names:
        raise Unfit(f"a condition outside of functions: {code[place:place + 40]}")
    return names[-1]


def branches(file, source):
    """All branches, in the order of the source."""
    code = only_code(source)
    counts = {}
    for kind, start, end in sorted(spans(code), key=lambda span: span[1]):
        text = " ".join(code[start:end].split())
        if not text:
            continue  # for (;;)
        start += len(code[start:end]) - len(code[start:end].lstrip())
        end = start + len(code[start:end].rstrip())
        alike = (function_at(code, start), kind, text)
        counts[alike] = counts.get(alike, 0) + 1
        yield Branch(file, *alike, counts[alike], source.count("\n", 0, start) + 1, start, end)


def negated(branch, source):
    """The source with that branch taken when it was not."""
    condition = source[branch.start:branch.end]
    return f"{source[:branch.start]}!({condition}){source[branch.end:]}"


def main():
    count = 0
    for path in sys.argv[1:]:
        for branch in branches(path, Path(path).read_text(encoding="utf-8")):
            print(f"{branch.line}: {branch.name}")
            count += 1
    print(f"{count} branches")


if __name__ == "__main__":
    main()
