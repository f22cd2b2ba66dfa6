// SPDX-License-Identifier: MIT
//
// How the scheduler tells what happens: events (tasks/trace.h) for options.trace. A run without a
// trace pays one branch an event, which is always taken the same way; so events are put together
// behind that branch, and never before it.

#ifndef CEDE_TASKS_REPORT_H
#define CEDE_TASKS_REPORT_H

#include <stdbool.h>

#include "tasks/task.h"
#include "tasks/trace.h"

static inline bool cede_is_traced(const struct cede_scheduler *scheduler)
{
    return __builtin_expect(scheduler->options.trace != NULL, false);
}

// Reports an event while there is a trace; else not even the fields are looked at:
//     CEDE_REPORT(scheduler, .kind = CEDE_TRACE_DONE, .task = 1, .result = 0);
#define CEDE_REPORT(scheduler, ...)                                                                \
    do {                                                                                           \
        if (cede_is_traced(scheduler))                                                             \
            cede_report(scheduler, &(struct cede_trace_event){__VA_ARGS__});                       \
    } while (false)

// The number under which a trace knows a task.
static inline uint32_t cede_task_number(const struct cede_task *task)
{
    return (uint32_t)task->id;
}

// A deadline as a trace has it.
static inline int64_t cede_report_deadline(int64_t deadline_ns)
{
    return deadline_ns == CEDE_NEVER ? -1 : deadline_ns;
}

// These are called only where there is a trace. None suspends.

void cede_report(const struct cede_scheduler *scheduler, const struct cede_trace_event *event);

// A task was spawned, or not: `error`, and `task` is NULL. `parent` is NULL for the first.
void cede_report_spawn(const struct cede_scheduler *scheduler, const struct cede_task *parent,
                       const struct cede_task *task, const char *name, int error);

// An operation goes to the engine, with its limit; and has come back with its result.
void cede_report_submit(const struct cede_task *task, const struct cede_operation *op);
void cede_report_end(const struct cede_task *task, const struct cede_operation *op);

#endif
