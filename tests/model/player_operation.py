# SPDX-License-Identifier: MIT
"""What the player is about: operations, tasks, scopes, wakeups. They know what they are, not what
becomes of them."""

from errno import ECANCELED, ETIMEDOUT

import trace

NEVER = (1 << 63) - 1
PAUSE = object()  # What a task yields that wants everybody else to have a turn.

# The order in which those that ended in a tick go on (T4).
RECEIVER, SENDER, CLOSER, PARKED, OVERDUE, WOKEN = range(6)

CLASSES = {
    trace.VERB_WAIT_RECV: RECEIVER,
    trace.VERB_RECV: RECEIVER,
    trace.VERB_RECV_EXACT: RECEIVER,
    trace.VERB_RECVMSG: RECEIVER,
    trace.VERB_READ: RECEIVER,
    trace.VERB_ACCEPT: RECEIVER,
    trace.VERB_WAIT_SEND: SENDER,
    trace.VERB_SEND: SENDER,
    trace.VERB_SEND_ALL: SENDER,
    trace.VERB_SENDMSG: SENDER,
    trace.VERB_CONNECT: SENDER,
    trace.VERB_CLOSE: CLOSER,
    trace.VERB_RELEASE: CLOSER,
    trace.VERB_PARK: PARKED,
    trace.VERB_WAKEUP: PARKED,
}


class Operation:
    """What a task asks for when it suspends."""

    __slots__ = ("verb", "fd", "object", "bytes", "data", "address", "wakeup", "deadline_ns",
                 "limit_ns", "ticket", "task", "progress", "received", "result", "end_class",
                 "cut", "is_begun", "is_last_tried", "rest_ns")

    def __init__(self, verb, fd=-1, number=-1, size=0, deadline_ns=NEVER, data=b""):
        self.verb = verb
        self.fd = fd
        self.object = number  # For the trace.
        self.bytes = size
        self.data = data  # What is to be sent.
        self.address = None  # Where to connect to.
        self.wakeup = None
        self.deadline_ns = deadline_ns  # Its own.
        self.limit_ns = NEVER  # The one in force.
        self.ticket = 0
        self.task = None
        self.progress = 0  # Bytes that have moved.
        self.received = []
        self.result = None  # None until it has ended.
        self.end_class = 0
        self.cut = 0  # Why it is being cut off.
        self.is_begun = False  # A connect is under way.
        self.is_last_tried = False  # Cancelled before T2, whose attempt is its last.
        self.rest_ns = 0  # When its rest is over.

    def __lt__(self, other):
        return self.ticket < other.ticket


class Wakeup:
    """Rings by itself, without an eventfd: there are no other threads here."""

    def __init__(self):
        self.waiting = None
        self.is_pending = False
        self.is_signalled = False


class Scope:
    def __init__(self, deadline_ns):
        self.deadline_ns = deadline_ns
        self.is_cancelled = False

    def result(self, now_ns):
        """What leaving it answers."""
        if self.is_cancelled:
            return -ECANCELED
        return -ETIMEDOUT if self.deadline_ns <= now_ns else 0


class Task:
    def __init__(self, number, name):
        self.number = number
        self.name = name
        self.generator = None
        self.scopes = []
        self.is_cancelled = False
        self.operation = None  # While it is suspended in one.
        self.is_done = False
        self.is_joined = False  # Its handle is used up.
        self.joiner = None
        self.result = 0

    def deadline_ns(self):
        return min((scope.deadline_ns for scope in self.scopes), default=NEVER)
