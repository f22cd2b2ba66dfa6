# SPDX-License-Identifier: MIT
"""The judges of one program: plays it, and says in what way it fails, if it does.

A program fails when a backend crashes, hangs, leaks or spins; when two strict traces differ; when
the player, or another runner, comes to another trace; when the acceptor rejects one; when a
confluent program comes to different results. The first of these that is found is the verdict.
explore.py calls it, and the shrinking of a failure.
"""

import sys
from pathlib import Path
from typing import NamedTuple

import model_path  # noqa: F401  (before what it leads to)
import program as language
import trace
from confluence import may_be_confluent
from runner_client import (CRASH, EQUAL, ERROR, HANG, LEAK, REJECTED, SPIN, TRACE, Client,
                           UNDECIDED, RunnerError)

DIVERGENCE, PLAYER, ACCEPTOR, REFERENCE = "divergence", "player", "acceptor", "reference"
CONFLUENT = "confluent"

CONFLUENT_SEEDS = 4  # Of the variations that a program is played in.

MODEL_SERVER = Path(__file__).resolve().parent / "model_serve.py"
MODEL_LIMIT_S = 10.0
START_LIMIT_S = 30.0  # A machine may be busy.


class NoProgram(Exception):
    """The text is not a program, or cannot be played; this says why."""


class ModelError(RunnerError):
    """The model fails, and not the program."""


class Verdict(NamedTuple):
    """In what way a program fails."""

    kind: str
    backend: str  # Where.
    text: str = ""  # What was seen, in lines.
    seed: int = -1  # Of the variations in which it was seen, if that does matter.

    def is_like(self, other):
        return (self.kind, self.backend) == (other.kind, other.backend)


def difference(text, expected, actual):
    """The first difference of two binary traces of a program, in words."""
    names = [thing.name for thing in language.read(text).objects]
    try:
        return trace.difference_text(trace.decode(expected), trace.decode(actual), names)
    except trace.TraceError as error:
        return f"a trace cannot be read: {error}\n"


def refused_backends(runner, backends):
    """Yields (backend, why) of those that this machine refuses: nothing runs on them at all."""
    with Client(runner, "serve", limit_s=START_LIMIT_S) as client:
        for backend in backends:
            played = client.play("task main\n", backend, "strict")
            if played.kind == ERROR:
                yield backend, played.text.rpartition(": ")[2]
            elif played.kind != TRACE:
                raise RunnerError(f"{runner}: {backend}: {played.kind} {played.text}")


