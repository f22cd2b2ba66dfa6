// SPDX-License-Identifier: MIT
//
// The message for a stack that was too small. A task that runs into the guard below its stack dies
// of a bare SIGSEGV; with this handler installed, one line on descriptor 2 says before that which
// task it was, and which number to raise:
//
//     cede: task "echo" overflowed its stack of 65536 bytes (options.limits.stack_bytes)
//
// The handler is opt-in, since the handlers of signals are the process's. A stack without a guard
// has a canary, which needs none: it is looked at whenever its task stops running. This unit knows
// stacks, not the scheduler, which installs it and tells it at each resumption who runs.

#ifndef CEDE_TASKS_OVERFLOW_H
#define CEDE_TASKS_OVERFLOW_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

struct cede_stack;

// Who runs, for the handler to read. It and what it points to outlive the time they are watched.
struct cede_overflow_watch {
    const char *task_name;
    const struct cede_stack *stack;
    bool has_canary; // The stack has one; kept here so that few need to look at the stack.
};

// What this thread watches; NULL when no task runs. The model makes a write to it one instruction,
// and a read safe in a signal handler.
extern _Thread_local const struct cede_overflow_watch *cede_overflow_watched
    __attribute__((tls_model("initial-exec")));

// A task runs from here on; no handler need be installed.
static inline void cede_overflow_watch(const struct cede_overflow_watch *watch)
{
    cede_overflow_watched = watch;
}

// Reports as the handler does, and stops the process, if the canary is not as it was.
void cede_overflow_check_canary(const struct cede_overflow_watch *watch);

// It no longer runs. Where no guard faults, this is the time to find that its stack was too small:
// before anybody else uses memory that it may have written to.
static inline void cede_overflow_unwatch(const struct cede_overflow_watch *watch)
{
    cede_overflow_watched = NULL;
    if (watch->has_canary)
        cede_overflow_check_canary(watch);
}

// One thread's installation. Opaque.
struct cede_overflow {
    void *memory; // the alternate stack, since the handler cannot run on the full one
    stack_t old_stack;
};

// Installs an alternate stack for the calling thread and, if it is the first of the process, the
// handlers of SIGSEGV and SIGBUS. Each thread that runs tasks installs for itself. 0, or -ENOMEM,
// or the error of sigaction(2) or sigaltstack(2), with nothing installed.
//
// After the line the old handlers are back and the fault happens again: the process ends as it
// would have without us, core file included. Faults of other kinds take the same way without a
// line.
int cede_overflow_install(struct cede_overflow *ret_overflow);

// Undoes it, in the thread that installed it; the last one restores the old handlers.
void cede_overflow_remove(struct cede_overflow *overflow);

#endif
