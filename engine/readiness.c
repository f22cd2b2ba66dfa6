// SPDX-License-Identifier: MIT
//
// Operations over a poller: try (T2); if it would block, arm the pair; when the poller reports it,
// try again (T3). Which call a verb makes is attempt.c's business, who is ready the poller's.
//
// Readiness is a hint. A pair may be reported and the call still find nothing: another process took
// it, a checksum was wrong, or the kernel reports a state that no call of ours will change. The
// operation then simply stays parked; but where that happens over and over, select itself would
// spin, and the engine is asked to let the operation rest (S2).
//
// Invariants:
// 1. An operation in state CEDE_PARKED is in the descriptor table, and its pair is armed.
// 2. An operation in state CEDE_ENDED that came here is on `ended`, once, and its pair is not
//    armed.

#include "engine/readiness.h"

#include <errno.h>

#include "engine/attempt.h"
#include "engine/check.h"
#include "engine/vain.h"

struct readiness_state {
    const struct cede_poller *poller;
    void *poller_state;
    const struct cede_descriptors *descriptors;
    struct cede_ready *ready;
    int capacity;
    bool strict;
    bool has_moved;           // Since the last wait a byte moved without ending its operation, or
                              // one was woken in vain: that comes to an end, too (S2).
    uint64_t newest_ticket;   // Of all that was submitted,
    uint64_t answered_ticket; // and of what was parked when the poller last answered.
    struct cede_operation_list ended;
};

static size_t ready_bytes(int capacity)
{
    return (size_t)capacity * sizeof(struct cede_ready);
}

void cede_readiness_close(void *opaque)
{
    struct readiness_state *state = opaque;
    if (!state)
        return;
    state->poller->close(state->poller_state);
    if (state->ready)
        cede_sys_unmap(state->ready, ready_bytes(state->capacity));
    cede_sys_free(state);
}

int cede_readiness_open(const struct cede_backend *backend,
                        const struct cede_backend_setup *setup, void **ret_state)
{
    struct readiness_state *state = cede_sys_allocate(sizeof *state);
    if (!state)
        return -ENOMEM;
    state->poller = backend->poller;
    state->descriptors = setup->descriptors;
    state->strict = setup->strict;
    state->capacity = CEDE_POLLER_CAPACITY(setup->descriptors->count);

    void *ready;
    int error = cede_sys_map(ready_bytes(state->capacity), 0, &ready);
    if (error == 0) {
        state->ready = ready;
        error = state->poller->open(setup->descriptors->count, &state->poller_state);
    }
    if (error < 0) {
        cede_readiness_close(state);
        return error;
    }
    *ret_state = state;
    return 0;
}

static void end(struct readiness_state *state, struct cede_operation *op, int64_t result)
{
    op->result = result;
    op->state = CEDE_ENDED;
    cede_operation_append(&state->ended, op);
}

static void park(struct readiness_state *state, struct cede_operation *op)
{
    op->state = CEDE_PARKED;
    state->poller->arm(state->poller_state, op->fd, cede_operation_direction(op));
}

// Whether trying can wait for the poller; a bare wait has nothing to try.
static bool can_wait(const struct readiness_state *state, const struct cede_operation *op,
                     const struct cede_descriptor *slot)
{
    return cede_operation_is_bare_wait(op) || cede_attempt_is_pointless(op, slot, state->strict);
}

// Tries an operation; ends or parks it. Returns what the attempt came to.
static enum cede_attempt carry_out(struct readiness_state *state, struct cede_operation *op,
                                   struct cede_descriptor *slot, bool is_ready)
{
    enum cede_direction direction = cede_operation_direction(op);
    enum cede_attempt outcome = cede_attempt(op, slot, is_ready, state->strict);
    if (outcome == CEDE_ATTEMPT_ENDED) {
        if (op->result >= 0 || !cede_attempt_is_shortage(op))
            slot->vain_wakes[direction] = 0;
        end(state, op, op->result);
        return outcome;
    }
    if (outcome == CEDE_ATTEMPT_MOVED) {
        state->has_moved = true;
        slot->vain_wakes[direction] = 0;
    }
    bool is_vain = is_ready && outcome == CEDE_ATTEMPT_BLOCKED;
    state->has_moved |= is_vain;
    if (is_vain && cede_vain_is_too_often(slot, direction))
        end(state, op, -EAGAIN);
    else
        park(state, op);
    return outcome;
}

