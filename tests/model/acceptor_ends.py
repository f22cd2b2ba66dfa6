# SPDX-License-Identifier: MIT
"""What is behind descriptors, without a kernel: ends of streams and messages, and listeners.

An end knows who closed and shut down what, and since which event; from that follows what a call
may come to. Where Linux has many answers (a socket that is not connected, a listener that is asked
for bytes) any failure will do.
"""

import program as p
import trace as t
from acceptor_base import (EAGAIN, ECONNREFUSED, ECONNRESET, EINPROGRESS, EINTR, EINVAL, EMSGSIZE,
                           ENOTCONN, ENOTSOCK, EOPNOTSUPP, EPIPE, GIVES, RECEIVERS, SENDERS, TAKES,
                           WAITS)
from acceptor_files import File
from acceptor_messages import Messages
from acceptor_stream import Stream

UNIX, TCP, PIPE, DATAGRAMS, LISTENER, LOOSE, FILE, ODD = range(8)

# What nobody ever sees as a result (S1, S17).
NEVER = frozenset((EAGAIN, EINTR, EINPROGRESS))


class End:
    """One end of something; a socket that is not connected (LOOSE), or with an error in its queue
    (ODD); or a file."""

    def __init__(self, kind):
        self.kind = kind
        self.peer = None
        self.inn = self.out = None  # Directions; None: it has no such.
        self.closed = None  # The place of the event at which that had happened; None: it has not.
        self.shut_recv = self.shut_send = None
        self.is_reset = False  # The connection was given up before it was accepted.
        self.is_reset_told = self.may_be_told = False  # A call told of a reset, or may have done.
        self.connected = -1  # The place from which on it is for sure; None: it may not be.
        self.is_odd = False  # Nothing is known for sure.
        self.file = None
        self.accepting = None  # Of a listener: its connections.

    # --- Receiving ------------------------------------------------------------------------------

    def is_over(self):
        """Nothing more can come, for sure."""
        if self.kind == DATAGRAMS or self.inn is None:
            return False
        peer = self.peer
        return (self.shut_recv is not None or self.is_reset
                or peer.closed is not None or peer.shut_send is not None)

    def may_be_over(self):
        if self.connected is None or self.peer and self.peer.is_odd:
            return True
        if self.kind == DATAGRAMS:
            return self.shut_recv is not None
        return self.is_over() or self.is_given_up()

    def is_given_up(self):
        """The connection may have ended with an error."""
        return self.peer is not None and self.kind != PIPE and (
            self.is_reset or self.is_odd or self.peer.is_odd or self.peer.closed is not None
            or self.kind == TCP and self.closed_both_ways())

    def may_be_reset(self):
        """A call may tell of a reset, which is told once: bytes of ours were thrown away, by a
        close or because nobody was there any more."""
        if self.is_reset_told:
            return False
        return (self.is_reset or self.is_odd or self.peer.is_odd
                or self.kind == TCP and self.closed_both_ways()
                or self.peer.closed is not None and self.out.may_have_bytes())

    def must_be_reset(self, place):
        """A receiver that finds no bytes at this event, or later, is told of a reset first."""
        return (self.kind == UNIX and self.connected is not None
                and self.peer.closed is not None and self.peer.closed < place
                and self.out.has_bytes() and not (self.is_reset_told or self.may_be_told)
                and not (self.is_odd or self.peer.is_odd))

    def closed_both_ways(self):
        """Bytes for somebody who shut down both directions are refused."""
        return any(end.shut_recv is not None and end.shut_send is not None
                   for end in (self, self.peer))

    # --- Sending --------------------------------------------------------------------------------

    def may_be_broken(self):
        """Sending may fail."""
        peer = self.peer
        if (self.shut_send is not None or self.is_reset or peer.closed is not None
                or self.is_odd or peer.is_odd):
            return True
        if self.kind == TCP:
            return self.closed_both_ways()
        return peer.shut_recv is not None

    def send_errors(self):
        """What sending may fail with. Of a unix socket the close of the peer shuts down both
        directions, so that a sender is never told of a reset; of a message it is not told by whom
        it is not wanted."""
        if not self.may_be_broken():
            return ()
        if self.is_odd or self.peer.is_odd:
            return EPIPE, ECONNREFUSED, ECONNRESET, ENOTCONN
        if self.kind == DATAGRAMS:
            is_shut = self.shut_send is not None or self.peer.shut_recv is not None
            is_gone = self.peer.closed is not None
            return is_shut * (EPIPE,) + is_gone * (ECONNREFUSED, ENOTCONN)
        return (EPIPE, ECONNRESET) if self.kind == TCP and self.may_be_reset() else (EPIPE,)

    def cannot_send(self, place):
        """What is submitted at this event can send no byte."""
        peer = self.peer
        places = [self.shut_send]
        if self.kind != TCP:
            places += [peer.closed, peer.shut_recv]
        return any(since is not None and since < place for since in places)

    def must_answer_sender(self, op):
        """A sender cannot be parked here, whatever has been sent. What only waits can: a full
        socket that was shut down is not ready."""
        if self.kind not in (UNIX, TCP, PIPE):
            return False
        return self.peer.closed is not None or self.shut_send is not None and op.asked > 0


