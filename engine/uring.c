// SPDX-License-Identifier: MIT
//
// The backend in the ring. submit queues an entry; wait hands all entries over and sleeps in the
// same system call; cancel and forget hand over what is queued and see to the end of what they
// name. So what a tick asks for costs one or two system calls, however many operations it has.
//
// An operation in the ring has a slot, and the entry names the slot and its generation, never an
// address: a completion that comes late, for an operation that is gone, finds another generation,
// and is dropped (S7). A slot has one request in the kernel at a time:
//
//   IN_KERNEL  the verb's own opcode. A receive waits in the kernel; a send that would block comes
//              back with EAGAIN and is polled for.
//   POLLED     one answer, taken as a hint: the operation is then tried, or is a bare wait and
//              ends.
//   WATCHED    a poll that goes on. The kernel adds HUP and RDHUP to every poll; a send wait that
//              was answered with these alone would be answered so again at once if it were made
//              anew. One that goes on reports changes only.
//   STOPPING   a watch that is no longer needed and was cancelled; it belongs to no operation.
//
// Traps, each with its test:
// - A request in flight keeps its file alive through close(2), and its buffer: cancel and forget
//   therefore wait for the last completion of what they take back (S6, S16).
// - Cancelling wins over data that is there; the engine tries once more (S15).
// - At most some twenty completions come with one enter; the ring says when there are more.
// - When the completion queue is full the kernel keeps the rest and says so; the next enter brings
//   it.

#include "engine/uring.h"

#include <errno.h>
#include <stdio.h>

#include "engine/check.h"
#include "engine/uring_state.h"

static size_t slots_bytes(const struct cede_uring_state *state)
{
    return (size_t)state->slot_limit * sizeof *state->slots;
}

static void uring_close(void *opaque)
{
    struct cede_uring_state *state = opaque;
    if (!state)
        return;
    cede_uring_ring_close(&state->ring);
    cede_sys_unmap(state->slots, slots_bytes(state));
    cede_sys_free(state);
}

// The kernel gives a closed ring's locked memory back some 30 ms later. Who may lock little, and
// has just tried the backend, would be refused the ring that it will then work with.
static int open_ring(bool needs_deferred, struct cede_uring_ring *ret_ring)
{
    int error = cede_uring_ring_open(needs_deferred, ret_ring);
    bool may_fit = cede_sys_memlock_limit() >= CEDE_URING_BYTES_MIN;
    for (int64_t pause_ms = 20; error == -ENOMEM && may_fit && pause_ms <= 80; pause_ms *= 2) {
        cede_sys_select(0, NULL, NULL, pause_ms * CEDE_NANOSECONDS_PER_MILLISECOND);
        error = cede_uring_ring_open(needs_deferred, ret_ring);
    }
    return error;
}

static int uring_open(const struct cede_backend *backend, const struct cede_backend_setup *setup,
                      void **ret_state)
{
    (void)backend;
    struct cede_uring_state *state = cede_sys_allocate(sizeof *state);
    if (!state)
        return -ENOMEM;
    state->descriptors = setup->descriptors;
    state->strict = setup->strict;
    state->first_free = CEDE_URING_NO_SLOT;
    // One for each direction of each descriptor, and as many that are being stopped.
    state->slot_limit = 2U * CEDE_DIRECTION_COUNT * (uint32_t)setup->descriptors->count;
    void *slots;
    int error = cede_sys_map(slots_bytes(state), 0, &slots);
    if (error < 0)
        goto free_state;
    state->slots = slots;
    error = open_ring(setup->strict, &state->ring);
    if (error < 0)
        goto unmap_slots;
    *ret_state = state;
    return 0;

unmap_slots:
    cede_sys_unmap(slots, slots_bytes(state));
free_state:
    cede_sys_free(state);
    return error;
}

static void uring_submit(void *opaque, struct cede_operation *op)
{
    cede_uring_begin(opaque, op);
}

