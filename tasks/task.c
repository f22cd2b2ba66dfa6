// SPDX-License-Identifier: MIT
//
// Memory for tasks. Chunks of tasks, and a list of those that are free. A chunk is never given back
// while the scheduler lives: whoever still holds a handle to a task that is gone can ask its memory
// for the id, and sees that it is another's.

#include "tasks/task.h"

#include <errno.h>

#include "engine/check.h"
#include "engine/sys.h"

#define CHUNK_TASKS 64

struct cede_tasks_chunk {
    struct cede_tasks_chunk *next;
    struct cede_task tasks[CHUNK_TASKS];
};

static int add_chunk(struct cede_tasks *tasks)
{
    struct cede_tasks_chunk *chunk = cede_sys_allocate(sizeof *chunk);
    if (!chunk)
        return -ENOMEM;
    chunk->next = tasks->chunks;
    tasks->chunks = chunk;
    // Backwards, so that they are handed out in the order of their addresses.
    for (int i = CHUNK_TASKS - 1; i >= 0; i--) {
        chunk->tasks[i].next = tasks->free;
        tasks->free = &chunk->tasks[i];
    }
    return 0;
}

int cede_tasks_create(struct cede_tasks *tasks, struct cede_task **ret_task)
{
    if (tasks->count >= tasks->limit)
        return -EAGAIN;
    int error = tasks->free ? 0 : add_chunk(tasks);
    if (error < 0)
        return error;
    struct cede_task *task = tasks->free;
    cede_check(task->state == CEDE_TASK_FREE);
    tasks->free = task->next;
    tasks->count++;
    *task = (struct cede_task){.id = ++tasks->id, .state = CEDE_TASK_RUNNABLE};
    *ret_task = task;
    return 0;
}

void cede_tasks_destroy(struct cede_tasks *tasks, struct cede_task *task)
{
    cede_check(task->state != CEDE_TASK_FREE && tasks->count > 0);
    task->state = CEDE_TASK_FREE;
    task->id = 0;
    task->next = tasks->free;
    tasks->free = task;
    tasks->count--;
}

void cede_tasks_close(struct cede_tasks *tasks)
{
    cede_check(tasks->count == 0);
    struct cede_tasks_chunk *next;
    for (struct cede_tasks_chunk *chunk = tasks->chunks; chunk; chunk = next) {
        next = chunk->next;
        cede_sys_free(chunk);
    }
    *tasks = (struct cede_tasks){0};
}

void cede_tasks_visit(const struct cede_tasks *tasks, void (*visit)(struct cede_task *task))
{
    for (struct cede_tasks_chunk *chunk = tasks->chunks; chunk; chunk = chunk->next)
        for (int i = 0; i < CHUNK_TASKS; i++)
            if (chunk->tasks[i].state != CEDE_TASK_FREE)
                visit(&chunk->tasks[i]);
}
