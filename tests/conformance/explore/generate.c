// SPDX-License-Identifier: MIT
//
// From the words that name a program to the numbers that make it.

#include "tests/conformance/explore/generate.h"

#include "tests/conformance/explore/generate_classes.h"
#include "tests/seed.h"

void generate_program(enum program_class class, uint64_t seed, uint64_t number,
                      struct program *ret_program)
{
    // Mixed twice, so that neighbours among seeds and numbers have nothing in common.
    uint64_t state = seed ^ (uint64_t)class << 63;
    state = seed_next(&state) ^ number;
    uint64_t random = seed_next(&state);
    if (class == PROGRAM_RANDOM)
        generate_random(random, ret_program);
    else if (class == PROGRAM_CONFLUENT)
        generate_confluent(random, ret_program);
    else
        generate_rude(random, ret_program);
}
