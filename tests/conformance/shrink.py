# SPDX-License-Identifier: MIT
"""Makes a failing program small: delta debugging on the program, to a fixpoint.

Whether a program fails is a function that the caller brings; it knows the kind of the failure and
looks for that kind only. Tried are, over and over until nothing helps: fewer tasks, objects, steps
and stimuli, first in halves and then one by one; tasks merged into those that spawn them; simpler
kinds; no deadlines; smaller numbers; and at the end pairs of steps, and short names.

explore.py calls it. Knows nothing of runners.
"""

import time

import shrink_edits as edits
from shrink_edits import language

PAIRS_UP_TO = 28  # Steps and stimuli of a program that is small enough to try all pairs of.

# How far down a number is brought, and how finely.
LEAST = {"bytes": (1, 1), "within_ns": (1_000, 1_000), "at_ns": (1_000, 1_000), "backlog": (0, 1)}


class OutOfTime(Exception):
    """The time for shrinking is over."""


class Shrinker:
    """One shrinking. `best` is the smallest program known to fail, `tried` counts candidates."""

    def __init__(self, program, fails, seconds=None, watch=None):
        """`fails(program)` says whether a program fails in the way that is looked for; `watch`,
        if any, is called with this object after each step forward."""
        self.best = program
        self.fails = fails
        self.watch = watch
        self.tried = 0
        self.is_complete = False
        self.seen = {language.write(program)}
        self.end = None if seconds is None else time.monotonic() + seconds

    def attempt(self, candidate):
        """Takes the candidate for the best if it fails."""
        text = language.write(candidate)
        if text in self.seen:
            return False
        if self.end is not None and time.monotonic() > self.end:
            raise OutOfTime
        self.seen.add(text)
        self.tried += 1
        if not self.fails(candidate):
            return False
        self.best = candidate
        if self.watch:
            self.watch(self)
        return True

    def run(self):
        """Shrinks to the fixpoint, or until time is over: the smallest failing program."""
        try:
            before = None
            while before != self.best:
                before = self.best
                self._drop()
                self._merge()
                self._simplify()
                self._lessen()
                if before == self.best:
                    self._drop_pairs()
            self.is_complete = True
            self.attempt(edits.renamed(self.best))
        except OutOfTime:
            pass
        return self.best

    def _drop(self):
        self._drop_items(lambda program: [(number,) for number in range(1, len(program.tasks))],
                         "tasks")
        self._drop_items(edits.whole_objects, "objects")
        self._drop_items(lambda program: [(number,) for number in range(len(program.stimuli))],
                         "stimuli")
        self._drop_items(_step_items, "steps")

    def _drop_items(self, items_of, word):
        """Tries to do without items: all, halves, quarters, ..., each; the last ones first."""
        items = items_of(self.best)
        size = len(items)
        while size:
            end = len(items)
            while end > 0:
                start = max(0, end - size)
                numbers = [number for item in items[start:end] for number in item]
                if self.attempt(edits.without(self.best, **{word: numbers})):
                    items = items_of(self.best)
                end = min(start, len(items))
            size //= 2

    def _drop_pairs(self):
        """Tries to do without two steps or stimuli at once, as a scope and the leaving of it."""
        if sum(edits.counts(self.best)[:2]) > PAIRS_UP_TO:
            return
        items = ([("steps", item) for (item,) in _step_items(self.best)]
                 + [("stimuli", number) for number in range(len(self.best.stimuli))])
        for place, (word, item) in enumerate(items):
            for other_word, other in items[:place]:
                dropped = {word: [item]}
                dropped.setdefault(other_word, []).append(other)
                if self.attempt(edits.without(self.best, **dropped)):
                    return

    def _merge(self):
        """Tries to have the steps of each task taken by another; the last ones first."""
        for child in range(len(self.best.tasks) - 1, 0, -1):
            any(self.attempt(candidate) for candidate in edits.merged(self.best, child))

    def _simplify(self):
        for (number, *_rest) in edits.whole_objects(self.best):
            thing = self.best.objects[number]
            for kind in edits.SIMPLER_OBJECTS.get(thing.kind, ()):
                self.attempt(edits.with_object(self.best, number, kind, thing.backlog))
        for ((task, place),) in _step_items(self.best):
            self._simplify_one(lambda: self.best.tasks[task].steps[place], edits.simpler_steps,
                               lambda step: edits.with_step(self.best, task, place, step))
        for place in range(len(self.best.stimuli)):
            self._simplify_one(lambda: self.best.stimuli[place], edits.simpler_stimuli,
                               lambda stimulus: edits.with_stimulus(self.best, place, stimulus))

    def _simplify_one(self, current, simpler, candidate):
        """Replaces what `current` gives by what is simpler as long as that works."""
        while any(self.attempt(candidate(variant)) for variant in list(simpler(current()))):
            pass

    def _lessen(self):
        for number in range(len(self.best.objects)):
            self._lessen_one("backlog", lambda: self.best.objects[number],
                             lambda thing: edits.with_object(self.best, number, thing.kind,
                                                             thing.backlog))
        for ((task, place),) in _step_items(self.best):
            for field in ("bytes", "within_ns"):
                self._lessen_one(field, lambda: self.best.tasks[task].steps[place],
                                 lambda step: edits.with_step(self.best, task, place, step))
        for place in range(len(self.best.stimuli)):
            for field in ("bytes", "at_ns"):
                self._lessen_one(field, lambda: self.best.stimuli[place],
                                 lambda stimulus: edits.with_stimulus(self.best, place, stimulus))

    def _lessen_one(self, field, current, candidate):
        """Brings a number of what `current` gives down to its least, or as far as halving the way
        down leads."""
        least, grain = LEAST[field]
        value = getattr(current(), field)
        stride = value - least
        while stride > 0:
            if self.attempt(candidate(current()._replace(**{field: value - stride}))):
                value -= stride
                stride = min(stride, value - least)
            else:
                stride = stride // 2 // grain * grain


def _step_items(program):
    return [((number, place),) for number, task in enumerate(program.tasks)
            for place in range(len(task.steps))]
