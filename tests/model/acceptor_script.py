# SPDX-License-Identifier: MIT
"""Traces written by hand, for the tests of the acceptor: a line an event, in the program's words.

    - spawn main                     main submit recv-exact a 16 until 5000
    tick 1200                        main end recv-exact a = 16 of b 0
    main pause = 0                   main join t = 0
    main cancel t                    main shutdown a send = 0
    main scope enter 5000            main scope leave = -ETIMEDOUT      main scope cancel
    main note try-send a = 3         - note put b = 12                  - note reap
    main done                        outcome 0

`of b 0` says which bytes were received: those sent through b, from number 0 on; `of b 0 4` that
they are 4, after a failure. What is sent has `of` likewise, else nothing moved. Bytes and digests
come from that; `digest D` at the end of a line puts another one in their place.
"""

import errno
import zlib

import program as p
import trace as t

HOWS = {"recv": 0, "send": 1, "both": 2}


def pattern(obj, first, count):
    return bytes((obj * 37 + number) % 251 for number in range(first, first + count))


def _result(word):
    return -getattr(errno, word[1:]) if word.startswith("-E") else int(word)


class Script:
    """Turns lines into events."""

    def __init__(self, made):
        self.objects = {thing.name: number for number, thing in enumerate(made.objects)}
        self.objects["-"] = -1
        self.places = {task.name: place for place, task in enumerate(made.tasks)}
        self.tasks = {"-": 0}

    def events(self, text):
        return [self.event(line.split()) for line in text.splitlines() if line.strip()]

    def event(self, words):
        if words[0] == "tick":
            return (t.TICK, int(words[1]))
        if words[0] == "outcome":
            return (t.OUTCOME, _result(words[1]))
        number = self.tasks[words[0]]
        return getattr(self, "on_" + words[1])(number, words[2:])

    def moved(self, words, result):
        """(bytes, digest) of what stands behind a result."""
        data = b""
        if "of" in words:
            at = words.index("of")
            numbers = [int(word) for word in words[at + 2:at + 4] if word.isdecimal()]
            count = numbers[1] if len(numbers) > 1 else result
            data = pattern(self.objects[words[at + 1]], numbers[0], count)
        if "digest" in words:
            return len(data), int(words[words.index("digest") + 1])
        return len(data), zlib.crc32(data)

    def on_spawn(self, number, words):
        self.tasks[words[0]] = len(self.tasks)
        return (t.SPAWN, number, self.tasks[words[0]], 0, words[0])

    def on_submit(self, number, words):
        deadline = -1
        if "until" in words:
            at = words.index("until")
            deadline, words = int(words[at + 1]), words[:at]
        verb = t.VERB_UNKNOWN if words[0] == "unknown" else t.VERBS.index(words[0])
        obj = self.objects[words[1]] if len(words) > 1 else -1
        asked = int(words[2]) if len(words) > 2 else 0
        return (t.SUBMIT, number, verb, obj, asked, deadline)

    def on_end(self, number, words):
        at = words.index("=")
        verb = t.VERB_UNKNOWN if words[0] == "unknown" else t.VERBS.index(words[0])
        obj = self.objects[words[1]] if at > 1 else -1
        result = words[at + 1]
        result = self.objects[result] if result in self.objects else _result(result)
        return (t.END, number, verb, obj, result, *self.moved(words, result))

    def on_pause(self, number, words):
        return (t.PAUSE, number, _result(words[1]))

    def on_join(self, number, words):
        return (t.JOIN, number, self.tasks[words[0]], _result(words[2]), 0)

    def on_cancel(self, number, words):
        return (t.CANCEL, number, self.tasks[words[0]])

    def on_shutdown(self, number, words):
        return (t.SHUTDOWN, number, HOWS[words[1]], self.objects[words[0]], _result(words[3]))

    def on_scope(self, number, words):
        if words[0] == "enter":
            return (t.SCOPE, number, t.SCOPE_ENTER, int(words[1]) if words[1:] else -1)
        if words[0] == "leave":
            return (t.SCOPE, number, t.SCOPE_LEAVE, _result(words[2]))
        return (t.SCOPE, number, t.SCOPE_CANCEL, 0)

    def on_done(self, number, words):
        return (t.DONE, number, 0)

    def on_note(self, number, words):
        if words[0] == "reap":
            return (t.NOTE, 0, t.NOTE_REAP, -1, 0, 0)
        kind = (p.STEP_KINDS.index(words[0]) if number
                else t.NOTE_STIMULUS + p.STIMULUS_KINDS.index(words[0]))
        at = words.index("=")
        obj = self.objects.get(words[1], self.places.get(words[1])) if at > 1 else -1
        result = words[at + 1]
        result = self.objects[result] if result in self.objects else _result(result)
        return (t.NOTE, number, kind, obj, result, self.moved(words, result)[1])
