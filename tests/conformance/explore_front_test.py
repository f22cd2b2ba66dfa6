#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""The front-end of the oracle, with a runner that is none: campaigns, ledgers, failures."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent


class FrontTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)
        self.log = self.folder / "log"

    def start(self, *words, fake=""):
        self.log.write_text("")
        environment = {**os.environ, "FAKE": fake, "FAKE_LOG": str(self.log),
                       "FAKE_MODULES": f"{HERE}:{HERE.parent / 'model'}",
                       "BUILD_WORKING_DIRECTORY": str(self.folder)}
        command = [sys.executable, "-B", HERE / "explore.py", "--runner", HERE / "explore_fake.py",
                   *words]
        return subprocess.Popen(list(map(str, command)), env=environment, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def explore(self, *words, fake=""):
        """(exit status, stdout, stderr)."""
        with self.start(*words, fake=fake) as process:
            output, errors = process.communicate(timeout=60)
        self.assertNotIn("Traceback", errors)
        return process.returncode, output, errors

    def blocks(self):
        """The blocks that runners were asked for."""
        return sorted(tuple(map(int, line.split())) for line in self.log.read_text().splitlines())

    def ledger_lines(self):
        return [json.loads(line) for line in
                (self.folder / "led" / "seed-1-random-strict.jsonl").read_text().splitlines()]

    def test_a_clean_campaign_prints_its_figures(self):
        status, output, errors = self.explore("--programs", 2500, "--jobs", 3)
        self.assertEqual((status, errors), (0, ""))
        self.assertEqual(self.blocks(), [(first, 500) for first in range(0, 2500, 500)])
        for words in ("2,500, of them distinct 1,250", "operations submitted", "median 2, most 2",
                      "operations carried out", "median 1, most 1", "with a close",
                      "50.0 %", "2 possible, least 5 (send recv), 1 under 100",
                      "POLL_ADD              2,500", "fewer than one program in 833 fails"):
            self.assertIn(words, output)

    def test_undecided_traces_are_named_and_few_of_them_are_forgiven(self):
        acceptor = ("--model", "acceptor", "--ledger", "led", "--jobs", 1)
        status, output, errors = self.explore("--programs", 1000, *acceptor, fake="undecided=1")
        self.assertEqual((status, errors), (0, ""))
        lines = output.splitlines()
        at = next(at for at, line in enumerate(lines) if line.startswith("undecided traces"))
        self.assertEqual([line.split(None, 2)[-1] for line in lines[at:at + 1]], ["2 of 3,000"])
        self.assertEqual([line.strip() for line in lines[at + 1:at + 3]],
                         ["1:0 epoll", "1:500 epoll"])
        # It is continued, and too many are undecided; the names are kept.
        status, output, errors = self.explore("--programs", 1500, *acceptor, fake="undecided=25")
        self.assertEqual(status, 1)
        self.assertEqual(errors, "explore: more than 1 of 1,000 traces is undecided\n")
        self.assertRegex(output, "undecided traces +27 of 4,500\n")
        self.assertIn("1:500 epoll\n", output)
        self.assertIn("1:1017 epoll\n", output)
        self.assertNotIn("1:1018 epoll\n", output)
        self.assertEqual(output.count(" epoll\n"), 20)

    def test_a_campaign_goes_on_where_it_was_left(self):
        self.assertEqual(self.explore("--programs", 2000, "--ledger", "led")[0], 0)
        status, output, _ = self.explore("--programs", 5000, "--ledger", "led")
        self.assertEqual(status, 0)
        self.assertEqual(sum(count for _, count in self.blocks()), 3000)
        self.assertEqual(self.blocks()[0][0], 2000)
        self.assertIn("5,000, of them distinct 2,500", output)
        status, output, _ = self.explore("--programs", 5000, "--ledger", "led")
        self.assertEqual((status, self.blocks()), (0, []))
        self.assertIn("5,000, of them", output)
        self.assertNotIn("builds", output)

    def test_a_ledger_of_another_generator_is_refused(self):
        self.explore("--programs", 10, "--ledger", "led")
        status, _, errors = self.explore("--programs", 20, "--ledger", "led", fake="generator=2")
        self.assertEqual(status, 1)
        self.assertRegex(errors, "^explore: .*Begun with generator")
        self.assertEqual(self.blocks(), [])

    def test_a_divergence_is_written_down_shrunk_and_explained(self):
        status, output, _ = self.explore("--programs", 100, "--jobs", 1, "--ledger", "led",
                                         fake="divergence=37")
        self.assertEqual(status, 1)
        self.assertIn("divergence io_uring 3: program 37 of seed 1", output)
        self.assertIn("--replay 1:37", output)
        whole = (self.folder / "failures/random-1-37.program").read_text()
        small = (self.folder / "failures/random-1-37.small.program").read_text()
        self.assertEqual(whole.count("pause"), 17)
        self.assertEqual(small, "pair a b\ntask main\n    send b 1\n    close b\n")
        self.assertIn(small, output)
        self.assertIn("- select, + io_uring", output)
        self.assertEqual(len(self.ledger_lines()), 1)

    def test_a_failure_is_not_forgotten_when_it_does_not_come_again(self):
        campaign = ("--programs", 100, "--jobs", 1, "--ledger", "led")
        kept = self.folder / "led/seed-1-random-strict.failures.jsonl"
        for _ in range(2):  # What is found again is told once.
            status, output, _ = self.explore(*campaign, fake="divergence=37")
            self.assertEqual((status, output.count("program 37 of seed 1")), (1, 1))
            self.assertEqual(len(kept.read_text().splitlines()), 1)
        for played in (100, 0):  # The block is played again, and is clean.
            status, output, _ = self.explore(*campaign)
            self.assertEqual(status, 1)
            self.assertEqual(sum(count for _, count in self.blocks()), played)
            self.assertRegex(output, r"failures +1, of them 1 of earlier runs\n")
            self.assertNotIn("at 95 %", output)
            self.assertIn("divergence io_uring 3: program 37 of seed 1, found by an earlier run\n"
                          "bazel run -c opt //tests/conformance:explore -- --replay 1:37\n", output)
        self.assertIn(f"an earlier failure counts until its line is taken out of {kept}\n", output)
        kept.unlink()
        status, output, _ = self.explore(*campaign)
        self.assertEqual(status, 0)
        self.assertIn("at 95 %", output)

    def test_what_was_told_before_an_interruption_is_a_failure(self):
        told = self.folder / "log.told"
        with self.start("--programs", 100, "--jobs", 1, "--ledger", "led",
                        fake="divergence=37 lingers") as process:
            while not told.exists():
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            output, _ = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 1)
        self.assertIn("program 37 of seed 1, written to", output)
        self.assertNotIn("hang", output)
        kept = self.folder / "led/seed-1-random-strict.failures.jsonl"
        self.assertEqual([json.loads(line)["number"] for line in kept.read_text().splitlines()],
                         [37])

    def test_crash_hang_and_leak_are_shrunk_as_what_they_are(self):
        for kind, step in (("crash", "unknown a"), ("hang", "sleep 1us"), ("leak", "release a")):
            with self.subTest(kind):
                status, output, _ = self.explore("--programs", 50, fake=f"{kind}=7")
                self.assertEqual(status, 1)
                self.assertIn(f"{kind} io_uring 3: program 7 of seed 1", output)
                small = (self.folder / "failures/random-1-7.small.program").read_text()
                self.assertTrue(small.endswith(f"task main\n    {step}\n"), small)

    def test_a_failure_that_does_not_come_every_time_is_said_so(self):
        status, output, _ = self.explore("--programs", 20, fake="divergence=5 flaky")
        self.assertEqual(status, 1)
        self.assertRegex(output, r"not every time: \d+ of 20 replays")
        self.assertIn("pair a b\ntask main\n    send b 1\n    close b\n", output)

    def test_a_failure_that_does_not_come_again_is_still_one(self):
        status, output, _ = self.explore("--programs", 20, "--backends", "select,epoll",
                                         fake="divergence=5")
        self.assertEqual(status, 1)
        self.assertIn("it does not fail when it is played again; that, too, is a failure\n", output)

    def test_a_ring_operation_that_never_came_is_a_failure(self):
        status, _, errors = self.explore("--programs", 1000, fake="missing=RECV")
        self.assertEqual(status, 1)
        self.assertIn("the ring was never asked for: RECV", errors)
        self.assertEqual(self.explore("--programs", 999, fake="missing=RECV")[0], 0)
        self.assertEqual(self.explore("--programs", 1000, "--backends", "select,epoll",
                                      fake="missing=RECV")[0], 0)

    def test_a_backend_that_is_refused_is_left_out_loudly(self):
        status, _, errors = self.explore("--programs", 1000, fake="refused=io_uring missing=RECV")
        self.assertEqual(status, 0)
        self.assertIn("io_uring: Operation not permitted: it is NOT played", errors)

    def test_all_backends_are_played_if_that_is_required(self):
        status, output, errors = self.explore("--require-all", "--programs", 10,
                                              fake="refused=io_uring")
        self.assertEqual((status, output, self.blocks()), (1, "", []))
        self.assertEqual(errors, "explore: io_uring: Operation not permitted: it is required\n")
        self.assertEqual(self.explore("--require-all", "--replay", "1:4", fake="refused=epoll")[0],
                         1)
        self.assertEqual(self.explore("--require-all", "--programs", 10)[0], 0)
        self.assertEqual(
            self.explore("--require-all", "--programs", 10, "--backends", "select,epoll")[0], 2)

    def test_a_runner_that_gives_up_is_an_error(self):
        status, _, errors = self.explore("--programs", 10, fake="broken")
        self.assertEqual(status, 1)
        self.assertRegex(errors, "^explore: programs [05] to .*fake: no sockets")
        self.explore("--programs", 10, "--jobs", 1, "--ledger", "led", fake="broken")
        status, output, _ = self.explore("--programs", 10, "--ledger", "led")
        self.assertEqual(status, 1)
        self.assertIn("broken programs 0 to 9: exit status [1]: fake: no sockets, found by an "
                      "earlier run\n", output)
        status, _, errors = self.explore("--runner", self.folder / "none")
        self.assertEqual(status, 1)
        self.assertIn("none: No such file", errors)

    def test_an_interrupted_campaign_says_what_it_has(self):
        with self.start("--programs", 500000, "--jobs", 2, "--ledger", "led",
                        fake="slow=0.05") as process:
            while len(self.log.read_text().splitlines()) < 6:
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=20)
        self.assertEqual((process.returncode, errors), (130, ""))
        self.assertTrue(output.startswith("interrupted\nprograms"), output)
        done = sum(line["count"] for line in self.ledger_lines()[1:])
        self.assertGreaterEqual(done, 2000)
        self.assertIn(f"{done:,}, of them", output)

    def test_a_replay_says_what_is_the_same(self):
        (self.folder / "a.program").write_text("task main\n    pause\n")
        status, output, _ = self.explore("--replay", "a.program", "--times", 10)
        self.assertEqual((status, output), (0, "".join(
            f"{name}: 10 of 10 times the same\n" for name in ("select", "epoll", "io_uring"))
            + "nothing fails: the traces are equal\n"))
        (self.folder / "b.program").write_text("pair a b\ntask main\n    send a 1\n    close a\n")
        status, output, _ = self.explore("--replay", "b.program")
        self.assertEqual(status, 1)
        self.assertIn("divergence on io_uring: 1 of 1 times\n- select, + io_uring\n", output)
        status, output, _ = self.explore("--replay", "b.program", "--times", 30, fake="flaky")
        self.assertEqual(status, 1)
        self.assertRegex(output, r"io_uring: [12]\d of 30 times the same")
        self.assertEqual(self.explore("--replay", "1:4")[:2],
                         (0, "nothing fails: the traces are equal\n"))
        for words in (["--mode", "normal"], ["--backends", "epoll"]):
            self.assertEqual(self.explore("--replay", "1:4", *words)[:2],
                             (0, "nothing fails: played\n"))

    def test_shrinking_a_file_writes_beside_it(self):
        (self.folder / "b.program").write_text(
            "pair a b\ntask main\n    pause\n    send a 100\n    pause\n    close b\n")
        status, output, _ = self.explore("--shrink", "b.program")
        self.assertEqual(status, 0)
        self.assertIn("divergence: 2 steps", output)
        self.assertEqual((self.folder / "b.small.program").read_text(),
                         "pair a b\ntask main\n    send a 1\n    close b\n")
        self.assertNotIn("no strict program", output)
        (self.folder / "c.program").write_text("task main\n")
        self.assertEqual(self.explore("--shrink", "c.program")[:2],
                         (1, "nothing fails: there is nothing to shrink\n"))

    def test_a_program_beyond_the_rules_is_said_to_be_so(self):
        (self.folder / "b.program").write_text(
            "tcp a b\ntask main\n    send a 4097\n    close a\noutside\n    shutdown a both\n")
        _, output, _ = self.explore("--replay", "b.program")
        self.assertIn("it is no strict program: the outside has a shutdown of a, which is for "
                      "tasks\nit is no strict program: more than 4096 bytes", output)

    def test_what_makes_no_sense_is_refused(self):
        for words in (["--programs", "0"], ["--backends", "kqueue"], ["--kind", "other"],
                      ["--model", "player", "--mode", "normal"], ["--nothing"],
                      ["--replay", "a", "--shrink", "b"]):
            with self.subTest(words):
                self.assertEqual(self.explore(*words)[0], 2)
        status, _, errors = self.explore("--replay", "none.program")
        self.assertEqual((status, errors.count("\n")), (1, 1))


if __name__ == "__main__":
    unittest.main()
