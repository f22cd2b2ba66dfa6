// SPDX-License-Identifier: MIT
//
// Tells which program it was when the process dies of one, or when one does not come to an end: a
// line on stdout, `crash SEED NUMBER BACKEND` or `hang SEED NUMBER BACKEND`, and exit status 3.

#ifndef CEDE_TESTS_CONFORMANCE_EXPLORE_WATCHDOG_H
#define CEDE_TESTS_CONFORMANCE_EXPLORE_WATCHDOG_H

#include <stdint.h>

#define WATCHDOG_EXIT_STATUS 3

// Installs the signal handlers. What was written to stdout before must have been flushed whenever a
// program begins. A program may take so many seconds of the processor, and five seconds more by the
// clock, in case the machine is busy; and no more than a quarter longer.
void watchdog_start(uint64_t limit_s);

// A program begins, on a backend.
void watchdog_watch(uint64_t seed, uint64_t number, const char *backend);

// None runs until the next begins: who is waited for may take as long as it likes.
void watchdog_rest(void);

#endif
