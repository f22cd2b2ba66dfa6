# SPDX-License-Identifier: MIT
"""What must have ended: when everybody sleeps (S2), and before something is cut off (S13, S15).

A part of acceptor_world.py, which has the state. Here is only what is certain.
"""

import trace as t
from acceptor_base import (CLOSERS, ECANCELED, ETIMEDOUT, GIVES, RECEIVERS, TAKES, WAITS, Rejected)
from acceptor_ends import FILE, LISTENER, LOOSE, PIPE, TCP, wrong_direction

# So little is always taken by a TCP connection.
TCP_BYTES = 4096


class Musts:
    """Mixed into World."""

    # --- Everybody sleeps -----------------------------------------------------------------------

    def quiet(self, place):
        """S2: whatever can end ends in this tick. What a call past the engine has changed just now
        may still be on its way through a backend."""
        self.choices.epoch += 1
        since = self.quiet_place
        self.quiet_place = place
        for op in self.flying.values():
            number = op.number
            if number is None or op.verb in CLOSERS or op.verb == t.VERB_UNKNOWN:
                raise Rejected(place, f"T3: {op} has not ended, but everybody sleeps")
            end = number.end
            if op.verb == t.VERB_CONNECT:
                self.quiet_connect(op, place)
            elif end.kind == FILE:
                raise Rejected(place, f"S4: {op} is parked, but files are always ready")
            elif end.kind == LISTENER:
                if end.accepting.touched < since:
                    self.quiet_listener(op, end, place)
            elif end.inn is None and end.out is None or end.connected is None:
                continue
            elif op.verb in RECEIVERS:
                if end.inn is None or end.inn.touched < since:
                    self.quiet_receiver(op, end, place)
            elif end.out is None or end.out.touched < since:
                self.quiet_sender(op, end, place)

    def quiet_listener(self, op, end, place):
        if op.verb in (t.VERB_ACCEPT, t.VERB_WAIT_RECV) and end.accepting.has_connection():
            raise Rejected(place, f"S2: {op} is parked, but a connection is there")

    def quiet_connect(self, op, place):
        """One that met a full queue may rest, or have been forgotten by the listener."""
        accepting = self.listeners[op.target].accepting
        if op.is_ready_possible or not accepting.queue and accepting.used_place < op.place:
            raise Rejected(place, f"S2: {op} is parked, but nothing is in its way")

    def may_rest(self, op, end):
        """S2: what was woken twice in vain rests for a while: a bare wait by nothing but a hang-up,
        an operation by what a call past the engine has taken before it."""
        if op.verb in WAITS and (end.kind == PIPE or end.is_given_up()):
            return self.rests.get((end, op.verb), 0) > 1
        robbed = end.inn and end.inn.takes if op.verb in RECEIVERS else end.out and end.out.gives
        return bool(robbed) and sum(place > op.place for place in robbed) > 1

    def quiet_receiver(self, op, end, place):
        if wrong_direction(op.verb, end):
            raise Rejected(place, f"S3: {op} is parked, but fails on such a descriptor")
        if self.may_rest(op, end):
            return
        if end.is_over():
            raise Rejected(place, f"S2: {op} is parked, but the stream is over")
        end.inn.quiet_receiver(op, place)

    def quiet_sender(self, op, end, place):
        if wrong_direction(op.verb, end):
            raise Rejected(place, f"S3: {op} is parked, but fails on such a descriptor")
        if self.may_rest(op, end):
            return
        if end.must_answer_sender(op):
            raise Rejected(place, f"S2: {op} is parked, but nobody can receive any more")
        if end.kind != TCP:
            end.out.quiet_sender(op, place)
        elif end.out.most_sent() - end.out.taken <= TCP_BYTES:
            raise Rejected(place, f"S2: {op} is parked, but hardly anything is under way")

    # --- Cut off --------------------------------------------------------------------------------

    def is_lost(self, op):
        """Whether what is cut off in a tick could have gone on before it. A bare wait is not tried
        again when it is cancelled, but what is ready when it is due is ready."""
        if op.result not in (ECANCELED, ETIMEDOUT) or op.refusals or not op.number:
            return False
        end, verb = op.number.end, op.verb
        if end.kind == LOOSE or end.closed is not None or self.may_rest(op, end):
            return False
        if end.kind == LISTENER:
            return verb == t.VERB_ACCEPT and end.accepting.has_connection()
        if verb in TAKES or verb == t.VERB_WAIT_RECV and op.result == ETIMEDOUT:
            return end.inn is not None and (end.inn.has_bytes() or end.is_over())
        if verb in GIVES or verb == t.VERB_WAIT_SEND and op.result == ETIMEDOUT:
            return end.out is not None and end.kind != TCP and not end.out.may_hold()
        return False
