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

# Children that die as planned are not asked: they report themselves.
options='-q --child-silent-after-fork=yes --error-exitcode=9'
# A valgrind that knows guards by advice ends at 500 of them unless told otherwise.
if valgrind --help | grep -q -e --max-guard-pages; then
    options="$options --max-guard-pages=1000000"
fi

failed=0
for program in "$@"; do
    if output=$(valgrind $options "$program" 2>&1); then
        echo "ok: $(basename "$program"): $(grep -c '       OK' <<<"$output") tests"
    else
        printf 'FAILED: %s\n%s\n' "$program" "$output"
        failed=1
    fi
done
exit $failed
