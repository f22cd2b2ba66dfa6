// SPDX-License-Identifier: MIT
//
// What a task may call: it runs on that task's stack, and either asks the loop in scheduler.c for
// something by yielding it, or changes what the loop will find. Knows nothing of the loop's queue.

#include "tasks/scheduler.h"

#include <errno.h>

#include "engine/check.h"
#include "engine/engine.h"
#include "tasks/report.h"
#include "tasks/task.h"

// --- Suspending ---------------------------------------------------------------------------------

int64_t cede_await(struct cede_task *self, struct cede_operation *op)
{
    cede_generator_yield(&self->generator, op);
    if (cede_is_traced(self->scheduler))
        cede_report_end(self, op);
    return op->result;
}

void cede_wait_prepare(struct cede_operation *ret_op, enum cede_direction direction, int fd)
{
    bool is_recv = direction == CEDE_RECV;
    cede_operation_prepare(ret_op, is_recv ? CEDE_VERB_WAIT_RECV : CEDE_VERB_WAIT_SEND, fd);
}

int cede_wait(struct cede_task *self, enum cede_direction direction, int fd)
{
    struct cede_operation op;
    cede_wait_prepare(&op, direction, fd);
    return (int)cede_await(self, &op);
}

int cede_pause(struct cede_task *self)
{
    cede_generator_yield(&self->generator, NULL);
    if (cede_is_traced(self->scheduler))
        cede_report_pause(self);
    return cede_scheduler_refusal(self);
}

void cede_sleep_prepare(struct cede_operation *ret_op, int64_t deadline_ns)
{
    cede_operation_prepare(ret_op, CEDE_VERB_PARK, -1);
    ret_op->deadline_ns = deadline_ns;
}

int cede_sleep_until(struct cede_task *self, int64_t deadline_ns)
{
    struct cede_operation op;
    cede_sleep_prepare(&op, deadline_ns);
    return (int)cede_await(self, &op);
}

int cede_sleep(struct cede_task *self, int64_t duration_ns)
{
    int64_t now_ns = cede_now_ns(self);
    return cede_sleep_until(self,
                            duration_ns < CEDE_NEVER - now_ns ? now_ns + duration_ns : CEDE_NEVER);
}

// --- Tasks --------------------------------------------------------------------------------------

int cede_spawn(struct cede_task *self, const char *name, cede_body *body, void *argument,
               struct cede_handle *ret_handle)
{
    return cede_scheduler_spawn(self->scheduler, self, name, body, argument, ret_handle);
}

// The task of a handle, or NULL when it is gone.
static struct cede_task *find(struct cede_handle handle)
{
    return handle.task && handle.task->id == handle.id ? handle.task : NULL;
}

// Suspends until the other is done: 0, or why not.
static int await_done(struct cede_task *self, struct cede_task *other)
{
    struct cede_operation op;
    cede_operation_prepare(&op, CEDE_VERB_PARK, -1);
    other->joiner = self;
    int error = other->state == CEDE_TASK_DONE ? cede_pause(self) : (int)cede_await(self, &op);
    other->joiner = NULL;
    return error;
}

// cede_join: what it answers; and the result of the other when that is 0.
static int join(struct cede_task *self, struct cede_handle handle, int *ret_result)
{
    struct cede_task *other = find(handle);
    if (!other || other == self || !other->is_joinable || other->joiner)
        return -EINVAL;
    cede_check(other->scheduler == self->scheduler);
    int error = await_done(self, other);
    if (error < 0)
        return error;
    *ret_result = other->result;
    cede_tasks_destroy(&self->scheduler->tasks, other);
    return 0;
}

int cede_join(struct cede_task *self, struct cede_handle handle, int *ret_result)
{
    int result = 0;
    int error = join(self, handle, &result);
    if (cede_is_traced(self->scheduler))
        cede_report_join(self, handle, error, result);
    if (error == 0 && ret_result)
        *ret_result = result;
    return error;
}

void cede_cancel(struct cede_task *self, struct cede_handle handle)
{
    struct cede_task *other = find(handle);
    if (cede_is_traced(self->scheduler))
        cede_report_cancel(self, handle);
    if (!other)
        return;
    cede_check(other->scheduler == self->scheduler);
    cede_scheduler_cancel(other);
}

struct cede_handle cede_self(struct cede_task *self)
{
    return (struct cede_handle){.task = self, .id = self->id};
}

const char *cede_name(const struct cede_task *self)
{
    return self->name;
}

int64_t cede_now_ns(const struct cede_task *self)
{
    return cede_engine_now_ns(self->scheduler->engine);
}

const char *cede_backend_name(const struct cede_task *self)
{
    return cede_engine_backend_name(self->scheduler->engine);
}

// --- Other threads ------------------------------------------------------------------------------

int cede_wakeup_open(struct cede_task *self, struct cede_wakeup **ret_wakeup)
{
    return cede_wakeup_create(self->scheduler->engine, ret_wakeup);
}

void cede_wakeup_close(struct cede_task *self, struct cede_wakeup *wakeup)
{
    cede_check(!wakeup || wakeup->engine == self->scheduler->engine);
    cede_wakeup_destroy(wakeup);
}

void cede_wakeup_wait_prepare(struct cede_operation *ret_op, struct cede_wakeup *wakeup)
{
    cede_operation_prepare(ret_op, CEDE_VERB_WAKEUP, -1);
    ret_op->as.wakeup = wakeup;
}

int cede_wakeup_wait(struct cede_task *self, struct cede_wakeup *wakeup)
{
    struct cede_operation op;
    cede_wakeup_wait_prepare(&op, wakeup);
    return (int)cede_await(self, &op);
}

// --- For net/ and tasks/ ------------------------------------------------------------------------

// Notes what is in force for a task after one of its scopes has changed.
static void see_scopes(struct cede_task *task)
{
    task->deadline_ns = CEDE_NEVER;
    task->is_cancelled = false;
    for (const struct cede_scope *scope = task->scope; scope; scope = scope->parent) {
        task->is_cancelled |= scope->is_cancelled;
        if (scope->deadline_ns < task->deadline_ns)
            task->deadline_ns = scope->deadline_ns;
    }
}

int cede_scheduler_shutdown(struct cede_task *self, int fd, int how)
{
    int result = cede_engine_shutdown(self->scheduler->engine, fd, how);
    if (cede_is_traced(self->scheduler))
        cede_report_shutdown(self, fd, how, result);
    return result;
}

int cede_scheduler_refusal(const struct cede_task *self)
{
    if (self->is_cancelled)
        return -ECANCELED;
    bool is_due = self->deadline_ns != CEDE_NEVER &&
                  self->deadline_ns <= cede_engine_tick_ns(self->scheduler->engine);
    return is_due ? -ETIMEDOUT : 0;
}

struct cede_scope *cede_scheduler_scope(const struct cede_task *self)
{
    return self->scope;
}

void cede_scheduler_set_scope(struct cede_task *self, struct cede_scope *scope)
{
    self->scope = scope;
    see_scopes(self);
}

void cede_scheduler_scope_changed(struct cede_scope *scope)
{
    see_scopes(scope->task);
    if (scope->is_cancelled && scope->task->op)
        cede_engine_cancel(scope->task->scheduler->engine, scope->task->op);
}

void cede_scheduler_cancel(struct cede_task *task)
{
    task->root.is_cancelled = true;
    cede_scheduler_scope_changed(&task->root);
}

void cede_scheduler_report_scope(const struct cede_scope *scope, enum cede_trace_scope what,
                                 int64_t value)
{
    if (cede_is_traced(scope->task->scheduler))
        cede_report_scope(scope, what, value);
}
