# SPDX-License-Identifier: MIT
"""Traces: events as tuples, their binary form, their text form, and where two of them part.

tasks/trace.h fixes the binary form. An event is a tuple: its kind, then the fields of that kind in
the order of FIELDS. Player and acceptor use this; nothing of it comes from the C side.
"""

from errno import EDEADLK, EOPNOTSUPP, errorcode

import program

KINDS = ("", "tick", "spawn", "submit", "end", "pause", "join", "cancel", "shutdown", "scope",
         "done", "outcome", "note")
(_, TICK, SPAWN, SUBMIT, END, PAUSE, JOIN, CANCEL, SHUTDOWN, SCOPE, DONE, OUTCOME,
 NOTE) = range(len(KINDS))

FIELDS = (
    (),
    ("now_ns",),
    ("task", "other", "result", "name"),
    ("task", "verb", "object", "bytes", "deadline_ns"),
    ("task", "verb", "object", "result", "bytes", "digest"),
    ("task", "result"),
    ("task", "other", "result", "value"),
    ("task", "other"),
    ("task", "verb", "object", "result"),
    ("task", "verb", "value"),
    ("task", "result"),
    ("result",),
    ("task", "verb", "object", "result", "digest"),
)

SCOPE_ENTER, SCOPE_LEAVE, SCOPE_CANCEL, SCOPE_MOVE = range(4)

VERBS = ("none", "wait-recv", "recv", "recv-exact", "recvmsg", "read", "accept", "wait-send",
         "send", "send-all", "sendmsg", "connect", "close", "release", "park", "wakeup")
(VERB_NONE, VERB_WAIT_RECV, VERB_RECV, VERB_RECV_EXACT, VERB_RECVMSG, VERB_READ, VERB_ACCEPT,
 VERB_WAIT_SEND, VERB_SEND, VERB_SEND_ALL, VERB_SENDMSG, VERB_CONNECT, VERB_CLOSE, VERB_RELEASE,
 VERB_PARK, VERB_WAKEUP) = range(len(VERBS))
VERB_UNKNOWN = 200

# Added to the number of a step or of a stimulus, in the verb of a note.
NOTE_STEP = 0
NOTE_STIMULUS = 64
NOTE_REAP = 128

_SIGNED = frozenset(("object", "result", "now_ns", "deadline_ns", "value"))

# For each kind, how each field is coded: "u"nsigned, "s"igned or a "n"ame.
_CODES = tuple("".join("n" if field == "name" else "s" if field in _SIGNED else "u"
                       for field in fields) for fields in FIELDS)


class TraceError(ValueError):
    """The bytes are not a trace."""


def _number(value):
    if value < 128:
        return bytes((value,))
    coded = bytearray()
    while value >= 128:
        coded.append(value & 127 | 128)
        value >>= 7
    coded.append(value)
    return bytes(coded)


class _Numbers(dict):
    """Coded numbers by value; small ones are kept."""

    def __init__(self, transform):
        super().__init__()
        self.transform = transform

    def __missing__(self, value):
        coded = _number(self.transform(value))
        if -4096 < value < 4096:
            self[value] = coded
        return coded


def _zigzag(value):
    return value << 1 if value >= 0 else (-value << 1) - 1


def _name(name):
    data = name.encode()
    return _number(len(data)) + data


_UNSIGNED_NUMBERS = _Numbers(lambda value: value)
_SIGNED_NUMBERS = _Numbers(_zigzag)


_CODERS = {"u": _UNSIGNED_NUMBERS.__getitem__, "s": _SIGNED_NUMBERS.__getitem__, "n": _name}
_EVENT_CODERS = tuple(tuple(_CODERS[code] for code in "u" + codes) for codes in _CODES)


def encode(events):
    """The binary form."""
    parts = []
    for event in events:
        parts += [code(value) for code, value in zip(_EVENT_CODERS[event[0]], event)]
    return b"".join(parts)


def decode(data):
    """The events of a binary form."""
    events = []
    at, end = 0, len(data)
    try:
        while at < end:
            kind = data[at]
            at += 1
            if not TICK <= kind <= NOTE:
                raise TraceError(f"byte {at - 1}: no kind of event: {kind}")
            event = [kind]
            for code in _CODES[kind]:
                value = data[at]
                at += 1
                if value >= 128:
                    value, shift = value & 127, 7
                    while data[at] >= 128:
                        value |= (data[at] & 127) << shift
                        shift += 7
                        at += 1
                    value |= data[at] << shift
                    at += 1
                if code == "s":
                    value = value >> 1 ^ -(value & 1)
                elif code == "n":
                    if at + value > end:
                        raise IndexError
                    at += value
                    value = data[at - value:at].decode()
                event.append(value)
            events.append(tuple(event))
    except IndexError:
        raise TraceError("the last event is cut off") from None
    return events


def fields(event):
    """The fields of an event by name."""
    return dict(zip(FIELDS[event[0]], event[1:]))


