# SPDX-License-Identifier: MIT
"""First half of the acceptor: tasks, and the order in which they run.

Goes through a trace once. Checks that each task takes the steps of its program in order, that who
runs is whose turn it is (T1, T4), deadlines, cancellations, scopes, joins, the end (S11 to S14).
What comes out is the list of operations with the tick that woke each, and the `items` that the
second half (acceptor_world.py) goes through: what happens to descriptors, in order.
"""

from bisect import bisect_left

import program as p
import trace as t
from acceptor_base import (CLOSERS, ECANCELED, ETIMEDOUT, Operation, Rejected)
from acceptor_cuts import Cuts
from acceptor_objects import Objects, Wakeups, check_contest
from acceptor_queue import DONE, NEW, PARKED, PAUSED, RUNNING, STARTING, WOKEN, Queue
from acceptor_steps import Steps

MAIN, REAPER = 1, 2

# What an item of the second half is; what follows in it.
(ITEM_SUBMIT, ITEM_TICK, ITEM_END, ITEM_NOTE, ITEM_SHUTDOWN, ITEM_QUIET) = range(6)


class Task:
    """A task of the program, or the hidden one."""

    def __init__(self, name, steps):
        self.name = name
        self.steps = steps  # None of the hidden one.
        self.number = 0
        self.place = 0  # Of the next step.
        self.state = NEW
        self.op = None
        self.scopes = []  # [deadline, is cancelled], innermost last.
        self.is_cancelled = False
        self.joiner = None  # The operation that waits for it.
        self.joining = 0  # Tasks that have suspended to join it when it was done.
        self.is_used_up = False
        self.cut = 0  # What the suspension of the join that it is in came to.
        self.is_joining = False  # It was suspended for the join, and that is over.
        self.pause_refusals = ()
        self.unfinished = None  # Of the hidden one: whom it is about to cancel.

    def is_cut(self):
        return self.is_cancelled or any(scope[1] for scope in self.scopes)

    def scope_deadline(self):
        """The nearest deadline of its scopes, -1 for none."""
        deadlines = [scope[0] for scope in self.scopes if scope[0] >= 0]
        return min(deadlines) if deadlines else -1


