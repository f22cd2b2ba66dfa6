# SPDX-License-Identifier: MIT
"""What can be taken away from a program, or made simpler in it: the edits that the shrinker tries.

A program is what tests/model/program.py reads: tuples that are never changed, so each edit is a new
program. Objects and tasks are known by their numbers; an edit that takes some away renumbers the
rest. Knows nothing of why a program fails.
"""

import string

import model_path  # noqa: F401  (before what it leads to)
import program as language

TASK_STEPS = frozenset((language.SPAWN, language.JOIN, language.CANCEL))
TWO_OBJECT_STEPS = frozenset((language.ACCEPT, language.CONNECT))
TWO_OBJECT_STIMULI = frozenset((language.OUTSIDE_ACCEPT, language.OUTSIDE_CONNECT))
BOTH = language.HOWS.index("both")

# What stands in for another kind. Nothing leads back, so simplifying comes to an end.
SIMPLER_OBJECTS = {
    language.SMALL_PAIR: (language.PAIR,),
    language.TCP: (language.PAIR,),
    language.PIPE: (language.PAIR,),
    language.DATAGRAMS: (language.PAIR,),
    language.TCP_LISTENER: (language.UNIX_LISTENER,),
}
SIMPLER_STEPS = {
    language.RECV_EXACT: (language.RECV,),
    language.RECVMSG: (language.RECV,),
    language.READ: (language.RECV,),
    language.SEND_ALL: (language.SEND,),
    language.SENDMSG: (language.SEND,),
    language.RELEASE: (language.CLOSE,),
}
SIMPLER_STIMULI = {language.FILL: language.PUT, language.DRAIN: language.TAKE}


def counts(program):
    """(steps, stimuli, tasks, objects): how long a program is."""
    return (sum(len(task.steps) for task in program.tasks), len(program.stimuli),
            len(program.tasks), len(program.objects))


def _renumber(count, dropped):
    """Where each number moves to; None for those that are dropped."""
    places, at = [], 0
    for number in range(count):
        places.append(None if number in dropped else at)
        at += number not in dropped
    return places


def _moved_step(step, objects, tasks):
    """The step with its numbers moved, or None when it names what is gone."""
    places = tasks if step.kind in TASK_STEPS else objects
    other = step.other
    if step.kind in TWO_OBJECT_STEPS:
        other = objects[other]
    place = places[step.object] if step.object >= 0 else step.object
    return None if place is None or other is None else step._replace(object=place, other=other)


def _moved_stimulus(stimulus, objects):
    other = stimulus.other
    if stimulus.kind in TWO_OBJECT_STIMULI:
        other = objects[other]
    place = objects[stimulus.object]
    return (None if place is None or other is None
            else stimulus._replace(object=place, other=other))


def without(program, tasks=(), steps=(), stimuli=(), objects=()):
    """The program less tasks, steps as pairs (task, step), stimuli and objects, all by number; and
    less every step and stimulus that names what is gone."""
    task_places = _renumber(len(program.tasks), frozenset(tasks))
    object_places = _renumber(len(program.objects), frozenset(objects))
    steps, stimuli = frozenset(steps), frozenset(stimuli)
    kept = []
    for number, task in enumerate(program.tasks):
        if task_places[number] is not None:
            moved = (_moved_step(step, object_places, task_places)
                     for place, step in enumerate(task.steps) if (number, place) not in steps)
            kept.append(task._replace(steps=[step for step in moved if step]))
    moved = (_moved_stimulus(stimulus, object_places)
             for place, stimulus in enumerate(program.stimuli) if place not in stimuli)
    return language.Program(
        [thing for number, thing in enumerate(program.objects)
         if object_places[number] is not None],
        kept, [stimulus for stimulus in moved if stimulus])


def with_step(program, task, place, step):
    """The program with another step in a place."""
    tasks = list(program.tasks)
    steps = list(tasks[task].steps)
    steps[place] = step
    tasks[task] = tasks[task]._replace(steps=steps)
    return program._replace(tasks=tasks)


def with_stimulus(program, place, stimulus):
    stimuli = list(program.stimuli)
    stimuli[place] = stimulus
    return program._replace(stimuli=stimuli)


def with_object(program, place, kind, backlog):
    """The program with another kind of object in a place; for two ends, in both places."""
    objects = list(program.objects)
    objects[place] = objects[place]._replace(kind=kind, backlog=backlog)
    if place + 1 < len(objects) and objects[place + 1].is_second:
        objects[place + 1] = objects[place + 1]._replace(kind=kind)
    return program._replace(objects=objects)


def whole_objects(program):
    """The numbers of each object, those of two ends together."""
    groups = []
    for number, thing in enumerate(program.objects):
        if thing.is_second:
            groups[-1] += (number,)
        else:
            groups.append((number,))
    return groups


def merged(program, child):
    """Yields programs without the task `child`, whose steps are taken by one that spawns it, in
    place of the spawn; or by the first one, at its end."""
    found = [(task, place) for task, spawner in enumerate(program.tasks)
             for place, step in enumerate(spawner.steps)
             if task != child and step.kind == language.SPAWN and step.object == child]
    for task, place in found + [(0, len(program.tasks[0].steps))]:
        steps = program.tasks[task].steps
        tasks = list(program.tasks)
        tasks[task] = tasks[task]._replace(
            steps=steps[:place] + program.tasks[child].steps + steps[place:])
        yield without(program._replace(tasks=tasks), tasks=[child])


def simpler_steps(step):
    """Yields steps that are simpler than this one, numbers aside."""
    if step.within_ns != language.NO_TIME and step.kind != language.SLEEP:
        yield step._replace(within_ns=language.NO_TIME)
    for kind in SIMPLER_STEPS.get(step.kind, ()):
        yield step._replace(kind=kind)
    if step.kind in (language.SLEEP, language.JOIN):
        yield language.Step(language.PAUSE, -1, 0, 0, language.NO_TIME)
    if step.kind == language.SHUTDOWN and step.other == BOTH:
        yield from (step._replace(other=how) for how in range(BOTH))


def simpler_stimuli(stimulus):
    """Yields stimuli that are simpler than this one, numbers aside."""
    if stimulus.at_ns != language.NO_TIME:
        yield stimulus._replace(at_ns=language.NO_TIME)
    if stimulus.kind in SIMPLER_STIMULI:
        yield stimulus._replace(kind=SIMPLER_STIMULI[stimulus.kind], bytes=1)
    if stimulus.kind == language.OUTSIDE_SHUTDOWN and stimulus.other == BOTH:
        yield from (stimulus._replace(other=how) for how in range(BOTH))


def _names(count):
    letters = string.ascii_lowercase
    return [letters[number % 26] + (str(number // 26) if number >= 26 else "")
            for number in range(count)]


def renamed(program):
    """The program with short names: objects a, b, ...; tasks main, t1, t2, ..."""
    names = _names(len(program.objects))
    return program._replace(
        objects=[thing._replace(name=name) for thing, name in zip(program.objects, names)],
        tasks=[task._replace(name=f"t{number}" if number else "main")
               for number, task in enumerate(program.tasks)])
