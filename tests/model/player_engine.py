# SPDX-License-Identifier: MIT
"""What becomes of an operation between its submission and its end: the engine's share of the
player. When any of it happens is the loop's to say, which is in player.py."""

from errno import EBADF, EBUSY, ECANCELED, EINVAL, ETIMEDOUT
from os import O_RDONLY, O_WRONLY
from select import POLLIN, POLLOUT

import trace
from player_attempts import (access_mode, attempt, close, moves_data, poll_events,
                             waits_for_readiness)
from player_operation import (CLASSES, CLOSER, NEVER, OVERDUE, PARKED, RECEIVER, SENDER, WOKEN)

# Wakes in vain that are allowed in a row; the rests that follow (S2).
VAIN_WAKES = 2
FIRST_REST_NS = 1_000_000
LONGEST_REST_NS = 100_000_000
VAIN_RESTS = 8  # For each that rests: after as many strict mode takes it that nothing will change.


class Engine:
    """Operations on their way."""

    def __init__(self):
        self.recv_wait = {}  # Descriptor to operation: what select() is asked about.
        self.send_wait = {}
        self.waiters = {}  # (descriptor, class) to operation, from submission to its end (S5).
        self.submitted = []  # Since the last T2.
        self.cancelled = []  # To be cut off at the end of T3.
        self.resting = []
        self.closed = set()  # Descriptors, in this T2.
        self.timed = {}  # Operations with a limit, as keys.
        self.signalled = []  # Wakeups, in order of arrival.
        self.ended = []  # Since the last T4.
        self.vain = {}  # (descriptor, class) to how many wakes in vain there were in a row.
        self.ticket = 0
        self.answered_ticket = 0  # Those up to it have seen an answer of select().
        self.vain_rests = 0  # That were over since anything ended, or the outside acted.
        self.has_moved = False  # Something ended or a byte moved since the last answer.
        self.now_ns = 0

    # --- Operations -------------------------------------------------------------------------------

    def submit(self, operation, refusal):
        """Takes an operation over; `refusal` is why it must not be attempted (S14), or 0."""
        self.ticket += 1
        operation.ticket = self.ticket
        verb_class = CLASSES.get(operation.verb, PARKED)
        operation.end_class = verb_class
        if verb_class == CLOSER:  # It runs to its end whatever happens to its task (S6).
            self.submitted.append(operation)
            return
        refusal = refusal or self.objection(operation)
        if refusal:
            self.end(operation, refusal)
            return
        if operation.limit_ns != NEVER:
            self.timed[operation] = None
        if operation.wakeup:
            self.wait_for(operation)
        elif verb_class != PARKED:
            self.waiters[operation.fd, verb_class] = operation
            self.submitted.append(operation)

    def objection(self, operation):
        """What is wrong with an operation (S3, S5, S11); 0 for nothing."""
        verb_class = CLASSES.get(operation.verb)
        if verb_class is None:
            return -EINVAL
        if verb_class == PARKED:
            return -EBUSY if operation.wakeup and operation.wakeup.waiting else 0
        if access_mode(operation.fd) in (None, O_WRONLY if verb_class == RECEIVER else O_RDONLY):
            return -EBADF
        return -EBUSY if (operation.fd, verb_class) in self.waiters else 0

    def forget(self, operation):
        """Takes an operation out of wherever it is."""
        self.timed.pop(operation, None)
        verb_class = CLASSES.get(operation.verb)
        if verb_class in (RECEIVER, SENDER):
            if self.waiters.get((operation.fd, verb_class)) is operation:
                del self.waiters[operation.fd, verb_class]
                self.unwait(operation)
        elif operation.wakeup and operation.wakeup.waiting is operation:
            operation.wakeup.waiting = None

    def unwait(self, operation):
        wait = self.wait_map(operation)
        if wait.get(operation.fd) is operation:
            del wait[operation.fd]
        elif operation in self.resting:
            self.resting.remove(operation)

    def wait_map(self, operation):
        return self.recv_wait if CLASSES[operation.verb] == RECEIVER else self.send_wait

    def end(self, operation, result):
        self.forget(operation)
        operation.result = result
        self.ended.append(operation)

    def try_submitted(self):
        """T2: receivers, senders and closes, each by ticket."""
        self.has_moved = False
        submitted, self.submitted = self.submitted, []
        submitted.sort(key=lambda operation: (CLASSES[operation.verb], operation.ticket))
        self.closed.clear()
        for operation in submitted:
            if operation.result is not None:
                continue
            if CLASSES[operation.verb] == CLOSER:
                self.carry_out_close(operation)
                continue
            if not waits_for_readiness(operation):
                self.has_brought(operation)
            if operation.result is None:
                self.wait_map(operation)[operation.fd] = operation

    def has_brought(self, operation):
        """Tries an operation: whether it ended, or moved something."""
        progress = operation.progress
        result = attempt(operation)
        if result is None and operation.progress == progress:
            return False
        self.has_moved = True
        self.vain.pop((operation.fd, CLASSES[operation.verb]), None)
        if result is not None:
            self.end(operation, result)
        return True

    def carry_out(self, operation):
        """select() calls its descriptor ready."""
        if operation.verb in (trace.VERB_WAIT_RECV, trace.VERB_WAIT_SEND):
            self.end_wait(operation)
        elif not self.has_brought(operation):
            self.has_moved = True  # That comes to an end, too.
            key = operation.fd, CLASSES[operation.verb]
            vain = self.vain.get(key, 0)
            if vain < VAIN_WAKES:
                self.vain[key] = vain = vain + 1
            if vain >= VAIN_WAKES:
                self.rest(operation)

    def end_closed(self):
        """select() says EBADF: something was closed behind our back, and its waiters end (S6)."""
        for operation in [*self.recv_wait.values(), *self.send_wait.values()]:
            if access_mode(operation.fd) is None:
                self.has_moved = True
                self.end(operation, -EBADF)

    # --- Rests (S2) -------------------------------------------------------------------------------

    def end_wait(self, operation):
        """A bare wait is ready. After others that ended at the first answer it may have to rest."""
        key = operation.fd, CLASSES[operation.verb]
        is_immediate = operation.ticket > self.answered_ticket
        vain = self.vain.get(key, 0)
        if vain < VAIN_WAKES:
            self.vain[key] = vain + 1 if is_immediate else 0
        else:
            wanted = POLLIN if key[1] == RECEIVER else POLLOUT
            if poll_events(operation.fd, wanted) & wanted:
                self.vain[key] = 0
            elif is_immediate:
                self.rest(operation)
                return
        self.has_moved = True
        self.end(operation, 0)

    def rest(self, operation):
        key = operation.fd, CLASSES[operation.verb]
        rest_ns = FIRST_REST_NS << max(self.vain[key] - VAIN_WAKES, 0)
        self.vain[key] += 1
        self.unwait(operation)
        operation.rest_ns = self.now_ns + min(rest_ns, LONGEST_REST_NS)
        self.resting.append(operation)

    def rouse(self, operation):
        """Its rest is over: the next T2 tries it again."""
        self.unwait(operation)
        self.submitted.append(operation)

    # --- Deadlines and cancellation (S13 to S15) --------------------------------------------------

    def next_due_ns(self):
        """When something will happen by itself. Where everybody rests, and time and again finds
        nothing, nothing will (S12)."""
        if not self.timed and self.vain_rests > VAIN_RESTS * len(self.resting):
            return NEVER
        return min([operation.limit_ns for operation in self.timed] +
                   [operation.rest_ns for operation in self.resting], default=NEVER)

    def cancel_operation(self, operation):
        """It is cut off at the end of T3. What T2 and T3 still end keeps its result."""
        if operation.result is None and not operation.cut \
                and CLASSES.get(operation.verb) != CLOSER:
            operation.cut = -ECANCELED
            operation.is_last_tried = operation in self.submitted
            self.timed.pop(operation, None)
            self.cancelled.append(operation)

    def is_due(self):
        return bool(self.cancelled) or self.next_due_ns() <= self.now_ns

    def cut_off(self):
        """The end of T3: what is cancelled or due ends, or is roused from its rest."""
        cancelled, self.cancelled = self.cancelled, []
        overdue = [operation for operation in self.timed if operation.limit_ns <= self.now_ns]
        for operation in overdue:
            operation.cut = -ETIMEDOUT
        cut = [operation for operation in cancelled if operation.result is None] + overdue
        for operation in sorted(cut, key=lambda op: (op.end_class, op.ticket)):
            self.try_last(operation)
        for operation in [op for op in self.resting if op.rest_ns <= self.now_ns]:
            self.vain_rests += 1
            self.rouse(operation)

    def try_last(self, operation):
        may_try = moves_data(operation) and not waits_for_readiness(operation)
        if may_try and not operation.is_last_tried:
            self.has_brought(operation)
        if operation.result is not None:
            return
        result = operation.cut
        if result == -ETIMEDOUT:
            operation.end_class = OVERDUE
            # A sleep waits for its own deadline; a scope's that comes first cuts it off.
            if operation.verb == trace.VERB_PARK and operation.limit_ns == operation.deadline_ns:
                result = 0
        self.end(operation, result)

    # --- Close and shutdown (S6, S8) --------------------------------------------------------------

    def carry_out_close(self, operation):
        fd = operation.fd
        result = -EBADF
        if fd >= 0 and fd not in self.closed:
            self.closed.add(fd)
            for verb_class in (RECEIVER, SENDER):
                waiter = self.waiters.get((fd, verb_class))
                if waiter:
                    self.end(waiter, -EBADF)
                self.vain.pop((fd, verb_class), None)
            result = close(fd) if operation.verb == trace.VERB_CLOSE else 0
        self.end(operation, result)

    def shut_down(self, fd, verb_class):
        """What a shutdown does to who waits in its direction."""
        operation = self.waiters.get((fd, verb_class))
        if not operation:
            return
        if operation.verb in (trace.VERB_WAIT_RECV, trace.VERB_WAIT_SEND):
            self.end(operation, 0)
        elif operation not in self.submitted:
            self.rouse(operation)

    # --- Wakeups ----------------------------------------------------------------------------------

    def signal(self, wakeup):
        if not wakeup.is_signalled:
            wakeup.is_signalled = True
            self.signalled.append(wakeup)

    def wait_for(self, operation):
        wakeup = operation.wakeup
        if wakeup.is_pending:
            wakeup.is_pending = False
            self.ring(operation)
        else:
            wakeup.waiting = operation

    def ring(self, operation):
        operation.end_class = WOKEN
        self.end(operation, 0)

    def answer_wakeups(self):
        signalled, self.signalled = self.signalled, []
        self.has_moved |= bool(signalled)
        for wakeup in signalled:
            wakeup.is_signalled = False
            if wakeup.waiting:
                self.ring(wakeup.waiting)
            else:
                wakeup.is_pending = True
