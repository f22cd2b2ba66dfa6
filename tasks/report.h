// SPDX-License-Identifier: MIT
//
// How the scheduler tells what happens: events (tasks/trace.h) for options.trace. A run without a
// trace pays one branch an event, which always goes the same way:
//     if (cede_is_traced(scheduler))
//         cede_report_...

#ifndef CEDE_TASKS_REPORT_H
#define CEDE_TASKS_REPORT_H

#include <stdbool.h>

#include "tasks/task.h"
#include "tasks/trace.h"

static inline bool cede_is_traced(const struct cede_scheduler *scheduler)
{
    return __builtin_expect(scheduler->options.trace != NULL, false);
}

// The rest is called only where there is a trace. Its code stays out of the callers, which would
// save registers for it in runs that have none. Each makes the event of its name; none suspends.
#define CEDE_COLD __attribute__((cold, noinline))

// The tick handed back what ended.
CEDE_COLD void cede_report_tick(const struct cede_scheduler *scheduler);

// `task` is NULL when it could not be had: `error`. `parent` is NULL for the first.
CEDE_COLD void cede_report_spawn(const struct cede_scheduler *scheduler,
                                 const struct cede_task *parent, const struct cede_task *task,
                                 const char *name, int error);

// With its limit, before the engine has it; with its result, when its task goes on.
CEDE_COLD void cede_report_submit(const struct cede_task *task, const struct cede_operation *op);
CEDE_COLD void cede_report_end(const struct cede_task *task, const struct cede_operation *op);

CEDE_COLD void cede_report_pause(const struct cede_task *task);

// `value` is the other's result, or 0 when the join failed.
CEDE_COLD void cede_report_join(const struct cede_task *task, struct cede_handle other, int result,
                                int value);
CEDE_COLD void cede_report_cancel(const struct cede_task *task, struct cede_handle other);
CEDE_COLD void cede_report_shutdown(const struct cede_task *task, int fd, int how, int result);

// `value` as for cede_scheduler_report_scope.
CEDE_COLD void cede_report_scope(const struct cede_scope *scope, enum cede_trace_scope what,
                                 int64_t value);
CEDE_COLD void cede_report_done(const struct cede_task *task);
CEDE_COLD void cede_report_outcome(const struct cede_scheduler *scheduler, int outcome);

#endif
