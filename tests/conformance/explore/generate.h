// SPDX-License-Identifier: MIT
//
// Programs for the oracle out of a seed. The same class, seed and number make the same program on
// every machine and in every process, so a program is named by three words. Knows what is legal in
// a strict program (docs/spec.md) and what is worth trying; runs nothing. Called by the runner.

#ifndef CEDE_TESTS_CONFORMANCE_EXPLORE_GENERATE_H
#define CEDE_TESTS_CONFORMANCE_EXPLORE_GENERATE_H

#include <stdint.h>

#include "tests/conformance/explore/program.h"

enum program_class {
    // Anything goes: each program uses a random part of the language with weights of its own.
    PROGRAM_RANDOM,
    // What comes out does not depend on the schedule: every direction of a socket has one task that
    // receives and one that sends, nothing is cut off, and nobody can be stuck.
    PROGRAM_CONFLUENT,
    // A random one under which descriptors are closed behind the engine's back (S6). What comes out
    // is not the same everywhere; but nothing may crash, hang or spin.
    PROGRAM_RUDE,
};

// Writes program `number` of `seed`. It keeps the rules of strict programs, and parses back to
// itself from its text.
void generate_program(enum program_class class, uint64_t seed, uint64_t number,
                      struct program *ret_program);

#endif
