// SPDX-License-Identifier: MIT
//
// What becomes of an operation in the ring: its slot, its requests, its completions. The stages and
// the traps stand at the top of uring.c.

#include <errno.h>
#include <poll.h>

#include "engine/attempt.h"
#include "engine/check.h"
#include "engine/uring_requests.h"
#include "engine/uring_state.h"
#include "engine/vain.h"

// The completion of this name tells nothing.
#define IGNORED UINT64_MAX

// In the name of a request to cancel the one that is called like it but for this.
#define CANCELS (UINT64_C(1) << 31)

// --- Slots --------------------------------------------------------------------------------------

static struct cede_uring_slot *take_slot(struct cede_uring_state *state, struct cede_operation *op)
{
    uint32_t index = state->first_free;
    if (index == CEDE_URING_NO_SLOT) {
        cede_check(state->slot_count < state->slot_limit);
        index = state->slot_count++;
    } else {
        state->first_free = state->slots[index].next_free;
    }
    struct cede_uring_slot *slot = &state->slots[index];
    slot->op = op;
    op->backend_index = index;
    return slot;
}

static void free_slot(struct cede_uring_state *state, struct cede_uring_slot *slot)
{
    uint32_t generation = slot->generation + 1;
    state->owing_count -= slot->owes_cancel;
    *slot = (struct cede_uring_slot){.generation = generation, .next_free = state->first_free};
    state->first_free = (uint32_t)(slot - state->slots);
}

static uint64_t name_of(const struct cede_uring_state *state, const struct cede_uring_slot *slot)
{
    return (uint64_t)slot->generation << 32 | (uint32_t)(slot - state->slots);
}

// The slot that a completion names, or NULL when it is late.
static struct cede_uring_slot *slot_of(const struct cede_uring_state *state, uint64_t name)
{
    uint32_t index = (uint32_t)name;
    if (name == IGNORED || index >= state->slot_count)
        return NULL;
    struct cede_uring_slot *slot = &state->slots[index];
    return slot->generation == name >> 32 && slot->stage != CEDE_URING_FREE ? slot : NULL;
}

static struct cede_descriptor *descriptor_of(const struct cede_uring_state *state,
                                             const struct cede_operation *op)
{
    return cede_descriptors_at(state->descriptors, op->fd);
}

// --- Requests -----------------------------------------------------------------------------------

static void end(struct cede_uring_state *state, struct cede_uring_slot *slot, int64_t result)
{
    struct cede_operation *op = slot->op;
    free_slot(state, slot);
    op->result = result;
    op->state = CEDE_ENDED;
    // What a bare wait found was judged when it was ready, and what is to rest will be.
    bool rests = result == -EAGAIN || cede_attempt_is_shortage(op);
    if (!rests && !cede_operation_is_bare_wait(op))
        descriptor_of(state, op)->vain_wakes[cede_operation_direction(op)] = 0;
    cede_operation_append(&state->ended, op);
}

// Queues a request for a slot. Without room in the ring the operation rests, and comes again.
static void request(struct cede_uring_state *state, struct cede_uring_slot *slot,
                    enum cede_uring_stage stage)
{
    struct io_uring_sqe *sqe = cede_uring_ring_next(&state->ring);
    if (!sqe) {
        end(state, slot, -EAGAIN);
        return;
    }
    if (stage == CEDE_URING_IN_KERNEL)
        cede_uring_prepare_direct(sqe, slot->op, descriptor_of(state, slot->op), state->strict);
    else
        cede_uring_prepare_poll(sqe, slot->op, stage == CEDE_URING_WATCHED);
    io_uring_sqe_set_data64(sqe, name_of(state, slot));
    slot->stage = (uint8_t)stage;
}

void cede_uring_request_cancel(struct cede_uring_state *state, struct cede_uring_slot *slot)
{
    struct io_uring_sqe *sqe = cede_uring_ring_next(&state->ring);
    state->owing_count -= slot->owes_cancel;
    slot->owes_cancel = !sqe;
    state->owing_count += slot->owes_cancel;
    if (!sqe)
        return;
    io_uring_prep_cancel64(sqe, name_of(state, slot), 0);
    io_uring_sqe_set_data64(sqe, name_of(state, slot) | CANCELS);
}

