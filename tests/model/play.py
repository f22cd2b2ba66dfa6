#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""Plays programs with the reference model, and compares traces with its own.

    runner run --emit - ... | play.py     compares each strict trace of select with its own play
    play.py FILE                          prints the trace of a program

A trace that is not the model's is told by a line `differs SEED NUMBER` and the first event that is
another, with what stands around it: `-` is the model's, `+` the other's. The exit status is 1 then,
or when the runner itself has found something.
"""

import os
import sys

import player_outside
import program
import trace

SHOWN_MAX = 10  # Differences that are shown whole.


class Emitted:
    """What a runner emits: an iterator over (seed, number, text, traces). Each of the traces is
    (backend, mode, bytes). Other lines, which say what the runner has found, are kept."""

    def __init__(self, stream):
        self.stream = stream
        self.line = stream.readline()
        self.others = []

    def __iter__(self):
        while self.line:
            words = self.line.split()
            if len(words) == 4 and words[0] == b"program":
                yield int(words[1]), int(words[2]), self.blob(words[3]).decode(), self.traces()
            else:
                self.others.append(self.line.decode().rstrip())
                self.line = self.stream.readline()

    def blob(self, size):
        data = self.stream.read(int(size))
        if len(data) < int(size):
            raise SystemExit("play.py: standard input: it ends within a program")
        return data

    def traces(self):
        found = []
        while True:
            self.line = self.stream.readline()
            words = self.line.split()
            if len(words) != 4 or words[0] != b"trace":
                return found
            found.append((words[1].decode(), words[2].decode(), self.blob(words[3])))


def object_names(made):
    return [thing.name for thing in made.objects]


def difference(text, data):
    """What the model says of a strict trace of a program: nothing, or the first difference."""
    made = program.read(text)
    events = player_outside.play(made)
    if trace.encode(events) == data:
        return ""
    return trace.difference_text(events, trace.decode(data), object_names(made))


def compare(stream):
    """Compares all: how many there are, how many differ, and how much else a runner has found."""
    count = different = 0
    emitted = Emitted(stream)
    for seed, number, text, traces in emitted:
        for backend, mode, data in traces:
            if (backend, mode) != ("select", "strict"):
                continue
            count += 1
            found = difference(text, data)
            if found:
                different += 1
                print(f"differs {seed} {number}")
                if different <= SHOWN_MAX:
                    print(found, flush=True)
    for line in emitted.others:
        print(line)
    return count, different, len(emitted.others)


def pin():
    """Stays on one processor: there loopback hands packets over in the call that sends them."""
    processors = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {processors[os.getpid() % len(processors)]})


def main(arguments):
    pin()
    if arguments:
        with open(arguments[0], encoding="utf-8") as file:
            made = program.read(file.read())
        sys.stdout.write(trace.text(player_outside.play(made), object_names(made)))
        return 0
    count, different, others = compare(sys.stdin.buffer)
    print(f"{count} programs, {different} differ")
    return 1 if different or others else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
