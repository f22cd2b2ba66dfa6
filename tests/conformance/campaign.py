# SPDX-License-Identifier: MIT
"""A campaign: many programs of one seed, played in blocks by processes of the runner at once.

Each block is a process of its own, `runner run`, or that and a model that reads what it emits. A
clean block goes into the ledger; of one with a failure only that does, so that the block is played
again when the campaign is continued, and the failure is not forgotten if it does not come again.
Knows nothing of what the figures of a block mean. explore.py calls it.
"""

import itertools
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import model_path
from figures import trimmed
from runner_client import RunnerError

BLOCK_PROGRAMS = 500
MODELS = {"player": "play.py", "acceptor": "accept.py"}


# What lines that tell of a failure begin with; and of a trace that the acceptor gave up on.
FAILURES = ("divergence", "unexpected", "crash", "hang", "leak", "spin", "differs", "rejected")
UNDECIDED = "undecided "
BROKEN = "broken"  # The runner or the model ended, and told of no program.


class Failure(NamedTuple):
    """A program that failed: what the runner or the model called it, and the rest of its line."""

    kind: str
    number: int
    rest: str


@dataclass
class Settings:
    """What is to be done."""

    runner: Path
    seed: int
    programs: int
    jobs: int
    kind: str = "random"
    mode: str = "strict"
    model: str = None
    backends: tuple = ("select", "epoll", "io_uring")
    expect: Path = None
    stop_after: int = 1
    build: str = None  # What the build of the runner is called in the ledger.
    block_programs: int = BLOCK_PROGRAMS


@dataclass
class Result:
    """What came of it."""

    failures: list = field(default_factory=list)
    is_interrupted: bool = False
    programs: int = 0  # That were played now, in clean blocks.
    seconds: float = 0.0


class Block:
    """A block that is being played."""

    def __init__(self, settings, first, count, place, scratch):
        """`place` is a number that no other block has which is played at the same time."""
        self.first, self.count, self.place = first, count, place
        self.stats = Path(scratch) / f"{first}.json"
        self.hashes = Path(scratch) / f"{first}.hashes"
        self.errors = tempfile.TemporaryFile()
        self.output = {}  # What came so far, by pipe.
        self.processes = []
        command = [settings.runner, "run", "--seed", settings.seed, "--first", first,
                   "--count", count, "--kind", settings.kind, "--mode", settings.mode,
                   "--backends", ",".join(settings.backends), "--stats", self.stats,
                   "--hashes", self.hashes, "--stop-after", settings.stop_after]
        if settings.expect:
            command += ["--expect", settings.expect]
        if settings.model:
            self._start_judged(command, model_path.FOLDER / MODELS[settings.model])
        else:
            self._start(command)

    def _start_judged(self, command, script):
        """The model reads what the runner emits; what each of them finds comes to us."""
        source, target = os.pipe()
        try:
            self._start([*command, "--emit", f"/dev/fd/{target}"], pass_fds=[target])
            self._start([sys.executable, "-B", script], stdin=source)
        finally:
            os.close(source)
            os.close(target)

    def _start(self, command, **options):
        """In a group of its own: what the keyboard interrupts is explore, which ends the rest."""
        options.setdefault("stdin", subprocess.DEVNULL)
        try:
            process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE,
                                       stderr=self.errors, process_group=0,
                                       preexec_fn=self._keep_to_a_processor, **options)
        except OSError as error:
            raise RunnerError(f"{command[0]}: {os.strerror(error.errno)}") from None
        self.processes.append(process)
        self.output[process.stdout] = b""

    def _keep_to_a_processor(self):
        """Runners stay on the processor they find themselves on, so they must not all find one."""
        processors = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {processors[self.place % len(processors)]})

    def read(self, pipe):
        """Takes what has come; False when nothing more will."""
        data = os.read(pipe.fileno(), 1 << 16)
        self.output[pipe] += data
        return data != b""

    def end(self):
        """Ends the processes if they still run, and lets go of what belongs to them."""
        for process in self.processes:
            process.kill()
            process.wait()
            process.stdout.close()
        self.errors.close()
        for path in (self.stats, self.hashes):
            path.unlink(missing_ok=True)

    def lines(self):
        """Those that are whole."""
        whole = b"".join(data[:data.rfind(b"\n") + 1] for data in self.output.values())
        return whole.decode(errors="replace").splitlines()

    def told(self):
        """The failures that were told so far."""
        return [failure for failure in map(_failure, self.lines()) if failure]

    def figures(self):
        """What the runner has counted, and which traces nobody could decide on."""
        found = trimmed(json.loads(self.stats.read_text(encoding="utf-8")))
        lines = [line.split(" ", 4) for line in self.lines() if line.startswith(UNDECIDED)]
        found["undecided"] = len(lines)
        found["undecided_names"] = {f"{seed}:{number} {backend}": 1
                                    for _, seed, number, backend, _ in lines}
        return found

    def failures(self):
        """What was found, when everything was written."""
        statuses = [process.wait() for process in self.processes]
        found = self.told()
        if not found and any(statuses):
            self.errors.seek(0)
            said = self.errors.read().decode(errors="replace").strip()
            found = [Failure(BROKEN, self.first, f"programs {self.first} to "
                             f"{self.first + self.count - 1}: exit status {statuses}: "
                             f"{said[-2000:]}")]
        return found


