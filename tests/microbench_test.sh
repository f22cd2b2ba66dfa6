#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The tool measures every row and says what it is about; what the numbers are is not judged here, as
# a test runs beside others. Argument: the program microbench.

set -eu
program=$1

# Few tasks, since the thread sanitizer maps much memory for each.
table=$("$program" --rounds 1 --parked 100)
echo "$table"
for row in "empty indirect call pair" "generator round trip" "ucontext round trip" \
    "task spawn and join"; do
    grep -qE "^$row( +[0-9]+\.[0-9]{2}){3}$" <<<"$table"
done
grep -qE '^memory of a parked task: [0-9]+ bytes' <<<"$table"

"$program" --help | grep -q -- '--rounds N'

status=0
"$program" --rounds 0 2>/dev/null || status=$?
[ "$status" = 2 ]
