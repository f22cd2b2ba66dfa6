#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""explore: plays very many programs on every backend, and makes what fails small.

    bazel run -c opt //tests/conformance:explore -- --programs 200000 --seed 1 --jobs 2
    bazel run -c opt //tests/conformance:explore -- --replay FILE
    bazel run -c opt //tests/conformance:explore -- --shrink FILE

docs/testing.md explains how to read what it finds. Exit status: 0 when nothing was found; 1 when
something was, when the programs did not reach all of the ring, when the acceptor was undecided on
more than 1 of 1,000 traces, or when there is nothing to shrink; 2 when it was called wrongly; 130
when it was interrupted before it found anything.
"""

import argparse
import hashlib
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import explore_failures
import figures
from campaign import MODELS, Campaign, Failure, Settings
from explore_failures import path
from ledger import Ledger, LedgerError
from runner_client import RunnerError
from verdict import NoProgram, refused_backends

# Bazel starts a program in the root of the tree that it was given.
RUNNER = Path("tests/conformance/explore/runner")

CLEAN, FOUND, USAGE, INTERRUPTED = 0, 1, 2, 130

BACKENDS = ("select", "epoll", "io_uring")
KINDS = ("random", "confluent", "rude")
GENERATOR_PROGRAMS = 8  # By which a generator is told from another.


def complain(text):
    print(f"explore: {text}", file=sys.stderr)


def natural(text):
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def backend_list(text):
    names = tuple(text.split(","))
    if not set(names) <= set(BACKENDS):
        raise ValueError
    return names


def parser():
    found = argparse.ArgumentParser(prog="explore", allow_abbrev=False, description=(
        "Plays random programs on every backend and compares what they come to."))
    add = found.add_argument
    add("--programs", type=natural, metavar="N", default=20_000, help="how many [20000]")
    add("--seed", type=int, metavar="S", default=1, help="of the programs [1]")
    add("--jobs", type=natural, metavar="J", default=len(os.sched_getaffinity(0)),
        help="processes at once [one a processor]")
    add("--kind", choices=KINDS, default="random", help="of programs [random]")
    add("--mode", choices=("strict", "normal"), help="[normal for the acceptor, else strict]")
    add("--model", choices=sorted(MODELS), help="have the reference model judge, too")
    add("--backends", type=backend_list, metavar="NAMES", help="[select,epoll,io_uring]")
    add("--require-all", action="store_true", help=(
        "play all three backends, and fail when this machine refuses one, which is left out "
        "otherwise"))
    add("--ledger", type=path, metavar="DIR", help=(
        "put down what is done, and go on from there; a failure is told every time until its line "
        "is taken out of DIR/*.failures.jsonl"))
    add("--failures", type=path, metavar="DIR", default=path("failures"),
        help="where failing programs are written [failures]")
    add("--stop-after", type=natural, metavar="N", default=1, help="failures [1]")
    add("--expect", type=path, metavar="FILE", help="digests that traces must have")
    add("--replay", metavar="FILE|SEED:NUMBER", help="play one program and compare")
    add("--times", type=natural, metavar="N", default=1, help="how often to replay [1]")
    add("--shrink", metavar="FILE|SEED:NUMBER", help="make a failing program small")
    add("--seconds", type=natural, metavar="N", default=60, help="for each shrinking [60]")
    add("--reference", type=path, metavar="RUNNER", help="compare with another runner, too")
    add("--runner", type=path, metavar="FILE", default=RUNNER, help=argparse.SUPPRESS)
    return found


def settle(options):
    """Gives what was not said its meaning; a sentence when the options do not go together."""
    wanted = "normal" if options.model == "acceptor" else "strict"
    if options.model and options.mode not in (None, wanted):
        return f"--model {options.model} judges {wanted} mode"
    if options.model and options.kind == "rude":
        return "no model judges rude programs"
    if options.replay and options.shrink:
        return "--replay and --shrink are two things"
    options.mode = options.mode or wanted
    # The player is one judge more; that backends agree is seen without it.
    is_campaign = not (options.replay or options.shrink)
    is_alone = options.model == "player" and is_campaign and not options.require_all
    options.backends = options.backends or (BACKENDS[:1] if is_alone else BACKENDS)
    if options.require_all and set(options.backends) != set(BACKENDS):
        return "--require-all wants more than --backends says"
    return None


def leave_out_refused(options):
    """Backends that this machine refuses are left out, loudly, or not to be done without."""
    for backend, reason in refused_backends(options.runner, options.backends):
        if options.require_all:
            raise RunnerError(f"{backend}: {reason}: it is required")
        complain(f"{backend}: {reason}: it is NOT played, and its coverage not judged")
        options.backends = tuple(name for name in options.backends if name != backend)
    if not options.backends:
        raise RunnerError("no backend is left")


class Progress:
    """A line on a terminal: how many are done, how fast, how long it will take."""

    def __init__(self, total):
        self.total = total
        self.start = time.monotonic()
        self.shown = 0.0
        self.is_on = sys.stderr.isatty()

    def __call__(self, done):
        now = time.monotonic()
        if not self.is_on or now - self.shown < 0.2:
            return
        self.shown = now
        rest = ""
        if done:
            speed = done / (now - self.start)
            rest = f", {speed:,.0f} a second, {(self.total - done) / speed:,.0f} s left"
        self.show(f"{done:,} of {self.total:,} programs{rest}")

    def show(self, text):
        if self.is_on:
            print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def generator_of(options):
    """What tells the generator from another one: a digest of a few of its programs."""
    digest = hashlib.sha256()
    for number in range(GENERATOR_PROGRAMS):
        digest.update(explore_failures.read_program(options, f"{options.seed}:{number}").encode())
    return digest.hexdigest()[:16]


def explore(options):
    """A campaign from beginning to end: an exit status."""
    campaign = {"seed": options.seed, "kind": options.kind, "mode": options.mode,
                "model": options.model, "backends": ",".join(options.backends)}
    if options.ledger:
        campaign["generator"] = generator_of(options)
    with tempfile.TemporaryDirectory(prefix="explore-") as scratch:
        # Of its own, since the one in the tree may be built anew in the hours that this takes.
        options.runner = shutil.copy(options.runner, scratch)
        build = hashlib.sha256(Path(options.runner).read_bytes()).hexdigest()[:16]
        settings = Settings(
            runner=options.runner, build=build, seed=options.seed, programs=options.programs,
            jobs=options.jobs, kind=options.kind, mode=options.mode, model=options.model,
            backends=options.backends, expect=options.expect, stop_after=options.stop_after)
        ledger = Ledger(options.ledger or scratch, campaign)
        try:
            known = sum(count for _, count in ledger.missing(options.programs, options.programs))
            progress = Progress(known)
            result = Campaign(settings, ledger, progress).run()
            progress.show("")
            return report(options, ledger, result)
        finally:
            ledger.close()


def report(options, ledger, result):
    """Prints what a campaign came to: an exit status."""
    status = INTERRUPTED if result.is_interrupted else CLEAN
    again = {failure.number for failure in result.failures}
    earlier = [Failure(**record) for record in ledger.failures if record["number"] not in again]
    if result.is_interrupted:
        print("interrupted")
    total = None
    for block in ledger.blocks:
        total = block["figures"] if total is None else figures.add(total, block["figures"])
    if total:
        for line in figures.table(total, ledger.distinct()):
            print(line)
        if ledger.builds() > 1:
            print(f"{'':30} played by {ledger.builds()} builds of the runner")
        programs = total["coverage"]["programs"]
        print(f"{'programs a second':30} {result.programs / result.seconds:,.0f}, now")
        failures = len(result.failures) + len(earlier)
        print(f"{'failures':30} {failures}"
              + (f", of them {len(earlier)} of earlier runs" if earlier else ""))
        if not failures and programs >= 3:
            print(f"{'':30} fewer than one program in {figures.bound(programs):,} fails, at 95 %, "
                  "of those that this generator makes")
        if is_coverage_missed(options, total, programs):
            status = FOUND
        if figures.is_too_much_undecided(total):
            complain(f"more than 1 of {figures.UNDECIDED_ONE_OF:,} traces is undecided")
            status = FOUND
    sys.stdout.flush()
    if result.failures:
        explore_failures.report(options, result.failures)
        status = FOUND
    if earlier:
        explore_failures.report_earlier(options, earlier, ledger.failure_path)
        status = FOUND
    return status


def is_coverage_missed(options, total, programs):
    """Whether a ring operation that programs can reach never came; says which."""
    missing = figures.missing_opcodes(total)
    if not missing or "io_uring" not in options.backends or options.kind != "random":
        return False
    if programs < figures.ENOUGH_PROGRAMS:
        print(f"{'':30} too few programs to ask for each ring operation")
        return False
    complain(f"the ring was never asked for: {', '.join(missing)}")
    return True


def act(options):
    leave_out_refused(options)
    if options.replay:
        return FOUND if explore_failures.play_again(options) else CLEAN
    if options.shrink:
        return CLEAN if explore_failures.shrink_file(options) else FOUND
    return explore(options)


def main(arguments):
    options = parser().parse_args(arguments)
    objection = settle(options)
    if objection:
        complain(objection)
        return USAGE
    try:
        return act(options)
    except (LedgerError, RunnerError, NoProgram) as error:
        complain(error)
    except BrokenPipeError:
        # Nobody reads on; nor may Python complain of that when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        complain(f"{error.filename}: {error.strerror}")
    except KeyboardInterrupt:
        return INTERRUPTED
    return FOUND


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
