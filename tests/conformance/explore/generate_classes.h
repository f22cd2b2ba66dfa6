// SPDX-License-Identifier: MIT
//
// The kinds of programs, each from the state of its random numbers. Called by generate.c alone.

#ifndef CEDE_TESTS_CONFORMANCE_EXPLORE_GENERATE_CLASSES_H
#define CEDE_TESTS_CONFORMANCE_EXPLORE_GENERATE_CLASSES_H

#include <stdint.h>

#include "tests/conformance/explore/program.h"

void generate_random(uint64_t random, struct program *ret_program);
void generate_confluent(uint64_t random, struct program *ret_program);
void generate_rude(uint64_t random, struct program *ret_program);

#endif
