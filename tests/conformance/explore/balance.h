// SPDX-License-Identifier: MIT
//
// What a run must leave as it was, beside descriptors: memory, mappings, and the kernel's idea of
// what epoll is to watch. And how often it may ask the kernel: whoever finds nothing to do sleeps
// (S2). None of this is in a trace, and no backend is compared with another here.
//
// The linker puts this between the library and the kernel (see BUILD.bazel).

#ifndef CEDE_TESTS_CONFORMANCE_EXPLORE_BALANCE_H
#define CEDE_TESTS_CONFORMANCE_EXPLORE_BALANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A run begins: what was not given back before is forgotten. `has_thief`: descriptors will be
// closed behind the engine's back, and epoll cannot be told in time.
void balance_begin(bool has_thief);

// What a run has left behind, "leak memory" and the like; NULL for nothing.
const char *balance_left(void);

// Whether a run that asked the kernel so often, and has so long a trace, span.
bool balance_is_spin(uint64_t answers, size_t trace_bytes);

#endif
