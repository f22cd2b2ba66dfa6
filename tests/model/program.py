# SPDX-License-Identifier: MIT
"""Programs of the oracle, read from their text form into tuples.

docs/testing.md explains the text form. This is the reference model's own reading of it, and shares
nothing with the C side; player and acceptor use it. Nothing is played here.
"""

from typing import NamedTuple

NO_TIME = -1  # Of a step without `within`, and of a stimulus without `at`.

OBJECTS_MAX = 32
TASKS_MAX = 32
STEPS_MAX = 512

OBJECT_KINDS = ("pair", "small-pair", "tcp", "pipe", "datagrams", "unix-listener", "tcp-listener",
                "slot", "wakeup", "file", "udp-error")
(PAIR, SMALL_PAIR, TCP, PIPE, DATAGRAMS, UNIX_LISTENER, TCP_LISTENER, SLOT, WAKEUP, FILE,
 UDP_ERROR) = range(len(OBJECT_KINDS))

FILE_BYTES = 100  # What is in a file at the beginning.

STEP_KINDS = ("wait-recv", "wait-send", "recv", "recv-exact", "recvmsg", "read", "accept", "send",
              "send-all", "sendmsg", "connect", "close", "release", "unknown", "wait-wakeup",
              "sleep", "pause", "join", "spawn", "cancel", "shutdown", "scope", "leave",
              "cancel-scope", "try-recv", "try-send", "signal")
(WAIT_RECV, WAIT_SEND, RECV, RECV_EXACT, RECVMSG, READ, ACCEPT, SEND, SEND_ALL, SENDMSG, CONNECT,
 CLOSE, RELEASE, UNKNOWN, WAIT_WAKEUP, SLEEP, PAUSE, JOIN, SPAWN, CANCEL, SHUTDOWN, SCOPE, LEAVE,
 CANCEL_SCOPE, TRY_RECV, TRY_SEND, SIGNAL) = range(len(STEP_KINDS))

STIMULUS_KINDS = ("put", "take", "drain", "fill", "close", "shutdown", "connect", "accept",
                  "signal", "steal")
(PUT, TAKE, DRAIN, FILL, OUTSIDE_CLOSE, OUTSIDE_SHUTDOWN, OUTSIDE_CONNECT, OUTSIDE_ACCEPT,
 OUTSIDE_SIGNAL, STEAL) = range(len(STIMULUS_KINDS))

HOWS = ("recv", "send", "both")  # In the order of SHUT_RD, SHUT_WR, SHUT_RDWR.

# The words that follow the name of a step or a stimulus. S: an object with a descriptor. W: a
# wakeup. T: a task. N: a number of bytes. D: a duration. H: how to shut down.
_STEP_WORDS = ("S", "S", "SN", "SN", "SN", "SN", "SS", "SN", "SN", "SN", "SS", "S", "S", "S", "W",
               "D", "", "T", "T", "T", "SH", "", "", "", "SN", "SN", "W")
_STIMULUS_WORDS = ("SN", "SN", "S", "S", "S", "SH", "SS", "SS", "W", "S")

# What may have a deadline of its own; a scope may, too.
_WITHIN = frozenset(range(WAIT_RECV, WAIT_WAKEUP + 1)) | {SCOPE}

_UNITS = {"ns": 1, "us": 1_000, "ms": 1_000_000}
_TWO_NAMES = frozenset((PAIR, SMALL_PAIR, TCP, PIPE, DATAGRAMS))


class Object(NamedTuple):
    kind: int
    name: str
    backlog: int  # Of a listener, else 0.
    is_second: bool  # Of two.


class Step(NamedTuple):
    kind: int
    object: int  # Of an object, or of a task (spawn, join, cancel); -1 for neither.
    other: int  # The second object, or how to shut down: the place in HOWS.
    bytes: int
    within_ns: int  # How long a sleep is; else the deadline from now, or NO_TIME.


class Stimulus(NamedTuple):
    kind: int
    object: int
    other: int
    bytes: int
    at_ns: int


class Task(NamedTuple):
    name: str
    steps: list


class Program(NamedTuple):
    objects: list
    tasks: list
    stimuli: list


class ProgramError(ValueError):
    """The text is not a program."""


def duration(word):
    """Nanoseconds of "5us"."""
    if word[-2:] not in _UNITS or not word[:-2].isdecimal():
        raise ProgramError(f"not a time: {word}")
    return int(word[:-2]) * _UNITS[word[-2:]]


def _check_name(name):
    if not name.replace("-", "").isalnum() or not name.isascii() or len(name) > 15:
        raise ProgramError(f"not a name: {name}")