def _failure(line):
    """The Failure of a line `KIND SEED NUMBER ...`; None of any other line."""
    words = line.split(" ", 3)
    if words[0] not in FAILURES or len(words) < 3 or not words[2].isdecimal():
        return None
    return Failure(words[0], int(words[2]), words[3] if len(words) > 3 else "")


class Campaign:
    """Plays what is missing in a ledger. `progress(done, total)` is called now and then."""

    def __init__(self, settings, ledger, progress):
        self.settings = settings
        self.ledger = ledger
        self.progress = progress
        self.result = Result()
        self.running = []
        self.pipes = selectors.DefaultSelector()

    def run(self):
        """Until all is done, enough failed, or somebody interrupts: a Result."""
        start = time.monotonic()
        size = min(self.settings.block_programs,
                   max(1, -(-self.settings.programs // self.settings.jobs)))
        missing = self.ledger.missing(self.settings.programs, size)
        previous = signal.signal(signal.SIGTERM, _interrupt)
        try:
            with tempfile.TemporaryDirectory(prefix="explore-") as scratch:
                try:
                    self._play(missing, scratch)
                finally:
                    self._end_all()
        except KeyboardInterrupt:
            self.result.is_interrupted = True
        finally:
            signal.signal(signal.SIGTERM, previous)
        self.result.seconds = time.monotonic() - start
        return self.result

    def _play(self, missing, scratch):
        running = self.running
        while True:
            while len(running) < self.settings.jobs:
                part = next(missing, None)
                if part is None:
                    break
                places = {block.place for block in running}
                place = next(place for place in itertools.count() if place not in places)
                block = Block(self.settings, *part, place, scratch)
                running.append(block)
                for pipe in block.output:
                    self.pipes.register(pipe, selectors.EVENT_READ, block)
            if not running or len(self.result.failures) >= self.settings.stop_after:
                return
            for key, _ in self.pipes.select(0.5):
                self._read(key.data, key.fileobj)
            self.progress(self.result.programs)

    def _read(self, block, pipe):
        if block.read(pipe):
            return
        self.pipes.unregister(pipe)
        if not any(key.data is block for key in self.pipes.get_map().values()):
            self._finish(block)
            self.running.remove(block)
            block.end()

    def _finish(self, block):
        failures = block.failures()
        self._put_down(failures)
        if any(failure.kind == BROKEN for failure in failures):
            raise RunnerError(failures[0].rest)
        if not failures:
            self.ledger.add(block.first, block.hashes.read_bytes(), block.figures(),
                            self.settings.build)
            self.result.programs += block.count

    def _put_down(self, failures):
        self.result.failures += failures
        for failure in failures:
            self.ledger.fail(failure._asdict())

    def _end_all(self):
        """Ends what still runs; what was told until now is believed."""
        for key, _ in self.pipes.select(0):
            key.data.read(key.fileobj)
        self.pipes.close()
        for block in self.running:
            block.end()
        for block in self.running:
            self._put_down(block.told())


def _interrupt(_signal, _frame):
    raise KeyboardInterrupt
