// SPDX-License-Identifier: MIT
//
// Counts what is handed over to rings, by opcode: a run that never used one has not tested it.

#ifndef CEDE_TESTS_CONFORMANCE_EXPLORE_OPCODES_H
#define CEDE_TESTS_CONFORMANCE_EXPLORE_OPCODES_H

#include <liburing.h>
#include <stdio.h>

// Counts the next entries in line. Called before they are handed over.
void opcodes_count(const struct io_uring *ring, unsigned entry_count);

// Writes a JSON object: how often each opcode that the engine has a use for was handed over since
// the process began, and all others together.
void opcodes_print(FILE *file);

#endif