class Judge:
    """Judges programs in one mode, with a process for the runner and one for each other judge."""

    def __init__(self, runner, backends, mode="strict", model=None, reference=None,
                 confluent=None, confluent_seed=0, is_rude=False):
        """`model` is "player", "acceptor" or None; `reference` another runner, or None; `confluent`
        the text of a program that is known to be so, and to which that does matter, or None;
        `confluent_seed` the first of the variations of it. The traces of rude programs are not
        compared."""
        self.backends = tuple(backends)
        self.mode = mode
        self.client = Client(runner, "serve")
        self.model_name = model
        self.model = Client(sys.executable, "-B", MODEL_SERVER, limit_s=MODEL_LIMIT_S)
        self.reference = Client(reference, "serve") if reference else None
        self.confluent = confluent
        self.seeds = range(confluent_seed, confluent_seed + CONFLUENT_SEEDS)
        self.compares = mode == "strict" and not is_rude
        self.undecided = {}  # Why the acceptor could not decide, by backend.

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.restart()

    def restart(self):
        """Ends the processes; the next program has new ones."""
        for client in (self.client, self.model, self.reference):
            if client:
                client.close()

    def limit(self, limit_s):
        """Sets how long a program may take."""
        self.client.limit_s = limit_s

    def longest_s(self):
        return self.client.longest_s

    def play(self, text, backend):
        """Plays a program: a Played. NoProgram if there is nothing to be played."""
        played = self.client.play(text, backend, self.mode)
        if played.kind == ERROR:
            raise NoProgram(played.text)
        return played

    def judge(self, text):
        """The Verdict on a program; None if nothing is wrong with it."""
        kinds = (PLAYER, ACCEPTOR, REFERENCE, CONFLUENT)
        return next(self._verdicts(text, self.backends, kinds, self.seeds), None)

    def shows(self, text, verdict):
        """Whether a program fails in the same way."""
        return self.find(text, verdict) is not None

    def find(self, text, verdict):
        """The Verdict on a program if it fails in the same way as another did, else None. Plays no
        more than is needed."""
        kind, backends = verdict.kind, [verdict.backend]
        if kind == DIVERGENCE:
            backends.insert(0, self.backends[0])
        elif CONFLUENT in verdict[:2]:
            kind, backends = CONFLUENT, self.backends[:1]
        try:
            found = self._verdicts(text, backends, (kind,), (verdict.seed,))
            return next((one for one in found if one.is_like(verdict)), None)
        except (NoProgram, ModelError):
            return None

    def _verdicts(self, text, backends, kinds, seeds):
        """Yields what is found on the backends, and by the judges that find one of `kinds`."""
        first = None
        for backend in backends:
            played = self.play(text, backend)
            if played.kind != TRACE:
                yield Verdict(played.kind, backend, _told(played))
                if backend == backends[0]:
                    return  # There is nothing to compare with.
                continue
            first = first or played
            if self.compares and played.trace != first.trace:
                yield Verdict(DIVERGENCE, backend, difference(text, first.trace, played.trace))
            for kind in kinds:
                yield from self._judged(kind, text, backend, played.trace)
        if CONFLUENT in kinds and self.confluent:
            yield from self._check_confluence(text, first.trace, seeds)

    def _check_confluence(self, text, data, seeds):
        """What is said of the results, if the program is one of which something can be said."""
        is_confluent = text == self.confluent or may_be_confluent(text, self.confluent,
                                                                  trace.decode(data))
        for seed in seeds:
            said = self._ask_confluent(seed, self.backends, text)
            if said.kind in (CRASH, HANG, LEAK, SPIN):
                yield Verdict(said.kind, CONFLUENT, _told(said), seed)
            elif said.kind == REJECTED and is_confluent:
                backend = said.text.partition(",")[0]
                alone = self.backends[:1]
                # Where the first by itself is of two minds, it may be the program that is.
                if backend in alone or self._ask_confluent(seed, alone, text).kind == EQUAL:
                    yield Verdict(CONFLUENT, backend, f"{said.text}\n", seed)

    def _ask_confluent(self, seed, backends, text):
        return self.client.ask(f"confluent {seed} {','.join(backends)}", text.encode())

    def _judged(self, kind, text, backend, data):
        """What a judge beside the backends, if it is asked at all, has against a trace."""
        if kind == ACCEPTOR and self.model_name == ACCEPTOR:
            said = self._ask_model(f"accept {backend} {self.mode}", text.encode(), data)
            if said.kind == REJECTED:
                yield Verdict(ACCEPTOR, backend, f"{said.text}\n")
            elif said.kind == UNDECIDED:
                self.undecided[backend] = said.text
        if backend != self.backends[0]:
            return
        if kind == PLAYER and self.model_name == PLAYER:
            said = self._ask_model(f"play player {self.mode}", text.encode())
            yield from _compared(PLAYER, backend, text, data, said)
        if kind == REFERENCE and self.reference:
            yield from _compared(REFERENCE, backend, text, data,
                                 self.reference.play(text, backend, self.mode))

    def _ask_model(self, request, *blobs):
        said = self.model.ask(request, *blobs)
        if said.kind in (CRASH, HANG, ERROR):
            raise ModelError(f"{request}: {said.kind} {said.text}")
        return said


def _told(played):
    """How a crash, a hang, a leak or a spin is told."""
    if played.kind == SPIN:
        return "the kernel was asked over and over, and nothing came of it"
    return f"left behind: {played.text}" if played.kind == LEAK else played.text


def _compared(kind, backend, text, data, other):
    """The verdict on a trace by what another judge comes to, if it is one."""
    if other.kind != TRACE:
        yield Verdict(kind, backend, f"{other.kind} {other.text}\n")
    elif other.trace != data:
        yield Verdict(kind, backend, difference(text, other.trace, data))
