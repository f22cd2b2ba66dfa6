#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""The reference model as a process that answers questions, as `runner serve` is for the backends.

A request is a line, and so many bytes as it says: `play player strict BYTES` and a program; or
`accept BACKEND normal BYTES BYTES`, a program and a binary trace of it. The answer is
`trace OUTCOME BYTES` and a trace; `accepted`, `undecided REASON`, `rejected REASON`; or `error
TEXT`. The player uses real sockets, and may be as stuck as anybody: so it has a process of its own.
"""

import sys

import model_path  # noqa: F401  (before what it leads to)
import acceptor
import play
import player_outside
import program as language
import trace


def answer(words, blobs):
    """(a line, a blob) in answer to a request."""
    try:
        made = language.read(blobs[0].decode())
        if words[0] == "play":
            data = trace.encode(player_outside.play(made))
            return f"trace 0 {len(data)}", data
        found = acceptor.judge(made, trace.decode(blobs[1]))
    except (language.ProgramError, trace.TraceError) as error:
        return f"error {error}", b""
    if found.is_accepted:
        return "accepted", b""
    kind = "undecided" if found.is_undecided else "rejected"
    return f"{kind} event {found.place}: {found.why}", b""


def main():
    play.pin()
    source, target = sys.stdin.buffer, sys.stdout.buffer
    for line in source:
        words = line.decode().split()
        blobs = [source.read(int(word)) for word in words[3:]]
        text, data = answer(words, blobs)
        target.write(text.replace("\n", "; ").encode() + b"\n" + data)
        target.flush()


if __name__ == "__main__":
    main()
