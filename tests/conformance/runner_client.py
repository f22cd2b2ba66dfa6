# SPDX-License-Identifier: MIT
"""A client of `runner serve` and its like: plays programs in a process that is kept.

A program may crash the process or never come to an end; that is an answer, too. The next program
then gets a new process. Knows neither what a trace means nor what a failure is.
"""

import os
import select
import signal
import subprocess
import tempfile
import time
from typing import NamedTuple

# What an answer begins with; a crash and a hang are what comes instead of one.
TRACE, ERROR, LEAK, EQUAL, REJECTED = "trace", "error", "leak", "equal", "rejected"
UNDECIDED = "undecided"
CRASH, HANG, SPIN = "crash", "hang", "spin"


class Played(NamedTuple):
    """What playing a program came to."""

    kind: str  # One of the words above.
    trace: bytes = b""  # Binary.
    text: str = ""  # The rest of the answer; or how the process ended, and what it wrote last.


class RunnerError(Exception):
    """The runner cannot be used; the text says why."""


class _Ended(Exception):
    """The process closed its side."""


class _Late(Exception):
    """The process took too long."""


class Client:
    """One process, started when it is needed. `limit_s` is how long a program may take."""

    def __init__(self, *command, limit_s=3.0):
        self.command = [str(word) for word in command]
        self.limit_s = limit_s
        self.longest_s = 0.0  # That a program took which came to an end, the first one aside.
        self.is_warm = False  # The process has played one.
        self.process = None
        self.messages = None
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.close()

    def close(self):
        """Ends the process, if there is one: what it wrote last to stderr."""
        if self.process is None:
            return ""
        self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            try:
                pipe.close()
            except BrokenPipeError:
                pass
        self.process.wait()
        self.messages.seek(0, os.SEEK_END)
        self.messages.seek(max(0, self.messages.tell() - 2000))
        text = self.messages.read().decode(errors="replace").strip()
        self.messages.close()
        self.process = None
        return text

    def play(self, text, backend, mode):
        """Plays the program on a backend, in strict or in normal mode: a Played."""
        return self.ask(f"play {backend} {mode}", text.encode())

    def ask(self, request, *blobs):
        """Sends a request: words, the length of each blob, a newline and the blobs."""
        line = " ".join([request, *(str(len(blob)) for blob in blobs)])
        try:
            self._start()
            start = time.monotonic()
            self._send(b"".join([line.encode(), b"\n", *blobs]))
            played = self._answer(start + self.limit_s)
        except (_Ended, BrokenPipeError):
            return self._ended()
        except _Late:
            return Played(HANG, text=self.close())
        if self.is_warm:
            self.longest_s = max(self.longest_s, time.monotonic() - start)
        self.is_warm = True
        if played.kind == LEAK:
            self.close()  # What is left open would be there for the next program, too.
        return played

    def _start(self):
        if self.process is not None:
            return
        self.messages = tempfile.TemporaryFile()
        self.buffer = b""
        self.is_warm = False
        try:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.messages,
                bufsize=0, process_group=0)
        except OSError as error:
            self.messages.close()
            raise RunnerError(f"{self.command[0]}: {os.strerror(error.errno)}") from None

    def _send(self, data):
        while data:
            data = data[self.process.stdin.write(data):]

    def _receive(self, end):
        if not select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))[0]:
            raise _Late
        data = os.read(self.process.stdout.fileno(), 1 << 16)
        if not data:
            raise _Ended
        self.buffer += data

    def _answer(self, end):
        while b"\n" not in self.buffer:
            self._receive(end)
        line, _, self.buffer = self.buffer.partition(b"\n")
        kind, _, rest = line.decode(errors="replace").partition(" ")
        if kind != TRACE:
            return Played(kind, text=rest)
        size = int(rest.split()[-1])
        while len(self.buffer) < size:
            self._receive(end)
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return Played(TRACE, data)

    def _ended(self):
        """The process ended by itself in the middle of a program."""
        status = self.process.wait()
        how = signal.Signals(-status).name if status < 0 else f"exit status {status}"
        said = self.close()
        return Played(CRASH, text=f"{how}\n{said}".strip())
