# SPDX-License-Identifier: MIT
"""How small the program becomes that found a bug.

It is shrunk as any failure is (shrinking.py), with the reference model as one of its judges; so
what a bug in the scheduler comes to is told by the model to the end. bugs.py calls it.
"""

import subprocess
from typing import NamedTuple

import bugs_look
from shrink_edits import counts, language
from shrinking import shrink_text
from verdict import PLAYER, Judge, NoProgram

SECONDS = 60


class Shrunk(NamedTuple):
    """The smallest program that was found in time."""
    kind: str  # Of the failure.
    steps: int  # Of its tasks,
    stimuli: int  # and of its outside.
    seconds: float
    text: str

    @property
    def operations(self):
        return self.steps + self.stimuli


def shrink(runner, limits, found):
    """A Shrunk; None when the failure is not one of a program in strict mode, or is gone."""
    if found is None or found.way not in (bugs_look.BACKENDS, bugs_look.MODEL):
        return None
    command = [str(runner), "generate", "--seed", str(limits.seed), "--number", str(found.number)]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    try:
        with Judge(runner, limits.backends, model=PLAYER) as judge:
            shrunk = shrink_text(judge, text, SECONDS)
    except NoProgram:  # The backend does not even open.
        return None
    if shrunk is None:
        return None
    steps, stimuli, *_ = counts(language.read(shrunk.text))
    return Shrunk(shrunk.verdict.kind if shrunk.verdict else "gone", steps, stimuli,
                  round(shrunk.seconds, 1), shrunk.text)
