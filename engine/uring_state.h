// SPDX-License-Identifier: MIT
//
// The inside of the io_uring backend, shared by its two files: uring.c (the contract) and
// uring_flow.c (requests and completions).

#ifndef CEDE_ENGINE_URING_STATE_H
#define CEDE_ENGINE_URING_STATE_H

#include "engine/backend.h"
#include "engine/uring_ring.h"

enum cede_uring_stage {
    CEDE_URING_FREE,
    CEDE_URING_IN_KERNEL,
    CEDE_URING_POLLED,
    CEDE_URING_WATCHED,
    CEDE_URING_STOPPING,
};

struct cede_uring_slot {
    struct cede_operation *op;
    uint32_t generation;
    uint32_t next_free;
    uint8_t stage;
    bool is_cancelling;
    bool was_ready;   // A poll has called it ready since it last moved,
    bool has_hung_up; // with an error or a hang-up.
    bool owes_cancel; // It is to be cancelled, and there was no room to ask for that.
};

struct cede_uring_state {
    struct cede_uring_ring ring;
    const struct cede_descriptors *descriptors;
    struct cede_uring_slot *slots;
    uint32_t slot_count; // Ever used.
    uint32_t slot_limit;
    uint32_t first_free; // CEDE_URING_NO_SLOT: none.
    uint32_t cancelling_count;
    uint32_t stopping_count;
    uint32_t owing_count;
    bool strict;
    bool has_moved;
    bool has_untried;         // The kernel has not seen all that was submitted.
    int failure;              // 0, or the -errno with which the ring died.
    uint64_t newest_ticket;   // Of all that was submitted,
    uint64_t answered_ticket; // and of what was in the ring at the last answer.
    struct cede_operation_list ended;
    struct cede_operation_list ready[CEDE_DIRECTION_COUNT]; // Strict: to be carried out.
    struct cede_operation_list taken; // By the cancel that is going on.
};

#define CEDE_URING_NO_SLOT UINT32_MAX

// Takes over an operation: queues its first request, or makes its system call.
void cede_uring_begin(struct cede_uring_state *state, struct cede_operation *op);

// Has the kernel try what was submitted (T2), while nothing that waits there goes on.
void cede_uring_try_submitted(struct cede_uring_state *state);

// Queues a request to cancel what a slot has in the kernel. Where the ring has no room, the slot
// owes it.
void cede_uring_request_cancel(struct cede_uring_state *state, struct cede_uring_slot *slot);

// Queues the requests that are owed, as far as there is room.
void cede_uring_request_owed(struct cede_uring_state *state);

// Takes every completion that is in the ring. Returns whether there was one.
bool cede_uring_drain(struct cede_uring_state *state);

// Takes the completions of what is being cancelled, and leaves the others in the ring.
void cede_uring_drain_cancelled(struct cede_uring_state *state);

#endif
