// SPDX-License-Identifier: MIT
//
// What the programs that were run have in them: shares, a histogram of their lengths, and which
// operation followed which on one object. Reads traces, so what was merely written down does not
// count. All figures are plain counters, so those of several processes can be added up. Called by
// the runner.

#ifndef CEDE_TESTS_CONFORMANCE_EXPLORE_COVERAGE_H
#define CEDE_TESTS_CONFORMANCE_EXPLORE_COVERAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "tests/conformance/explore/program.h"

// The traits of a program; each is counted at most once a program.
enum coverage_trait {
    COVERAGE_PARKED_SENDER, // A sender was not done at once: not in its first tick, or in parts.
    COVERAGE_CANCEL,        // A task or a scope was cancelled by a step.
    COVERAGE_CLOSE,         // A task closed something.
    COVERAGE_DEADLINE,      // An operation had a deadline.
    COVERAGE_TIMED_OUT,     // One was cut off by it.
    COVERAGE_STUCK,         // The run ended with -EDEADLK.
    COVERAGE_SHUTDOWN,      // A task shut something down.
    COVERAGE_END_OF_STREAM, // Somebody received the end of a stream.
    COVERAGE_BUSY,          // Two waiters met.
    COVERAGE_EVICTED,       // An operation that was waiting ended with -EBADF.
    COVERAGE_CONNECTED,     // A connect succeeded.
    COVERAGE_WAKEUP,        // A wakeup woke somebody.
    COVERAGE_STIMULUS,      // The outside did something.
    COVERAGE_CROWD,         // 25 operations or more ended in one tick.
    COVERAGE_LONG_TURN,     // 256 resumptions or more in one tick.
    COVERAGE_TRAIT_COUNT,
};

// Operations that have a descriptor, in the order of enum step_kind; then shutdown, try-recv and
// try-send.
#define COVERAGE_KINDS (STEP_UNKNOWN + 1 + 3)
#define COVERAGE_OPERATIONS_MAX PROGRAM_STEPS_MAX

struct coverage {
    uint64_t programs;
    uint64_t declared_tasks; // Of all programs together,
    uint64_t spawned_tasks;  // and those that ran.
    uint64_t traits[COVERAGE_TRAIT_COUNT];
    // Programs by how many operations they submitted, and by how many of those did not end with
    // -ECANCELED.
    uint64_t operations[COVERAGE_OPERATIONS_MAX + 1];
    uint64_t carried_out[COVERAGE_OPERATIONS_MAX + 1];
    uint64_t steps[STEP_KIND_COUNT]; // That were executed, by kind.
    // First, then the next on the same object; those that ended with -ECANCELED are not counted.
    uint64_t pairs[COVERAGE_KINDS][COVERAGE_KINDS];
};

// Counts one run of a program, from its binary trace (tasks/trace.h). All zero is a coverage of
// nothing.
void coverage_add(struct coverage *coverage, const struct program *program, const uint8_t *trace,
                  size_t bytes);

// Whether such a pair can be executed at all.
bool coverage_is_possible(enum step_kind first, enum step_kind second);

// Writes one JSON object of numbers, lists and objects of numbers; those of several processes are
// added up number by number. Has no end of line.
void coverage_print(FILE *file, const struct coverage *coverage);

// Appends the hash of a program, eight bytes, lowest first, to the file by which the front-end
// counts distinct programs. 0, or -EIO.
int coverage_append_hash(FILE *file, const struct program *program);

#endif
