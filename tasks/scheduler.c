// SPDX-License-Identifier: MIT
//
// The brief's loop. There: take the first task, run it to its yield, look at the pair it yielded,
// put it in the map of those who wait; when no task is left to run, ask select() and move the tasks
// of ready sockets back. Here: the pair is an operation, the maps and select() are the engine. Read
// `cede_scheduler_run` first. What a task may call is in scheduler_calls.c.
//
// A task is done when its body returns. Nothing else ends a task: a cancelled one sees its
// suspensions fail and returns by itself, so no stack is ever thrown away with frames on it.

#include "tasks/scheduler.h"

#include <errno.h>
#include <string.h>

#include "engine/check.h"
#include "engine/engine.h"
#include "tasks/report.h"
#include "tasks/task.h"

// T1 ends after this time in normal mode, so that a burst of work does not keep the kernel waiting.
#define T1_NS (100 * INT64_C(1000))

// The most tasks that are resumed without looking at the clock.
#define CLOCK_STRIDE_MAX 8

static void make_runnable(struct cede_task *task)
{
    struct cede_scheduler *scheduler = task->scheduler;
    task->state = CEDE_TASK_RUNNABLE;
    task->op = NULL;
    task->next = NULL;
    if (scheduler->last_runnable)
        scheduler->last_runnable->next = task;
    else
        scheduler->first_runnable = task;
    scheduler->last_runnable = task;
}

static struct cede_task *take_first_runnable(struct cede_scheduler *scheduler)
{
    struct cede_task *task = scheduler->first_runnable;
    scheduler->first_runnable = task->next;
    if (!task->next)
        scheduler->last_runnable = NULL;
    return task;
}

// Hands the operation that a task has yielded to the engine.
static void park(struct cede_task *task, struct cede_operation *op)
{
    struct cede_engine *engine = task->scheduler->engine;
    enum cede_class class = cede_verb_class((enum cede_verb)op->verb);
    if (class == CEDE_CLASS_COUNT)
        cede_engine_log(engine, "task %s yielded the unknown verb %u", task->name, op->verb);
    task->state = CEDE_TASK_PARKED;
    task->op = op;
    op->owner = task;
    op->limit_ns = op->deadline_ns < task->deadline_ns ? op->deadline_ns : task->deadline_ns;
    if (cede_is_traced(task->scheduler))
        cede_report_submit(task, op);
    // A close runs to its end whatever happens to its task (S6).
    int refusal = cede_scheduler_refusal(task);
    if (refusal && class != CEDE_CLASS_CLOSER)
        cede_engine_refuse(engine, op, refusal);
    else
        cede_engine_submit(engine, op);
}

// The body has returned: its stack goes back, its joiner is woken.
static void finish(struct cede_scheduler *scheduler, struct cede_task *task)
{
    cede_check(task->scope == &task->root);
    if (cede_is_traced(scheduler))
        cede_report_done(task);
    cede_generator_destroy(&task->generator);
    cede_stack_give_back(&scheduler->stacks, task->stack);
    task->state = CEDE_TASK_DONE;
    scheduler->living_count--;
    // A joiner that was cut off is already on its way, and will find this one done or leave it.
    struct cede_operation *join = task->joiner ? task->joiner->op : NULL;
    if (join && cede_engine_withdraw(scheduler->engine, join)) {
        join->result = 0;
        make_runnable(task->joiner);
    } else if (!task->is_joinable) {
        cede_tasks_destroy(&scheduler->tasks, task);
    }
}

// Runs a task until it yields or returns.
static void resume(struct cede_scheduler *scheduler, struct cede_task *task)
{
    cede_overflow_watch(&task->watch);
    struct cede_operation *op = cede_generator_next(&task->generator, NULL);
    cede_overflow_unwatch(&task->watch);
    if (cede_generator_is_finished(&task->generator))
        finish(scheduler, task);
    else if (op)
        park(task, op);
    else
        make_runnable(task);
}

// Whether T1 has used up its time. Tasks that run for a microsecond need not be timed one by one:
// the clock is read after each only when the last few have shown to be slow.
static bool is_time_over(struct cede_scheduler *scheduler, uint32_t resumed, int64_t *last_ns,
                         int64_t end_ns)
{
    if (resumed % scheduler->clock_stride != 0)
        return false;
    int64_t now_ns = cede_sys_now_ns();
    bool are_fast = now_ns - *last_ns < T1_NS / CLOCK_STRIDE_MAX;
    scheduler->clock_stride = are_fast ? CLOCK_STRIDE_MAX : 1;
    *last_ns = now_ns;
    return now_ns >= end_ns;
}

