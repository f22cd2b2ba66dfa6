#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""Decides whether the specification allows traces of runs in normal mode.

    runner run --mode normal --emit - ... | accept.py     judges each trace of each backend
    accept.py PROGRAM TRACE                               judges one, in its binary form

A trace that is not allowed is told by a line `rejected SEED NUMBER BACKEND EVENT: WHY`, one about
which nothing could be shown by `undecided ...`. The exit status is 1 when one was rejected, or when
the runner itself has found something.
"""

import sys

import acceptor
import program
import trace
from play import Emitted


def told(verdict):
    """What is said of a trace that was not accepted."""
    kind = "undecided" if verdict.is_undecided else "rejected"
    return kind, f"{verdict.place}: {verdict.why}"


def judge_all(stream):
    """How many traces there are of each kind, and how much else a runner has found."""
    counts = {"accepted": 0, "rejected": 0, "undecided": 0}
    emitted = Emitted(stream)
    for seed, number, text, traces in emitted:
        made = program.read(text)
        for backend, mode, data in traces:
            if mode != "normal":
                continue
            verdict = acceptor.judge(made, trace.decode(data))
            if verdict.is_accepted:
                counts["accepted"] += 1
                continue
            kind, what = told(verdict)
            counts[kind] += 1
            print(f"{kind} {seed} {number} {backend} {what}", flush=True)
    for line in emitted.others:
        print(line)
    return counts, len(emitted.others)


def judge_one(program_path, trace_path):
    with open(program_path, encoding="utf-8") as file:
        made = program.read(file.read())
    with open(trace_path, "rb") as file:
        verdict = acceptor.judge(made, trace.decode(file.read()))
    print("accepted" if verdict.is_accepted else " ".join(told(verdict)))
    return 0 if verdict.is_accepted else 1


def main(arguments):
    if len(arguments) == 2:
        return judge_one(*arguments)
    if arguments:
        print(__doc__, file=sys.stderr)
        return 2
    counts, others = judge_all(sys.stdin.buffer)
    print(f"{counts['accepted']} traces accepted, {counts['rejected']} rejected, "
          f"{counts['undecided']} undecided")
    return 1 if counts["rejected"] or others else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
