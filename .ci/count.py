#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""Counts what a run of the tests has shown: `count.py EVENTS STATUS`.

EVENTS is the file that Bazel wrote for --build_event_json_file, STATUS what Bazel exited with. A
cmocka program counts once for each of its cases, from its log; any other test counts once, as
skipped if its last line begins with `skipped:`. Prints a line for each test, then
`N passed, N failed`, and exits with 1 if anything failed or nothing ran.
"""

import json
import re
import sys
import urllib.parse
from pathlib import Path

_STARTED = re.compile(r"\[ RUN      \] \S")
_PASSED = re.compile(r"\[       OK \] \S")
# Given once where it happens, with a name, and once in a closing list that begins with a count.
_SKIPPED = re.compile(r"\[  SKIPPED \] \S")
_ALL_SKIPPED = re.compile(r"^skipped: .*\n*\Z", re.MULTILINE)
_SKIPPED_LIST = re.compile(r"\[  SKIPPED \] (\d+) test\(s\), listed below:")


def cases(log):
    """(passed, failed, skipped) cases of a cmocka log, None for any other.

    A case that was started and neither passed nor was skipped has failed: so one that takes the
    whole process down is counted too.
    """
    started = len(_STARTED.findall(log))
    if not started:
        return None
    passed = len(_PASSED.findall(log))
    skipped = len(_SKIPPED.findall(log))
    for count in _SKIPPED_LIST.findall(log):
        skipped -= 1 + int(count)
    return passed, started - passed - skipped, skipped


def count_test(status, log):
    """(passed, failed, skipped) of one test whose log is `log`; `status` is Bazel's word for it."""
    counted = cases(log)
    if counted is None:
        skipped = int(_ALL_SKIPPED.search(log) is not None)
        counted = (1 - skipped, 0, skipped) if status == "PASSED" else (0, 1, 0)
    passed, failed, skipped = counted
    return passed, failed if status == "PASSED" else max(failed, 1), skipped


def read_log(result):
    for output in result.get("testActionOutput", ()):
        if output["name"] == "test.log":
            path = Path(urllib.parse.unquote(urllib.parse.urlparse(output["uri"]).path))
            return path.read_text(encoding="utf-8", errors="replace")
    return ""


def outcomes(events):
    """Yields (label, Bazel's word, passed, failed, skipped) of each test and each broken target."""
    for event in events:
        if "testResult" in event:
            status = event["testResult"]["status"]
            yield (event["id"]["testResult"]["label"], status,
                   *count_test(status, read_log(event["testResult"])))
        elif "completed" in event and not event["completed"].get("success"):
            yield event["id"]["targetCompleted"]["label"], "FAILED TO BUILD", 0, 1, 0


def main(events_path, bazel_status):
    lines = []
    if Path(events_path).exists():
        lines = Path(events_path).read_text(encoding="utf-8").splitlines()
    total_passed = total_failed = total_skipped = 0
    for label, status, passed, failed, skipped in sorted(outcomes(map(json.loads, lines))):
        print(f"{label:60} {status:15} {passed:5} passed {failed:3} failed {skipped:3} skipped")
        total_passed += passed
        total_failed += failed
        total_skipped += skipped
    if total_failed == 0 and bazel_status != "0":
        print(f"bazel ended with status {bazel_status}, counted as a failure")
        total_failed = 1
    if total_skipped:
        print(f"{total_skipped} skipped")
    print(f"{total_passed} passed, {total_failed} failed")
    return 0 if total_failed == 0 and total_passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
