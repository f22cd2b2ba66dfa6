# SPDX-License-Identifier: MIT
"""Looking for what is wrong with a runner: one way after the other, cheap ones first.

- *backends*: random programs in strict mode, on each backend: a crash, a hang, a leak, a spin, or
  traces that are not equal.
- *model*: the same programs in the same process. The trace of the first backend is not the one that
  the healthy runner made, and that was found to be the reference model's own.
- *results*: confluent programs, in normal mode and varied, come to other results.
- *normal*: random programs in normal mode: a crash, a hang, a leak, a spin. They really sleep, so
  there are fewer of them.
- *rude*: the same with programs that close descriptors behind the engine's back.
- *acceptor*: the reference model does not accept a trace in normal mode.

What is found by a way has a number, that of its program, counted from the first of the seed. To
find it took that many programs of this way, and all of those before it. bugs.py calls it.
"""

import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from campaign import FAILURES

HERE = Path(__file__).resolve().parent
PLAYER = HERE.parent / "model" / "play.py"
ACCEPTOR = HERE.parent / "model" / "accept.py"

WAYS = BACKENDS, MODEL, RESULTS, NORMAL, RUDE, ACCEPTED = (
    "backends", "model", "results", "normal", "rude", "acceptor")

BROKEN = "broken"  # A program could not even be set up, or the process was killed.

WATCHDOG_S = 1  # A program takes milliseconds.
LIMIT_S = 900  # For all programs of a way.

_FOUND = re.compile(r"^(" + "|".join(FAILURES) + r") \d+ (\d+) ?(.*)$", re.MULTILINE)
_PROGRAM = re.compile(r"program (\d+)")


class LookError(Exception):
    """The runner or the model cannot be used; the text says why."""


class Found(NamedTuple):
    """What was found, and when."""
    way: str
    kind: str
    number: int
    rest: str = ""
    before: int = 0  # Programs that were tried in the ways before this one, which found nothing.

    @property
    def programs(self):
        return self.before + self.number + 1


class Limits(NamedTuple):
    """How far to look."""
    seed: int = 1
    programs: int = 20_000  # For each way,
    confluent: int = 3_000  # but for those that take time.
    normal: int = 1_000
    rude: int = 100
    accepted: int = 3_000
    backends: tuple = ("select", "epoll", "io_uring")

    def count(self, way):
        """How many programs are tried in a way; fewer when its time is over before."""
        own = {RESULTS: self.confluent, NORMAL: self.normal, RUDE: self.rude,
               ACCEPTED: self.accepted}
        return min(own.get(way, self.programs), self.programs)


def _command(runner, limits, way, expect):
    flags = {
        BACKENDS: ["--expect", str(expect)],
        RESULTS: ["--kind", "confluent"],
        NORMAL: ["--mode", "normal"],
        RUDE: ["--kind", "rude", "--mode", "normal"],
        ACCEPTED: ["--mode", "normal", "--emit", "-"],
    }
    return [str(runner), "run", "--seed", str(limits.seed), "--first", "0",
            "--count", str(limits.count(way)), "--backends", ",".join(limits.backends),
            "--watchdog", str(WATCHDOG_S), *flags[way]]


def _finish(process):
    """(what it wrote to stdout, to stderr, its exit status, whether it came to its end)."""
    try:
        output, errors = process.communicate(timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        output, errors = process.communicate()
        return output, errors, process.returncode, False
    return output, errors, process.returncode, True


def _look(way, command):
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               errors="replace")
    output, errors, status, is_over = _finish(process)
    seen = _FOUND.search(output)
    if seen:
        kind, number, rest = seen.groups()
        return Found(MODEL if kind == "unexpected" else way, kind, int(number), rest)
    if not is_over or status == 0:
        return None
    number = _PROGRAM.search(errors)
    return Found(way, BROKEN, int(number.group(1)) if number else 0, errors.strip()[-200:])


def look_with_acceptor(command):
    output, status = judge(command, ACCEPTOR)
    seen = _FOUND.search(output)
    if seen:
        return Found(ACCEPTED, seen.group(1), int(seen.group(2)), seen.group(3))
    if status == 0:
        return None
    raise LookError(f"the acceptor ends with {status}: {output[-500:]}")


def judge(command, script):
    """Has a script of the model read what a runner emits: what it said, and its exit status."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as runner:
        process = subprocess.Popen([sys.executable, "-B", str(script)], stdin=runner.stdout,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        runner.stdout.close()
        output, errors, status, _ = _finish(process)
        runner.kill()
    return output + errors, status


def look(runner, limits, expect, is_normal):
    """The first thing that is found, or None."""
    before = 0
    # The model looks at the programs of the backends while these do.
    for way in (BACKENDS, RESULTS, NORMAL, RUDE) + (ACCEPTED,) * is_normal:
        command = _command(runner, limits, way, expect)
        found = look_with_acceptor(command) if way == ACCEPTED else _look(way, command)
        if found:
            return found._replace(before=before)
        before += limits.count(way)
    return None
