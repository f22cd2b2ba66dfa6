# SPDX-License-Identifier: MIT
"""The player: what docs/spec.md says, in Python, carried out on real sockets.

It has grown from a lesson's program: a queue of tasks, which are generators, and two maps of those
that wait, one for each direction; run tasks until none is left to run, ask select() about the maps,
move the tasks of ready sockets back to the queue. To that the specification adds tickets and
classes (who comes first), deadlines on a virtual clock, cancellation, close, shutdown and rests.
Only strict mode is here. It shares no code with the library, and it is written from the text.

A task yields an operation, or PAUSE. What tasks do is in player_steps.py, what the outside does in
player_outside.py, and the system calls are in player_attempts.py.
"""

from collections import deque
from errno import ECANCELED, EDEADLK, ETIMEDOUT
from select import select

import trace
from player_engine import Engine
from player_operation import NEVER, OVERDUE, PAUSE, WOKEN, Task

RESUMPTIONS = 256  # B of the specification.


class Player(Engine):
    """A run. Where it would sleep it asks `idle(next_due_ns)` for a stimulus: whether there was
    one."""

    def __init__(self):
        super().__init__()
        self.idle = lambda next_due_ns: False
        self.arrive = lambda: None  # Waits until what was sent has arrived.
        self.tasks = deque()
        self.all_tasks = []
        self.living = 0
        self.ticks = 0
        self.outcome = 0
        self.events = []

    # --- The loop ---------------------------------------------------------------------------------

    def run(self):
        """Runs tasks until none is left."""
        self.run_tasks()
        while self.living:
            can_wake = self.tick()
            if self.ended:
                self.wake()
            if not can_wake:
                self.give_up()
            self.run_tasks()
        self.events.append((trace.OUTCOME, self.outcome))

    def run_tasks(self):
        """T1."""
        tasks = self.tasks
        for _ in range(RESUMPTIONS):
            if not tasks:
                break
            task = tasks.popleft()
            try:
                operation = task.generator.send(None)
            except StopIteration:
                self.done(task)
                continue
            if operation is PAUSE:
                tasks.append(task)
            else:
                self.park(task, operation)

    def park(self, task, operation):
        task.operation = operation
        operation.task = task
        operation.limit_ns = limit_ns = min(operation.deadline_ns, task.deadline_ns())
        self.events.append((trace.SUBMIT, task.number, operation.verb, operation.object,
                            operation.bytes, -1 if limit_ns == NEVER else limit_ns))
        self.submit(operation, self.refusal(task))

    def tick(self):
        """T2 and T3. False if nothing can ever end."""
        can_end = True
        self.try_submitted()
        self.settle()
        while not (self.ended or self.tasks or self.is_due()):
            due_ns = self.next_due_ns()
            if self.idle(due_ns):
                self.vain_rests = 0
                self.settle()
            elif due_ns != NEVER:
                self.now_ns = due_ns
            else:
                can_end = False
                break
        self.cut_off()
        return can_end

    def settle(self):
        """T3: asks until an answer brings nothing. What T2 has brought counts with the first."""
        self.answer()
        while self.has_moved:
            self.has_moved = False
            self.answer()

    def answer(self):
        self.arrive()
        self.answer_wakeups()
        recv_wait, send_wait = self.recv_wait, self.send_wait
        if not recv_wait and not send_wait:
            return
        try:
            can_recv, can_send, _ = select(recv_wait, send_wait, [], 0)
        except OSError:
            self.end_closed()
            return
        ready = sorted([recv_wait[fd] for fd in can_recv])
        ready += sorted([send_wait[fd] for fd in can_send])
        for operation in ready:
            self.carry_out(operation)
        self.answered_ticket = self.ticket

    def wake(self):
        """T4."""
        self.vain_rests = 0
        ended, self.ended = self.ended, []
        arrived = [operation for operation in ended if operation.end_class == WOKEN]
        ended = [operation for operation in ended if operation.end_class != WOKEN]
        ended.sort(key=lambda operation: (
            operation.end_class, operation.limit_ns if operation.end_class == OVERDUE else 0,
            operation.ticket))
        self.ticks += 1
        self.events.append((trace.TICK, self.now_ns))
        for operation in ended + arrived:
            operation.task.operation = None
            self.tasks.append(operation.task)

    # --- Tasks ------------------------------------------------------------------------------------

    def spawn(self, parent, name, make_generator):
        task = Task(len(self.all_tasks) + 1, name)
        task.generator = make_generator(task)
        self.all_tasks.append(task)
        self.living += 1
        self.events.append((trace.SPAWN, parent.number if parent else 0, task.number, 0, name))
        self.tasks.append(task)
        return task

    def done(self, task):
        self.events.append((trace.DONE, task.number, task.result))
        task.is_done = True
        self.living -= 1
        join = task.joiner and task.joiner.operation
        if join and join.result is None:  # One that was cut off is on its way.
            self.forget(join)
            join.result = 0
            task.joiner.operation = None
            self.tasks.append(task.joiner)

    def refusal(self, task):
        """Why a suspension of the task would be refused now (S14)."""
        if task.is_cancelled or any(scope.is_cancelled for scope in task.scopes):
            return -ECANCELED
        if task.scopes and task.deadline_ns() <= self.now_ns:
            return -ETIMEDOUT
        return 0

    def cancel(self, task):
        task.is_cancelled = True
        if task.operation:
            self.cancel_operation(task.operation)

    def give_up(self):
        """S12: nothing can wake the tasks that are left."""
        self.outcome = -EDEADLK
        for task in self.all_tasks:
            if not task.is_done:
                self.cancel(task)
