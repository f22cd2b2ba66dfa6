// SPDX-License-Identifier: MIT
//
// Operations that would make the engine spin and therefore rest for a while (S2, S19): those whose
// descriptor is called ready over and over and then is not, and accepts while the system is short
// of descriptors or memory. A resting operation is with the engine, not with the backend; its timer
// is set to the end of the rest or its deadline, whichever is first.

#include <errno.h>
#include <string.h>

#include "engine/attempt.h"
#include "engine/check.h"
#include "engine/engine_state.h"
#include "engine/poison.h"
#include "engine/vain.h"

static int64_t doubled(int64_t first_ns, unsigned times, int64_t most_ns)
{
    return times >= 20 || first_ns << times > most_ns ? most_ns : first_ns << times;
}

// How many wakes in vain there were before this one.
static unsigned count_vain_wake(struct cede_descriptor *slot, enum cede_direction direction)
{
    unsigned before = slot->vain_wakes[direction];
    if (before < UINT8_MAX)
        slot->vain_wakes[direction]++;
    return before;
}

static int64_t vain_rest_ns(struct cede_descriptor *slot, enum cede_direction direction)
{
    unsigned vain = count_vain_wake(slot, direction);
    return doubled(CEDE_NANOSECONDS_PER_MILLISECOND,
                   vain > CEDE_VAIN_WAKES_ALLOWED ? vain - CEDE_VAIN_WAKES_ALLOWED : 0,
                   100 * CEDE_NANOSECONDS_PER_MILLISECOND);
}

static int64_t shortage_rest_ns(struct cede_descriptor *slot)
{
    unsigned vain = count_vain_wake(slot, CEDE_RECV);
    return doubled(10 * CEDE_NANOSECONDS_PER_MILLISECOND, vain, CEDE_NANOSECONDS_PER_SECOND);
}

// At most one line a second, however many connections queue up.
static void warn_of_shortage(struct cede_engine *engine, const struct cede_operation *op)
{
    engine->counters.shortages++;
    if (engine->now_ns - engine->warned_ns < CEDE_NANOSECONDS_PER_SECOND)
        return;
    uint64_t since = engine->counters.shortages - engine->warned_shortages;
    cede_engine_log(engine, "accept on descriptor %d: %s; %llu such since the last warning", op->fd,
                    strerror((int)-op->result), (unsigned long long)since);
    engine->warned_ns = engine->now_ns;
    engine->warned_shortages = engine->counters.shortages;
}

bool cede_engine_rests(struct cede_engine *engine, struct cede_operation *op)
{
    bool is_shortage = cede_attempt_is_shortage(op);
    if (op->result != -EAGAIN && !is_shortage)
        return false;
    struct cede_descriptor *slot = cede_descriptors_at(&engine->descriptors, op->fd);
    // Closed since it was tried, in the same tick: there is nothing left to wait for (S6).
    if (slot->waiting[cede_operation_direction(op)] != op) {
        cede_unpoison(op);
        op->result = -EBADF;
        return false;
    }
    int64_t rest_ns;
    if (is_shortage) {
        rest_ns = shortage_rest_ns(slot);
        warn_of_shortage(engine, op);
    } else {
        rest_ns = vain_rest_ns(slot, cede_operation_direction(op));
        engine->counters.rests++;
    }
    op->state = CEDE_RESTING;
    cede_operation_append(&engine->resting, op);
    // One that is being cancelled has its timer set already, before all others.
    int64_t end_ns = engine->now_ns + rest_ns;
    if (!op->cut)
        cede_timers_set(&engine->timers, &op->timer, end_ns < op->limit_ns ? end_ns : op->limit_ns);
    return true;
}

void cede_engine_rouse(struct cede_engine *engine, struct cede_operation *op)
{
    cede_check(op->state == CEDE_RESTING);
    cede_operation_remove(&engine->resting, op);
    // One that is being cancelled keeps its timer, which is not the rest's.
    if (!op->cut) {
        cede_timers_clear(&engine->timers, &op->timer);
        if (op->limit_ns != CEDE_NEVER)
            cede_timers_set(&engine->timers, &op->timer, op->limit_ns);
    }
    cede_engine_resubmit(engine, op);
}

void cede_engine_rouse_acceptors(struct cede_engine *engine)
{
    struct cede_operation *next;
    for (struct cede_operation *op = engine->resting.first; op; op = next) {
        next = op->next;
        // One that was woken in vain has no use for it, and rests to the end (S2).
        if (cede_attempt_is_shortage(op))
            cede_engine_rouse(engine, op);
    }
}

// By then the longest rest is over while the shortest goes on doubling.
#define RESTS_ENOUGH 8

bool cede_engine_rests_for_ever(const struct cede_engine *engine)
{
    uint32_t count = 0;
    for (const struct cede_operation *op = engine->resting.first; op; op = op->next)
        count += op->limit_ns == CEDE_NEVER;
    return engine->options.strict && count == engine->timers.count &&
           engine->vain_rests > RESTS_ENOUGH * count;
}