class _Reader:
    def __init__(self, lines):
        self.program = Program([], [], [])
        self.objects = {}  # Name to number.
        self.tasks = {}
        self.steps = None
        for words in lines:
            if words[0] == "task" and len(words) == 2:
                self.tasks.setdefault(words[1], len(self.tasks))

    def line(self, words):
        word = words[0]
        if word == "task" and len(words) == 2 and self.steps is not self.program.stimuli:
            _check_name(words[1])
            if self.tasks[words[1]] != len(self.program.tasks):
                raise ProgramError(f"a second task {words[1]}")
            self.steps = []
            self.program.tasks.append(Task(words[1], self.steps))
        elif words == ["outside"] and self.steps is not self.program.stimuli:
            self.steps = self.program.stimuli
        elif self.steps is None:
            self.declaration(words)
        elif self.steps is self.program.stimuli:
            self.steps.append(self.stimulus(words))
        else:
            self.steps.append(self.step(words))

    def declaration(self, words):
        kind = _OBJECT_KINDS.get(words[0])
        if kind is None:
            raise ProgramError(f"not an object: {words[0]}")
        backlog = 0
        names = words[1:]
        if kind in (UNIX_LISTENER, TCP_LISTENER):
            if not names or not names[-1].isdecimal():
                raise ProgramError(f"{words[0]} needs a backlog")
            backlog = int(names.pop())
        if len(names) != (2 if kind in _TWO_NAMES else 1):
            raise ProgramError(f"{words[0]} has {len(names)} names")
        for is_second, name in enumerate(names):
            _check_name(name)
            if name in self.objects:
                raise ProgramError(f"a second object {name}")
            self.objects[name] = len(self.objects)
            self.program.objects.append(Object(kind, name, backlog, bool(is_second)))

    def operands(self, pattern, words):
        """The first name, the second (or how), and the number."""
        if len(words) != len(pattern) + 1:
            raise ProgramError(f"{words[0]} takes {len(pattern)} words")
        found, number = [], 0
        for letter, word in zip(pattern, words[1:]):
            if letter in "SW":
                place = self.objects.get(word)
                if place is None:
                    raise ProgramError(f"no object {word}")
                if (self.program.objects[place].kind == WAKEUP) != (letter == "W"):
                    raise ProgramError(f"{words[0]} is not for {word}")
                found.append(place)
            elif letter == "T":
                if word not in self.tasks:
                    raise ProgramError(f"no task {word}")
                found.append(self.tasks[word])
            elif letter == "H":
                if word not in HOWS:
                    raise ProgramError(f"not a direction: {word}")
                found.append(HOWS.index(word))
            elif word.isdecimal():
                number = int(word)
            else:
                raise ProgramError(f"not a number: {word}")
        return found[0] if found else -1, found[1] if len(found) > 1 else 0, number

    def step(self, words):
        kind = _STEP_KINDS.get(words[0])
        if kind is None:
            raise ProgramError(f"not a step: {words[0]}")
        if kind == SLEEP:
            if len(words) != 2:
                raise ProgramError("sleep takes a time")
            return Step(kind, -1, 0, 0, duration(words[1]))
        within_ns = NO_TIME
        if len(words) > 2 and words[-2] == "within" and kind in _WITHIN:
            within_ns = duration(words[-1])
            words = words[:-2]
        return Step(kind, *self.operands(_STEP_WORDS[kind], words), within_ns)

    def stimulus(self, words):
        at_ns = NO_TIME
        if words[0] == "at" and len(words) > 2:
            at_ns = duration(words[1])
            words = words[2:]
        kind = _STIMULUS_KINDS.get(words[0])
        if kind is None:
            raise ProgramError(f"not a stimulus: {words[0]}")
        return Stimulus(kind, *self.operands(_STIMULUS_WORDS[kind], words), at_ns)


_OBJECT_KINDS = {name: kind for kind, name in enumerate(OBJECT_KINDS)}
_STEP_KINDS = {name: kind for kind, name in enumerate(STEP_KINDS)}
_STIMULUS_KINDS = {name: kind for kind, name in enumerate(STIMULUS_KINDS)}


def read(text):
    """The program that a text describes; ProgramError if it describes none."""
    lines = [line.partition("#")[0].split() for line in text.splitlines()]
    reader = _Reader(filter(None, lines))
    for number, words in enumerate(lines, 1):
        if words:
            try:
                reader.line(words)
            except ProgramError as error:
                raise ProgramError(f"line {number}: {error}") from None
    program = reader.program
    if not program.tasks:
        raise ProgramError("no task")
    if (len(program.objects) > OBJECTS_MAX or len(program.tasks) > TASKS_MAX
            or len(program.stimuli) > STEPS_MAX
            or sum(len(task.steps) for task in program.tasks) > STEPS_MAX):
        raise ProgramError("too long")
    return program


def duration_text(duration_ns):
    for unit in ("ms", "us"):
        if duration_ns and duration_ns % _UNITS[unit] == 0:
            return f"{duration_ns // _UNITS[unit]}{unit}"
    return f"{duration_ns}ns"


def _operand_words(program, pattern, step):
    words, names = [], [step.object, step.other]
    for letter in pattern:
        if letter == "N":
            words.append(str(step.bytes))
        elif letter == "H":
            words.append(HOWS[names.pop(0)])
        elif letter == "T":
            words.append(program.tasks[names.pop(0)].name)
        else:
            words.append(program.objects[names.pop(0)].name)
    return words


def step_text(program, step):
    words = [STEP_KINDS[step.kind]]
    if step.kind == SLEEP:
        return f"sleep {duration_text(step.within_ns)}"
    words += _operand_words(program, _STEP_WORDS[step.kind], step)
    if step.within_ns != NO_TIME:
        words += ["within", duration_text(step.within_ns)]
    return " ".join(words)


def stimulus_text(program, stimulus):
    words = [] if stimulus.at_ns == NO_TIME else ["at", duration_text(stimulus.at_ns)]
    words.append(STIMULUS_KINDS[stimulus.kind])
    return " ".join(words + _operand_words(program, _STIMULUS_WORDS[stimulus.kind], stimulus))


def write(program):
    """The text form of a program."""
    lines = []
    for place, thing in enumerate(program.objects):
        if thing.is_second:
            continue
        words = [OBJECT_KINDS[thing.kind], thing.name]
        if thing.kind in _TWO_NAMES:
            words.append(program.objects[place + 1].name)
        elif thing.kind in (UNIX_LISTENER, TCP_LISTENER):
            words.append(str(thing.backlog))
        lines.append(" ".join(words))
    for task in program.tasks:
        lines.append(f"task {task.name}")
        lines += [f"    {step_text(program, step)}" for step in task.steps]
    if program.stimuli:
        lines.append("outside")
        lines += [f"    {stimulus_text(program, stimulus)}" for stimulus in program.stimuli]
    return "".join(f"{line}\n" for line in lines)
