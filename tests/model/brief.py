# SPDX-License-Identifier: MIT
"""The program from which everything has grown, with its meaning unchanged, playing what it knows.

Its tasks are generators that yield a reason, `recv` or `send`, and a descriptor. Who waits stands
in one of two maps. Those of ready descriptors go on, receivers first, each in the order in which
they were put in the maps; and select() is asked only when nobody is left to run.

`Brief` is that program. Around it `BriefPlay` sets a program of ours, and for that it runs on two
parts of the player: what the steps do between waits (player_steps.py), and what comes from outside
(player_outside.py). A mistake in these shows in both; who runs and who is woken is its own.

It knows bare waits and what does not suspend. cede_wait must wake the same tasks in the same order,
save for what was repaired on purpose; in a program that meets one of these the traces part, and
`Unknown` is raised as soon as it is met:

- a second waiter for a descriptor and direction: here it takes the place of the first, which never
  goes on; there it gets -EBUSY (S5);
- a descriptor that cannot be waited for: here select() fails and everything ends; there the task
  gets -EBADF (S3);
- more than 256 resumptions before nobody is runnable: here nothing is polled meanwhile (T1);
- wait after wait on a descriptor that has hung up: here it spins; there it rests (S2).

When nobody can ever be woken, this program waits for ever; there the run ends (S12). So the traces
are compared up to there.
"""

from collections import Counter, deque
from os import O_RDONLY, O_WRONLY
from select import POLLIN, POLLOUT, select

import program
import trace
from player_attempts import access_mode, poll_events
from player_engine import VAIN_WAKES
from player_operation import NEVER, Task
from player_outside import Outside
from player_steps import Steps

STEPS = frozenset((program.WAIT_RECV, program.WAIT_SEND, program.TRY_RECV, program.TRY_SEND,
                   program.SPAWN))
RESUMPTIONS = 256


class Unknown(Exception):
    """The program meets what was repaired."""


class Brief:
    """Who runs, and who waits for what."""

    def __init__(self):
        self.tasks = deque()
        self.recv_wait = {}
        self.send_wait = {}

    def run(self):
        while self.tasks or self.recv_wait or self.send_wait:
            if self.tasks:
                self.resume(self.tasks.popleft())
            else:
                self.wake_ready()

    def resume(self, task):
        try:
            reason, fd = next(task)
        except StopIteration:
            return
        if reason not in ("recv", "send"):
            raise RuntimeError(f"a task yields {reason}")
        waiters = self.recv_wait if reason == "recv" else self.send_wait
        waiters[fd] = task

    def wake_ready(self):
        readable, writable, _ = self.select(self.recv_wait, self.send_wait, [])
        self.tasks.extend([self.recv_wait.pop(fd) for fd in readable])
        self.tasks.extend([self.send_wait.pop(fd) for fd in writable])

    def select(self, *waiters):
        return select(*waiters)


class _Stuck(Exception):
    pass


class BriefPlay(Brief):
    """The same with a program of ours, its outside and a trace around it."""

    def __init__(self, made):
        super().__init__()
        if any(step.kind not in STEPS for task in made.tasks for step in task.steps):
            raise Unknown("a step")
        self.events = []
        self.ticks = 0
        self.now_ns = 0
        self.arrive = lambda: None
        self.spawned = 0
        self.resumed = 0
        self.ready = Counter()  # How many waits for (descriptor, direction) found it ready.
        self.steps = Steps(self, made)
        self.outside = Outside(self, self.steps, made.stimuli)

    def play(self):
        """The events, and whether the run came to its end."""
        try:
            self.steps.start()
            self.run()
        except _Stuck:
            return self.events, False
        finally:
            self.steps.things.close()
        self.events.append((trace.OUTCOME, 0))
        return self.events, True

    def resume(self, task):
        self.resumed += 1
        if self.resumed > RESUMPTIONS:
            raise Unknown("a long T1")
        super().resume(task)

    def select(self, *waiters):
        self.resumed = 0
        while not any(found := select(*waiters, 0)):
            if not self.outside.idle(NEVER):
                raise _Stuck
        self.ticks += 1
        self.events.append((trace.TICK, 0))
        return found

    def spawn(self, parent, name, make_generator):
        self.spawned += 1
        task = Task(self.spawned, name)
        self.events.append((trace.SPAWN, parent.number if parent else 0, task.number, 0, name))
        self.tasks.append(self.body(task, make_generator(task)))
        return task

    def body(self, task, operations):
        """A task in the brief's words: pairs of a reason and a descriptor."""
        for operation in operations:
            self.check(operation)
            self.events.append((trace.SUBMIT, task.number, operation.verb, operation.object, 0, -1))
            yield self.reason(operation), operation.fd
            operation.result = 0
        self.events.append((trace.DONE, task.number, 0))

    def reason(self, operation):
        return "recv" if operation.verb == trace.VERB_WAIT_RECV else "send"

    def check(self, operation):
        """Refuses what was repaired."""
        is_recv = operation.verb == trace.VERB_WAIT_RECV
        fd = operation.fd
        if access_mode(fd) in (None, O_WRONLY if is_recv else O_RDONLY):
            raise Unknown("a bad descriptor")
        if fd in (self.recv_wait if is_recv else self.send_wait):
            raise Unknown("a second waiter")
        wanted = POLLIN if is_recv else POLLOUT
        events = poll_events(fd, wanted)
        self.ready[fd, wanted] += events != 0
        if self.ready[fd, wanted] > VAIN_WAKES and events and not events & wanted:
            raise Unknown("a wait for a hang-up")