def connect_ends(one, other, choices):
    """Makes two ends of a kind each other's peers."""
    make = Messages if one.kind == DATAGRAMS else Stream
    one.peer, other.peer = other, one
    other.inn = one.out = make(choices)
    if one.kind != PIPE:
        one.inn = other.out = make(choices)


def make_pair(kind, choices):
    """Two ends; of a pipe the first receives."""
    one, other = End(kind), End(kind)
    if kind == PIPE:
        connect_ends(other, one, choices)
    else:
        connect_ends(one, other, choices)
    return one, other


def open_objects(objects, things, choices):
    """Puts ends behind the numbers that a program starts with."""
    two = {p.PAIR: UNIX, p.SMALL_PAIR: UNIX, p.TCP: TCP, p.PIPE: PIPE, p.DATAGRAMS: DATAGRAMS}
    waiting = None
    for number, thing in zip(objects, things):
        kind = thing.kind
        if kind in two:
            if waiting:
                number.end, waiting = waiting, None
            else:
                number.end, waiting = make_pair(two[kind], choices)
        elif kind == p.FILE:
            number.end = End(FILE)
            number.end.file = File(number.object)
        elif kind == p.UDP_ERROR:
            number.end = End(ODD)
        elif kind in (p.UNIX_LISTENER, p.TCP_LISTENER):
            number.end = End(LISTENER)
            number.end.accepting = Accepting(TCP if kind == p.TCP_LISTENER else UNIX,
                                             thing.backlog, choices)
        elif kind in (p.FILE, p.UDP_ERROR):
            number.end = End(LOOSE)


class Connection:
    """From the attempt on, accepted or not."""

    __slots__ = ("kind", "client", "server", "is_sure", "is_taken")

    def __init__(self, kind, choices):
        self.kind = kind
        self.client, self.server = make_pair(kind, choices)
        self.client.connected = None
        self.is_sure = False  # It came into the queue for sure.
        self.is_taken = False


class Accepting:
    """The connections of a listener that were not accepted yet."""

    def __init__(self, kind, backlog, choices):
        self.kind = kind
        self.backlog = backlog
        self.choices = choices
        self.queue = []
        self.used_place = -1  # Of the last event at which something was in it.
        self.was_full = False  # It may have been; then the order of connections is open.
        self.touched = -2  # The place of the last call past the engine.
        self.stopped = None  # The place at which it was closed or shut down.

    def has_connection(self):
        return any(connection.is_sure for connection in self.queue)

    def add(self, connection, is_sure, place):
        connection.is_sure = connection.is_sure or is_sure
        self.used_place = place
        if connection not in self.queue and not connection.is_taken:
            self.queue.append(connection)
            self.was_full = self.was_full or len(self.queue) > self.backlog

    def take(self, place):
        """The next one, None if there can be none. One that failed after all may be left out."""
        self.used_place = place
        candidates = []
        for connection in self.queue:
            candidates.append(connection)
            if connection.is_sure and not self.was_full:
                break
        if not candidates:
            return None
        taken = candidates[self.choices.choose(len(candidates)) if len(candidates) > 1 else 0]
        self.queue.remove(taken)
        taken.is_taken = True
        return taken

    def give_up(self, place):
        """The listener was closed, or shut down."""
        if self.queue:
            self.used_place = place
        self.stopped = place
        for connection in self.queue:
            connection.server.closed = place
            connection.client.is_reset = True
        self.queue = []


# --- What calls may fail with -------------------------------------------------------------------

def wrong_direction(verb, end):
    """S3: a descriptor that was opened without that direction."""
    if end.kind != PIPE:
        return False
    return end.inn is None and verb in RECEIVERS or end.out is None and verb in SENDERS


def may_fail(op, end):
    """Whether a call of the kernel may fail so, on such an end."""
    verb, error, kind = op.verb, op.result, end.kind
    if error in NEVER:
        return False
    if kind in (LOOSE, LISTENER, ODD) or end.connected is None or op.place < end.connected:
        return True
    if verb == t.VERB_ACCEPT:
        return error in (EINVAL, EOPNOTSUPP, ENOTSOCK)
    if verb in WAITS:
        return False
    if kind in (PIPE, FILE):
        return error == ENOTSOCK and verb != t.VERB_READ
    if verb in TAKES:
        return error == ECONNRESET and (end.is_given_up() if kind == DATAGRAMS
                                        else end.may_be_reset())
    return verb in GIVES and (error in end.send_errors()
                              or kind == DATAGRAMS and error == EMSGSIZE)
