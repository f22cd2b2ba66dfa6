// SPDX-License-Identifier: MIT
//
// A forked child for what a test cannot survive: a fault, a failed check. The child's descriptor 2
// is caught, so that its last words can be asserted and do not look like the test's own.

#ifndef CEDE_TESTS_CHILD_H
#define CEDE_TESTS_CHILD_H

#include <stddef.h>

struct child_end {
    int exit_status; // or -1 if a signal ended it
    int signal;      // that ended it, or 0
    char text[4096]; // the beginning of what it wrote to descriptor 2
};

// Runs body(argument) in a child, to exit status 0 if it returns, and waits for its end. The
// signals that report faults are the system's in the child, even under a sanitizer that would
// handle them; whoever wants to see the sanitizer's report sets `keep_handlers`.
void child_run(void (*body)(void *argument), void *argument, int keep_handlers,
               struct child_end *ret_end);

#endif