void cede_uring_request_owed(struct cede_uring_state *state)
{
    for (uint32_t i = 0; state->owing_count > 0 && i < state->slot_count; i++)
        if (state->slots[i].owes_cancel)
            cede_uring_request_cancel(state, &state->slots[i]);
}

void cede_uring_try_submitted(struct cede_uring_state *state)
{
    if (!state->has_untried)
        return;
    int error = cede_uring_ring_submit(&state->ring);
    if (error < 0)
        state->failure = error;
    state->has_untried = cede_uring_ring_queued(&state->ring) > 0 && !state->failure;
}

// A part of the operation is done, so no wake before it was in vain.
static void note_move(struct cede_uring_state *state, struct cede_uring_slot *slot)
{
    state->has_moved = true;
    slot->was_ready = false;
    descriptor_of(state, slot->op)->vain_wakes[cede_operation_direction(slot->op)] = 0;
}

// The operation would block, although the kernel may have called it ready: that may be too often.
static void wait_until_ready(struct cede_uring_state *state, struct cede_uring_slot *slot)
{
    struct cede_operation *op = slot->op;
    bool was_ready = slot->was_ready;
    slot->was_ready = false;
    if (was_ready && cede_vain_is_too_often(descriptor_of(state, op), cede_operation_direction(op)))
        end(state, slot, -EAGAIN);
    else
        request(state, slot, CEDE_URING_POLLED);
}

// A system call of our own, where the ring would not do what is wanted.
static void call(struct cede_uring_state *state, struct cede_uring_slot *slot)
{
    struct cede_operation *op = slot->op;
    struct cede_descriptor *descriptor = descriptor_of(state, op);
    // What came before it is tried before it (T2).
    if (state->strict)
        cede_uring_try_submitted(state);
    enum cede_attempt outcome = cede_attempt(op, descriptor, slot->was_ready, state->strict);
    if (outcome == CEDE_ATTEMPT_ENDED) {
        end(state, slot, op->result);
        return;
    }
    if (outcome == CEDE_ATTEMPT_MOVED)
        note_move(state, slot);
    wait_until_ready(state, slot);
}

void cede_uring_begin(struct cede_uring_state *state, struct cede_operation *op)
{
    if (op->ticket > state->newest_ticket)
        state->newest_ticket = op->ticket;
    op->state = CEDE_PARKED;
    state->has_untried = true;
    struct cede_uring_slot *slot = take_slot(state, op);
    switch (cede_uring_way_of(op, descriptor_of(state, op), state->strict)) {
    case CEDE_URING_DIRECT:
        request(state, slot, CEDE_URING_IN_KERNEL);
        break;
    case CEDE_URING_POLL:
        request(state, slot, CEDE_URING_POLLED);
        break;
    case CEDE_URING_CALL:
        call(state, slot);
        break;
    }
}

// --- Completions --------------------------------------------------------------------------------

// More of a transfer that goes on until all is done; `bytes` of it have just moved.
static void go_on(struct cede_uring_state *state, struct cede_uring_slot *slot, int bytes)
{
    struct cede_operation *op = slot->op;
    op->as.buffer.progress += (size_t)bytes;
    bool is_at_end = bytes == 0 || op->as.buffer.progress == op->as.buffer.bytes;
    if (is_at_end) {
        end(state, slot, (int64_t)op->as.buffer.progress);
        return;
    }
    note_move(state, slot);
    if (slot->is_cancelling)
        return;
    // A send that was short has found its socket full, or makes way for others. To try again at
    // once is to find a bit of room there long before the socket counts as ready.
    bool is_full = op->class == CEDE_CLASS_SENDER;
    request(state, slot, is_full ? CEDE_URING_POLLED : CEDE_URING_IN_KERNEL);
}

