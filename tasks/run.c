// SPDX-License-Identifier: MIT
//
// A run from beginning to end: chooses a backend, opens an engine and a pool of stacks, starts the
// first task, and gives everything back when the loop in scheduler.c has no task left.

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine/backends.h"
#include "engine/check.h"
#include "tasks/report.h"
#include "tasks/task.h"

// The run of this thread, to refuse a run inside a run (S22), and the process it belongs to: a
// child that was forked in the middle of it may open one of its own (S21).
static _Thread_local struct {
    const struct cede_scheduler *scheduler;
    int process;
} running;

// What was never joined is forgotten with the run.
static void forget_done(struct cede_task *task)
{
    cede_check(task->state == CEDE_TASK_DONE);
    cede_tasks_destroy(&task->scheduler->tasks, task);
}

// Overflows are found out later or not at all where guards are not the best ones.
static void log_guards(const struct cede_scheduler *scheduler)
{
    const struct cede_options *options = &scheduler->options;
    const struct cede_stack_pool *stacks = &scheduler->stacks;
    if (!options->log || stacks->guard == CEDE_STACK_GUARD_MADVISE)
        return;
    char line[160];
    snprintf(line, sizeof line, "stack guards: %s, canaries beyond %u tasks (madvise: %s)",
             cede_stack_guard_name(stacks), stacks->protected_limit,
             strerror(-stacks->guard_error));
    options->log(options->log_argument, line);
}

static int run_first(struct cede_scheduler *scheduler, cede_body *body, void *argument)
{
    struct cede_overflow overflow;
    int error = scheduler->options.reports_overflow ? cede_overflow_install(&overflow) : 0;
    if (error < 0)
        return error;
    running.scheduler = scheduler;
    running.process = cede_sys_process();
    error = cede_scheduler_spawn(scheduler, NULL, "main", body, argument, NULL);
    log_guards(scheduler);
    if (error == 0)
        error = cede_scheduler_run(scheduler);
    if (cede_is_traced(scheduler))
        cede_report_outcome(scheduler, error);
    running.scheduler = NULL;
    if (scheduler->options.reports_overflow)
        cede_overflow_remove(&overflow);
    return error;
}

static void log_refusals(const struct cede_options *options,
                         const struct cede_backends_choice *choice)
{
    for (int i = 0; options->log && i < choice->refusal_count; i++) {
        char line[160];
        const struct cede_trial *refusal = &choice->refusals[i];
        snprintf(line, sizeof line, "backend %s: %s", refusal->name, refusal->text);
        options->log(options->log_argument, line);
    }
}

int cede_run(const struct cede_options *options, cede_body *body, void *argument)
{
    if (running.scheduler && running.process == cede_sys_process())
        return -EDEADLK;
    struct cede_scheduler scheduler = {
        .options = cede_options_fill(options),
        .clock_stride = 1,
    };
    struct cede_backends_choice choice;
    int error = cede_backends_choose(scheduler.options.backend, &choice);
    log_refusals(&scheduler.options, &choice);
    if (error < 0)
        return error;
    const struct cede_limits *limits = &scheduler.options.limits;
    scheduler.tasks.limit = limits->task_count;
    error = cede_stack_pool_open(limits->stack_bytes, limits->cached_stacks, &scheduler.stacks);
    if (error < 0)
        return error;
    error = cede_engine_open(choice.backend, &scheduler.options, &scheduler.engine);
    if (error == 0) {
        error = run_first(&scheduler, body, argument);
        cede_tasks_visit(&scheduler.tasks, forget_done);
        cede_tasks_close(&scheduler.tasks);
        cede_engine_close(scheduler.engine);
    }
    cede_stack_pool_close(&scheduler.stacks);
    return error;
}
