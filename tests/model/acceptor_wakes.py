# SPDX-License-Identifier: MIT
"""Which place an operation that has ended has among all that one tick wakes (T4), and whether the
tick may be the one (S13, S14): not before its deadline, and not after what cuts it off.

A place is a tuple: the class, and what orders within it. Where the specification leaves a choice
there are several, of which the first that keeps the order is taken.
"""

import trace as t
from acceptor_base import CLOSERS, ECANCELED, ETIMEDOUT, RECEIVERS, SENDERS

FIRST = (-1,)
RECEIVER, SENDER, CLOSER, PARKED, DEADLINE, SIGNAL = range(6)


def verb_class(verb):
    if verb in RECEIVERS:
        return RECEIVER
    if verb in SENDERS:
        return SENDER
    return CLOSER if verb in CLOSERS else PARKED


def _signal_keys(run, op, tick):
    """What was pending ends the wait when it is submitted; the rest arrives at the end of the tick,
    in its order. What was signalled before the wait may be either."""
    places = run.wakeups.arrivals(op, run.tick_places[tick])
    before = [place for place in places if place < op.place]
    if not before:
        return [(SIGNAL, 1, place) for place in places[:1]]
    return sorted({(SIGNAL, 0, op.place), *((SIGNAL, 0, place) for place in before),
                   *((SIGNAL, 1, place) for place in places)})


def may_be_refused(op, tick):
    """Whether a deadline of a scope may have been over at submission. It may have expired between
    the time of the tick and then."""
    return ETIMEDOUT in op.refusals or op.submit_tick == tick - 1 and (
        op.scope_deadline == op.deadline)


def keys_of(run, op, result, tick):
    """Its possible places, in order."""
    own = (verb_class(op.verb), op.ticket)
    if op.verb in CLOSERS:
        return [own]
    if result == ETIMEDOUT:
        due = (DEADLINE, op.deadline, op.ticket)
        if ETIMEDOUT in op.refusals:
            return [own]
        return [own, due] if may_be_refused(op, tick) else [due]
    if op.verb == t.VERB_PARK:
        return [(DEADLINE, op.deadline, op.ticket)] if result == 0 else [own]
    if op.verb == t.VERB_WAKEUP:
        if result == 0:
            return _signal_keys(run, op, tick)
    return [own]


def _latest_tick(run, op):
    """The last tick that may wake it, and why; None when nothing has cut it off."""
    latest, why = None, None
    if op.refusals or op.verb in CLOSERS:
        latest, why = op.submit_tick + 1, "S14: it was refused, and ends at once"
        if op.verb in CLOSERS:
            why = "S6: it is carried out in T2"
    elif op.cancel_tick is not None:
        latest, why = op.cancel_tick + 1, "S14: it was cancelled"
    elif op.latest_tick is not None:
        latest, why = op.latest_tick, "S2: it was signalled"
    if op.deadline >= 0 and op.verb not in CLOSERS:
        due = run.first_due_tick(op)
        if due is not None and (latest is None or due < latest):
            latest, why = due, "S13: it is due"
    return latest, why


def _misfit(run, op, result, tick):
    """Why this tick cannot be the one, whatever the order; None if it can."""
    latest, why = _latest_tick(run, op)
    if latest is not None and tick > latest:
        return f"{why} at tick {latest}, but {op} is woken at tick {tick}"
    if op.verb in CLOSERS or result not in (ECANCELED, ETIMEDOUT, 0):
        return None
    if result == ECANCELED and ECANCELED not in op.refusals and op.cancel_tick != tick - 1:
        return f"S14: {op} ends with -ECANCELED at tick {tick}, but was not cancelled before it"
    if result == ETIMEDOUT and op.cancel_tick == tick - 1 and not may_be_refused(op, tick):
        return f"S13: {op} is cancelled and due, but ends with -ETIMEDOUT"
    is_timed = result == ETIMEDOUT or op.verb == t.VERB_PARK and result == 0
    if is_timed and not 0 <= op.deadline <= run.tick_times[tick]:
        return (f"S13: {op} has the deadline {op.deadline}, but tick {tick} is at "
                f"{run.tick_times[tick]}")
    if op.verb == t.VERB_WAKEUP and result == 0 and not _signal_keys(run, op, tick):
        return f"{op} ends at tick {tick}, but nobody signalled"
    return None


def key_in(run, batch, op, place, event):
    """The place that it takes in the batch, or None and why it is not in there."""
    if event[0] != t.END:
        return None, f"{op} is parked, but its task goes on without an end of it"
    result, tick = event[4], batch.tick
    if op.submit_tick >= tick:
        return None, f"T2: {op} was submitted after tick {tick}"
    misfit = _misfit(run, op, result, tick)
    if misfit:
        return None, misfit
    for key in keys_of(run, op, result, tick):
        if key >= batch.last:
            return key, None
    return None, f"T4: {op} is woken at tick {tick} behind what comes after it"
