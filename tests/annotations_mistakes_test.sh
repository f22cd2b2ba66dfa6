#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The annotations of stacks and switches, judged by what they are for: a mistake on a task's stack
# must be caught by the tool that the program is built for, or by valgrind if it is built for none.
# Argument: the program annotations_mistakes.

set -u
program=$1
failed=0

# A mistake, the words that the report must contain, and the command.
caught() {
    local mistake=$1 words=$2 output
    shift 2
    if output=$("$@" "$mistake" 2>&1); then
        printf 'FAILED: %s: nobody noticed\n%s\n' "$mistake" "$output"
        failed=1
    elif ! grep -qF "$words" <<<"$output"; then
        printf 'FAILED: %s: the report does not say "%s"\n%s\n' "$mistake" "$words" "$output"
        failed=1
    else
        echo "ok: $mistake: $words"
    fi
}

case $("$program" tool) in
address)
    caught given_back use-after-poison "$program"
    caught scope stack-use-after-scope "$program"
    caught end_of_array stack-buffer-overflow "$program"
    echo "skipped: race: this build watches addresses"
    ;;
thread)
    caught race 'data race' "$program"
    echo "skipped: given_back scope end_of_array: this build watches threads"
    ;;
none)
    if command -v valgrind >/dev/null; then
        caught given_back 'Invalid read' valgrind -q --error-exitcode=9 "$program"
    else
        echo "skipped: given_back: no sanitizer in this build, and valgrind is not installed"
    fi
    echo "skipped: scope end_of_array race: no sanitizer in this build"
    ;;
*)
    echo "FAILED: the program does not say what it is built for"
    failed=1
    ;;
esac
exit $failed
