# SPDX-License-Identifier: MIT
"""Shrinking a failing program with the judges at hand: its failure is found first, and kept.

A failure that does not come every time is not believed at once when it stays away, and not when it
comes: each step forward is confirmed. Called by explore.py.
"""

import math
import time
from typing import NamedTuple

import verdict
from runner_client import HANG
from shrink import Shrinker
from shrink_edits import counts, language

REPLAYS = 20  # Of the program before it is shrunk,
REPLAYS_S = 3.0  # as far as they fit into this time, but some at least.
REPLAYS_MIN = 3
CONFIRMATIONS = 3  # Of a step forward, when not all replays failed.
MISSED = 0.02  # How likely a failure that does not come every time may be missed.
TRIES_MAX = 100
LIMIT_S = 3.0  # How long a program may take before it hangs,
SHORT_LIMIT_S = 0.05  # and at least, where hanging is what is looked for.


class Shrunk(NamedTuple):
    """What came of a shrinking."""

    text: str
    verdict: verdict.Verdict
    failed: int  # Of the replays before it was shrunk,
    replays: int  # of which there were so many.
    is_complete: bool
    tried: int
    seconds: float

    def summary(self):
        """Sentences, a line each."""
        steps, stimuli, tasks, objects = counts(language.read(self.text))
        yield (f"{self.verdict.kind}: {steps} steps, {stimuli} stimuli, {tasks} tasks, {objects} "
               f"objects, after {self.tried:,} candidates in {self.seconds:.1f} s")
        if self.failed < self.replays:
            yield (f"not every time: {self.failed} of {self.replays} replays failed, so each step "
                   f"forward was confirmed {CONFIRMATIONS} times")
        if not self.is_complete:
            yield "the time was over before nothing more could be taken away"


def shrink_text(judge, text, seconds, watch=None):
    """Shrinks a program that fails: a Shrunk, or None when no replay of it fails."""
    start = time.monotonic()
    found, failed, replays = _replay(judge, text)
    if found is None:
        return None
    tries = 1
    if failed < replays:
        tries = min(TRIES_MAX, math.ceil(math.log(MISSED) / math.log(1 - failed / replays)))

    def fails_once(candidate):
        return any(judge.shows(candidate, found) for _ in range(tries))

    def fails(program):
        candidate = language.write(program)
        rounds = 1 if tries == 1 else 1 + CONFIRMATIONS
        return all(fails_once(candidate) for _ in range(rounds))

    def run(limit_s, end):
        judge.limit(limit_s)
        shrinker = Shrinker(language.read(text), fails, end - time.monotonic(), watch)
        shrinker.run()
        judge.limit(LIMIT_S)
        return shrinker

    # A program that hangs costs its whole limit. A short one finds hangs where the machine was
    # only slow, so what it leads to is looked at with the long one.
    short_s = min(LIMIT_S, max(SHORT_LIMIT_S, 10 * judge.longest_s()))
    is_hang = found.kind == HANG
    shrinker = run(short_s if is_hang else LIMIT_S, start + seconds)
    if is_hang and not fails(shrinker.best):
        shrinker = run(LIMIT_S, time.monotonic() + seconds)
    judge.restart()
    best = language.write(shrinker.best)
    again = (judge.find(best, found) for _ in range(tries))
    shown = next(filter(None, again), found._replace(text=""))
    return Shrunk(best, shown, failed, replays, shrinker.is_complete, shrinker.tried,
                  time.monotonic() - start)


def _replay(judge, text):
    """(the first verdict, how often there was one of its kind, of how many replays)."""
    found, failed, replays = None, 0, 0
    end = time.monotonic() + REPLAYS_S
    while replays < REPLAYS and (replays < REPLAYS_MIN or time.monotonic() < end):
        again = judge.judge(text)
        found = found or again
        failed += again is not None and again.is_like(found)
        replays += 1
    return found, failed, replays