def first_difference(expected, actual):
    """The number of the first event that is not the same; None if all are."""
    for number, (one, other) in enumerate(zip(expected, actual)):
        if one != other:
            return number
    if len(expected) != len(actual):
        return min(len(expected), len(actual))
    return None


# --- Text ---------------------------------------------------------------------------------------

_ERRORS = {**errorcode, EDEADLK: "EDEADLK", EOPNOTSUPP: "EOPNOTSUPP"}  # Of two names, one.
_SCOPES = ("enter", "leave", "cancel", "move")


def _time(time_ns):
    for unit, unit_ns in (("ms", 1_000_000), ("us", 1_000)):
        if time_ns and time_ns % unit_ns == 0:
            return f"{time_ns // unit_ns}{unit}"
    return f"{time_ns}ns"


def _result(result):
    name = _ERRORS.get(-result)
    return f" = -{name}" if name else f" = {result}"


def _until(deadline_ns):
    return "" if deadline_ns == -1 else f" until {_time(deadline_ns)}"


def _note(verb):
    if verb == NOTE_REAP:
        return "reap"
    if verb >= NOTE_STIMULUS and verb - NOTE_STIMULUS < len(program.STIMULUS_KINDS):
        return program.STIMULUS_KINDS[verb - NOTE_STIMULUS]
    return program.STEP_KINDS[verb] if verb < len(program.STEP_KINDS) else str(verb)


class Text:
    """Puts events into words, one after the other: the form that tasks/trace_text.h describes.
    Learns on the way what tasks are called."""

    def __init__(self, object_names=()):
        self.object_names = object_names
        self.task_names = {}
        self.count = 0
        self.ticks = 0

    def line(self, event):
        kind = event[0]
        found = fields(event)
        self.count += 1
        self.ticks += kind == TICK
        if kind == SPAWN and found["other"]:
            self.task_names[found["other"]] = found["name"]
        task = self._task(found["task"]) if found.get("task") else "-"
        return f"{self.count:5}  {task:<16}  {KINDS[kind]}{self._details(kind, found)}"

    def _task(self, number):
        return f"{self.task_names.get(number, '')}({number})"

    def _object(self, number):
        if number < 0:
            return ""
        known = number < len(self.object_names)
        return f" {self.object_names[number]}" if known else f" #{number}"

    def _details(self, kind, found):
        if kind == TICK:
            return f" {self.ticks} at {_time(found['now_ns'])}"
        if kind == SPAWN:
            number = f"({found['other']})" if found["other"] else ""
            return f" {found['name']}{number}{_result(found['result'])}"
        if kind in (SUBMIT, END):
            return self._operation(kind, found)
        if kind == JOIN:
            value = f", value {found['value']}" if found["result"] >= 0 or found["value"] else ""
            return f" {self._task(found['other'])}{_result(found['result'])}{value}"
        if kind == CANCEL:
            return f" {self._task(found['other'])}"
        if kind == SHUTDOWN:
            how = program.HOWS[found["verb"]] if found["verb"] < 3 else found["verb"]
            return f"{self._object(found['object'])} {how}{_result(found['result'])}"
        if kind == SCOPE:
            return self._scope(found)
        if kind == NOTE:
            digest = f" {found['digest']:08x}" if found["digest"] else ""
            return (f" {_note(found['verb'])}{self._object(found['object'])}"
                    f"{_result(found['result'])}{digest}")
        return _result(found["result"])

    def _operation(self, kind, found):
        verb = found["verb"]
        words = VERBS[verb] if 0 < verb < len(VERBS) else f"verb-{verb}"
        words = f" {words}{self._object(found['object'])}"
        if kind == SUBMIT:
            size = f" {found['bytes']}" if found["bytes"] else ""
            return f"{words}{size}{_until(found['deadline_ns'])}"
        moved = f", {found['bytes']} bytes" if found["bytes"] else ""
        digest = f" {found['digest']:08x}" if found["digest"] else ""
        return f"{words}{_result(found['result'])}{moved}{digest}"

    def _scope(self, found):
        verb, value = found["verb"], found["value"]
        word = _SCOPES[verb] if verb < len(_SCOPES) else str(verb)
        if verb in (SCOPE_ENTER, SCOPE_MOVE):
            return f" {word}{_until(value)}"
        return f" {word}" if verb == SCOPE_CANCEL and not value else f" {word}{_result(value)}"


def text(events, object_names=()):
    """The text form, a line an event."""
    words = Text(object_names)
    return "".join(f"{words.line(event)}\n" for event in events)


def difference_text(expected, actual, object_names=(), before=6, after=3):
    """The first difference with what stands around it; empty when there is none."""
    place = first_difference(expected, actual)
    if place is None:
        return ""
    one, other = (text(events, object_names).splitlines() for events in (expected, actual))
    lines = [f"  {line}" for line in one[max(0, place - before):place]]
    for sign, side in (("-", one), ("+", other)):
        lines += [f"{sign} {line}" for line in side[place:place + 1 + after]]
        if place >= len(side):
            lines.append(f"{sign} {place + 1:5}  (the trace is over)")
    return "".join(f"{line}\n" for line in lines)
