#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""The measurement of the oracle: bugs are put into the product, and looked for.

    bazel run //tests/conformance:bugs -- [NAME...]

plants the named variants, or all: the bugs of bugs/*.bug and every negated branch of the files in
bugs_read.py. Each is looked for with random programs (bugs_look.py). Printed is what found it and
after how many programs, of all ways that were tried; then what survived, and why.

The ledger is a folder. It keeps what was found, so that a measurement can be continued, and is
believed only as long as the product, the runner and the model are what they were.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import statistics
import sys
import tempfile
import threading
from pathlib import Path

import bugs_look
import bugs_read
import bugs_shrink
from bugs_build import Bench
from bugs_expect import expectation
from verdict import refused_backends

GOAL = 0.9  # Of the negated branches.
RECORDS = 2  # What form the records of a ledger have.


def tree_key(root, limits):
    """Changes with everything that what is found depends on."""
    digest = hashlib.sha256(repr(limits).encode())
    for folder in ("engine", "tasks", "net", "tests/conformance/explore", "tests/model"):
        for path in sorted((root / folder).glob("*.*")):
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


class Ledger:
    """One line for each variant that was looked for. Later lines count."""

    def __init__(self, folder, key):
        self.path = folder / "bugs.jsonl"
        self.key = key
        self.lock = threading.Lock()
        self.records = {}
        if self.path.exists():
            for line in self.path.read_text(encoding="utf-8").splitlines():
                record = json.loads(line)
                self.records[record["key"]] = record

    def key_of(self, variant):
        text = f"{RECORDS}\n{self.key}\n{variant.file}\n{variant.is_normal}\n{variant.source}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def get(self, variant):
        return self.records.get(self.key_of(variant))

    def add(self, variant, found, shrunk):
        record = {"key": self.key_of(variant), "name": variant.name,
                  "found": found and found._asdict(), "shrunk": shrunk and shrunk._asdict()}
        with self.lock:
            self.records[record["key"]] = record
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")


class Measurement:
    """All variants, and what has been found of them."""

    def __init__(self, variants, ledger, limits):
        self.variants, self.ledger, self.limits = variants, ledger, limits

    def found(self, variant):
        """What was found: a Found, or None."""
        found = self.ledger.get(variant)["found"]
        return found and bugs_look.Found(**found)

    def shrunk(self, variant):
        """How small the program became: a Shrunk, or None."""
        shrunk = self.ledger.get(variant)["shrunk"]
        return shrunk and bugs_shrink.Shrunk(**shrunk)

    def run(self, bench, expect, jobs):
        """Looks for those of which the ledger says nothing."""
        missing = [variant for variant in self.variants if not self.ledger.get(variant)]
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            tasks = {pool.submit(self._measure, bench, expect, number, variant): variant
                     for number, variant in enumerate(missing)}
            for done, task in enumerate(concurrent.futures.as_completed(tasks), 1):
                if task.exception():
                    print(f"bugs: {tasks[task].name}: no more after this", file=sys.stderr)
                    pool.shutdown(cancel_futures=True)
                task.result()
                print(f"[{done} of {len(missing)}] {self.line(tasks[task])}", flush=True)

    def _measure(self, bench, expect, number, variant):
        runner = bench.variant(f"variant{number}", variant.source)
        try:
            found = bugs_look.look(runner, self.limits, expect, variant.is_normal)
            shrunk = None
            if variant.is_bug and found:
                shrunk = bugs_shrink.shrink(runner, self.limits, found)
            self.ledger.add(variant, found, shrunk)
        finally:
            runner.unlink()

    def line(self, variant):
        found, shrunk = self.found(variant), self.shrunk(variant)
        if found is None:
            return f"{variant.name}: not found"
        size = "; it does not fail again" if shrunk else ""
        if shrunk and shrunk.replayed:
            size = (f"; again {shrunk.replayed} times of {bugs_shrink.REPLAYS}; "
                    f"{shrunk.operations} operations in {shrunk.seconds:.0f} s")
        return f"{variant.name}: {found.way} ({found.kind}), {found.programs:,} programs{size}"

    def _objections(self, variant):
        """What is wrong with how surely a variant is found, and how small its program became."""
        found, shrunk = self.found(variant), self.shrunk(variant)
        if not shrunk:
            return
        if shrunk.replayed == 0:
            yield f"{variant.name} is found by a program that does not fail again"
            return
        if shrunk.operations > variant.operations:
            yield f"{variant.name} is shown by {shrunk.operations} operations"
        if found.way in bugs_shrink.STRICT and shrunk.replayed < bugs_shrink.REPLAYS:
            yield (f"{variant.name} is found again {shrunk.replayed} times of "
                   f"{bugs_shrink.REPLAYS}")

    def report(self, title, variants):
        """Prints a part of the table. Returns what is wrong with it."""
        founds = {variant: self.found(variant) for variant in variants}
        print(f"\n{title}")
        for variant in variants:
            print(f"    {self.line(variant)}")
        counts = [found.programs for found in founds.values() if found]
        missed = [variant for variant, found in founds.items() if not found]
        ways = {way: sum(found is not None and found.way == way for found in founds.values())
                for way in bugs_look.WAYS}
        print(f"{len(counts)} of {len(variants)} found"
              + (f", median {statistics.median(counts):,.0f} programs, most {max(counts):,}; "
                 if counts else "; ")
              + ", ".join(f"{count} by {way}" for way, count in ways.items()))
        for variant in missed:
            print(f"survives: {variant.name}\n    {variant.survives or 'No reason is known.'}")
        for variant in variants:
            yield from self._objections(variant)
        yield from (f"{variant.name} survives without a reason"
                    for variant in missed if not variant.survives)
        yield from (f"{variant.name} is said to survive, and is found"
                    for variant, found in founds.items() if found and variant.survives)
        if variants and len(counts) < GOAL * len(variants):
            yield f"{title}: fewer than {GOAL:.0%} are found"


def allowed(runner):
    """The backends that this machine lets run."""
    backends = bugs_look.Limits().backends
    refused = dict(refused_backends(runner, backends))
    for backend, reason in refused.items():
        print(f"bugs: {backend}: {reason}: its bugs will not be found", file=sys.stderr)
    return tuple(backend for backend in backends if backend not in refused)


def read_options():
    parser = argparse.ArgumentParser(
        prog="bugs", description="Puts bugs into the product, and looks for them with programs.")
    parser.add_argument("names", metavar="NAME", nargs="*", help="a part of a variant's name")
    parser.add_argument("--programs", type=int, default=20_000, help="at most, for each way")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--ledger", default="bugs.ledger", help="a folder, made when needed")
    return parser.parse_args()


def main():
    options = read_options()
    root = Path.cwd()
    # Bazel starts it in the root of the tree, but says where it was called.
    folder = Path(os.environ.get("BUILD_WORKING_DIRECTORY", "."), options.ledger)
    folder.mkdir(parents=True, exist_ok=True)
    variants = [variant for variant in bugs_read.bugs() + bugs_read.negated()
                if not options.names or any(name in variant.name for name in options.names)]
    with tempfile.TemporaryDirectory() as scratch:
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            bench = Bench(root, scratch, pool)
        healthy = bench.healthy()
        limits = bugs_look.Limits(options.seed, options.programs, backends=allowed(healthy))
        ledger = Ledger(folder, tree_key(root, limits))
        expect = expectation(healthy, folder, ledger.key, limits, options.jobs)
        measurement = Measurement(variants, ledger, limits)
        measurement.run(bench, expect, options.jobs)
    wrong = [*measurement.report("bugs", [one for one in variants if one.is_bug]),
             *measurement.report("negated branches", [one for one in variants if not one.is_bug])]
    for sentence in wrong:
        print(f"bugs: {sentence}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
