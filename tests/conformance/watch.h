// SPDX-License-Identifier: MIT
//
// Watches what a claim leaves behind: descriptors, memory, mapped stacks. The linker puts the
// functions of watch.c between the library and engine/sys (see WRAPPED in BUILD.bazel), so the
// library does not know, and between the scheduler and its engine, so that claims can read the
// counters.

#ifndef CEDE_TESTS_CONFORMANCE_WATCH_H
#define CEDE_TESTS_CONFORMANCE_WATCH_H

struct cede_engine;

// The engine that was opened last in this thread and is still open. NULL: none.
struct cede_engine *watch_engine(void);

// Notes which descriptors are open.
void watch_begin(void);

// Requires that the same are open, and that all memory and mappings were given back.
void watch_end(void);

#endif
