# SPDX-License-Identifier: MIT
"""What the parts of the acceptor share: refusals, choices, operations and the pattern of the bytes.

Knows nothing of the rules. See acceptor.py.
"""

import errno
import zlib

import trace as t

EAGAIN = -errno.EAGAIN
EBADF = -errno.EBADF
EBUSY = -errno.EBUSY
ECANCELED = -errno.ECANCELED
ECONNREFUSED = -errno.ECONNREFUSED
ECONNRESET = -errno.ECONNRESET
EEXIST = -errno.EEXIST
EINPROGRESS = -errno.EINPROGRESS
EINTR = -errno.EINTR
EINVAL = -errno.EINVAL
EISCONN = -errno.EISCONN
EMSGSIZE = -errno.EMSGSIZE
ENOTCONN = -errno.ENOTCONN
ENOTSOCK = -errno.ENOTSOCK
EOPNOTSUPP = -errno.EOPNOTSUPP
EOVERFLOW = -errno.EOVERFLOW
EPIPE = -errno.EPIPE
EPROTOTYPE = -errno.EPROTOTYPE
ESRCH = -errno.ESRCH
ETIMEDOUT = -errno.ETIMEDOUT

# Verbs by what they do. A bare wait moves nothing.
TAKES = frozenset((t.VERB_RECV, t.VERB_RECV_EXACT, t.VERB_RECVMSG, t.VERB_READ))
GIVES = frozenset((t.VERB_SEND, t.VERB_SEND_ALL, t.VERB_SENDMSG))
RECEIVERS = TAKES | {t.VERB_WAIT_RECV, t.VERB_ACCEPT}
SENDERS = GIVES | {t.VERB_WAIT_SEND, t.VERB_CONNECT}
CLOSERS = frozenset((t.VERB_CLOSE, t.VERB_RELEASE))
WAITS = frozenset((t.VERB_WAIT_RECV, t.VERB_WAIT_SEND))


class Rejected(Exception):
    """The trace is not allowed."""

    def __init__(self, place, why):
        super().__init__(why)
        self.place = place  # The number of the event.
        self.why = why
        self.half = 1  # Of the acceptor. What the second finds has passed the first.


# What may be spent on looking for places, in bytes that are compared, for one trace.
WORK = 150_000_000


class Choices:
    """Decisions that the trace does not show. All ways are tried, one run for each, depth first."""

    def __init__(self):
        self.script = []
        self.sizes = []
        self.is_cut = False  # Not every way was offered.
        self.work = WORK
        self.epoch = 0  # Changes whenever the engine has done something.

    def choose(self, size):
        """One of range(size); 0 at first."""
        place = len(self.sizes)
        if place == len(self.script):
            self.script.append(0)
        self.sizes.append(size)
        return min(self.script[place], size - 1)

    def spend(self, tries, price):
        """How many of these tries are affordable."""
        affordable = min(tries, self.work // max(1, price))
        self.work -= affordable * price
        self.is_cut |= affordable < tries
        return affordable

    def advance(self):
        """Prepares the next way; False when there is none."""
        del self.script[len(self.sizes):]  # Where it was too dear to look, ways are missing.
        while self.script and self.script[-1] + 1 >= self.sizes[len(self.script) - 1]:
            self.script.pop()
        self.sizes = []
        if self.script:
            self.script[-1] += 1
        return bool(self.script)


class Operation:
    """From submission to end, and what became of it. Ticks are numbered by their events, from 1."""

    __slots__ = ("task", "step", "verb", "object", "asked", "deadline", "ticket", "place",
                 "submit_tick", "tick", "result", "moved", "digest", "end_place", "number",
                 "fill", "refusals", "scope_deadline", "cancel_tick", "cancel_place",
                 "first_byte", "is_ready_possible", "target", "may_be_own", "may_be_scope",
                 "others",
                 "is_moving", "latest_tick", "is_end_possible")

    def __init__(self, task, step, event, place, ticket):
        _, _, self.verb, self.object, self.asked, self.deadline = event
        self.task = task
        self.step = step  # None: of the hidden task, or of a join.
        self.place = place
        self.ticket = ticket
        self.submit_tick = 0
        self.tick = None  # At which it was woken; 0 of a join whose task is done.
        self.result = None
        self.moved = self.digest = 0
        self.end_place = None
        self.number = None  # What the object stood for at submission (Number); None: nothing.
        self.fill = None  # Of an accept: the number that it made, if it was kept.
        self.refusals = ()  # With what S14 had it refused at submission.
        self.scope_deadline = -1  # The nearest of the scopes around it.
        self.cancel_tick = self.cancel_place = None  # Cancelled while in flight.
        self.first_byte = 0  # Of what it sends, among all sent through the object.
        self.latest_tick = None  # Of a wait for a wakeup: the tick that must wake it.
        self.is_moving = False  # Between submission and end it moves bytes, or a message of none.
        self.is_ready_possible = False  # It was, or may have been, ready for what it waits for.
        self.is_end_possible = False  # It may have seen the end of a stream that is shut down here.
        self.target = None  # Of a connect: the listener. Of a join: the task. Or the wakeup.
        self.may_be_own = self.may_be_scope = False  # Whose the deadline is.
        self.others = ()  # Operations that wait for the same, at submission.

    def __str__(self):
        name = t.VERBS[self.verb] if self.verb < len(t.VERBS) else f"verb {self.verb}"
        return f"{name} of {self.task.name} submitted at event {self.place}"


class Number:
    """A descriptor number while an object has it."""

    __slots__ = ("object", "kind", "end", "closers", "waiting", "shut_places")

    def __init__(self, obj, kind):
        self.object = obj
        self.kind = kind
        self.end = None  # What the kernel knows behind it; see acceptor_ends.py.
        self.closers = []  # Operations that close or release it.
        self.waiting = [[], []]  # Operations of each direction.
        self.shut_places = []  # Where tasks shut it down.

    def is_shut_between(self, first, behind):
        return any(first < place < behind for place in self.shut_places)


# --- Bytes --------------------------------------------------------------------------------------

PERIOD = 251
_PATTERN = memoryview(bytes(range(PERIOD)) * (1 + (1 << 20) // PERIOD))
_PIECE = (1 << 20) - PERIOD


def bytes_of(obj, first, count):
    """Bytes number first .. first + count - 1 of those sent through an object."""
    at = (obj * 37 + first) % PERIOD
    if count > _PIECE:
        return bytes(_PATTERN[at:at + _PIECE]) + bytes_of(obj, first + _PIECE, count - _PIECE)
    return bytes(_PATTERN[at:at + count])


def digest_of(obj, first, count, digest=0):
    """CRC-32 of bytes number first .. first + count - 1 of those sent through an object."""
    at = (obj * 37 + first) % PERIOD
    while count > _PIECE:
        digest = zlib.crc32(_PATTERN[at:at + _PIECE], digest)
        at = (at + _PIECE) % PERIOD
        count -= _PIECE
    return zlib.crc32(_PATTERN[at:at + count], digest)
