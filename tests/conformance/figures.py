# SPDX-License-Identifier: MIT
"""The figures of a campaign: those of its blocks added up, one table, and what is missing in them.

A clean campaign says only as much as its programs have in them, so this is printed with every
result. The runner counts, block by block (explore/coverage.h); here it is added. explore.py calls
this.
"""

import itertools

# What the engine asks of a ring. A campaign in which one of them never came has not tested it.
OPCODES = ("POLL_ADD", "RECV", "RECVMSG", "SEND", "SENDMSG", "ACCEPT", "CONNECT", "ASYNC_CANCEL")
ENOUGH_PROGRAMS = 1000  # To expect each of them.

UNDECIDED_NAMED = 20  # Of the traces that nobody could decide on.
UNDECIDED_ONE_OF = 1000  # That may be one of so many traces, and no more,
UNDECIDED_FEW = 3  # but these in any run, since chance has a say in a short one.

PAIRS_ENOUGH = 100
TRAITS = (("parked_sender", "a parked sender"), ("cancel", "a cancellation"), ("close", "a close"),
          ("deadline", "a deadline"), ("timed_out", "one that was cut off by it"),
          ("stuck", "tasks stuck at the end"), ("shutdown", "a shutdown"),
          ("end_of_stream", "an end of stream"), ("evicted", "one that a close ended"),
          ("busy", "a second waiter"))


def add(one, other):
    """The sum of two figures of one shape: numbers, lists and objects of them."""
    if isinstance(one, dict):
        return {key: add(one[key], other[key]) if key in one and key in other
                else one.get(key, other.get(key)) for key in {**one, **other}}
    if isinstance(one, list):
        return [add(*pair) for pair in itertools.zip_longest(one, other, fillvalue=0)]
    return one + other


def trimmed(figures):
    """The figures without the zeros at the end of lists."""
    if isinstance(figures, dict):
        return {key: trimmed(value) for key, value in figures.items()}
    if isinstance(figures, list):
        while figures and figures[-1] == 0:
            figures = figures[:-1]
    return figures


def median(histogram):
    """The median of a list that says how many there are of 0, of 1, ..."""
    place = (sum(histogram) + 1) // 2
    for value, count in enumerate(histogram):
        place -= count
        if place <= 0:
            return value
    return 0


def missing_opcodes(figures):
    """What rings were never asked for."""
    return [name for name in OPCODES if not figures["opcodes"].get(name)]


def is_too_much_undecided(figures):
    """Whether the acceptor gave up so often that what it says counts for little."""
    undecided = figures.get("undecided", 0)
    return undecided > UNDECIDED_FEW and undecided * UNDECIDED_ONE_OF > figures["plays"]


def bound(programs):
    """Of how many programs fewer than one fails, at 95 %, when so many did not."""
    return programs // 3


def _share(count, total):
    return f"{100 * count / total:.1f} %" if total else "-"


def _rows(figures, distinct):
    coverage = figures["coverage"]
    total = coverage["programs"]
    yield "programs", f"{total:,}, of them distinct {distinct:,}"
    for key, words in (("operations", "submitted"), ("carried_out", "carried out")):
        yield (f"operations {words}", f"median {median(coverage[key])}, "
               f"most {len(trimmed(coverage[key])) - 1}")
    for key, words in TRAITS:
        if key in coverage["traits"]:
            yield f"with {words}", _share(coverage["traits"][key], total)
    pairs = coverage["pairs"]
    least = min(pairs, key=pairs.get)
    few = sum(count < PAIRS_ENOUGH for count in pairs.values())
    yield ("pairs on one socket", f"{len(pairs)} possible, least {pairs[least]:,} ({least}), "
           f"{few} under {PAIRS_ENOUGH}")
    if figures.get("undecided"):
        yield "undecided traces", f"{figures['undecided']:,} of {figures['plays']:,}"
        # SEED:NUMBER BACKEND, of one seed.
        names = sorted(figures.get("undecided_names", ()),
                       key=lambda name: int(name.split()[0].partition(":")[2]))
        for name in names[:UNDECIDED_NAMED]:
            yield "", name
    if any(figures["opcodes"].values()):
        for number, name in enumerate(OPCODES):
            yield ("" if number else "ring operations",
                   f"{name:12} {figures['opcodes'].get(name, 0):>14,}")


def table(figures, distinct):
    """Yields the lines of a table that a person can read."""
    for name, value in _rows(figures, distinct):
        yield f"{name:30} {value}"
