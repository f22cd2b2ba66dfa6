#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""The ledger: a block is whole or not there, whatever happens while it is written."""

import resource
import signal
import struct
import tempfile
import unittest
from pathlib import Path

from ledger import Ledger, LedgerError

CAMPAIGN = {"seed": 7, "kind": "random", "mode": "strict", "model": None, "generator": "abc"}


def hashes(*numbers):
    return struct.pack(f"<{len(numbers)}Q", *numbers)


class LedgerTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name) / "deep" / "ledger"

    def open(self, **changes):
        ledger = Ledger(self.folder, {**CAMPAIGN, **changes})
        self.addCleanup(ledger.close)
        return ledger

    def test_what_was_put_down_is_there_again(self):
        ledger = self.open()
        ledger.add(0, hashes(1, 2, 3), {"programs": 3})
        ledger.add(5, hashes(3, 4), {"programs": 2}, "abc")
        ledger.close()
        again = self.open()
        self.assertEqual([(b["first"], b["count"]) for b in again.blocks], [(0, 3), (5, 2)])
        self.assertEqual(again.blocks[1]["figures"], {"programs": 2})
        self.assertEqual(again.distinct(), 4)
        self.assertEqual(again.builds(), 2)

    def test_what_is_missing_is_handed_out_in_blocks(self):
        ledger = self.open()
        self.assertEqual(list(ledger.missing(5, 2)), [(0, 2), (2, 2), (4, 1)])
        ledger.add(5, hashes(3, 4), {})
        ledger.add(0, hashes(1, 2, 3), {})
        self.assertEqual(list(ledger.missing(10, 2)), [(3, 2), (7, 2), (9, 1)])
        self.assertEqual(list(ledger.missing(6, 2)), [(3, 2)])
        self.assertEqual(list(ledger.missing(3, 2)), [])

    def test_a_torn_last_line_is_a_block_that_is_not_there(self):
        ledger = self.open()
        ledger.add(0, hashes(1, 2), {})
        whole = ledger.path.read_bytes()
        ledger.add(2, hashes(3, 4), {})
        ledger.close()
        text = ledger.path.read_bytes()
        for cut in range(len(whole), len(text)):
            ledger.path.write_bytes(text[:cut])
            again = self.open()
            self.assertEqual([b["first"] for b in again.blocks], [0])
            again.add(9, hashes(5), {})
            again.close()
            third = self.open()
            self.assertEqual([b["first"] for b in third.blocks], [0, 9])
            third.close()

    def test_a_file_torn_in_its_first_line_is_a_new_one(self):
        ledger = self.open()
        ledger.close()
        ledger.path.write_bytes(ledger.path.read_bytes()[:10])
        self.assertEqual(self.open().blocks, [])

    def test_a_bad_line_in_the_middle_is_an_error(self):
        ledger = self.open()
        ledger.add(0, hashes(1), {})
        ledger.close()
        ledger.path.write_bytes(ledger.path.read_bytes() + b"{\n{}\n")
        with self.assertRaisesRegex(LedgerError, ":3: Not a record"):
            self.open()

    def test_another_generator_or_way_of_playing_is_refused(self):
        self.open().close()
        with self.assertRaisesRegex(LedgerError, "Begun with generator abc, not abd"):
            self.open(generator="abd")
        with self.assertRaisesRegex(LedgerError, "Begun with backends None"):
            self.open(backends="select,epoll")
        self.open(seed=8).close()
        self.open(model="player").close()

    def test_two_runs_at_once_are_refused(self):
        self.open()
        with self.assertRaisesRegex(LedgerError, "Another run"):
            self.open()

    def test_a_full_disk_is_an_error_and_leaves_the_ledger_whole(self):
        ledger = self.open()
        ledger.add(0, hashes(1), {})
        old = resource.getrlimit(resource.RLIMIT_FSIZE)
        handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (ledger.end + 30, old[1]))
        try:
            with self.assertRaisesRegex(LedgerError, "jsonl: File too large"):
                ledger.add(1, hashes(2), {"long": "x" * 100})
            with self.assertRaisesRegex(LedgerError, "hashes: File too large"):
                ledger.add(1000, hashes(2), {})
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, old)
            signal.signal(signal.SIGXFSZ, handler)
        ledger.close()
        self.assertEqual([b["first"] for b in self.open().blocks], [0])

    def test_a_failure_stays_until_its_line_is_taken_out(self):
        ledger = self.open()
        self.assertFalse(ledger.failure_path.exists())
        ledger.fail({"kind": "crash", "number": 7})
        ledger.fail({"kind": "leak", "number": 9})
        ledger.fail({"kind": "crash", "number": 7})
        ledger.add(0, hashes(1), {})
        ledger.close()
        again = self.open()
        self.assertEqual([record["number"] for record in again.failures], [7, 9])
        self.assertEqual([b["first"] for b in again.blocks], [0])
        self.assertEqual(self.open(seed=8).failures, [])
        again.close()
        # An editor may leave the last line without its end.
        line = again.failure_path.read_bytes().splitlines()[1]
        again.failure_path.write_bytes(line)
        third = self.open()
        self.assertEqual(third.failures, [{"kind": "leak", "number": 9}])
        third.fail({"kind": "hang", "number": 1})
        third.close()
        self.assertEqual(len(self.open().failures), 2)

    def test_a_failure_that_cannot_be_read_or_written_is_an_error(self):
        ledger = self.open()
        ledger.fail({"number": 7})
        limit = resource.getrlimit(resource.RLIMIT_FSIZE)
        handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (30, limit[1]))
        try:
            with self.assertRaisesRegex(LedgerError, "failures.jsonl: File too large"):
                ledger.fail({"long": "x" * 100})
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limit)
            signal.signal(signal.SIGXFSZ, handler)
        ledger.close()
        again = self.open()
        self.assertEqual(again.failures, [{"number": 7}])
        again.close()
        again.failure_path.write_bytes(b'{"number":7}\n{"num')
        with self.assertRaisesRegex(LedgerError, "failures.jsonl:2: Not a record"):
            self.open()

    def test_a_folder_that_cannot_be_made_is_an_error(self):
        self.folder.parent.mkdir(parents=True)
        self.folder.write_text("")
        with self.assertRaisesRegex(LedgerError, "File exists"):
            self.open()

    def test_hashes_that_were_lost_are_noticed(self):
        ledger = self.open()
        ledger.add(0, hashes(1, 2), {})
        ledger.hash_path.write_bytes(b"")
        with self.assertRaisesRegex(LedgerError, "Shorter"):
            ledger.distinct()


if __name__ == "__main__":
    unittest.main()
