# SPDX-License-Identifier: MIT
"""Programs of the corpus, what they expect, and a trace in the words of an expectation.

An expectation is the trace without what no task can see. One line a tick, with its time and, in
their order, everything that had a result until the next one: operations, joins, shutdowns, scopes
that were left, calls past the engine, pauses that were refused. What came before the first tick
stands in a line `start`; what the outside did in a line of its own; the outcome of the run is last:

    start main try-send b = 5
    outside put d = 3
    1ms t recv a = -ETIMEDOUT; u recv-exact c = -ECANCELED after 3
    outcome 0

An expected line may have `some` for a number above zero, and `$x` for one that is the same wherever
`$x` stands. A line that is indented goes on with the one before.
"""

import errno
import re
from pathlib import Path
from typing import NamedTuple

import model_path  # noqa: F401
import program
import trace

FOLDER = Path(__file__).parent / "corpus"

_CLAUSES = re.compile(r"^# Clauses: (.+)$", re.MULTILINE)
_EXPECTED = re.compile(r"^# Expected:\n((?:# {5}.*\n)+)", re.MULTILINE)

# The verbs whose steps have another name.
_WORDS = {trace.VERB_PARK: "sleep", trace.VERB_WAKEUP: "wait-wakeup",
          trace.VERB_UNKNOWN: "unknown"}
_REAPER = "reaper"


class Kept(NamedTuple):
    """A program of the corpus."""

    name: str
    text: str
    clauses: tuple
    expected: tuple  # Lines; none if the file has no such part.


def read_text(name, text):
    clauses, expected = _CLAUSES.search(text), _EXPECTED.search(text)
    lines = []
    for line in expected.group(1).splitlines() if expected else ():
        if line.startswith("#      "):
            lines[-1] += " " + line[1:].strip()
        else:
            lines.append(line[1:].strip())
    names = clauses.group(1).rstrip(".").split(", ") if clauses else ()
    return Kept(name, text, tuple(names), tuple(lines))


def read_all():
    return [read_text(path.stem, path.read_text(encoding="utf-8"))
            for path in sorted(FOLDER.glob("*.program"))]


# --- A trace in few words -----------------------------------------------------------------------

def _result(number):
    if number == -errno.EDEADLK:
        return "-EDEADLK"  # Which has two names.
    return f"-{errno.errorcode[-number]}" if number < 0 else str(number)


class _Condenser:
    def __init__(self, made):
        self.names = [thing.name for thing in made.objects]
        self.tasks = [task.name for task in made.tasks]
        self.running = {0: "outside"}  # The names of tasks by their numbers.
        self.lines = []
        self.line = ["start"]

    def close_line(self):
        if len(self.line) > 1:
            self.lines.append(f"{self.line[0]} {'; '.join(self.line[1:])}")

    def name(self, number):
        return f" {self.names[number]}" if number >= 0 else ""

    def end(self, verb, number, result, moved):
        word = _WORDS.get(verb) or trace.VERBS[verb]
        text = f"{word}{self.name(number)} = "
        if word == "accept" and result >= 0:
            return text + self.names[result]
        return text + _result(result) + (f" after {moved}" if moved and moved != result else "")

    def note(self, verb, number, result):
        if verb == trace.NOTE_REAP:
            return "reap"
        is_step = verb < trace.NOTE_STIMULUS
        word = (program.STEP_KINDS[verb] if is_step
                else program.STIMULUS_KINDS[verb - trace.NOTE_STIMULUS])
        names = self.tasks if word in ("spawn", "join", "cancel") else self.names
        name = f" {names[number]}" if number >= 0 else ""
        if word == "accept" and result >= 0:
            return f"{word}{name} = {self.names[result]}"
        return f"{word}{name} = {_result(result)}"

    def words(self, event):
        """What the event says, or None if no task can see it."""
        kind, rest = event[0], event[2:]
        if kind == trace.END:
            return self.end(*rest[:4])
        if kind == trace.JOIN:
            return f"join {self.running[rest[0]]} = {_result(rest[1])}"
        if kind == trace.NOTE:
            return self.note(*rest[:3])
        if kind == trace.SHUTDOWN:
            return f"shutdown{self.name(rest[1])} = {_result(rest[2])}"
        if kind == trace.SCOPE and rest[0] == trace.SCOPE_LEAVE:
            return f"leave = {_result(rest[1])}"
        if kind == trace.PAUSE and rest[0] < 0:
            return f"pause = {_result(rest[0])}"
        return None

    def add(self, event):
        kind = event[0]
        if kind == trace.SPAWN:
            self.running[event[2]] = event[4]
        elif kind == trace.TICK:
            self.close_line()
            self.line = [program.duration_text(event[1])]
        elif kind == trace.OUTCOME:
            self.close_line()
            self.lines.append(f"outcome {_result(event[1])}")
        elif kind == trace.NOTE and event[1] == 0:
            self.close_line()
            self.line = self.line[:1]
            self.lines.append(f"outside {self.words(event)}")
        else:
            words, task = self.words(event), self.running[event[1]]
            if words and task != _REAPER:
                self.line.append(f"{task} {words}")


def condense(made, events):
    """The lines of a trace of a program."""
    condenser = _Condenser(made)
    for event, following in zip(events, events[1:] + [(0, 0)]):
        # A join waits by other means first.
        is_join = following[0] == trace.JOIN and following[1] == event[1]
        if not (is_join and event[0] in (trace.END, trace.PAUSE)):
            condenser.add(event)
    return condenser.lines


# --- Expected and found -------------------------------------------------------------------------

def bind(expected, found):
    """The expected lines with the numbers in them that were found there, as far as they fit."""
    values = {}
    bound = []
    for line, actual in zip(expected, found):
        pattern = re.escape(line).replace("some", r"[1-9]\d*")
        names = []
        for name in re.findall(r"\\\$(\w+)", pattern):
            again = name in values or name in names
            part = values.get(name, rf"(?P={name})") if again else rf"(?P<{name}>[1-9]\d*)"
            pattern = re.sub(rf"\\\${name}\b", lambda _match, part=part: part, pattern, count=1)
            names.append(name)
        match = re.fullmatch(pattern, actual)
        if match:
            values.update(match.groupdict())
        bound.append(actual if match else line)
    return bound + list(expected[len(bound):])
