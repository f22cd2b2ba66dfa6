# SPDX-License-Identifier: MIT
"""Planted faults: reading them, applying them to a copy of a source file.

A fault is a small file, faults/NAME.fault, which never touches the product:

    # SPDX-License-Identifier: MIT
    # What is wrong then, in a sentence.
    claim: the_claim_it_is_aimed_at
    file: engine/tick.c
    - the old text, which must occur exactly once
    + the new text

Old and new text may have several lines, or be a part of one. Blocks of them are separated by an
empty line, and each is applied. `backend: epoll` says that only this backend can show the fault.
"""

from dataclasses import dataclass, field


class Unfit(Exception):
    """The fault cannot be read, or does not apply any more."""


@dataclass
class Fault:
    name: str
    claim: str = ""
    file: str = ""
    backend: str = ""
    changes: list = field(default_factory=list)  # Pairs of old and new text.


def parse(name, text):
    """The Fault that the text of a .fault file describes."""
    fault = Fault(name)
    old, new = [], []
    for line in text.splitlines() + [""]:
        if line.startswith("- ") and not new:
            old.append(line[2:])
        elif line.startswith("+ ") and old:
            new.append(line[2:])
        elif line == "" and (old or new):
            fault.changes.append(("\n".join(old), "\n".join(new)))
            old, new = [], []
        elif line.partition(": ")[0] in ("claim", "file", "backend"):
            key, _, value = line.partition(": ")
            setattr(fault, key, value)
        elif line and not line.startswith("#"):
            raise Unfit(f"{name}: cannot read the line: {line}")
    if not (fault.claim and fault.file and fault.changes):
        raise Unfit(f"{name}: needs a claim, a file and a change")
    return fault


def apply(fault, source):
    """The text `source` with the fault in it."""
    for old, new in fault.changes:
        count = source.count(old)
        if count != 1:
            raise Unfit(f"{fault.name}: found {count} times in {fault.file}: {old}")
        source = source.replace(old, new)
    return source
