// SPDX-License-Identifier: MIT
//
// What a scheduler and its tasks are made of, and the memory that tasks live in. For scheduler.c,
// the loop; scheduler_calls.c, what tasks ask of it; report.c, which tells of both; and run.c,
// which opens and closes what the loop needs.

#ifndef CEDE_TASKS_TASK_H
#define CEDE_TASKS_TASK_H

#include "engine/engine.h"
#include "tasks/generator.h"
#include "tasks/overflow.h"
#include "tasks/scheduler.h"
#include "tasks/stack.h"

#define CEDE_TASK_NAME_BYTES 24

enum cede_task_state {
    CEDE_TASK_FREE,     // Memory for the next task.
    CEDE_TASK_RUNNABLE, // In the queue, or running.
    CEDE_TASK_PARKED,   // Its operation is with the engine.
    CEDE_TASK_DONE,     // Its result waits for a joiner.
};

// What each resumption reads comes first.
struct cede_task {
    struct cede_generator generator;
    struct cede_task *next; // In the queue, or among the free.
    struct cede_scheduler *scheduler;
    struct cede_operation *op; // While parked.
    int64_t deadline_ns; // The nearest of its scopes', kept up to date.
    bool is_cancelled;   // One of its scopes is; likewise.
    bool is_joinable;
    uint8_t state;
    int result;
    struct cede_scope *scope; // The innermost.
    struct cede_overflow_watch watch;
    struct cede_scope root; // The outermost scope.
    struct cede_task *joiner; // Parked until this one is done.
    struct cede_stack *stack;
    cede_body *body;
    void *argument;
    uint64_t id; // Never used twice.
    char name[CEDE_TASK_NAME_BYTES];
};

// All tasks of a scheduler, in chunks that are kept until the end, so that a handle can always be
// looked at.
struct cede_tasks {
    struct cede_tasks_chunk *chunks;
    struct cede_task *free;
    uint32_t count; // Not free.
    uint32_t limit;
    uint64_t id;
};

// A task in state CEDE_TASK_RUNNABLE with an id and everything else zero: 0, -EAGAIN or -ENOMEM.
int cede_tasks_create(struct cede_tasks *tasks, struct cede_task **ret_task);

// Makes the memory available again. The id is gone with it.
void cede_tasks_destroy(struct cede_tasks *tasks, struct cede_task *task);

// Gives all memory back. No task may be left.
void cede_tasks_close(struct cede_tasks *tasks);

// Calls visit(task) for each task that is not free. It may destroy none.
void cede_tasks_visit(const struct cede_tasks *tasks, void (*visit)(struct cede_task *task));

struct cede_scheduler {
    struct cede_engine *engine;
    struct cede_options options;
    struct cede_task *first_runnable;
    struct cede_task *last_runnable;
    struct cede_tasks tasks;
    uint32_t living_count; // Tasks that are not done.
    uint32_t clock_stride; // Tasks resumed between two looks at the clock.
    struct cede_stack_pool stacks;
    int outcome;
};

// The loop: runs tasks until none is left. The outcome of the run: 0, or why it was given up.
int cede_scheduler_run(struct cede_scheduler *scheduler);

// cede_spawn, for the first task, too: it has no parent.
int cede_scheduler_spawn(struct cede_scheduler *scheduler, const struct cede_task *parent,
                         const char *name, cede_body *body, void *argument,
                         struct cede_handle *ret_handle);

// Cancels a task: its outermost scope.
void cede_scheduler_cancel(struct cede_task *task);

#endif
