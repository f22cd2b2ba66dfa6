# SPDX-License-Identifier: MIT
"""The ledger of a campaign: which blocks of programs are done, and what was seen in them.

A campaign is a seed and how its programs are played. Its ledger is a file in a folder that may
hold many: a first line that says which campaign it is, and by which generator; then one line for
each block that was clean. A line is written in one piece after everything that it stands for, so a
block is either whole or not there; a last line that was torn is dropped when the file is opened.
Beside it lies a file with eight bytes for each program, its hash, at the place of its number; and,
when programs have failed, a file of lines about them, NAME.failures.jsonl. Nothing here ever takes
a line out of that one: that somebody has looked at a failure only a person can say, who does it.

Knows nothing of runners. explore.py calls it.
"""

import array
import fcntl
import json
import os
from pathlib import Path

HASH_BYTES = 8
VERSION = 1


class LedgerError(Exception):
    """The ledger cannot be used; the text says why."""


def _because(path, error):
    return LedgerError(f"{path}: {os.strerror(error.errno) if error.errno else error}")


def _line(record):
    return json.dumps(record, separators=(",", ":")).encode() + b"\n"


def _write_line(file, line, end):
    """Writes a line at the end of a file, whole or not at all."""
    try:
        written = os.pwrite(file, line, end)
        if written < len(line):  # The disk is full: the next byte says so.
            os.pwrite(file, line[written:], end + written)
        os.fsync(file)
    except OSError:
        os.ftruncate(file, end)
        raise


def _records(path, lines):
    """What the lines say."""
    records = []
    for number, line in enumerate(lines, 1):
        try:
            records.append(json.loads(line))
        except ValueError:
            raise LedgerError(f"{path}:{number}: Not a record") from None
    return records


def file_name(campaign):
    """The name of a campaign's file, without its ending."""
    words = [f"seed-{campaign['seed']}", campaign["kind"], campaign["mode"]]
    if campaign.get("model"):
        words.append(campaign["model"])
    return "-".join(words)


class Ledger:
    """The open ledger of one campaign; `blocks` and `failures` hold what its lines say."""

    def __init__(self, folder, campaign):
        """Opens it, or makes it. `campaign` is what must be the same when it is continued."""
        self.campaign = {"version": VERSION, **campaign}
        self.path = Path(folder) / (file_name(campaign) + ".jsonl")
        self.hash_path = self.path.with_suffix(".hashes")
        self.failure_path = self.path.with_suffix(".failures.jsonl")
        self.blocks, self.failures = [], []
        self.file = self.hash_file = None
        try:
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            self.hash_file = os.open(self.hash_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            self._lock()
            self._read()
        except OSError as error:
            self.close()
            raise _because(self.path, error) from None
        except LedgerError:
            self.close()
            raise

    def close(self):
        for file in (self.file, self.hash_file):
            if file is not None:
                os.close(file)
        self.file = self.hash_file = None

    def _lock(self):
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LedgerError(f"{self.path}: Another run is writing it") from None

    def _read(self):
        text = self.path.read_bytes()
        whole, newline, _torn = text.rpartition(b"\n")
        self.end = len(whole + newline)
        if self.end < len(text):
            os.ftruncate(self.file, self.end)
        records = _records(self.path, whole.splitlines())
        if self.failure_path.exists():
            self.failures = _records(self.failure_path, self.failure_path.read_bytes().splitlines())
        if not records:
            self._append(self.campaign)
        else:
            self._compare(records[0])
            self.blocks = records[1:]

    def _compare(self, found):
        for key in sorted({*found, *self.campaign}):
            if found.get(key) != self.campaign.get(key):
                raise LedgerError(f"{self.path}: Begun with {key} {found.get(key)}, "
                                  f"not {self.campaign.get(key)}")

    def _append(self, record):
        line = _line(record)
        try:
            _write_line(self.file, line, self.end)
        except OSError as error:
            raise _because(self.path, error) from None
        self.end += len(line)

    def fail(self, failure):
        """Puts down a failure, if it is not there already. It is there until a person removes it,
        who may also leave the last line without its end."""
        if failure in self.failures:
            return
        try:
            with open(self.failure_path, "a+b") as file:
                end = file.tell()
                file.seek(max(0, end - 1))
                has_end = file.read() in (b"", b"\n")
                _write_line(file.fileno(), b"\n"[:not has_end] + _line(failure), end)
        except OSError as error:
            raise _because(self.failure_path, error) from None
        self.failures.append(failure)

    def add(self, first, hashes, figures, build=None):
        """Puts down a clean block: its first number, the hashes of its programs, its figures, and
        what the build of the runner is called."""
        count, rest = divmod(len(hashes), HASH_BYTES)
        if rest:
            raise LedgerError(f"{self.hash_path}: {len(hashes)} bytes are no hashes")
        try:
            at = 0
            while at < len(hashes):
                at += os.pwrite(self.hash_file, hashes[at:], first * HASH_BYTES + at)
            os.fsync(self.hash_file)
        except OSError as error:
            raise _because(self.hash_path, error) from None
        block = {"first": first, "count": count, "build": build, "figures": figures}
        self._append(block)
        self.blocks.append(block)

    def missing(self, total, size):
        """Yields (first, count) of blocks that are not done, at most `size` long, below `total`."""
        at = 0
        for block in sorted(self.blocks, key=lambda block: block["first"]) + [None]:
            end = total if block is None else min(block["first"], total)
            while at < end:
                count = min(size, end - at)
                yield at, count
                at += count
            if block is not None:
                at = max(at, block["first"] + block["count"])

    def builds(self):
        """How many builds of the runner have played the programs that are done."""
        return len({block["build"] for block in self.blocks})

    def distinct(self):
        """How many of the programs that are done differ from each other."""
        found = set()
        for block in self.blocks:
            data = os.pread(self.hash_file, block["count"] * HASH_BYTES,
                            block["first"] * HASH_BYTES)
            if len(data) != block["count"] * HASH_BYTES:
                raise LedgerError(f"{self.hash_path}: Shorter than the ledger says")
            found.update(array.array("Q", data))
        return len(found)