class Run:
    """A trace on the way."""

    def __init__(self, program, events, choices):
        self.program = program
        self.events = events
        self.choices = choices
        self.tasks = [Task(text.name, text.steps) for text in program.tasks]
        self.reaper = Task("reaper", None)
        self.by_number = [None]
        self.objects = Objects(program)
        self.wakeups = Wakeups()
        self.cuts = Cuts()
        self.queue = Queue(self)
        self.steps = Steps(self)
        self.running = None
        self.tick_places = [-1]
        self.tick_times = [0]
        self.tick_resumptions = [0]
        self.resumptions = 0
        self.stimulus_place = 0
        self.outcome = None
        self.items = []
        self.ended = [[]]  # Operations by the tick that woke them.
        self.ticket = 0

    def go(self):
        """Goes through all events."""
        handlers = (None, self.on_tick, self.on_spawn, self.on_submit, self.on_end, self.on_pause,
                    self.on_join, self.on_cancel, self.on_shutdown, self.on_scope, self.on_done,
                    self.on_outcome, self.on_note)
        for place, event in enumerate(self.events):
            if self.outcome is not None:
                raise Rejected(place, "S12: something happens after the end")
            handlers[event[0]](place, event)
        if self.outcome is None:
            raise Rejected(len(self.events), "S12: the trace has no end")
        for op in self.objects.contests:
            check_contest(op, self.tick_places)

    # --- Whose turn it is -----------------------------------------------------------------------

    def enter(self, place, event):
        """The task of an event: it runs, or it is its turn now."""
        number = event[1]
        if not 0 < number < len(self.by_number):
            raise Rejected(place, f"there is no task {number}")
        task = self.by_number[number]
        if task is self.running:
            return task
        if self.running:
            raise Rejected(
                place, f"T1: {task.name} runs, but {self.running.name} has not suspended")
        if task.state in (DONE, NEW):
            raise Rejected(place, f"S12: {task.name} runs, but it is done")
        kind = event[0]
        may_pause = task.state == PAUSED or task.state == STARTING and self.pauses_next(task, None)
        if kind == t.PAUSE and not may_pause or task.state == PAUSED and kind != t.PAUSE:
            raise Rejected(place, f"{task.name} goes on with another event than its pause")
        if task.state in (PARKED, WOKEN) and kind != t.END:
            raise Rejected(place, f"T1: {task.name} runs while it is parked")
        self.queue.resume(task, place, event)
        self.resumptions += 1
        task.state = RUNNING
        self.running = task
        return task

    def pauses_next(self, task, place):
        """Whether the next thing that a task does is a pause, which shows only when it is over.
        `place` is that of its last event, None when that is not known."""
        if not task.steps or task.place >= len(task.steps) or task.number == MAIN and place is None:
            return False
        step = task.steps[task.place]
        if step.kind == p.PAUSE:
            return True
        if step.kind != p.JOIN or task.is_joining:
            return False
        other = self.tasks[step.object]
        if other.state != DONE or other in (task, self.tasks[0]) or other.is_used_up:
            return False
        if place is None:
            return not other.joiner and not other.joining
        return self.events[place + 1][:2] != (t.JOIN, task.number)

    def settle(self, task, place):
        """After an event of the running task."""
        if self.pauses_next(task, place):
            task.pause_refusals = self.cuts.refusals(task)
            task.state = PAUSED
            step = task.steps[task.place]
            if step.kind == p.JOIN:
                self.tasks[step.object].joining += 1
            self.queue.append(task)
            self.running = None

    def advance(self, task, place):
        """A step is over."""
        task.place += 1
        self.settle(task, place)

    # --- The run --------------------------------------------------------------------------------

    @property
    def tick(self):
        return len(self.tick_times) - 1

    def first_due_tick(self, op):
        """The first tick that finds an operation due; None if there was none yet."""
        tick = bisect_left(self.tick_times, op.deadline, op.submit_tick + 1)
        return tick if tick < len(self.tick_times) else None

    def on_tick(self, place, event):
        if self.running:
            raise Rejected(place, f"T1: a tick, but {self.running.name} has not suspended")
        self.cuts.tick(event[1], place)
        self.tick_times.append(event[1])
        self.tick_places.append(place)
        self.tick_resumptions.append(self.resumptions)
        self.ended.append([])
        self.queue.tick(self.tick, place)
        self.items.append((ITEM_TICK, place, self.tick))

    def on_outcome(self, place, event):
        self.quiet(place)
        for task in self.by_number[1:]:
            if task.state != DONE:
                raise Rejected(place, f"S12: the run ends, but {task.name} is not done")
        if len(self.by_number) <= REAPER:
            raise Rejected(place, "the hidden task is missing")
        if event[1] != 0:
            raise Rejected(place, f"S12: the outcome is {event[1]}, but wakeups were open")
        self.outcome = event[1]

    def quiet(self, place):
        """The engine would sleep, or has ended."""
        if self.running:
            raise Rejected(place, f"T3: sleeps, but {self.running.name} has not suspended")
        self.queue.check_all_ran(place)
        for task in self.by_number[1:]:
            if task.op:
                self.check_may_sleep(task.op, place)
        self.wakeups.quiet = place

    def check_may_sleep(self, op, place):
        """What was refused or cancelled ends without a sleep; what was signalled, in this tick."""
        if op.refusals or op.cancel_tick is not None or op.verb in CLOSERS:
            raise Rejected(place, f"T3: {op} has not ended, but everybody sleeps")
        if op.verb == t.VERB_WAKEUP and self.wakeups.is_signalled(op):
            # The outside may have done it just now.
            if self.events[place - 1][:2] != (t.NOTE, 0):
                raise Rejected(place, f"S2: {op} was signalled, but waits")
            op.latest_tick = self.tick + 1

    # --- Tasks ----------------------------------------------------------------------------------

    def on_spawn(self, place, event):
        _, parent, other, result, name = event
        if parent == 0:
            if self.by_number != [None]:
                raise Rejected(place, "a second first task")
            task = self.tasks[0]
        else:
            parent_task = self.enter(place, event)
            task = self.steps.spawned(parent_task, place)
        if result != 0 or other != len(self.by_number) or name != task.name:
            raise Rejected(place, f"spawning {name} as {other} gives {result}")
        task.number = other
        task.state = STARTING
        self.by_number.append(task)
        self.queue.append(task)
        if parent:
            if task is self.reaper:
                self.settle(parent_task, place)
            else:
                self.advance(parent_task, place)

    def on_pause(self, place, event):
        task = self.enter(place, event)
        self.cuts.check_pause(task, event[2], task.pause_refusals, place)
        step = task.steps[task.place]
        if step.kind == p.JOIN:
            task.is_joining, task.cut = True, event[2]
            self.tasks[step.object].joining -= 1
        else:
            self.advance(task, place)

    def on_join(self, place, event):
        task = self.enter(place, event)
        self.steps.joined(task, event, place)
        self.advance(task, place)

    def on_cancel(self, place, event):
        task = self.enter(place, event)
        other = event[2]
        if not 0 < other < len(self.by_number):
            raise Rejected(place, f"there is no task {other}")
        target = self.by_number[other]
        self.steps.cancels(task, target, place)
        if target.state != DONE:
            target.is_cancelled = True
            op = target.op
            if op and op.cancel_tick is None:
                op.cancel_tick, op.cancel_place = self.tick, place
        if task is not self.reaper:
            self.advance(task, place)

    def on_scope(self, place, event):
        task = self.enter(place, event)
        _, _, what, value = event
        step = self.steps.scope_step(task, what, place)
        if what == t.SCOPE_ENTER:
            self.cuts.enter(task, step, value, place)
        elif what == t.SCOPE_LEAVE:
            self.cuts.leave(task, value, place)
        else:
            task.scopes[-1][1] = True
        if step:
            self.advance(task, place)

    def on_done(self, place, event):
        task = self.enter(place, event)
        self.steps.done(task, place)
        if event[2] != 0:
            raise Rejected(place, f"S12: {task.name} returns {event[2]}")
        task.state = DONE
        self.running = None
        joiner = task.joiner
        if joiner and joiner.tick is None and not self.is_on_its_way(joiner):
            joiner.tick = 0
            joiner.task.state = WOKEN
            self.queue.append(joiner.task)

    def is_on_its_way(self, op):
        """Whether a join was cut off before the task was done, so that a tick wakes the joiner."""
        if op.deadline >= 0 and self.first_due_tick(op) is not None:
            return True
        cut_tick = op.submit_tick if op.refusals else op.cancel_tick
        if cut_tick is None:
            return False
        return cut_tick < self.tick or self.choices.choose(2) == 0

    # --- Operations -----------------------------------------------------------------------------

    def on_submit(self, place, event):
        task = self.enter(place, event)
        self.ticket += 1
        step = self.steps.suspending_step(task, place)
        op = Operation(task, step, event, place, self.ticket)
        op.submit_tick = self.tick
        op.scope_deadline = task.scope_deadline()
        self.steps.submitted(op, step, place)
        op.refusals = () if op.verb in CLOSERS else self.cuts.refusals(task)
        task.op = op
        task.state = PARKED
        self.running = None
        if op.verb not in (t.VERB_PARK, t.VERB_WAKEUP):
            self.items.append((ITEM_SUBMIT, place, op))

    def on_end(self, place, event):
        task = self.enter(place, event)
        op = task.op
        if op is None or event[2:4] != (op.verb, op.object):
            raise Rejected(place, f"an end of {task.name} of what it did not ask for")
        _, _, _, _, op.result, op.moved, op.digest = event
        op.end_place = place
        task.op = None
        if op.tick:
            self.ended[op.tick].append(op)
            self.cuts.check_result(self, op, place)
        elif op.result != 0:
            raise Rejected(place, f"T1: {op} was woken by its task's end, but gives {op.result}")
        self.steps.ended(op, place)
        if op.verb not in (t.VERB_PARK, t.VERB_WAKEUP):
            self.items.append((ITEM_END, place, op))
        if op.verb == t.VERB_PARK and op.step.kind == p.JOIN:
            task.is_joining, task.cut = True, op.result
        elif op.step:
            self.advance(task, place)

    def on_shutdown(self, place, event):
        task = self.enter(place, event)
        _, _, how, obj, result = event
        step = self.steps.expected(task, (p.SHUTDOWN,), place)
        if (step.object, step.other) != (obj, how):
            raise Rejected(place, "another shutdown than the step's")
        number = self.objects.at(obj, self.tick)
        if number and result == 0:
            number.shut_places.append(place)
        self.items.append((ITEM_SHUTDOWN, place, number, how, result))
        self.advance(task, place)

    def on_note(self, place, event):
        if event[1]:
            task = self.enter(place, event)
            self.steps.noted(task, event, place)
            self.advance(task, place)
        else:
            self.quiet(place)
            self.items.append((ITEM_QUIET, place))
            self.steps.stimulus(event, place)

    def add_note(self, place, event, number, step, fill=None):
        """A call past the engine, for the second half."""
        self.items.append((ITEM_NOTE, place, event, number, step, fill))
