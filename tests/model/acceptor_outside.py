# SPDX-License-Identifier: MIT
"""Calls past the engine: raw ones of tasks and those of the outside. They act when they are noted.

A part of acceptor_world.py, which has the state. What the kernel answers here is a fact.
"""

import program as p
import trace as t
from acceptor_base import (EAGAIN, EBADF, ECONNREFUSED, ECONNRESET, EINPROGRESS, ENOTCONN,
                           RECEIVERS, SENDERS, WAITS, Rejected, digest_of)
from acceptor_ends import DATAGRAMS, LOOSE, ODD, PIPE, TCP, UNIX, Connection, End

FILL_BYTES = 4096

# What one try ends, when nothing can come or go any more.
ONCE = (t.VERB_RECV, t.VERB_RECVMSG, t.VERB_READ, t.VERB_SEND, t.VERB_SEND_ALL, t.VERB_SENDMSG)


def touch(place, *things):
    """Something changes without the engine."""
    for thing in things:
        if thing:
            thing.touched = place


class Outside:
    """Mixed into World."""


    def note(self, place, event, number, step, fill):
        _, task, kind, obj, result, digest = event
        end = number.end
        what = f"the call of event {place}"
        if end:
            taking = kind in (p.TRY_RECV, t.NOTE_STIMULUS + p.TAKE, t.NOTE_STIMULUS + p.DRAIN)
            giving = kind in (p.TRY_SEND, t.NOTE_STIMULUS + p.PUT, t.NOTE_STIMULUS + p.FILL)
            touch(place, None if giving else end.inn, None if taking else end.out, end.accepting)
            if result > 0 and taking and end.inn:
                end.inn.takes.append(place)
            elif result > 0 and giving and end.out:
                end.out.gives.append(place)
            end.is_reset_told |= result == ECONNRESET
            end.may_be_told |= kind == t.NOTE_STIMULUS + p.DRAIN
        if kind in (p.TRY_RECV, t.NOTE_STIMULUS + p.TAKE):
            asked = step if kind == p.TRY_RECV else step.bytes
            self.raw_take(end, asked, result, digest, place, what)
        elif kind == t.NOTE_STIMULUS + p.DRAIN:
            self.raw_drain(end, result, digest, place, what)
        elif kind in (p.TRY_SEND, t.NOTE_STIMULUS + p.PUT):
            asked = step if kind == p.TRY_SEND else step.bytes
            self.raw_give(obj, end, result, digest, place, what)
            if result > asked:
                raise Rejected(place, f"{what} sent {result} bytes")
            if 0 < result < asked and end.out:
                end.out.is_full = end.out.taker is None
        elif kind == t.NOTE_STIMULUS + p.FILL:
            self.raw_fill(obj, end, result, digest, place, what)
        elif kind == t.NOTE_STIMULUS + p.OUTSIDE_CLOSE:
            self.closed(end, place)
        elif kind == t.NOTE_STIMULUS + p.OUTSIDE_SHUTDOWN:
            self.shutdown(place, number, step.other, result)
        elif kind == t.NOTE_STIMULUS + p.OUTSIDE_CONNECT:
            self.raw_connect(number, step, result, place)
        elif kind == t.NOTE_STIMULUS + p.OUTSIDE_ACCEPT:
            self.raw_accept(end, result, fill, place)
        self.look()

    def raw_take(self, end, asked, result, digest, place, what):
        if end.file and result >= 0:
            end.file.read(asked, result, digest, place, what)
        elif end.inn is None:
            if result >= 0 and not (result == 0 and end.kind != PIPE):
                raise Rejected(place, f"{what} received bytes of nobody")
        elif result > 0 or result == 0 and end.kind == DATAGRAMS and not (
                end.shut_recv is not None and not end.inn.queue):
            end.inn.take(asked, result, digest, place, what)
        elif result == 0 and asked and end.kind != DATAGRAMS and end.connected is not None:
            self.check_over(end, what, place, place)
        elif result == EAGAIN and end.kind != TCP and end.inn.has_bytes():
            raise Rejected(place, f"{what} finds nothing, but bytes are there")

    def raw_drain(self, end, result, digest, place, what):
        if end.kind != DATAGRAMS:
            self.raw_take(end, max(result, 1), result, digest, place, what)
        elif result >= 0:
            end.inn.drain(result, digest, place, what)

    def raw_give(self, obj, end, result, digest, place, what):
        first = self.sent_bytes[obj]
        moved = max(result, 0)
        self.sent_bytes[obj] += moved
        if digest_of(obj, first, moved) != digest:
            raise Rejected(place, f"{what} sent other bytes than it was given")
        if end.file:
            end.file.write(obj, first, moved)
        elif end.out is None:
            if moved and end.kind != ODD:
                raise Rejected(place, f"{what} sent bytes to nobody")
        elif moved or result == 0 and end.kind == DATAGRAMS:
            if end.cannot_send(place):
                raise Rejected(place, f"{what} sent bytes where none can be sent")
            end.out.put(obj, first, moved, place)
        elif result == EAGAIN:
            end.out.is_full = end.out.taker is None
        elif result == ECONNREFUSED:
            self.refused(end)

    def raw_fill(self, obj, end, result, digest, place, what):
        if end.kind != DATAGRAMS or result < 0:
            self.raw_give(obj, end, result, digest, place, what)
            if end.out and result >= 0:
                end.out.is_full = end.out.taker is None
            return
        first = self.sent_bytes[obj]
        self.sent_bytes[obj] += result
        for place_in in range(0, result, FILL_BYTES):
            end.out.put(obj, first + place_in, min(FILL_BYTES, result - place_in), place)
        if digest_of(obj, first, result) != digest:
            raise Rejected(place, f"{what} sent other bytes than it was given")

    def raw_connect(self, number, step, result, place):
        listener = self.listeners[step.other]
        if result not in (0, EINPROGRESS) or listener.accepting.stopped is not None:
            number.end = End(LOOSE)
            return
        listener.accepting.touched = place
        connection = Connection(listener.accepting.kind, self.choices)
        number.end = connection.client
        if result == 0:
            connection.client.connected = place
        listener.accepting.add(connection, result == 0, place)

    def raw_accept(self, end, result, fill, place):
        if result >= 0:
            connection = end.accepting.take(place) if end.accepting else None
            if connection is None:
                raise Rejected(place, "an accept succeeds, but no connection can be there")
            fill.end = connection.server
            self.made(connection, place)
        elif result == EAGAIN and end.accepting and end.accepting.has_connection():
            raise Rejected(place, "an accept finds nothing, but a connection is there")

    def shutdown(self, place, number, how, result):
        if number is None:
            if result != EBADF:
                raise Rejected(place, f"S8: a shutdown of nothing gives {result}")
            return
        self.choices.epoch += 1  # The operations that it ends may move something before.
        end = number.end
        if end.connected is None and result in (0, ENOTCONN):
            end.is_odd = True  # Linux shuts it down, whatever it says; the peer will not know.
        if result != 0 or end.is_odd:
            return
        if how != 1 and end.shut_recv is None:
            end.shut_recv = place
        if how != 0 and end.shut_send is None:
            end.shut_send = place
        if end.accepting and end.accepting.kind == TCP and how != 1:
            end.accepting.give_up(place)
        touch(place, end.inn, end.out, end.accepting)
        self.open_up(end)
        self.look()
        self.check_woken_by_shutdown(number, how, place)

    def check_woken_by_shutdown(self, number, how, place):
        """S8: parked waits of the direction end, operations are tried. What was submitted in the
        same tick is not parked yet, and to try to move nothing tells nothing."""
        tick = self.tick_number
        for op in self.flying.values():
            if op.number is not number or op.tick == tick + 1 or op.submit_tick == tick:
                continue
            is_receiver = op.verb in RECEIVERS
            if not (is_receiver and how != 1 or op.verb in SENDERS and how != 0):
                continue
            if op.verb in WAITS or number.end.kind in (UNIX, TCP) and op.verb in ONCE and op.asked:
                raise Rejected(place, f"S8: {op} is not woken by a shutdown")
