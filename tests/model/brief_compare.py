#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""Has the library play programs that the brief knows, and compares their traces with the brief's.

    brief_compare.py RUNNER [--programs N] [--seed S]

The programs are random ones of bare waits, tries and spawns on pairs and pipes, with an outside.
What meets one of the documented repairs (brief.py) is counted and left out. A line of sums follows;
the exit status is 1 when a trace differs.
"""

import argparse
import random
import subprocess
import sys

import brief
import program
import trace

TASKS_MAX = 6
PIECES = (1, 3, 100, 5000, 300_000)


class Runner:
    """A `runner serve`, which plays programs on select."""

    def __init__(self, path):
        self.process = subprocess.Popen([path, "serve"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)

    def play(self, text):
        """The events of its trace."""
        data = text.encode()
        self.process.stdin.write(b"play select strict %d\n" % len(data) + data)
        self.process.stdin.flush()
        words = self.process.stdout.readline().split()
        if len(words) != 3 or words[0] != b"trace":
            raise SystemExit(f"brief_compare.py: runner: {b' '.join(words).decode()}\n{text}")
        return trace.decode(self.process.stdout.read(int(words[2])))

    def close(self):
        self.process.communicate()


class Maker:
    """Makes a random program."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.objects = []
        for kind in self.random.choices((program.PAIR, program.SMALL_PAIR, program.PIPE),
                                        k=self.random.randint(1, 4)):
            for end in range(2):
                name = f"{'ab'[end]}{len(self.objects)}"
                self.objects.append(program.Object(kind, name, 0, end == 1))

    def program(self):
        count = self.random.randint(1, TASKS_MAX)
        tasks = [program.Task("main" if number == 0 else f"t{number}", self.steps(number))
                 for number in range(count)]
        for number in range(1, count):  # Everybody is spawned by somebody before.
            steps = tasks[self.random.randrange(number)].steps
            steps.insert(self.random.randint(0, len(steps)),
                         program.Step(program.SPAWN, number, 0, 0, program.NO_TIME))
        named = {step.object for task in tasks for step in task.steps if step.kind != program.SPAWN}
        unnamed = [number for number in range(len(self.objects)) if number not in named]
        stimuli = [self.stimulus(unnamed) for _ in range(self.random.randint(0, 12))]
        return program.Program(self.objects, tasks, stimuli)

    def steps(self, task):
        # A descriptor and direction has one waiter: it is the one of one task.
        mine = [(kind, number) for number in range(len(self.objects))
                for kind in self.waits(number)
                if (7 * number + kind) % TASKS_MAX == task] or [(program.TRY_RECV, 0)]
        return [self.step(*self.random.choice(mine)) for _ in range(self.random.randint(1, 10))]

    def waits(self, number):
        """The waits that a descriptor is made for."""
        if self.objects[number].kind != program.PIPE:
            return program.WAIT_RECV, program.WAIT_SEND
        return (program.WAIT_SEND if self.objects[number].is_second else program.WAIT_RECV,)

    def step(self, kind, number):
        if self.random.random() < 0.4:
            kind = self.random.choice((program.TRY_RECV, program.TRY_SEND))
            number = self.random.randrange(len(self.objects))
        size = 0 if kind in (program.WAIT_RECV, program.WAIT_SEND) else \
            self.random.choice(PIECES)
        return program.Step(kind, number, 0, size, program.NO_TIME)

    def stimulus(self, unnamed):
        """`unnamed`: the objects that no task uses; they may be closed or shut down."""
        if unnamed and self.random.random() < 0.2:
            kind = self.random.choice((program.OUTSIDE_CLOSE, program.OUTSIDE_SHUTDOWN))
            how = self.random.randrange(3) if kind == program.OUTSIDE_SHUTDOWN else 0
            return program.Stimulus(kind, self.random.choice(unnamed), how, 0, program.NO_TIME)
        kind = self.random.choice((program.PUT, program.PUT, program.TAKE, program.DRAIN,
                                   program.FILL))
        size = self.random.choice(PIECES) if kind in (program.PUT, program.TAKE) else 0
        number = self.random.randrange(len(self.objects))
        return program.Stimulus(kind, number, 0, size, program.NO_TIME)


def difference(made, runner):
    """Nothing, or the first difference. brief.Unknown when there is nothing to compare."""
    events, is_over = brief.BriefPlay(made).play()
    actual = runner.play(program.write(made))
    if not is_over:  # The brief waits for ever; what the library does then is S12.
        actual = actual[:len(events)]
    return trace.difference_text(events, actual, [thing.name for thing in made.objects])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("runner")
    parser.add_argument("--programs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    runner = Runner(options.runner)
    different = unknown = waits = 0
    for number in range(options.programs):
        made = Maker(f"{options.seed} {number}").program()
        try:
            found = difference(made, runner)
        except brief.Unknown:
            unknown += 1
            continue
        waits += sum(step.kind <= program.WAIT_SEND for task in made.tasks for step in task.steps)
        if found:
            different += 1
            print(f"differs {options.seed} {number}\n{program.write(made)}{found}")
    runner.close()
    print(f"{options.programs} programs, {unknown} meet a repair, {different} differ; "
          f"{waits} waits compared")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
