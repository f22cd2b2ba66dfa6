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

What is found by a way has a number: so many programs it took, counted from the first of the seed.
bugs.py calls it.
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

WATCHDOG_S = 1  # A program takes milliseconds.
LIMIT_S = 900  # For all programs of a way.

_FOUND = re.compile(r"^(" + "|".join(FAILURES) + r") \d+ (\d+) ?(.*)$", re.MULTILINE)
_BROKEN = re.compile(r"program (\d+)")


class LookError(Exception):
    """The runner or the model cannot be used; the text says why."""


class Found(NamedTuple):
    """What was found, and when."""
    way: str
    kind: str
    number: int
    rest: str = ""

    @property
    def programs(self):
        return self.number + 1


class Limits(NamedTuple):
    """How far to look."""
    seed: int = 1
    programs: int = 20_000  # For each way,
    confluent: int = 3_000  # but for those that take time.
    normal: int = 1_000
    rude: int = 4_000
    accepted: int = 3_000
    backends: tuple = ("select", "epoll", "io_uring")


def _command(runner, limits, count, *flags):
    return [str(runner), "run", "--seed", str(limits.seed), "--first", "0", "--count", str(count),
            "--backends", ",".join(limits.backends), "--watchdog", str(WATCHDOG_S),
            *map(str, flags)]


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
    # A program could not even be set up, or the process was killed.
    number = _BROKEN.search(errors)
    return Found(way, "broken", int(number.group(1)) if number else 0, errors.strip()[-200:])


def look_at_random(runner, limits, expect):
    return _look(BACKENDS, _command(runner, limits, limits.programs, "--expect", expect))


def look_at_confluent(runner, limits):
    return _look(RESULTS, _command(runner, limits, min(limits.confluent, limits.programs),
                                   "--kind", "confluent"))


def look_at_normal(runner, limits):
    return _look(NORMAL, _command(runner, limits, min(limits.normal, limits.programs), "--mode",
                                  "normal"))


def look_at_rude(runner, limits):
    return _look(RUDE, _command(runner, limits, min(limits.rude, limits.programs), "--kind",
                                "rude", "--mode", "normal"))


def look_with_acceptor(runner, limits):
    command = _command(runner, limits, min(limits.accepted, limits.programs), "--mode", "normal",
                       "--emit", "-")
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
    found = (look_at_random(runner, limits, expect) or look_at_confluent(runner, limits)
             or look_at_normal(runner, limits) or look_at_rude(runner, limits))
    if found or not is_normal:
        return found
    return look_with_acceptor(runner, limits)
