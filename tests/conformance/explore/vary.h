// SPDX-License-Identifier: MIT
//
// Changes to a confluent program that may not change what comes out (results.h), though its
// schedule becomes another. Knows programs only. Called by confluent.c.

#ifndef CEDE_TESTS_CONFORMANCE_EXPLORE_VARY_H
#define CEDE_TESTS_CONFORMANCE_EXPLORE_VARY_H

#include <stdint.h>

#include "tests/conformance/explore/program.h"

enum variation {
    VARY_PAUSES,      // Pauses and sleeps of no time between steps.
    VARY_PIECES,      // Transfers cut into other pieces.
    VARY_TASK_ORDER,  // Tasks declared, and so named and numbered, in another order.
    VARY_SPAWN_ORDER, // Tasks spawned in another order and at other times.
    VARY_WAITS,       // A bare wait before transfers.
    VARY_SMALL_PAIRS, // small-pair instead of pair.
    VARIATION_COUNT,
};

const char *variation_name(enum variation variation);

// Writes the varied program. What does not fit any more is left as it was.
void vary(const struct program *program, enum variation variation, uint64_t seed,
          struct program *ret_program);

#endif
