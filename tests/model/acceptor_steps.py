# SPDX-License-Identifier: MIT
"""That tasks do what their programs say: which event may come next of a task, and with what.

A step takes one event, or for an operation two, and a join up to three. Called by acceptor_run.py.
"""

import program as p
import trace as t
from acceptor_base import (CLOSERS, EBADF, EBUSY, ECANCELED, EEXIST, EINVAL, EOVERFLOW, ESRCH,
                           ETIMEDOUT, GIVES, RECEIVERS, SENDERS, TAKES, Rejected)
from acceptor_objects import HIDDEN
from acceptor_queue import DONE, NEW

SCOPES_MAX = 8

# The verb of each step that is an operation.
VERBS = {
    p.WAIT_RECV: t.VERB_WAIT_RECV, p.WAIT_SEND: t.VERB_WAIT_SEND, p.RECV: t.VERB_RECV,
    p.RECV_EXACT: t.VERB_RECV_EXACT, p.RECVMSG: t.VERB_RECVMSG, p.READ: t.VERB_READ,
    p.ACCEPT: t.VERB_ACCEPT, p.SEND: t.VERB_SEND, p.SEND_ALL: t.VERB_SEND_ALL,
    p.SENDMSG: t.VERB_SENDMSG, p.CONNECT: t.VERB_CONNECT, p.CLOSE: t.VERB_CLOSE,
    p.RELEASE: t.VERB_RELEASE, p.UNKNOWN: t.VERB_UNKNOWN, p.WAIT_WAKEUP: t.VERB_WAKEUP,
    p.SLEEP: t.VERB_PARK, p.JOIN: t.VERB_PARK,
}
SUSPENDING = tuple(VERBS)
NOTED = (p.CONNECT, p.JOIN, p.SPAWN, p.CANCEL, p.SCOPE, p.LEAVE, p.CANCEL_SCOPE, p.TRY_RECV,
         p.TRY_SEND, p.SIGNAL)