void cede_readiness_submit(void *opaque, struct cede_operation *op)
{
    struct readiness_state *state = opaque;
    struct cede_descriptor *slot = cede_descriptors_at(state->descriptors, op->fd);
    cede_check(slot && slot->waiting[cede_operation_direction(op)] == op);
    if (op->ticket > state->newest_ticket)
        state->newest_ticket = op->ticket;
    if (can_wait(state, op, slot))
        park(state, op);
    else
        carry_out(state, op, slot, false);
}

int cede_readiness_cancel(void *opaque, struct cede_operation_list *ops)
{
    struct readiness_state *state = opaque;
    for (struct cede_operation *op = ops->first; op; op = op->next)
        state->poller->disarm(state->poller_state, op->fd, cede_operation_direction(op));
    // The kernel holds no operation of ours, so none can have ended in the meantime.
    return 0;
}

void cede_readiness_forget(void *opaque, int fd)
{
    struct readiness_state *state = opaque;
    state->poller->forget(state->poller_state, fd);
}

static void end_wait(struct readiness_state *state, struct cede_operation *op,
                     struct cede_descriptor *slot)
{
    bool is_immediate = op->ticket > state->answered_ticket;
    end(state, op, cede_vain_wait_rests(slot, op, is_immediate, 0) ? -EAGAIN : 0);
}

static void answer(struct readiness_state *state, struct cede_operation *op)
{
    struct cede_descriptor *slot = cede_descriptors_at(state->descriptors, op->fd);
    if (cede_operation_is_bare_wait(op))
        end_wait(state, op, slot);
    else
        carry_out(state, op, slot, true);
}

// Sorts the reports into receivers and senders; what the poller could not ask about has ended.
static void collect(struct readiness_state *state, int count,
                    struct cede_operation_list ret_ready[CEDE_DIRECTION_COUNT])
{
    for (int i = 0; i < count; i++) {
        const struct cede_ready *ready = &state->ready[i];
        struct cede_descriptor *slot = cede_descriptors_at(state->descriptors, ready->fd);
        struct cede_operation *op = slot->waiting[ready->direction];
        cede_check(op && op->state == CEDE_PARKED);
        if (ready->error < 0)
            end(state, op, ready->error);
        else
            cede_operation_append(&ret_ready[ready->direction], op);
    }
}

// Asks the poller and carries out what is ready, receivers by ticket, then senders by ticket.
static int poll_and_carry_out(struct readiness_state *state, int64_t timeout_ns)
{
    int count = state->poller->wait(state->poller_state, state->ready, state->capacity, timeout_ns);
    if (count < 0)
        return count;
    struct cede_operation_list ready[CEDE_DIRECTION_COUNT] = {{.first = NULL}};
    collect(state, count, ready);
    for (int direction = 0; direction < CEDE_DIRECTION_COUNT; direction++) {
        cede_operation_sort_by_ticket(&ready[direction]);
        CEDE_OPERATIONS_EACH(op, next, ready[direction].first)
            answer(state, op);
    }
    state->answered_ticket = state->newest_ticket;
    return 0;
}

int cede_readiness_wait(void *opaque, int64_t timeout_ns, bool may_skip_poll,
                        struct cede_operation_list *ended)
{
    struct readiness_state *state = opaque;
    int error = 0;
    if (!state->ended.first || !may_skip_poll)
        error = poll_and_carry_out(state, state->ended.first ? 0 : timeout_ns);
    bool has_progress = state->ended.first || state->has_moved;
    state->has_moved = false;
    // What has its result keeps it, even if the poller dies.
    cede_operation_append_all(ended, &state->ended);
    return error < 0 ? error : has_progress;
}
