# SPDX-License-Identifier: MIT
"""Variants of the product that a bug was put into, and how their sources are made.

A variant is a bug written by hand, bugs/NAME.bug, or a negated branch (negate.py). A .bug file has
the form of a .fault file (faults.py) without a claim, and two lines of its own:

    mode: normal         only programs in normal mode can find it
    needs: 257, a reason the size of the smallest program that shows it, if that is above 20
    survives: a reason   why nothing finds it

Negated branches that survive stand in bugs_survivors.txt, each with its reason in the lines below
its name, which are indented.
"""

from dataclasses import dataclass
from pathlib import Path

import faults
import negate

HERE = Path("tests/conformance")
SURVIVORS = HERE / "bugs_survivors.txt"

# Whose branches are negated.
NEGATED = (
    "engine/readiness.c",
    "engine/select.c",
    "engine/epoll.c",
    "engine/uring.c",
    "engine/uring_flow.c",
    "engine/uring_requests.c",
    "tasks/scheduler.c",
    "tasks/scheduler_calls.c",
)

OWN_KEYS = ("mode", "needs", "survives")

OPERATIONS_MAX = 20  # Of the program that shows a bug.


@dataclass(frozen=True)
class Variant:
    """A file of the product with something wrong in it."""
    name: str
    file: str
    source: str
    is_bug: bool  # Written by hand; else a negated branch.
    is_normal: bool = False  # To be looked for in normal mode.
    operations: int = OPERATIONS_MAX  # That may be needed to show it.
    survives: str = ""  # The reason why it may.


def read_bug(name, text):
    """(the fault, its own keys) of a .bug file."""
    own, rest = {}, []
    for line in text.splitlines():
        key, colon, value = line.partition(": ")
        if colon and key in OWN_KEYS:
            own[key] = value
        else:
            rest.append(line)
    if own.get("mode", "normal") != "normal":
        raise faults.Unfit(f"{name}: there is no mode {own['mode']}")
    # A bug is aimed at no claim.
    return faults.parse(name, "\n".join(["claim: none", *rest])), own


def bug(path, root=Path()):
    """The Variant of a .bug file."""
    fault, own = read_bug(path.stem, path.read_text(encoding="utf-8"))
    source = (root / fault.file).read_text(encoding="utf-8")
    return Variant(path.stem, fault.file, faults.apply(fault, source), True, "mode" in own,
                   int(own.get("needs", str(OPERATIONS_MAX)).partition(",")[0]),
                   own.get("survives", ""))


def bugs(root=Path()):
    return [bug(path, root) for path in sorted((root / HERE / "bugs").glob("*.bug"))]


def read_survivors(text):
    """The reasons by name."""
    reasons, name = {}, None
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if not line.startswith(" "):
            name = line
            reasons[name] = []
        elif name is None:
            raise faults.Unfit(f"a reason of nothing: {line}")
        else:
            reasons[name].append(line.strip())
    for name, lines in reasons.items():
        if not lines:
            raise faults.Unfit(f"no reason: {name}")
    return {name: " ".join(lines) for name, lines in reasons.items()}


def negated(root=Path()):
    """All negated branches. A survivor that is none of them has gone."""
    reasons = read_survivors((root / SURVIVORS).read_text(encoding="utf-8"))
    variants = []
    for file in NEGATED:
        source = (root / file).read_text(encoding="utf-8")
        for branch in negate.branches(file, source):
            variants.append(Variant(branch.name, file, negate.negated(branch, source), False,
                                    survives=reasons.pop(branch.name, "")))
    if reasons:
        raise faults.Unfit(f"{SURVIVORS}: there is no branch {sorted(reasons)[0]}")
    return variants
