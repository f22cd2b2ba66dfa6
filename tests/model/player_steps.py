# SPDX-License-Identifier: MIT
"""What the tasks of a program do: a generator for each, whose yields are operations.

A step that suspends is made into an operation, and its end is told when the task goes on. The
others act at once. What a step means for a name that stands for nothing is told by notes.
"""

from errno import EBADF, EEXIST, EINVAL, EOVERFLOW, ESRCH
from socket import AF_INET, IPPROTO_TCP, SOCK_STREAM, TCP_NODELAY, socket

import program
import trace
from player_operation import NEVER, PAUSE, RECEIVER, SENDER, Operation, Scope, Wakeup
from player_attempts import close, receive, send, shut_down
from player_things import Things, digest

SCOPES_MAX = 8

_VERBS = {
    program.WAIT_RECV: trace.VERB_WAIT_RECV,
    program.WAIT_SEND: trace.VERB_WAIT_SEND,
    program.RECV: trace.VERB_RECV,
    program.RECV_EXACT: trace.VERB_RECV_EXACT,
    program.RECVMSG: trace.VERB_RECVMSG,
    program.READ: trace.VERB_READ,
    program.ACCEPT: trace.VERB_ACCEPT,
    program.SEND: trace.VERB_SEND,
    program.SEND_ALL: trace.VERB_SEND_ALL,
    program.SENDMSG: trace.VERB_SENDMSG,
    program.CLOSE: trace.VERB_CLOSE,
    program.RELEASE: trace.VERB_RELEASE,
    program.UNKNOWN: trace.VERB_UNKNOWN,
}
_SENDS = frozenset((program.SEND, program.SEND_ALL, program.SENDMSG))
_WITH_PROGRESS = frozenset((trace.VERB_RECV_EXACT, trace.VERB_SEND_ALL))


