# SPDX-License-Identifier: MIT
"""Second half of the acceptor: what operations came to, against what was behind the descriptors.

Goes through the items of acceptor_run.py: submissions, ticks with what they woke, calls past the
engine. The effect of an operation that moves bytes once lies before the tick that woke it. Within
one tick, what can have made the others possible comes first.
"""

import trace as t
from acceptor_base import (CLOSERS, EBADF, EBUSY, ECANCELED, ECONNREFUSED, ECONNRESET, EINVAL,
                           ETIMEDOUT, GIVES, RECEIVERS, SENDERS, TAKES, WAITS, Rejected, digest_of)
from acceptor_ends import (DATAGRAMS, LISTENER, LOOSE, ODD, TCP, Connection, End, may_fail,
                           open_objects, wrong_direction)
from acceptor_musts import Musts
from acceptor_outside import Outside

CUT = (ECANCELED, ETIMEDOUT)


def is_empty_message(op, end):
    """Whether what it moved may have been a message of no bytes."""
    return end.kind == DATAGRAMS and op.result == 0


class World(Outside, Musts):
    """Everything behind the descriptors."""

    def __init__(self, run):
        self.run = run
        self.choices = run.choices
        self.sent_bytes = [0] * len(run.program.objects)  # Through each object.
        self.flying = {}  # Operations with a descriptor, by ticket.
        self.connections = {}  # Of those that connect, by ticket.
        self.accepted = {}  # What accepts have brought, by ticket.
        self.listeners = {}
        self.tick_number = 0
        self.quiet_place = -1  # Where everybody slept last.
        self.rests = {}  # How many bare waits of an end and direction have ended in a row.
        open_objects(run.objects.initial, run.program.objects, self.choices)
        for number in run.objects.initial:
            if number and number.end.kind == LISTENER:
                self.listeners[number.object] = number.end

    def go(self):
        handlers = (self.submit, self.tick, self.end, self.note, self.shutdown, self.quiet)
        for item in self.run.items:
            handlers[item[0]](*item[1:])

    # --- Operations begin -----------------------------------------------------------------------

    def submit(self, place, op):
        self.flying[op.ticket] = op
        verb, number = op.verb, op.number
        if verb in GIVES:
            op.first_byte = self.sent_bytes[op.object]
        if number is None:
            return
        if verb == t.VERB_CONNECT:
            self.begin_connect(op, place)
            return
        end = number.end
        if verb in GIVES and end.out:
            if op.moved or is_empty_message(op, end) and verb != t.VERB_SEND_ALL:
                op.is_moving = True
                end.out.begin_give(op)
        elif verb in TAKES and end.inn:
            if op.moved or is_empty_message(op, end) and (op.asked or verb != t.VERB_READ):
                op.is_moving = True
                end.inn.begin_take(op)
        self.look_at(op, end)

    def begin_connect(self, op, place):
        """The socket is made, and connected if that comes to something."""
        listener = self.listeners[op.target]
        connection = Connection(listener.accepting.kind, self.choices)
        self.connections[op.ticket] = connection
        op.number.end = connection.client
        op.is_ready_possible = connection.kind == TCP and not listener.accepting.queue
        # A TCP connection may have been made, and have ended, before the operation has.
        is_tried = connection.kind == TCP and op.result != ECONNREFUSED and not op.refusals
        if is_tried and listener.accepting.stopped is None:
            listener.accepting.add(connection, False, place)
        elif op.result < 0 and not is_tried:
            op.number.end = End(LOOSE)

    def look(self):
        """Between what happens: what those who wait can see now, they may have seen."""
        for op in self.flying.values():
            if op.number and op.verb != t.VERB_CONNECT:
                self.look_at(op, op.number.end)

    def look_at(self, op, end):
        if op.verb in RECEIVERS:
            op.is_ready_possible = self.may_be_ready(op, end)
            if end.shut_recv is not None and end.inn and not end.inn.has_bytes():
                op.is_end_possible = True
        elif op.verb == t.VERB_WAIT_SEND:
            op.is_ready_possible |= not (end.out and end.out.is_full)

    def may_be_ready(self, op, end):
        """Whether a receiver can have been ready: now, or before."""
        if op.is_ready_possible:
            return True
        if end.kind == LISTENER:
            return bool(end.accepting.queue) or end.shut_recv is not None
        if end.inn is None or end.connected is None or op.place < end.connected:
            return True
        return end.may_be_over() or end.inn.may_have_bytes()

    # --- Operations end -------------------------------------------------------------------------

    def tick(self, place, tick):
        """The effects of what this tick wakes: first what makes others possible."""
        self.choices.epoch += 1
        self.tick_number = tick
        ended = [op for op in self.run.ended[tick] if op.ticket in self.flying]
        self.look()
        lost = [op for op in ended if self.is_lost(op)]
        for op in ended:
            del self.flying[op.ticket]
            if op.result == 0 and op.verb == t.VERB_CONNECT:
                self.connected(op, place)
        for op in ended:
            if op.verb in GIVES and op.number:
                self.give(op, place)
            elif op.verb == t.VERB_ACCEPT and op.result >= 0:
                self.accept(op, place)
        for op in ended:
            if op.verb in CLOSERS:
                self.close(op, place, tick)
        for op in ended:
            if op.verb in TAKES and op.number:
                self.take(op, place)
            elif op.verb in WAITS and op.result == 0:
                self.wait(op, place)
            if op.result < 0:
                self.fail(op, tick)
            elif op.verb == t.VERB_UNKNOWN:
                raise Rejected(op.end_place, f"S11: {op} gives {op.result}")
            elif op.number is None or wrong_direction(op.verb, op.number.end):
                raise Rejected(op.end_place, f"S3: {op} gives {op.result}")
        self.look()
        for op in lost:
            self.check_last_try(op, ended)

    def end(self, place, op):
        """The task goes on, and the harness with it."""
        if op.verb in GIVES:
            self.sent_bytes[op.object] += op.moved
        elif op.ticket in self.accepted:
            server = self.accepted.pop(op.ticket)
            if op.fill:
                op.fill.end = server
            else:
                self.closed(server, place)

    def connected(self, op, place):
        connection = self.connections[op.ticket]
        listener = self.listeners[op.target]
        self.made(connection, place)
        stopped = listener.accepting.stopped
        if stopped is not None and stopped < op.place:
            raise Rejected(op.end_place, f"{op} succeeds, but nobody listens")
        if stopped is None:
            listener.accepting.add(connection, True, place)
        elif not connection.is_taken:
            connection.client.is_reset = True

    def made(self, connection, place):
        """It is known that a connection was made."""
        client = connection.client
        if client.connected is None and not client.is_odd:
            client.connected = place

    def accept(self, op, place):
        end = op.number.end if op.number else None
        connection = end.accepting.take(place) if end and end.kind == LISTENER else None
        if connection is None:
            raise Rejected(op.end_place, f"{op} succeeds, but no connection can be there")
        self.accepted[op.ticket] = connection.server
        self.made(connection, place)

    def give(self, op, place):
        """What was sent."""
        end, moved = op.number.end, op.moved
        if op.verb != t.VERB_SEND_ALL and max(op.result, 0) != moved:
            raise Rejected(op.end_place, f"{op} gives {op.result}, but {moved} bytes moved")
        if op.verb == t.VERB_SEND_ALL and op.result >= 0 and not op.result == moved == op.asked:
            raise Rejected(op.end_place, f"{op} gives {op.result} and moved {moved} bytes")
        if moved > op.asked:
            raise Rejected(op.end_place, f"{op} moved {moved} bytes")
        if digest_of(op.object, op.first_byte, moved) != op.digest:
            raise Rejected(op.end_place, f"{op} sent other bytes than it was given")
        if op.result == 0 < op.asked:
            raise Rejected(op.end_place, f"{op} sent nothing")
        if end.out is None:
            if moved and end.kind != ODD:
                raise Rejected(op.end_place, f"{op} sent bytes to nobody")
        elif op.is_moving:
            if moved and end.cannot_send(op.place):
                raise Rejected(op.end_place, f"{op} sent bytes where none can be sent")
            end.out.end_give(op, place)

    def take(self, op, place):
        """What was received, or that nothing comes any more."""
        end, moved, result = op.number.end, op.moved, op.result
        is_exact = op.verb == t.VERB_RECV_EXACT
        if max(result, 0) != moved and not (is_exact and result < 0) or moved > op.asked:
            raise Rejected(op.end_place, f"{op} gives {result}, but {moved} bytes moved")
        if end.file and op.verb == t.VERB_READ and result >= 0:
            end.file.read(op.asked, result, op.digest, op.end_place, op)
        elif end.inn is None:
            if moved or op.digest:
                raise Rejected(op.end_place, f"{op} received bytes of nobody")
        else:
            self.take_from(op, end, is_exact)

    def take_from(self, op, end, is_exact):
        """The same, of an end that something can come from."""
        result = op.result
        is_bare = op.verb in (t.VERB_RECV, t.VERB_RECVMSG) and result == 0 == op.asked
        if is_bare and not self.may_be_ready(op, end):
            raise Rejected(op.end_place, f"{op} is woken, but nothing was there")
        if op.is_moving and result == 0 and end.shut_recv is not None and (
                not end.inn.queue or op.asked and end.inn.queue[0][2]):
            end.inn.withdraw(op)
        elif op.is_moving:
            end.inn.end_take(op, op.end_place)
        elif op.digest:
            raise Rejected(op.end_place, f"{op} has a digest of nothing")
        if 0 <= result < op.asked and (is_exact or result == 0) and end.kind != DATAGRAMS:
            if not op.is_end_possible:
                self.check_over(end, op, op.end_place, op.place)

    def check_over(self, end, what, place, since):
        """S18: nothing comes any more, and everything was received; seen after `since`."""
        if end.must_be_reset(since):
            raise Rejected(place, f"S17: {what} sees the end of the stream, but not its reset")
        if not end.may_be_over():
            raise Rejected(place, f"S18: {what} sees the end of the stream, but it has none")
        if end.inn.has_bytes() and not (end.is_reset or end.kind == TCP and end.is_given_up()):
            raise Rejected(place, f"S18: {what} sees the end of the stream before its last bytes")

    def wait(self, op, place):
        """S1: it was ready at some instant since."""
        number = op.number
        if number is None:
            raise Rejected(op.end_place, f"S3: {op} is ready, without a descriptor")
        end = number.end
        key = (end, op.verb)
        self.rests[key] = self.rests.get(key, 0) + 1
        if op.verb == t.VERB_WAIT_RECV:
            if not self.may_be_ready(op, end):
                raise Rejected(op.end_place, f"S1: {op} is woken, but was never ready")
        elif not op.is_ready_possible and end.kind != TCP and not end.may_be_broken():
            raise Rejected(op.end_place, f"S1: {op} is woken, but nothing was taken since "
                                         "a sender had to wait")

    def close(self, op, place, tick):
        """S6: of several in one tick the first counts."""
        number = op.number
        is_first = number is not None and not any(
            other.tick == tick and other.ticket < op.ticket for other in number.closers)
        if op.result != (0 if is_first else EBADF):
            raise Rejected(op.end_place, f"S6: {op} gives {op.result}")
        if not is_first:
            return
        for other in self.flying.values():
            if other.number is number and other is not op:
                raise Rejected(op.end_place, f"S6: {other} is not ended by {op}")
        if op.verb == t.VERB_CLOSE:
            self.closed(number.end, place)

    def closed(self, end, place):
        end.closed = place
        if end.accepting:
            end.accepting.give_up(place)
        self.open_up(end)

    def open_up(self, end):
        """What was not ready for sending may be so now."""
        for direction in (end.inn, end.out):
            if direction:
                direction.is_full = False

    def fail(self, op, tick):
        """What it failed with must have a reason; what cut it off has been checked."""
        number, error = op.number, op.result
        if error in CUT or error == EBUSY or op.verb in CLOSERS:
            return
        if op.verb == t.VERB_UNKNOWN:
            if error != EINVAL or tick != op.submit_tick + 1:
                raise Rejected(op.end_place, f"S11: {op} gives {error}")
            return
        if number is None or wrong_direction(op.verb, number.end):
            if error != EBADF or tick != op.submit_tick + 1:
                raise Rejected(op.end_place, f"S3: {op} gives {error}")
        elif error == EBADF:
            if not any(closer.tick == tick and closer.result == 0 for closer in number.closers):
                raise Rejected(op.end_place, f"S6: {op} gives -EBADF, but nobody closed")
        elif not may_fail(op, number.end):
            raise Rejected(op.end_place, f"S17: {op} gives {error}, which has no reason")
        elif op.verb == t.VERB_CONNECT:
            number.end.connected = None  # connect(2) that tells of an error has disconnected it.
        elif error == ECONNREFUSED:
            self.refused(number.end)
        elif error == ECONNRESET:
            number.end.is_reset_told = True

    def refused(self, end):
        """A message for a socket that is gone: Linux drops also what it had sent."""
        if end.kind == DATAGRAMS:
            end.inn.drop()

    def check_last_try(self, op, ended):
        """Nothing is lost if somebody else got it in the same tick, or Linux threw it away. A bare
        wait has no last try, but the ready counts as ready."""
        if op.number.end.kind == DATAGRAMS and any(it.result == ECONNREFUSED for it in ended):
            return
        direction = RECEIVERS if op.verb in RECEIVERS else SENDERS
        if not any(other.number is op.number and other is not op and other.verb in direction
                   and other.result >= 0 for other in ended):
            why = ("S2, S13: {} gives {}, but was ready in time" if op.verb in WAITS
                   else "S15: {} gives {}, but a last try succeeds")
            raise Rejected(op.end_place, why.format(op, op.result))