// T1: runnable tasks in the order in which they became so, up to a number and a time. Returns how
// many ran. The tick that came before has handed something back, or not.
static uint32_t run_tasks(struct cede_scheduler *scheduler, bool has_ended)
{
    if (cede_is_traced(scheduler) && has_ended)
        cede_report_tick(scheduler);
    bool strict = scheduler->options.strict;
    int64_t last_ns = strict || !scheduler->first_runnable ? 0 : cede_sys_now_ns();
    int64_t end_ns = last_ns + T1_NS;
    uint32_t resumed = 0;
    while (scheduler->first_runnable && resumed < scheduler->options.limits.resumptions) {
        resume(scheduler, take_first_runnable(scheduler));
        resumed++;
        if (!strict && is_time_over(scheduler, resumed, &last_ns, end_ns))
            break;
    }
    return resumed;
}

static void name_and_cancel(struct cede_task *task)
{
    if (task->state == CEDE_TASK_DONE)
        return;
    if (task->op)
        cede_engine_log(task->scheduler->engine, "task %s is left in %s", task->name,
                        cede_verb_name((enum cede_verb)task->op->verb));
    cede_scheduler_cancel(task);
}

// Nothing can wake the tasks that are left, or the backend is dead: they unwind (S12).
static void give_up(struct cede_scheduler *scheduler, int error)
{
    if (scheduler->outcome == 0) {
        scheduler->outcome = error;
        cede_engine_log(scheduler->engine, "the run is given up: %s", strerror(-error));
    }
    cede_tasks_visit(&scheduler->tasks, name_and_cancel);
}

int cede_scheduler_run(struct cede_scheduler *scheduler)
{
    uint32_t resumed = run_tasks(scheduler, false);
    while (scheduler->living_count > 0) {
        struct cede_operation_list ended = {.first = NULL};
        bool is_runnable = scheduler->first_runnable != NULL;
        int error = cede_engine_tick(scheduler->engine, is_runnable, resumed, &ended);
        bool has_ended = ended.first != NULL;

        CEDE_OPERATIONS_EACH(op, next, ended.first)
            make_runnable(op->owner);
        if (error < 0)
            give_up(scheduler, error);

        resumed = run_tasks(scheduler, has_ended);
    }
    return scheduler->outcome;
}

// The body of the generator: the task's own, and its result kept.
static void run_body(struct cede_generator *generator, void *argument)
{
    struct cede_task *task = argument;
    cede_check(generator == &task->generator);
    task->result = task->body(task, task->argument);
}

// A task that is ready to run but for its place in the queue: 0, -EAGAIN or -ENOMEM.
static int create_task(struct cede_scheduler *scheduler, const char *name, cede_body *body,
                       void *argument, struct cede_task **ret_task)
{
    struct cede_task *task;
    int error = cede_tasks_create(&scheduler->tasks, &task);
    if (error < 0)
        return error;
    error = cede_stack_take(&scheduler->stacks, &task->stack);
    if (error < 0) {
        cede_tasks_destroy(&scheduler->tasks, task);
        return error;
    }
    task->scheduler = scheduler;
    task->body = body;
    task->argument = argument;
    task->root = (struct cede_scope){.task = task, .deadline_ns = CEDE_NEVER};
    cede_scheduler_set_scope(task, &task->root);
    task->watch = (struct cede_overflow_watch){
        .task_name = task->name, .stack = task->stack, .has_canary = task->stack->canary_bytes > 0};
    strncpy(task->name, name, sizeof task->name - 1);
    cede_generator_create(task->stack, run_body, task, &task->generator);
    *ret_task = task;
    return 0;
}

int cede_scheduler_spawn(struct cede_scheduler *scheduler, const struct cede_task *parent,
                         const char *name, cede_body *body, void *argument,
                         struct cede_handle *ret_handle)
{
    cede_check(name && body);
    struct cede_task *task = NULL;
    int error = create_task(scheduler, name, body, argument, &task);
    if (cede_is_traced(scheduler))
        cede_report_spawn(scheduler, parent, task, name, error);
    if (error < 0)
        return error;
    scheduler->living_count++;
    make_runnable(task);
    if (ret_handle) {
        task->is_joinable = true;
        *ret_handle = cede_self(task);
    }
    return 0;
}
