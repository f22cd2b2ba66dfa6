#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The unwind information of the switch, judged by gdb: a parked task shows its frames by name when
# the registers are loaded from its stack, and at every instruction of the switch the walk reaches
# the one end or the other. Argument: the program annotations_parked.

set -u
program=$1

skip() {
    echo "skipped: $1"
    exit 0
}
command -v gdb >/dev/null || skip "gdb is not installed"
[ "$(uname -m)" = x86_64 ] || skip "the registers are named for x86-64 only"

failed=0
claim() {
    if [ "$2" = "$3" ]; then
        echo "ok: $1"
    else
        printf 'FAILED: %s\n  expected: %s\n  seen:     %s\n' "$1" "$3" "$2"
        failed=1
    fi
}

# The names of the frames of each backtrace in a session, one backtrace a line.
frames() {
    awk '/^backtrace$/ { if (line != "") print line; line = " "; next }
         /^#[0-9]+ / { name = $2 ~ /^0x/ ? $4 : $2; line = line name " " }
         END { print line }' "$1"
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
output=$scratch/output

# Runs a gdb session on the program; its commands come on standard input.
debug() {
    cat >"$scratch/commands"
    gdb -nx -batch -x "$scratch/commands" "$program" >"$output" 2>&1
}

# The layout of a parked stack stands at the top of tasks/context_x86_64.S.
debug <<'COMMANDS'
break stop_here
run
set $parked = *(char **)&parked_stack_pointer
set $rbp = *(long *)($parked + 40)
set $rip = *(long *)($parked + 48)
set $rsp = $parked + 56
echo backtrace\n
backtrace
kill
COMMANDS
grep -qiE 'ptrace: |not permitted' "$output" && {
    cat "$output"
    skip "gdb may not trace a program here"
}
# Below these frames stand, or are shown as if they stood, functions that may be inlined.
claim "a parked task shows its frames by name and then ends" \
    "$(frames "$output" | sed -E 's/^( cede_fiber_arrive)?( cede_generator_yield)?//')" \
    " park_in_the_innermost call_the_innermost body_of_the_task run_body begin "
claim "gdb finds nothing wrong with the parked stack" \
    "$(grep -ciE 'corrupt|previous frame' "$output")" 0

# From the second call of the switch on, in the yield, for more steps than the switch has: each
# backtrace must end in the task's first frame or in main's.
debug <<'COMMANDS'
break *cede_context_switch
run
continue
set $step = 0
while $step < 24
    echo backtrace\n
    backtrace
    stepi
    set $step = $step + 1
end
kill
COMMANDS
claim "the walk works at every instruction of the switch" \
    "$(frames "$output" | grep -cE ' (begin|main) $')" 24
claim "it begins on the task's stack" \
    "$(frames "$output" | head -n 1 | grep -c ' begin $')" 1
claim "it ends on the other one" \
    "$(frames "$output" | tail -n 1 | grep -c ' main $')" 1
claim "gdb finds nothing wrong on the way" \
    "$(grep -ciE 'corrupt|previous frame| \?\? ' "$output")" 0

exit $failed
