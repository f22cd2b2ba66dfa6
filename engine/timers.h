// SPDX-License-Identifier: MIT
//
// What will fall due, and when: one binary heap in user space for all deadlines of an engine (S13),
// so that no operation needs a timer of the kernel's. Knows nothing of clocks or operations; the
// engine embeds a timer in each operation and asks for what is due.

#ifndef CEDE_ENGINE_TIMERS_H
#define CEDE_ENGINE_TIMERS_H

#include <stdint.h>

#define CEDE_TIMER_NOT_SET UINT32_MAX

struct cede_timer {
    int64_t due_ns;
    uint32_t index; // Its place in the heap, or CEDE_TIMER_NOT_SET.
};

// An entry carries the time beside the pointer: to compare two is to read the heap alone.
struct cede_timers_entry {
    int64_t due_ns;
    struct cede_timer *timer;
};

struct cede_timers {
    struct cede_timers_entry *heap;
    uint32_t count;
    uint32_t capacity;
};

// Makes room for `count` timers in all: 0, or -ENOMEM and nothing has changed. Whoever submits an
// operation reserves first, so that to set a timer cannot fail later.
int cede_timers_grow(struct cede_timers *timers, uint32_t count);

static inline int cede_timers_reserve(struct cede_timers *timers, uint32_t count)
{
    return count <= timers->capacity ? 0 : cede_timers_grow(timers, count);
}

// Gives the memory back. What is still set is forgotten.
void cede_timers_close(struct cede_timers *timers);

// Sets or moves a timer. O(log count). Room must be reserved.
void cede_timers_set(struct cede_timers *timers, struct cede_timer *timer, int64_t due_ns);

// Harmless when it is not set. O(log count).
void cede_timers_clear(struct cede_timers *timers, struct cede_timer *timer);

// When the next one falls due; INT64_MAX when none is set.
static inline int64_t cede_timers_next_ns(const struct cede_timers *timers)
{
    return timers->count ? timers->heap[0].due_ns : INT64_MAX;
}

// Takes out one that is due at `now_ns`, the earliest first, in no order among equals. NULL: none.
struct cede_timer *cede_timers_take_due(struct cede_timers *timers, int64_t now_ns);

#endif