static void complete_direct(struct cede_uring_state *state, struct cede_uring_slot *slot,
                            int result, bool is_drained)
{
    struct cede_operation *op = slot->op;
    // What has failed says nothing about the next: it may not even be a socket.
    if (op->class == CEDE_CLASS_RECEIVER)
        descriptor_of(state, op)->is_drained = is_drained && result > 0;
    bool is_whole = op->verb == CEDE_VERB_RECV_EXACT || op->verb == CEDE_VERB_SEND_ALL;
    bool is_gone = op->verb == CEDE_VERB_ACCEPT && cede_attempt_is_lost_connection(result);
    if (result == -EAGAIN && !slot->is_cancelling)
        wait_until_ready(state, slot);
    else if ((is_gone || result == -EINTR) && !slot->is_cancelling)
        request(state, slot, CEDE_URING_IN_KERNEL);
    else if (result == -EAGAIN || is_gone || result == -EINTR)
        slot->stage = CEDE_URING_IN_KERNEL; // Being cancelled: taken back below.
    else if (is_whole && result >= 0)
        go_on(state, slot, result);
    else
        end(state, slot, result);
}

static void carry_out(struct cede_uring_state *state, struct cede_uring_slot *slot)
{
    struct cede_operation *op = slot->op;
    enum cede_uring_way way = cede_uring_way_of(op, descriptor_of(state, op), slot->has_hung_up);
    if (way == CEDE_URING_DIRECT) {
        state->has_untried = true;
        request(state, slot, CEDE_URING_IN_KERNEL);
    } else {
        call(state, slot);
    }
}

// In strict mode: what is ready, receivers by ticket, then senders by ticket (T3). Polls that have
// just been queued are answered first, so that this sees all of what is ready at this instant.
// Whether there was something.
static bool carry_out_ready(struct cede_uring_state *state)
{
    bool found = state->ready[CEDE_RECV].first || state->ready[CEDE_SEND].first;
    if (!found || cede_uring_ring_queued(&state->ring) > 0)
        return found;
    for (int direction = 0; direction < CEDE_DIRECTION_COUNT; direction++) {
        struct cede_operation_list ready = state->ready[direction];
        state->ready[direction] = (struct cede_operation_list){.first = NULL};
        cede_operation_sort_by_ticket(&ready);
        CEDE_OPERATIONS_EACH(op, next, ready.first)
            carry_out(state, &state->slots[op->backend_index]);
    }
    return true;
}

// A poll says that the operation would not block now.
static void complete_ready(struct cede_uring_state *state, struct cede_uring_slot *slot, int events)
{
    struct cede_operation *op = slot->op;
    slot->was_ready = true;
    slot->has_hung_up = events & (POLLERR | POLLHUP);
    if (cede_operation_is_bare_wait(op)) {
        bool is_immediate = op->ticket > state->answered_ticket;
        bool rests =
            cede_vain_wait_rests(descriptor_of(state, op), op, is_immediate, (short)events);
        end(state, slot, rests ? -EAGAIN : 0);
    } else if (state->strict) {
        cede_operation_append(&state->ready[cede_operation_direction(op)], op);
    } else {
        carry_out(state, slot);
    }
}

// Leaves a watch behind that is no longer needed, and goes on in a slot of its own.
static struct cede_uring_slot *stop_watching(struct cede_uring_state *state,
                                             struct cede_uring_slot *slot)
{
    struct cede_uring_slot *fresh = take_slot(state, slot->op);
    fresh->is_cancelling = slot->is_cancelling;
    slot->op = NULL;
    slot->stage = CEDE_URING_STOPPING;
    state->stopping_count++;
    cede_uring_request_cancel(state, slot);
    return fresh;
}

// A poll reports what once was, even if somebody else has taken it since. Strict mode asks again.
static int events_now(const struct cede_operation *op)
{
    short wanted = cede_operation_direction(op) == CEDE_RECV ? POLLIN : POLLOUT;
    struct pollfd question = {.fd = op->fd, .events = wanted};
    return cede_sys_poll(&question, 1) > 0 ? question.revents : 0;
}

