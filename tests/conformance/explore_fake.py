#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""A runner that is none, for the test of the front-end: it takes the same words, and plays nothing.

What is planted stands in FAKE, words apart by blanks: `divergence=7` and its like, for a program
with that number; `generator=X`, `missing=RECV`, `refused=io_uring`, `slow=SECONDS` a block,
`undecided=COUNT` first programs of a block, `broken`, `flaky`, `lingers` for blocks that do not
end when they have told of a failure. The ring has another trace when a program sends and closes; it
crashes at `unknown`, hangs at `sleep` and leaks at `release`.
"""

import json
import os
import struct
import sys
import time
import zlib
from pathlib import Path

# It may have been copied away from the tree.
sys.path[:0] = os.environ["FAKE_MODULES"].split(":")
import figures  # noqa: E402
import trace  # noqa: E402

PLANTED = dict((word.partition("=")[::2]) for word in os.environ.get("FAKE", "").split())
STEPS = {"divergence": "send b 8", "crash": "unknown a", "hang": "sleep 1ms", "leak": "release a"}


def option(name, default=None):
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else default


def text_of(number):
    lines = ["pair a b", "task main"] + ["    pause"] * (number % 20) + ["    recv a 5"]
    for kind, step in STEPS.items():
        if PLANTED.get(kind) == str(number):
            lines += ["    " + step, "    close b"]
    if "generator" in PLANTED:
        lines.insert(2, "    wait-send b")
    return "\n".join(lines) + "\n"


def run():
    first, count = int(option("--first")), int(option("--count"))
    if "broken" in PLANTED:
        sys.exit("fake: no sockets")
    with open(os.environ["FAKE_LOG"], "a", encoding="utf-8") as log:
        log.write(f"{first} {count}\n")
    time.sleep(float(PLANTED.get("slow", 0)))
    opcodes = {name: count for name in figures.OPCODES if name != PLANTED.get("missing")}
    coverage = {"programs": count, "traits": {"close": count // 2}, "operations": [0, 0, count, 0],
                "carried_out": [0, count, 0], "pairs": {"recv send": count, "send recv": 1}}
    with open(option("--stats"), "w", encoding="utf-8") as file:
        json.dump({"plays": 3 * count, "opcodes": opcodes, "coverage": coverage}, file)
    with open(option("--hashes"), "wb") as file:
        hashes = (number // 2 for number in range(first, first + count))
        file.write(struct.pack(f"<{count}Q", *hashes))
    for number in range(first, first + int(PLANTED.get("undecided", 0))):
        print(f"undecided {option('--seed')} {number} epoll 7: a reason")
    for kind in STEPS:
        if first <= int(PLANTED.get(kind, -1)) < first + count:
            print(f"{kind} {option('--seed')} {PLANTED[kind]} io_uring 3", flush=True)
            if "lingers" in PLANTED:
                print("hang 1 1", end="", flush=True)  # The rest of the line is to come.
                Path(os.environ["FAKE_LOG"] + ".told").touch()
                time.sleep(1000)
            sys.exit(1 if kind == "divergence" else 3)


def play(text, backend, count):
    """An answer."""
    result = 0
    if backend == "io_uring":
        if "unknown" in text:
            os.abort()
        if "sleep" in text:
            time.sleep(1000)
        if "release" in text:
            return None
        is_away = "flaky" in PLANTED and zlib.crc32(b"%d" % count) % 2
        if "send" in text and "close" in text and not is_away:
            result = 1
    return trace.encode([(trace.TICK, len(text)), (trace.OUTCOME, result)])


def serve():
    for count, line in enumerate(sys.stdin.buffer):
        _, backend, _, size = line.decode().split()
        data = play(sys.stdin.buffer.read(int(size)).decode(), backend, count)
        if backend == PLANTED.get("refused"):
            answer = b"error the program cannot be set up: Operation not permitted\n"
        else:
            answer = b"leak 5\n" if data is None else b"trace 0 %d\n" % len(data) + data
        sys.stdout.buffer.write(answer)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    if sys.argv[1] == "run":
        run()
    elif sys.argv[1] == "generate":
        sys.stdout.write(text_of(int(option("--number"))))
    else:
        serve()
