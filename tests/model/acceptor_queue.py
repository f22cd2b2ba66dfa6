# SPDX-License-Identifier: MIT
"""Who may run now: the FIFO of runnable tasks (T1), and what each tick puts into it (T4).

A trace does not say whom a tick wakes: that shows when they run. So a tick is a batch in the queue,
and a parked task that runs while a batch is at its head was woken by that tick. Whoever belongs to
no batch is in the queue by name. Only acceptor_tasks.py calls this.
"""

from collections import deque

import trace as t
import acceptor_wakes as wakes
from acceptor_base import Rejected

# Where a task is.
NEW, STARTING, PAUSED, WOKEN, PARKED, RUNNING, DONE = range(7)


class Batch:
    """What one tick woke, as far as it was seen."""

    __slots__ = ("tick", "place", "last", "count")

    def __init__(self, tick, place):
        self.tick = tick
        self.place = place
        self.last = wakes.FIRST  # The place in T4 of the last that ran.
        self.count = 0


class Queue:
    """The tail is where everybody joins; the head runs."""

    def __init__(self, run):
        self.run = run
        self.items = deque()
        self.misfit = None  # Why the last parked task did not belong to a batch.

    def append(self, task):
        self.items.append(task)

    def tick(self, tick, place):
        self.rotate_silent()
        self.items.append(Batch(tick, place))

    def rotate_silent(self):
        """A task whose first act is a pause runs unseen: before this tick, or after it."""
        silent = 0
        for item in self.items:
            if item.__class__ is Batch:
                if item.count == 0:
                    break
            elif item.state == STARTING and self.run.pauses_next(item, None):
                silent += 1
            else:
                break
        if silent:
            for _ in range(silent - self.run.choices.choose(silent + 1)):
                while self.items[0].__class__ is Batch:
                    self.items.popleft()
                self.rotate()

    def rotate(self):
        """The head runs, and pauses at once."""
        task = self.items.popleft()
        task.state = STARTING
        self.run.settle(task, None)
        self.run.resumptions += 1

    def resume(self, task, place, event):
        """A task runs that did not: it must be its turn. For one that was parked, its operation
        gets its tick."""
        self.misfit = None
        items = self.items
        while items:
            head = items[0]
            if head is task and (task.state != STARTING or event[0] != t.PAUSE):
                items.popleft()
                return
            if head.__class__ is Batch:
                if task.state == PARKED and self.belongs(head, task, place, event):
                    return
                self.close(head, place)
            elif head.state == STARTING and (head is task or self.run.pauses_next(head, None)):
                self.rotate()
            else:
                raise Rejected(place, f"T1: {task.name} runs, but it is the turn of {head.name}")
        if self.misfit:
            raise Rejected(place, self.misfit)
        raise Rejected(place, f"T1: {task.name} runs, but it is not runnable")

    def close(self, batch, place):
        if batch.count == 0:
            raise Rejected(place, self.misfit or f"T4: tick {batch.tick} woke nobody")
        self.items.popleft()

    def belongs(self, batch, task, place, event):
        """Takes the task out of this batch, if it can be in it."""
        key, misfit = wakes.key_in(self.run, batch, task.op, place, event)
        if key is None:
            self.misfit = self.misfit or misfit
            return False
        # All that a tick wakes has run before the next, unless T1 was cut short.
        if (batch.count and len(self.items) > 1 and self.items[1].__class__ is Batch
                and wakes.key_in(self.run, self.items[1], task.op, place, event)[0] is not None
                and not self.run.choices.choose(2)):
            return False
        batch.last = key
        batch.count += 1
        task.op.tick = batch.tick
        return True

    def check_all_ran(self, place):
        """The engine would sleep: nobody is runnable."""
        while self.items:
            head = self.items[0]
            if head.__class__ is not Batch:
                raise Rejected(place, f"T3: sleeps, but {head.name} is runnable")
            self.close(head, place)
