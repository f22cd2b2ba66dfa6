// SPDX-License-Identifier: MIT
//
// A ring in ordinary memory: another definition of engine/sys_ring.h, linked in its place. It makes
// no system call and carries nothing out. What is handed over is kept for the test to look at, and
// the test says which completions come, in which order, and what each call answers. So it can do
// what a kernel does once in a million times. One ring at a time.

#ifndef CEDE_TESTS_URING_FAKE_RING_H
#define CEDE_TESTS_URING_FAKE_RING_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/sys_ring.h"

#define FAKE_RING_TAKEN_LIMIT 256

// What the fake kernel is like, and what happened to it. Everything may be read and written.
struct fake_ring {
    // Opening: flags that are not known (EINVAL), the largest ring that there is memory for
    // (ENOMEM), how many entries a ring really gets (IORING_SETUP_CLAMP), and the features.
    unsigned unknown_flags;
    unsigned affordable_entries;
    unsigned submission_limit;
    unsigned completion_limit;
    unsigned features;

    // What the register operation of this number answers, as -errno; 0 for the others.
    unsigned refused_registration;
    int registration_error;

    // What the next calls to enter answer instead of taking entries, as -errno, and how many do.
    int enter_error;
    unsigned enter_error_count;

    // How many entries the next call to enter takes at most, and without waiting then; 0: all.
    unsigned part_taken;

    // Called for each entry that is taken; NULL: it is only kept. The place for answers that must
    // come while somebody waits for them.
    void (*answer)(const struct io_uring_sqe *entry);

    // Called by each enter that would have to sleep. It must bring a completion if there is no end
    // to the sleep.
    void (*during_sleep)(void);

    bool keeps_work_pending;

    unsigned open_count; // Rings opened,
    unsigned held_count; // and not closed again.
    unsigned tried_count;
    struct io_uring_params tried[16]; // What was asked for each time,
    unsigned tried_entries[16];       // with so many entries.
    unsigned registered_count;
    unsigned registered[16]; // The register operations, in order.
    unsigned enter_count;
    unsigned taken_count;
    struct io_uring_sqe taken[FAKE_RING_TAKEN_LIMIT];
    int64_t timeout_ns;  // Of the last enter,
    unsigned wait_count; // and for how many completions.
};

extern struct fake_ring fake_ring;

// A kernel that has everything, and nothing that happened.
void fake_ring_reset(void);

// A completion for the entry with this user_data. When the queue is full it is held back until an
// enter finds room, and the ring says so (IORING_SQ_CQ_OVERFLOW).
void fake_ring_complete(uint64_t name, int result, unsigned flags);

// The last entry that was taken, and the last but so many.
const struct io_uring_sqe *fake_ring_last(void);
const struct io_uring_sqe *fake_ring_before_last(unsigned count);

// How many entries with this opcode were taken.
unsigned fake_ring_count(unsigned opcode);

// Whether the ring says that completions are pending (IORING_SQ_TASKRUN); an enter brings them all,
// unless `keeps_work_pending`.
void fake_ring_say_work_is_pending(bool is_pending);

#endif
