# SPDX-License-Identifier: MIT
"""What a program asks for that strict programs must not ask for, as far as its text tells.

Two backends may differ then, and nobody is wrong (docs/spec.md, Strict mode). The generator keeps
these rules, and what is taken away breaks none; a program that was written by hand may. Called by
explore.py when a program fails.
"""

import model_path  # noqa: F401  (before what it leads to)
import program as language
from shrink_edits import TASK_STEPS, TWO_OBJECT_STEPS

TCP_BYTES = 4096  # In all, so that never more is unread.

_SENDS = frozenset((language.SEND, language.SEND_ALL, language.SENDMSG, language.TRY_SEND))


def _used(program):
    """The numbers of the objects that tasks name."""
    for task in program.tasks:
        for step in task.steps:
            if step.kind not in TASK_STEPS and step.object >= 0:
                yield step.object
            if step.kind in TWO_OBJECT_STEPS:
                yield step.other


def _sent(program, number):
    """How much may be sent through an object."""
    steps = (step for task in program.tasks for step in task.steps if step.kind in _SENDS)
    stimuli = (stimulus for stimulus in program.stimuli if stimulus.kind == language.PUT)
    return sum(one.bytes for one in (*steps, *stimuli) if one.object == number)


def objections(program):
    """Yields a sentence for each rule that the program breaks."""
    used = set(_used(program))
    for stimulus in program.stimuli:
        thing = program.objects[stimulus.object]
        if stimulus.kind == language.STEAL and stimulus.object in used:
            yield f"the outside steals {thing.name}"
        if stimulus.kind in (language.OUTSIDE_CLOSE, language.OUTSIDE_SHUTDOWN) and (
                stimulus.object in used):
            yield (f"the outside has a {language.STIMULUS_KINDS[stimulus.kind]} of {thing.name}, "
                   "which is for tasks")
        if stimulus.kind == language.FILL and thing.kind == language.TCP:
            yield f"the outside fills {thing.name}, which is TCP"
    for number, thing in enumerate(program.objects):
        if thing.kind == language.TCP and _sent(program, number) > TCP_BYTES:
            yield f"more than {TCP_BYTES} bytes may be unread at the peer of {thing.name}"
