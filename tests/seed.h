// SPDX-License-Identifier: MIT
//
// Random numbers for tests: a new seed each time, printed, and taken again from the command line.

#ifndef CEDE_TESTS_SEED_H
#define CEDE_TESTS_SEED_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

// The seed that main was given, or a new one.
static inline uint64_t seed_take(int count, char **words)
{
    uint64_t seed = 0;
    if (count > 1)
        seed = strtoull(words[1], NULL, 10);
    else if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed)
        abort();
    printf("seed %llu\n", (unsigned long long)seed);
    return seed;
}

// The next number of the sequence: SplitMix64, whose every state is a good one.
static inline uint64_t seed_next(uint64_t *state)
{
    uint64_t mixed = *state += UINT64_C(0x9e3779b97f4a7c15);
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ (mixed >> 31);
}

#endif
