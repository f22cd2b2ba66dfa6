// SPDX-License-Identifier: MIT
//
// What a program may decide about its engine, with a default for each, and the limits that hold in
// it. Zero means the default everywhere, so `(struct cede_options){0}` and NULL are the same wish.

#ifndef CEDE_ENGINE_OPTIONS_H
#define CEDE_ENGINE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Everything has a limit. What goes over one fails with the error named beside it, alone.
struct cede_limits {
    int descriptor_count;   // Largest descriptor number + 1; -EMFILE. Default: RLIMIT_NOFILE.
    uint32_t task_count;    // Tasks alive or not yet joined; -EAGAIN. Default: 1,048,576.
    size_t stack_bytes;     // Of each task, rounded up to pages. Default: 64 KiB; least: 16 KiB.
    uint32_t cached_stacks; // Stacks kept for the next task. Default: 1,024.
    uint32_t resumptions;   // B of the specification: tasks resumed in a tick. Default: 256.
};

// Called where T3 would sleep: the place for a test or a simulation to make its next stimulus.
// `next_due_ns` is the earliest deadline, CEDE_NEVER for none. Returns true when it did something
// that may make a descriptor ready; false when it has nothing left. Does not suspend.
typedef bool cede_idle_function(void *argument, int64_t next_due_ns);

// Gets one line without a newline. Must not call into the engine. Does not suspend.
typedef void cede_log_function(void *argument, const char *message);

struct cede_trace_event; // tasks/trace.h

// Gets each event of the run in the order in which they happen. The event is gone when it returns.
// It may run on the stack of a task, and must call nothing of the library but tasks/trace.h. Does
// not suspend.
typedef void cede_trace_function(void *argument, const struct cede_trace_event *event);

struct cede_options {
    // "select", "epoll", "io_uring" or "auto". NULL: the environment's CEDE_BACKEND, else "auto".
    const char *backend;

    struct cede_limits limits;

    // Strict mode (docs/spec.md): every shortcut off and the clock virtual, so that equal stimuli
    // give equal traces on every backend. For conformance, simulation and replay.
    bool strict;

    cede_idle_function *idle; // May be NULL.
    void *idle_argument;

    // Installs signal handlers that name the task and its stack size when a stack overflows.
    bool reports_overflow;

    cede_log_function *log; // The library itself never prints. NULL drops the messages.
    void *log_argument;

    cede_trace_function *trace; // NULL: no trace, and no cost.
    void *trace_argument;
};

#endif