// Hands entries over, and waits.
static void hand_over(struct cede_uring_state *state, unsigned wait_count, int64_t timeout_ns)
{
    cede_uring_request_owed(state);
    // What was not asked for is not waited for.
    if (state->owing_count > 0)
        wait_count = 0;
    int error = cede_uring_ring_enter(&state->ring, wait_count, timeout_ns);
    if (error < 0)
        state->failure = error;
    state->has_untried = false;
}

// The same, and takes what came: whether something did.
static bool enter(struct cede_uring_state *state, unsigned wait_count, int64_t timeout_ns)
{
    hand_over(state, wait_count, timeout_ns);
    return cede_uring_drain(state);
}

// Sees to the end of what is being cancelled. All else that has completed is left for T3: what came
// of it must not come before a close, and it is to be found by a cancellation or a shutdown until
// the engine has it. Only a full queue is emptied, since the kernel has no room to answer there.
static void finish_cancels(struct cede_uring_state *state)
{
    while (state->cancelling_count > 0 && !state->failure) {
        // One more than those that are left lying there.
        hand_over(state, io_uring_cq_ready(&state->ring.ring) + 1, CEDE_NEVER);
        if (cede_uring_ring_overflows(&state->ring))
            cede_uring_drain(state);
        else
            cede_uring_drain_cancelled(state);
    }
}

static int uring_cancel(void *opaque, struct cede_operation_list *ops)
{
    struct cede_uring_state *state = opaque;
    int count = 0;
    CEDE_OPERATIONS_EACH(op, next, ops->first)
    {
        struct cede_uring_slot *slot = &state->slots[op->backend_index];
        cede_check(slot->op == op);
        slot->is_cancelling = true;
        state->cancelling_count++;
        count++;
        cede_uring_request_cancel(state, slot);
    }
    *ops = (struct cede_operation_list){.first = NULL};
    finish_cancels(state);
    CEDE_OPERATIONS_EACH(op, next, state->taken.first)
    count--;
    cede_operation_append_all(ops, &state->taken);
    return count;
}

static void uring_forget(void *opaque, int fd)
{
    struct cede_uring_state *state = opaque;
    (void)fd;
    // Whatever was submitted is tried before the descriptor goes, and no watch keeps the file
    // alive. Strict mode leaves none behind when it settles.
    cede_uring_try_submitted(state);
    while (state->stopping_count > 0 && !state->failure && !state->strict)
        enter(state, 1, CEDE_NEVER);
}

static int uring_wait(void *opaque, int64_t timeout_ns, bool may_skip_poll,
                      struct cede_operation_list *ended)
{
    struct cede_uring_state *state = opaque;
    // Strict mode takes what came of T2 together with what the kernel still holds back.
    bool has_progress = !state->strict && cede_uring_drain(state);
    bool has_ended = state->ended.first != NULL;
    if (!has_ended || !may_skip_poll || cede_uring_ring_queued(&state->ring) > 0)
        has_progress |= enter(state, !has_ended && timeout_ns > 0 ? 1 : 0, timeout_ns);
    state->answered_ticket = state->newest_ticket;
    has_progress |= has_ended || state->has_moved || state->owing_count > 0 ||
                    cede_uring_ring_queued(&state->ring) > 0 ||
                    cede_uring_ring_has_work(&state->ring);
    state->has_moved = false;
    cede_operation_append_all(ended, &state->ended);
    return state->failure ? state->failure : has_progress;
}

static void uring_describe(const void *opaque, char *ret_text, size_t bytes)
{
    const struct cede_uring_state *state = opaque;
    const struct io_uring *ring = &state->ring.ring;
    int used = snprintf(ret_text, bytes, "%u and %u entries, ", ring->sq.ring_entries,
                        ring->cq.ring_entries);
    cede_uring_ring_describe(&state->ring, ret_text + used, bytes - (size_t)used);
}

const struct cede_backend cede_uring_backend = {
    .name = "io_uring",
    .open = uring_open,
    .close = uring_close,
    .submit = uring_submit,
    .cancel = uring_cancel,
    .forget = uring_forget,
    .wait = uring_wait,
    .explain = cede_uring_ring_explain,
    .describe = uring_describe,
};
