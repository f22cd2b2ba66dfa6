// SPDX-License-Identifier: MIT
//
// A binary heap whose entries know their timers and whose timers know their places.
//
// Invariants:
// 1. heap[i].timer->index == i, and heap[i].due_ns == heap[i].timer->due_ns, for i < count.
// 2. heap[parent(i)].due_ns <= heap[i].due_ns.

#include "engine/timers.h"

#include <errno.h>
#include <stddef.h>

#include "engine/check.h"
#include "engine/sys.h"

int cede_timers_grow(struct cede_timers *timers, uint32_t count)
{
    uint32_t capacity = timers->capacity ? timers->capacity : 64;
    while (capacity < count)
        capacity = capacity > UINT32_MAX / 2 ? count : 2 * capacity;
    void *heap = cede_sys_reallocate(timers->heap, capacity * sizeof *timers->heap);
    if (!heap)
        return -ENOMEM;
    timers->heap = heap;
    timers->capacity = capacity;
    return 0;
}

void cede_timers_close(struct cede_timers *timers)
{
    cede_sys_free(timers->heap);
    *timers = (struct cede_timers){0};
}

static void put(struct cede_timers *timers, uint32_t index, struct cede_timers_entry entry)
{
    timers->heap[index] = entry;
    entry.timer->index = index;
}

// Moves the hole at `index` towards the root until the entry fits into it.
static void sift_up(struct cede_timers *timers, uint32_t index, struct cede_timers_entry entry)
{
    while (index > 0) {
        uint32_t parent = (index - 1) / 2;
        if (timers->heap[parent].due_ns <= entry.due_ns)
            break;
        put(timers, index, timers->heap[parent]);
        index = parent;
    }
    put(timers, index, entry);
}

static void sift_down(struct cede_timers *timers, uint32_t index, struct cede_timers_entry entry)
{
    for (;;) {
        uint32_t child = 2 * index + 1;
        if (child >= timers->count)
            break;
        if (child + 1 < timers->count &&
            timers->heap[child + 1].due_ns < timers->heap[child].due_ns)
            child++;
        if (timers->heap[child].due_ns >= entry.due_ns)
            break;
        put(timers, index, timers->heap[child]);
        index = child;
    }
    put(timers, index, entry);
}

// Puts an entry where there is a hole, whichever way it has to go.
static void settle(struct cede_timers *timers, uint32_t index, struct cede_timers_entry entry)
{
    if (index > 0 && timers->heap[(index - 1) / 2].due_ns > entry.due_ns)
        sift_up(timers, index, entry);
    else
        sift_down(timers, index, entry);
}

void cede_timers_set(struct cede_timers *timers, struct cede_timer *timer, int64_t due_ns)
{
    struct cede_timers_entry entry = {.due_ns = due_ns, .timer = timer};
    timer->due_ns = due_ns;
    if (timer->index == CEDE_TIMER_NOT_SET) {
        cede_check(timers->count < timers->capacity);
        sift_up(timers, timers->count++, entry);
    } else {
        settle(timers, timer->index, entry);
    }
    cede_check(timers->heap[timer->index].timer == timer);
}

void cede_timers_clear(struct cede_timers *timers, struct cede_timer *timer)
{
    uint32_t index = timer->index;
    if (index == CEDE_TIMER_NOT_SET)
        return;
    cede_check(index < timers->count && timers->heap[index].timer == timer);
    timer->index = CEDE_TIMER_NOT_SET;
    struct cede_timers_entry last = timers->heap[--timers->count];
    if (last.timer != timer)
        settle(timers, index, last);
}

struct cede_timer *cede_timers_take_due(struct cede_timers *timers, int64_t now_ns)
{
    if (timers->count == 0 || timers->heap[0].due_ns > now_ns)
        return NULL;
    struct cede_timer *timer = timers->heap[0].timer;
    cede_timers_clear(timers, timer);
    return timer;
}
