# SPDX-License-Identifier: MIT
"""What the reference model says of many programs, once and for all: a digest of each trace.

A variant of the product is played millions of times; the model, which is slow, is asked once. The
healthy runner plays each program, the model compares the trace with its own, and when all are equal
the runner's digests are the model's. bugs.py calls it.
"""

import concurrent.futures
import shutil

import bugs_look

BLOCK_PROGRAMS = 1000


class NotTheModel(Exception):
    """The healthy runner is not what the measurement takes it for; the text says why."""


def _prepare(runner, limits, path, first):
    count = min(BLOCK_PROGRAMS, limits.programs - first)
    command = [str(runner), "run", "--seed", str(limits.seed), "--first", str(first), "--count",
               str(count), "--backends", "select", "--digests", str(path), "--emit", "-"]
    output, status = bugs_look.judge(command, bugs_look.PLAYER)
    if status != 0 or not output.startswith(f"{count} programs, 0 differ"):
        raise NotTheModel(f"programs {first} to {first + count - 1}: {output[-1000:]}")


def expectation(runner, folder, key, limits, jobs):
    """The path of the file of digests. Made when there is none for this key."""
    path = folder / f"expected-{key}.digests"
    if path.exists():
        return path
    print(f"the model plays {limits.programs:,} programs", flush=True)
    made = path.with_suffix(".made")
    made.unlink(missing_ok=True)
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        list(pool.map(lambda first: _prepare(runner, limits, made, first),
                      range(0, limits.programs, BLOCK_PROGRAMS)))
    found = bugs_look.look(runner, limits, made, False)
    if found:
        raise NotTheModel(f"without a bug there is found: {found}")
    shutil.move(made, path)
    return path
