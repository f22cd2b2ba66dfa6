# SPDX-License-Identifier: MIT
"""Time and what cuts tasks off: deadlines, scopes, cancellations (S13, S14).

The clock between two ticks is not in the trace, but bounds of it are: deadlines were made from it.
"""

import program as p
import trace as t
from acceptor_base import CLOSERS, ECANCELED, ETIMEDOUT, Rejected


class Cuts:
    """The scopes of all tasks, and the earliest that the time can be."""

    def __init__(self):
        self.tick_ns = 0
        self.now = 0  # At the last tick; then at least that of what was made from the clock.

    def tick(self, now_ns, place):
        if now_ns < self.now:
            raise Rejected(place, f"S13: a tick at {now_ns}, but it is {self.now} already")
        self.tick_ns = self.now = now_ns

    def read_clock(self, now_ns, place):
        """A deadline shows that it was this late at this event."""
        if now_ns < self.now:
            raise Rejected(place, f"S13: a deadline from {now_ns}, but it is {self.now} already")
        self.now = now_ns

    def check_deadline(self, op, within_ns, place):
        """The deadline in force is the nearest of its own and its scopes'. Whether it may be its
        own, and whether a scope's."""
        limit, deadline = op.scope_deadline, op.deadline
        if within_ns == p.NO_TIME:
            if deadline != limit:
                raise Rejected(place, f"S13: the deadline in force is {limit}, not {deadline}")
            return False, True
        if deadline < 0 or 0 <= limit < deadline:
            raise Rejected(place, f"S13: the deadline in force is not {deadline}")
        started = deadline - within_ns
        if deadline == limit:
            self.now = max(self.now, started)
            return started >= self.now, True
        self.read_clock(started, place)
        return True, False

    def refusals(self, task):
        """What ends the next operation of a task without an attempt; empty: it is attempted."""
        if task.is_cut():
            return (ECANCELED,)
        return (ETIMEDOUT,) if 0 <= task.scope_deadline() <= self.tick_ns else ()

    # --- Scopes ---------------------------------------------------------------------------------

    def enter(self, task, step, value, place):
        if step.within_ns == p.NO_TIME:
            if value != -1:
                raise Rejected(place, "the scope has a deadline that nobody asked for")
        else:
            self.read_clock(value - step.within_ns, place)
        task.scopes.append([value, False])

    def leave(self, task, value, place):
        deadline, is_cancelled = task.scopes.pop()
        allowed = {ECANCELED} if is_cancelled else {0}
        # The clock may have gone on since it was last seen.
        if deadline >= 0:
            allowed.add(ETIMEDOUT)
        if 0 <= deadline <= self.tick_ns:
            allowed.discard(0)
        if value not in allowed:
            raise Rejected(place, f"S14: leaving the scope gives {value}")

    # --- What comes back ------------------------------------------------------------------------

    def check_result(self, run, op, place):
        """-ECANCELED and -ETIMEDOUT have their reasons, and an operation that was not attempted
        has no other result. Its tick has been checked."""
        if op.verb in CLOSERS:
            if op.result in (ECANCELED, ETIMEDOUT):
                raise Rejected(place, f"S6: {op} was cut off")
            return
        if not op.refusals:
            return
        if op.verb != t.VERB_UNKNOWN and (op.result not in op.refusals or op.moved):
            raise Rejected(place, f"S14: {op} was to be refused with {op.refusals[0]}, but ends "
                                  f"with {op.result}, {op.moved} bytes moved")

    def check_pause(self, task, result, refusals, place):
        """cede_pause fails in a task that is being cut off."""
        if task.is_cut():
            allowed = {ECANCELED}
        elif refusals:
            allowed = set(refusals)
        else:
            allowed = {0}
            if task.scope_deadline() >= 0:
                allowed.add(ETIMEDOUT)
        if result not in allowed:
            raise Rejected(place, f"S14: a pause of {task.name} gives {result}")
