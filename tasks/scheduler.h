// SPDX-License-Identifier: MIT
//
// Tasks and the loop that runs them: the brief's program as a library. A task is a function with a
// stack of its own; it asks for an operation, parks, and goes on when the operation has ended. One
// thread runs all tasks of a cede_run, one at a time, so they need no locks.
//
// `self` is the running task. Functions that take it first may be called by that task only; whether
// they suspend it stands with each. errno does not survive a suspension: errors are results.

#ifndef CEDE_TASKS_SCHEDULER_H
#define CEDE_TASKS_SCHEDULER_H

#include <stdint.h>

#include "engine/operation.h"
#include "engine/options.h"
#include "engine/wakeup.h"
#include "tasks/trace.h"

struct cede_task;

// What a task runs. Its result goes to whoever joins it.
typedef int cede_body(struct cede_task *self, void *argument);

// Names a task for join and cancel. It stays safe to use after the task is gone.
struct cede_handle {
    struct cede_task *task;
    uint64_t id;
};

// A stretch of a task's work that is cut off together: by its deadline, or by a cancellation. The
// functions are in tasks/scope.h; the scheduler owns the state.
struct cede_scope {
    struct cede_scope *parent; // NULL for the outermost, which is the task itself.
    struct cede_task *task;
    int64_t deadline_ns;
    bool is_cancelled;
};

// --- Running ------------------------------------------------------------------------------------

// Opens an engine, runs body(task, argument) as its first task, and returns when no task is left.
// `options` may be NULL. 0; -EDEADLK when called inside a task (S22), or when tasks were left that
// nothing could wake (S12; they were cancelled and the log has their names); -EINVAL for a backend
// name that does not exist or stacks above 1 GiB; -ENOMEM; or the error with which the backend was
// refused or died.
int cede_run(const struct cede_options *options, cede_body *body, void *argument);

// --- Suspending ---------------------------------------------------------------------------------

// Submits a prepared operation and suspends until it has ended. Its result: what the verb says, or
// -ECANCELED, -ETIMEDOUT (S13, S14), -EBUSY (S5), -EBADF (S3, S6), -EINVAL (S11).
int64_t cede_await(struct cede_task *self, struct cede_operation *op);

// The brief's yield: suspends until the descriptor would not block in that direction (S1). 0, or
// -errno as above. The call that follows may still say EAGAIN; then wait again.
int cede_wait(struct cede_task *self, enum cede_direction direction, int fd);
void cede_wait_prepare(struct cede_operation *ret_op, enum cede_direction direction, int fd);

// Suspends, for everybody else's turn: goes to the tail of the queue. 0, or -ECANCELED or
// -ETIMEDOUT when the task is being cut off.
int cede_pause(struct cede_task *self);

// Suspends for a time, or until a time on the clock of cede_now_ns; never less (S13). 0,
// -ECANCELED, or -ETIMEDOUT when a scope's deadline came first.
int cede_sleep(struct cede_task *self, int64_t duration_ns);
int cede_sleep_until(struct cede_task *self, int64_t deadline_ns);
void cede_sleep_prepare(struct cede_operation *ret_op, int64_t deadline_ns);

// --- Tasks --------------------------------------------------------------------------------------

// Starts a task; it runs after those that are runnable now. The name is copied, up to 23 bytes.
// With `ret_handle` NULL nobody joins it, and it is gone when it is done. 0; -EAGAIN at the limit
// of tasks; -ENOMEM for its stack. Does not suspend.
int cede_spawn(struct cede_task *self, const char *name, cede_body *body, void *argument,
               struct cede_handle *ret_handle);

// Suspends until the task is done, and takes its result; the handle is then used up. `ret_result`
// may be NULL. 0; -EINVAL at once for oneself, a handle that is used up, or a task that somebody is
// joining (S12); -ECANCELED or -ETIMEDOUT, and the handle is still good.
int cede_join(struct cede_task *self, struct cede_handle handle, int *ret_result);

// Asks a task to stop: its suspension, and each later one, ends with -ECANCELED, so that it unwinds
// its own stack (S14). A task that is done, or gone, is not disturbed. Does not suspend.
void cede_cancel(struct cede_task *self, struct cede_handle handle);

struct cede_handle cede_self(struct cede_task *self);
const char *cede_name(const struct cede_task *self);

// CLOCK_MONOTONIC in nanoseconds; in strict mode the virtual clock.
int64_t cede_now_ns(const struct cede_task *self);

// The name of the backend in use.
const char *cede_backend_name(const struct cede_task *self);

// --- Other threads ------------------------------------------------------------------------------

// Opens what another thread can wake a task with: 0, -EMFILE or -ENOMEM. Does not suspend.
int cede_wakeup_open(struct cede_task *self, struct cede_wakeup **ret_wakeup);

// No thread may signal it any more. Whoever waits for it gets -EBADF. Does not suspend.
void cede_wakeup_close(struct cede_task *self, struct cede_wakeup *wakeup);

// Suspends until cede_wakeup_signal (engine/wakeup.h, any thread) was called since the last wait
// ended. 0, -EBUSY if another task waits for it, or as cede_await.
int cede_wakeup_wait(struct cede_task *self, struct cede_wakeup *wakeup);
void cede_wakeup_wait_prepare(struct cede_operation *ret_op, struct cede_wakeup *wakeup);

// --- For net/ and tasks/ ------------------------------------------------------------------------

// shutdown(2) through the engine (S8). Does not suspend.
int cede_scheduler_shutdown(struct cede_task *self, int fd, int how);

// Why a suspension of this task would be refused now: 0, -ECANCELED or -ETIMEDOUT (S14).
int cede_scheduler_refusal(const struct cede_task *self);

// The innermost scope of a task, for tasks/scope.c alone; and another one in its place.
struct cede_scope *cede_scheduler_scope(const struct cede_task *self);
void cede_scheduler_set_scope(struct cede_task *self, struct cede_scope *scope);

// The deadline of a scope was moved, or it was cancelled; then what its task is suspended in is cut
// off, while a deadline that was moved counts from the next suspension on.
void cede_scheduler_scope_changed(struct cede_scope *scope);

// Tells the trace, if there is one, what was done with a scope. `value`: its deadline after enter
// and move, the result of leave, 0 of cancel.
void cede_scheduler_report_scope(const struct cede_scope *scope, enum cede_trace_scope what,
                                 int64_t value);

#endif
