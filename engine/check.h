// SPDX-License-Identifier: MIT
//
// Preconditions and invariants that stay in release builds. assert(3) vanishes under NDEBUG, which
// an optimised build defines; an engine that others trust with their descriptors must stop at the
// first broken promise, not at the third consequence.

#ifndef CEDE_ENGINE_CHECK_H
#define CEDE_ENGINE_CHECK_H

// Ends the process with one line that names the place and the condition. Called by cede_check.
_Noreturn void cede_check_failed(const char *file, int line, const char *condition);

// A condition that only a mistake in a program can break: the caller's for a precondition, ours for
// an invariant. Never used for what a peer or the kernel may do.
#define cede_check(condition)                                                                      \
    (__builtin_expect(!!(condition), 1) ? (void)0                                                  \
                                        : cede_check_failed(__FILE__, __LINE__, #condition))

#endif