class Steps:
    """The programs of all tasks."""

    def __init__(self, run):
        self.run = run

    def expected(self, task, kinds, place):
        """The step that a task is at, which must be one of these."""
        if task.steps is None or task.place >= len(task.steps):
            raise Rejected(place, f"{task.name} has no step left")
        step = task.steps[task.place]
        if step.kind not in kinds:
            raise Rejected(place, f"the next step of {task.name} is {p.STEP_KINDS[step.kind]}")
        return step

    def done(self, task, place):
        if task is self.run.reaper:
            if task.op or task.unfinished != []:
                raise Rejected(place, "the hidden task ends too early")
        elif task.place < len(task.steps) or task.scopes:
            raise Rejected(place, f"{task.name} ends before its last step")

    # --- Operations -----------------------------------------------------------------------------

    def suspending_step(self, task, place):
        if task is self.run.reaper:
            if task.unfinished is not None:
                raise Rejected(place, "the hidden task does not cancel all, or goes on for nobody")
            return None
        return self.expected(task, SUSPENDING, place)

    def submitted(self, op, step, place):
        """The operation must be the step's."""
        run = self.run
        verb = VERBS[step.kind] if step else t.VERB_WAKEUP
        obj = -1 if verb in (t.VERB_PARK, t.VERB_WAKEUP) else step.object
        asked = step.bytes if verb in TAKES or verb in GIVES else 0
        if (op.verb, op.object, op.asked) != (verb, obj, asked):
            raise Rejected(place, f"{op.task.name} asks for something else than its step")
        within_ns = step.within_ns if step else p.NO_TIME
        op.may_be_own, op.may_be_scope = run.cuts.check_deadline(op, within_ns, place)
        if verb == t.VERB_WAKEUP:
            op.target = step.object if step else HIDDEN
            run.objects.wait(op, run.wakeups.waiting.setdefault(op.target, []))
        elif verb == t.VERB_PARK:
            if step.kind == p.JOIN:
                self.begin_join(op, step, place)
        else:
            self.take_number(op, step, place)

    def take_number(self, op, step, place):
        run, obj, tick = self.run, op.object, self.run.tick
        number = run.objects.at(obj, tick)
        if step.kind == p.CONNECT:
            if number or not run.objects.is_listener(step.other):
                raise Rejected(place, "a connect that is none")
            number = run.objects.fill(obj, p.SLOT)
            op.target = step.other
        elif step.kind == p.CLOSE:
            run.objects.begin_close(obj, tick)
        op.number = number
        if number and op.verb in RECEIVERS:
            run.objects.wait(op, number.waiting[0])
        elif number and op.verb in SENDERS:
            run.objects.wait(op, number.waiting[1])
        if number and op.verb in CLOSERS:
            number.closers.append(op)

    def ended(self, op, place):
        """What an end means for the program; what the kernel has to do with it comes later."""
        run = self.run
        if op.result == EBUSY and not op.others:
            raise Rejected(place, f"S5: {op} gives -EBUSY, but nobody else waits")
        if op.verb == t.VERB_ACCEPT and op.result >= 0:
            slot = op.step.other
            if op.result != slot:
                raise Rejected(place, f"{op} gives {op.result}")
            if run.objects.at(slot, run.tick) is None:
                op.fill = run.objects.fill(slot, p.SLOT)
        elif op.verb == t.VERB_WAKEUP:
            self.end_wakeup(op, place)
        elif op.verb == t.VERB_PARK:
            self.end_park(op, place)

    def end_wakeup(self, op, place):
        run = self.run
        if op.result == 0:
            run.wakeups.end(op, run.tick_places[op.tick])
        elif op.result not in (EBUSY, ECANCELED, ETIMEDOUT):
            raise Rejected(place, f"{op} gives {op.result}")
        if op.task is run.reaper:
            if op.result != 0:
                raise Rejected(place, f"the hidden task is woken with {op.result}")
            op.task.unfinished = [task for task in run.by_number[1:]
                                  if task.state != DONE and task is not op.task]

    def end_park(self, op, place):
        if op.step.kind == p.JOIN:
            if op.target.joiner is op:
                op.target.joiner = None
            allowed = {ECANCELED, ETIMEDOUT} if op.tick else {0}
        else:
            allowed = {ECANCELED}
            if op.may_be_own:
                allowed.add(0)
            if op.may_be_scope or op.refusals:
                allowed.add(ETIMEDOUT)
        if op.result not in allowed:
            raise Rejected(place, f"{op} gives {op.result}")

    # --- Tasks ----------------------------------------------------------------------------------

    def spawned(self, parent, place):
        """Whom the next spawning of a task makes."""
        run = self.run
        if len(run.by_number) == 2:
            return run.reaper
        task = run.tasks[self.expected(parent, (p.SPAWN,), place).object]
        if task.state != NEW:
            raise Rejected(place, f"{task.name} is spawned twice")
        return task

    def cancels(self, task, target, place):
        if task is not self.run.reaper:
            step = self.expected(task, (p.CANCEL,), place)
            if self.run.tasks[step.object] is not target:
                raise Rejected(place, f"cancels {target.name}")
        elif not task.unfinished or task.unfinished.pop(0) is not target:
            raise Rejected(place, f"the hidden task cancels {target.name}")
        elif not task.unfinished:
            task.unfinished = None

    def begin_join(self, op, step, place):
        target = self.run.tasks[step.object]
        joiner = target.joiner
        if target.state in (NEW, DONE) or target in (op.task, self.run.tasks[0]):
            raise Rejected(place, f"S12: {op.task.name} waits for {target.name}")
        if joiner and not (joiner.cancel_tick is not None or joiner.refusals
                           or self.run.first_due_tick(joiner)):
            raise Rejected(place, f"S12: {op.task.name} waits for {target.name}, as {joiner} does")
        target.joiner = op
        op.target = target

    def joined(self, task, event, place):
        run = self.run
        step = self.expected(task, (p.JOIN,), place)
        target = run.tasks[step.object]
        _, _, other, result, value = event
        is_good = target.state == DONE and not target.is_used_up
        if other != target.number:
            raise Rejected(place, f"S12: {task.name} joins task {other}")
        if not task.is_joining:
            allowed = {EINVAL}
            # Nobody has a handle of the first task.
            if not (target in (task, run.tasks[0]) or target.is_used_up or target.joiner
                    or target.joining):
                raise Rejected(place, f"S12: {task.name} joins {target.name} without suspending")
        elif task.cut:
            # A task that is done when the joiner has been cut off may be taken or left.
            allowed = {task.cut, 0} if is_good else {task.cut, EINVAL}
        else:
            allowed = {0} if is_good else {EINVAL}
        if result not in allowed or value != 0:
            raise Rejected(place, f"S12: {task.name} joins {target.name}: {result}, {value}")
        task.is_joining, task.cut = False, 0
        target.is_used_up = target.is_used_up or result == 0

    # --- Scopes ---------------------------------------------------------------------------------

    def scope_step(self, task, what, place):
        """The step of an event about a scope; None when the end of the task leaves it."""
        if task.steps is not None and task.place == len(task.steps):
            if what != t.SCOPE_LEAVE or not task.scopes:
                raise Rejected(place, f"{task.name} has no step left")
            return None
        kind = {t.SCOPE_ENTER: p.SCOPE, t.SCOPE_LEAVE: p.LEAVE,
                t.SCOPE_CANCEL: p.CANCEL_SCOPE}.get(what, -1)
        step = self.expected(task, (kind,), place)
        if (len(task.scopes) == SCOPES_MAX if kind == p.SCOPE else not task.scopes):
            raise Rejected(place, f"{task.name} has no such scope")
        return step

    # --- Notes ----------------------------------------------------------------------------------

    def noted(self, task, event, place):
        run = self.run
        step = self.expected(task, NOTED, place)
        _, _, kind, obj, result, _ = event
        is_scope = step.kind in (p.SCOPE, p.LEAVE, p.CANCEL_SCOPE)
        if (kind, obj) != (step.kind, -1 if is_scope else step.object):
            raise Rejected(place, f"the next step of {task.name} is {p.STEP_KINDS[step.kind]}")
        if step.kind in (p.TRY_RECV, p.TRY_SEND):
            self.raw(step.object, event, step.bytes, place)
            return
        if step.kind == p.CONNECT:
            allowed = self.connect_refusals(step)
        elif step.kind in (p.JOIN, p.CANCEL):
            allowed = {ESRCH} if run.tasks[step.object].state == NEW else ()
        elif step.kind == p.SPAWN:
            allowed = {EEXIST} if run.tasks[step.object].state != NEW else ()
        elif step.kind == p.SCOPE:
            allowed = {EOVERFLOW} if len(task.scopes) == SCOPES_MAX else ()
        elif step.kind == p.SIGNAL:
            allowed = {0}
            run.wakeups.signal(step.object, place)
        else:
            allowed = () if task.scopes else {EINVAL}
        if result not in allowed:
            raise Rejected(place, f"{p.STEP_KINDS[step.kind]} of {task.name} gives {result}")

    def connect_refusals(self, step):
        objects = self.run.objects
        allowed = set()
        if objects.at(step.object, self.run.tick):
            allowed.add(EEXIST)
        if not objects.is_listener(step.other):
            allowed.add(EINVAL)
        return allowed

    def raw(self, obj, event, asked, place):
        """Past the engine: for the second half, if the object has a number."""
        number = self.run.objects.at(obj, self.run.tick)
        if number is None and event[4] != EBADF:
            raise Rejected(place, "a call on an empty object does not fail")
        if number:
            self.run.add_note(place, event, number, asked)

    def stimulus(self, event, place):
        run = self.run
        _, _, kind, obj, result, _ = event
        if kind == t.NOTE_REAP:
            if run.stimulus_place < len(run.program.stimuli) or (obj, result) != (-1, 0):
                raise Rejected(place, "reaps too early")
            run.wakeups.signal(HIDDEN, place)
            return
        if run.stimulus_place == len(run.program.stimuli):
            raise Rejected(place, "no stimulus is left")
        step = run.program.stimuli[run.stimulus_place]
        run.stimulus_place += 1
        if (kind - t.NOTE_STIMULUS, obj) != (step.kind, step.object):
            raise Rejected(place, f"the next stimulus is {p.STIMULUS_KINDS[step.kind]}")
        if step.kind == p.OUTSIDE_SIGNAL:
            run.wakeups.signal(obj, place)
        elif step.kind == p.OUTSIDE_CONNECT:
            self.outside_connect(step, event, place)
        elif step.kind == p.OUTSIDE_ACCEPT:
            self.outside_accept(step, event, place)
        else:
            self.raw(obj, event, step, place)
            if step.kind == p.OUTSIDE_CLOSE:
                run.objects.empty(obj)

    def outside_connect(self, step, event, place):
        run = self.run
        allowed = self.connect_refusals(step)
        if allowed:
            if event[4] not in allowed:
                raise Rejected(place, "a connect that is none")
            return
        run.add_note(place, event, run.objects.fill(step.object, p.SLOT), step)

    def outside_accept(self, step, event, place):
        run = self.run
        number = run.objects.at(step.object, run.tick)
        is_full = run.objects.at(step.other, run.tick) is not None
        result = event[4]
        if number is None or is_full:
            if result not in ({EBADF} if number is None else {EEXIST}):
                raise Rejected(place, "an accept that is none")
            return
        fill = None
        if result >= 0:
            if result != step.other:
                raise Rejected(place, f"an accept gives {result}")
            fill = run.objects.fill(step.other, p.SLOT)
        run.add_note(place, event, number, step, fill)
