# SPDX-License-Identifier: MIT
"""The acceptor: decides whether docs/spec.md allows the trace of a program's run in normal mode.

It opens no socket and knows no backend. First half (acceptor_run.py): tasks, their order, time.
Second half (acceptor_world.py): what operations came to. What a trace does not show is a choice;
all choices are tried, up to a budget: beyond it a trace is undecided, not accepted.
"""

from acceptor_base import Choices, Rejected
from acceptor_run import Run
from acceptor_world import World

BUDGET = 400  # Ways through one trace.


class Verdict:
    """Accepted; or rejected, where and why; or undecided: neither could be shown."""

    __slots__ = ("is_accepted", "is_undecided", "place", "why", "ways")

    def __init__(self, ways, refusal=None, is_undecided=False):
        self.is_accepted = refusal is None
        self.is_undecided = is_undecided
        self.place = refusal.place + 1 if refusal else None  # The event, as the text form counts.
        self.why = refusal.why if refusal else ""
        self.ways = ways


def judge(program, events):
    """The verdict on a trace."""
    choices = Choices()
    refusal = None
    for ways in range(1, BUDGET + 1):
        half = 1
        try:
            run = Run(program, events, choices)
            run.go()
            half = 2
            World(run).go()
            return Verdict(ways)
        except Rejected as error:
            error.half = half
            if refusal is None or (half, error.place) > (refusal.half, refusal.place):
                refusal = error
        if not choices.advance():
            return Verdict(ways, refusal, choices.is_cut)
    return Verdict(BUDGET, refusal, True)
