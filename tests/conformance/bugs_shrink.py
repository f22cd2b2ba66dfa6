# SPDX-License-Identifier: MIT
"""How surely the program that found a bug finds it again, and how small it becomes.

It is replayed and shrunk as any failure is (shrinking.py). For programs in strict mode the
reference model is one of the judges; so what a bug in the scheduler comes to is told by the model
to the end. bugs.py calls it.
"""

import subprocess
from typing import NamedTuple

import bugs_look
from runner_client import HANG
from shrink_edits import counts, language
from shrinking import shrink_text
from verdict import ACCEPTOR, PLAYER, Judge, NoProgram

SECONDS = 60
REPLAYS = 100
HANG_S = 0.1  # How long a program may take that is known to hang; others take milliseconds.

STRICT = (bugs_look.BACKENDS, bugs_look.MODEL)


class Shrunk(NamedTuple):
    """The smallest program that was found in time."""
    kind: str  # Of the failure.
    steps: int  # Of its tasks,
    stimuli: int  # and of its outside.
    seconds: float
    replayed: int  # How many of REPLAYS failed in the same way, before it was shrunk; 0, too, when
    # it could not be shrunk because it did not fail again.
    text: str

    @property
    def operations(self):
        return self.steps + self.stimuli


def _judge(runner, limits, found, text):
    """Judges the program as the way did that found it."""
    if found.way in STRICT:
        return Judge(runner, limits.backends, model=PLAYER)
    if found.way == bugs_look.RESULTS:
        return Judge(runner, limits.backends, confluent=text,
                     confluent_seed=limits.seed + found.number)
    return Judge(runner, limits.backends, "normal", is_rude=found.way == bugs_look.RUDE,
                 model=ACCEPTOR if found.way == bugs_look.ACCEPTED else None)


def _program(runner, limits, found):
    kind = {bugs_look.RESULTS: "confluent", bugs_look.RUDE: "rude"}.get(found.way, "random")
    command = [str(runner), "generate", "--kind", kind, "--seed", str(limits.seed), "--number",
               str(found.number)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _replay(judge, text, verdict):
    """How many of REPLAYS fail in the same way, by the same first difference."""
    if verdict.kind == HANG:
        judge.limit(HANG_S)
    first = judge.find(text, verdict)
    return sum(judge.find(text, verdict) == first is not None for _ in range(REPLAYS))


def shrink(runner, limits, found):
    """A Shrunk of what was found; None when the backend does not even open."""
    text = _program(runner, limits, found)
    try:
        with _judge(runner, limits, found, text) as judge:
            shrunk = shrink_text(judge, text, SECONDS)
            replayed = shrunk and _replay(judge, text, shrunk.verdict)
    except NoProgram:
        if found.kind == bugs_look.BROKEN:
            return None
        shrunk = None
    if shrunk is None:
        return _made(found.kind, text, 0.0, 0)
    return _made(shrunk.verdict.kind, shrunk.text, shrunk.seconds, replayed)


def _made(kind, text, seconds, replayed):
    steps, stimuli, *_ = counts(language.read(text))
    return Shrunk(kind, steps, stimuli, round(seconds, 1), replayed, text)
