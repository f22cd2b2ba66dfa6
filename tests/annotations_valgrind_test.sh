#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Valgrind finds nothing in tests that do nothing but switch stacks: it knows each of them and takes
# no switch for a corruption. Arguments: the program annotations_mistakes, which says what the build
# is for, and the tests.

set -u
built_for=$("$1" tool)
shift

if [ "$built_for" != none ]; then
    echo "skipped: valgrind cannot run a program with a sanitizer in it"
    exit 0
fi
if ! command -v valgrind >/dev/null; then
    echo "skipped: valgrind is not installed"
    exit 0
fi

failed=0
for program in "$@"; do
    # Children that die as planned are not asked: they report themselves.
    if output=$(valgrind -q --child-silent-after-fork=yes --error-exitcode=9 "$program" 2>&1); then
        echo "ok: $(basename "$program"): $(grep -c '       OK' <<<"$output") tests"
    else
        printf 'FAILED: %s\n%s\n' "$program" "$output"
        failed=1
    fi
done
exit $failed