static void complete_poll(struct cede_uring_state *state, struct cede_uring_slot *slot, int result,
                          bool more)
{
    if (slot->is_cancelling)
        return; // The engine tries once more itself.
    if (result < 0) {
        end(state, slot, result);
        return;
    }
    bool was_ready = cede_uring_is_ready(slot->op, result);
    if (was_ready && state->strict)
        result = events_now(slot->op);
    if (cede_uring_is_ready(slot->op, result))
        complete_ready(state, more ? stop_watching(state, slot) : slot, result);
    else if (!more)
        request(state, slot, was_ready ? CEDE_URING_POLLED : CEDE_URING_WATCHED);
}

// Whether the operation of a slot that is being cancelled is now free of the kernel, and unended.
static void take_if_cancelled(struct cede_uring_state *state, struct cede_uring_slot *slot,
                              bool more)
{
    if (more)
        return;
    cede_operation_append(&state->taken, slot->op);
    free_slot(state, slot);
    state->cancelling_count--;
}

// The kernel does not find a request that was woken and is yet to be tried again, and cannot stop
// one that is being tried; either may wait once more afterwards. So it is asked until it has ended.
static void complete_cancel(struct cede_uring_state *state, uint64_t name, int result)
{
    struct cede_uring_slot *slot = slot_of(state, name & ~CANCELS);
    if (slot && (result == -ENOENT || result == -EALREADY))
        cede_uring_request_cancel(state, slot);
}

static void complete(struct cede_uring_state *state, const struct io_uring_cqe *cqe)
{
    if (cqe->user_data & CANCELS) {
        complete_cancel(state, cqe->user_data, cqe->res);
        return;
    }
    struct cede_uring_slot *slot = slot_of(state, cqe->user_data);
    if (!slot)
        return;
    bool more = cqe->flags & IORING_CQE_F_MORE;
    if (slot->stage == CEDE_URING_STOPPING) {
        if (more)
            return;
        free_slot(state, slot);
        state->stopping_count--;
        return;
    }
    bool is_cancelling = slot->is_cancelling;
    struct cede_operation *op = slot->op;
    bool is_cancelled = is_cancelling && cqe->res == -ECANCELED;
    if (!is_cancelled && slot->stage == CEDE_URING_IN_KERNEL)
        complete_direct(state, slot, cqe->res, !(cqe->flags & IORING_CQE_F_SOCK_NONEMPTY));
    else if (!is_cancelled)
        complete_poll(state, slot, cqe->res, more);
    if (!is_cancelling)
        return;
    if (op->state == CEDE_ENDED)
        state->cancelling_count--;
    else
        take_if_cancelled(state, slot, more);
}

bool cede_uring_drain(struct cede_uring_state *state)
{
    struct io_uring_cq *cq = &state->ring.ring.cq;
    unsigned head = *cq->khead;
    bool found = false;
    while (head != io_uring_smp_load_acquire(cq->ktail)) {
        struct io_uring_cqe cqe = cq->cqes[head & cq->ring_mask];
        io_uring_smp_store_release(cq->khead, ++head);
        complete(state, &cqe);
        found = true;
    }
    return carry_out_ready(state) || found;
}

void cede_uring_drain_cancelled(struct cede_uring_state *state)
{
    struct io_uring_cq *cq = &state->ring.ring.cq;
    unsigned tail = io_uring_smp_load_acquire(cq->ktail);
    for (unsigned head = *cq->khead; head != tail; head++) {
        struct io_uring_cqe *cqe = &cq->cqes[head & cq->ring_mask];
        struct cede_uring_slot *slot = slot_of(state, cqe->user_data);
        bool is_about_cancels = cqe->user_data & CANCELS || (slot && slot->is_cancelling);
        if (!is_about_cancels)
            continue;
        struct io_uring_cqe taken = *cqe;
        cqe->user_data = IGNORED;
        complete(state, &taken);
    }
}