class Steps:
    """A program at work in a player."""

    def __init__(self, player, made):
        self.player = player
        self.program = made
        self.things = Things(made.objects)
        self.wakeups = {number: Wakeup() for number, thing in enumerate(made.objects)
                        if thing.kind == program.WAKEUP}
        self.reaper_bell = Wakeup() if self.wakeups else None
        self.tasks = [None] * len(made.tasks)
        self.spawned = []  # In order, without the reaper.
        self.finished = set()

    # --- Tasks ------------------------------------------------------------------------------------

    def start(self):
        self.spawn(None, 0)

    def spawn(self, parent, index):
        made = self.program.tasks[index]
        task = self.player.spawn(parent, made.name, lambda task: self.body(task, made.steps))
        self.tasks[index] = task
        self.spawned.append(task)

    def body(self, task, steps):
        if self.reaper_bell and task.number == 1:
            self.player.spawn(task, "reaper", self.reaper)
        for step in steps:
            yield from _DOINGS[step.kind](self, task, step)
        while task.scopes:
            self.leave_scope(task)
        self.finished.add(task)

    def reaper(self, task):
        while True:
            operation = Operation(trace.VERB_WAKEUP)
            operation.wakeup = self.reaper_bell
            yield operation
            self.tell_end(task, operation)
            unfinished = [other for other in self.spawned if other not in self.finished]
            if not unfinished:
                return
            for other in unfinished:
                self.cancel_task(task, other)

    def cancel_task(self, task, other):
        self.player.events.append((trace.CANCEL, task.number, other.number))
        self.player.cancel(other)

    def note(self, task, step, number, result, pieces=()):
        self.player.events.append((trace.NOTE, task.number, trace.NOTE_STEP + step.kind, number,
                                   result, digest(pieces)))

    def deadline_ns(self, step):
        return NEVER if step.within_ns < 0 else self.player.now_ns + step.within_ns

    # --- Steps that suspend -----------------------------------------------------------------------

    def tell_end(self, task, operation, result=None):
        """The event for what has ended; `result` where the trace is to have another."""
        moved, pieces = 0, ()
        if operation.verb in _WITH_PROGRESS:
            moved = operation.progress
        elif operation.result > 0 and operation.verb in _COUNTED:
            moved = operation.result
        if moved:
            pieces = operation.received or (memoryview(operation.data)[:moved],)
        self.player.events.append((
            trace.END, task.number, operation.verb, operation.object,
            operation.result if result is None else result, moved, digest(pieces)))
        return moved

    def transfer(self, task, step):
        thing = self.things[step.object]
        data = thing.next_bytes(step.bytes) if step.kind in _SENDS else b""
        operation = Operation(_VERBS[step.kind], thing.descriptor(self.player.ticks), step.object,
                              step.bytes, self.deadline_ns(step), data)
        yield operation
        moved = self.tell_end(task, operation)
        if data:
            thing.sent += moved

    def close(self, task, step):
        thing = self.things[step.object]
        operation = Operation(_VERBS[step.kind], thing.descriptor(self.player.ticks), step.object,
                              0, self.deadline_ns(step))
        if step.kind == program.CLOSE and thing.fd >= 0:
            thing.closed_at = self.player.ticks
        yield operation
        self.tell_end(task, operation)
        if step.kind == program.CLOSE and operation.result == 0:
            self.things.opened[operation.fd] -= 1

    def accept(self, task, step):
        thing, slot = self.things[step.object], self.things[step.other]
        operation = Operation(trace.VERB_ACCEPT, thing.descriptor(self.player.ticks), step.object,
                              0, self.deadline_ns(step))
        yield operation
        if operation.result < 0:
            self.tell_end(task, operation)
            return
        self.tell_end(task, operation, slot.number)
        if slot.descriptor(self.player.ticks) < 0:
            slot.fill(operation.result)
        else:
            close(operation.result)
        self.player.arrive()

    def connect(self, task, step):
        slot, listener = self.things[step.object], self.things[step.other]
        refusal = self.open_socket(slot, listener)
        if refusal:
            self.note(task, step, slot.number, refusal)
            return
        operation = Operation(trace.VERB_CONNECT, slot.fd, slot.number, 0, self.deadline_ns(step))
        operation.address = listener.family, listener.address
        yield operation
        self.tell_end(task, operation)

    def open_socket(self, slot, listener):
        """Puts a fresh socket in a slot: 0, or why not."""
        if slot.descriptor(self.player.ticks) >= 0:
            return -EEXIST
        if not listener.address:
            return -EINVAL
        sock = socket(listener.family, SOCK_STREAM)
        sock.setblocking(False)
        if listener.family == AF_INET:
            sock.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        slot.fill(sock.detach())
        return 0

    def wait_wakeup(self, task, step):
        operation = Operation(trace.VERB_WAKEUP, deadline_ns=self.deadline_ns(step))
        operation.wakeup = self.wakeups[step.object]
        yield operation
        self.tell_end(task, operation)

    def sleep(self, task, step):
        operation = Operation(trace.VERB_PARK, deadline_ns=self.deadline_ns(step))
        yield operation
        self.tell_end(task, operation)

    def pause(self, task, _step):
        yield PAUSE
        self.tell_pause(task)

    def tell_pause(self, task):
        refusal = self.player.refusal(task)
        self.player.events.append((trace.PAUSE, task.number, refusal))
        return refusal

    def join(self, task, step):
        other = self.tasks[step.object]
        if other is None:
            self.note(task, step, step.object, -ESRCH)
            return
        if other is task or other.number == 1 or other.is_joined or other.joiner:
            result = -EINVAL
        else:
            other.joiner = task
            if other.is_done:
                yield PAUSE
                result = self.tell_pause(task)
            else:
                operation = Operation(trace.VERB_PARK)
                yield operation
                self.tell_end(task, operation)
                result = operation.result
            other.joiner = None
            other.is_joined = result == 0
        self.player.events.append((trace.JOIN, task.number, other.number, result,
                                   other.result if result == 0 else 0))

    # --- Steps that act at once -------------------------------------------------------------------

    def spawn_step(self, task, step):
        if self.tasks[step.object]:
            self.note(task, step, step.object, -EEXIST)
        else:
            self.spawn(task, step.object)
        return ()

    def cancel(self, task, step):
        other = self.tasks[step.object]
        if other:
            self.cancel_task(task, other)
        else:
            self.note(task, step, step.object, -ESRCH)
        return ()

    def shutdown(self, task, step):
        fd = self.things[step.object].descriptor(self.player.ticks)
        result = shut_down(fd, step.other)
        self.player.arrive()
        if result == 0:
            for verb_class in (RECEIVER, SENDER):
                if step.other in (verb_class, 2):
                    self.player.shut_down(fd, verb_class)
        self.player.events.append((trace.SHUTDOWN, task.number, step.other, step.object, result))
        return ()

    def scope(self, task, step):
        if len(task.scopes) == SCOPES_MAX:
            self.note(task, step, -1, -EOVERFLOW)
            return ()
        deadline_ns = self.deadline_ns(step)
        task.scopes.append(Scope(deadline_ns))
        self.tell_scope(task, trace.SCOPE_ENTER, -1 if deadline_ns == NEVER else deadline_ns)
        return ()

    def tell_scope(self, task, what, value):
        self.player.events.append((trace.SCOPE, task.number, what, value))

    def leave_scope(self, task):
        self.tell_scope(task, trace.SCOPE_LEAVE, task.scopes.pop().result(self.player.now_ns))

    def leave(self, task, step):
        if task.scopes:
            self.leave_scope(task)
        else:
            self.note(task, step, -1, -EINVAL)
        return ()

    def cancel_scope(self, task, step):
        if task.scopes:
            task.scopes[-1].is_cancelled = True
            self.tell_scope(task, trace.SCOPE_CANCEL, 0)
        else:
            self.note(task, step, -1, -EINVAL)
        return ()

    def try_recv(self, task, step):
        fd = self.things[step.object].descriptor(self.player.ticks)
        pieces = []
        result = receive(fd, step.bytes, pieces) if fd >= 0 else -EBADF
        self.player.arrive()
        self.note(task, step, step.object, result, pieces)
        return ()

    def try_send(self, task, step):
        thing = self.things[step.object]
        fd = thing.descriptor(self.player.ticks)
        data = thing.next_bytes(step.bytes)
        result = send(fd, data) if fd >= 0 else -EBADF
        thing.sent += max(result, 0)
        self.player.arrive()
        self.note(task, step, step.object, result, (data[:max(result, 0)],))
        return ()

    def signal(self, task, step):
        self.player.signal(self.wakeups[step.object])
        self.note(task, step, step.object, 0)
        return ()


_COUNTED = frozenset((trace.VERB_RECV, trace.VERB_RECVMSG, trace.VERB_READ, trace.VERB_SEND,
                      trace.VERB_SENDMSG))

_DOINGS = {
    **dict.fromkeys(_VERBS, Steps.transfer),
    program.ACCEPT: Steps.accept,
    program.CONNECT: Steps.connect,
    program.CLOSE: Steps.close,
    program.RELEASE: Steps.close,
    program.WAIT_WAKEUP: Steps.wait_wakeup,
    program.SLEEP: Steps.sleep,
    program.PAUSE: Steps.pause,
    program.JOIN: Steps.join,
    program.SPAWN: Steps.spawn_step,
    program.CANCEL: Steps.cancel,
    program.SHUTDOWN: Steps.shutdown,
    program.SCOPE: Steps.scope,
    program.LEAVE: Steps.leave,
    program.CANCEL_SCOPE: Steps.cancel_scope,
    program.TRY_RECV: Steps.try_recv,
    program.TRY_SEND: Steps.try_send,
    program.SIGNAL: Steps.signal,
}
