# SPDX-License-Identifier: MIT
"""Which objects have a descriptor number, from when to when; and what was signalled.

A number is followed from the event that fills the object to the tick after a close was submitted.
What the kernel has behind it is for acceptor_ends.py.
"""

import program as p
import trace as t
from acceptor_base import EBADF, EBUSY, Number, Rejected

HIDDEN = -1  # The wakeup of the hidden task.

# What ends at once if it is to move no byte.
NOTHING = (t.VERB_RECV_EXACT, t.VERB_SEND_ALL, t.VERB_READ)


class Objects:
    """Numbers of objects at the current event."""

    def __init__(self, program):
        self.kinds = [thing.kind for thing in program.objects]
        self.numbers = [None if kind in (p.SLOT, p.WAKEUP) else Number(place, kind)
                        for place, kind in enumerate(self.kinds)]
        self.initial = list(self.numbers)
        self.contests = []  # Operations that were not the first of their direction.
        self.closing = [None] * len(self.kinds)  # The tick in which a close was submitted.

    def at(self, obj, tick):
        """What the object stands for now; None when it is empty."""
        closing = self.closing[obj]
        if closing is not None and closing < tick:
            self.empty(obj)
        return self.numbers[obj]

    def begin_close(self, obj, tick):
        if self.numbers[obj] and self.closing[obj] is None:
            self.closing[obj] = tick

    def empty(self, obj):
        self.numbers[obj] = self.closing[obj] = None

    def fill(self, obj, kind):
        self.numbers[obj] = number = Number(obj, kind)
        self.closing[obj] = None
        return number

    def wait(self, op, waiting):
        """One more waits for the same; S5 is checked when it is known who ended when."""
        waiting[:] = [other for other in waiting if other.end_place is None]
        op.others = tuple(waiting)
        waiting.append(op)
        if op.others:
            self.contests.append(op)

    def is_listener(self, obj):
        return self.kinds[obj] in (p.UNIX_LISTENER, p.TCP_LISTENER)


class Wakeups:
    """Signals so far, for each wakeup, and how many waits have seen of them."""

    def __init__(self):
        self.quiet = -1  # Where everybody slept last, and all signals had been seen.
        self.signals = {}
        self.waiting = {}
        self.ended = {}  # The place of the tick at which a wait ended last.
        self.seen = {}

    def signal(self, wakeup, place):
        self.signals.setdefault(wakeup, []).append(place)

    def arrivals(self, op, tick_place):
        """When what ends this wait at that tick can have been signalled."""
        seen = self.seen.get(op.target, -1)
        return [place for place in self.signals.get(op.target, ()) if seen < place < tick_place]

    def is_signalled(self, op):
        """Whether somebody signalled for sure, since the last wait ended."""
        signals = self.signals.get(op.target)
        return bool(signals) and signals[-1] > self.ended.get(op.target, -1)

    def end(self, op, tick_place):
        """A wait has ended. Signals do not count: what was signalled before has ended with it, but
        for what came behind a signal that was pending already, if nobody has slept since."""
        self.ended[op.target] = tick_place
        first = self.arrivals(op, tick_place)[0]
        if first >= op.place:
            self.seen[op.target] = tick_place
        else:
            self.seen[op.target] = self.quiet if first < self.quiet else first


def check_contest(op, tick_places):
    """S5: the second of a direction is refused, while the first waits."""
    if op.refusals:
        return
    holding = [other for other in op.others if other.tick > op.submit_tick
               and not other.refusals and other.result != EBUSY]
    if op.result == EBUSY:
        if not holding:
            raise Rejected(op.end_place, f"S5: {op} gives -EBUSY, but nobody else waits")
    elif op.result != EBADF and any(holds(other, op, tick_places) for other in holding):
        raise Rejected(op.end_place, f"S5: {op} gives {op.result}, but {holding[0]} waits")


def holds(other, op, tick_places):
    """Whether an operation has not ended when the other is submitted. One that is about to end in
    the same tick has not; but what ends at once, or was shut down, may have."""
    if other.tick > op.submit_tick + 1:
        return True
    if op.number is None or other.result == EBADF or other.asked == 0 and other.verb in NOTHING:
        return False
    return not op.number.is_shut_between(tick_places[op.submit_tick], op.place)
