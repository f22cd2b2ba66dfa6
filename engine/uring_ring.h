// SPDX-License-Identifier: MIT
//
// A ring that is ready for use, and its two ends: entries go in, completions come out. A part of
// the io_uring backend; knows no operation.

#ifndef CEDE_ENGINE_URING_RING_H
#define CEDE_ENGINE_URING_RING_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/sys_ring.h"

struct cede_uring_ring {
    struct io_uring ring;
    unsigned enter_flags;
};

// The locked memory that no ring does without.
#define CEDE_URING_BYTES_MIN (UINT64_C(8) << 10)

// Opens a ring that may do what the engine does and nothing else: 0; -ENOSYS when the kernel lacks
// something; -EPERM, -EACCES or -ENOMEM as the kernel says. `needs_deferred` insists on completions
// that appear only when asked for, which strict mode is built on.
int cede_uring_ring_open(bool needs_deferred, struct cede_uring_ring *ret_ring);
void cede_uring_ring_close(struct cede_uring_ring *ring);

// One line on what a refusal means on this machine.
void cede_uring_ring_explain(int error, char *ret_text, size_t bytes);

// Which flags the ring runs with: "single-issuer defer-taskrun ...".
void cede_uring_ring_describe(const struct cede_uring_ring *ring, char *ret_text, size_t bytes);

// The next free entry, to be filled in. When the ring is full what is in it goes to the kernel
// first. NULL only when the kernel takes nothing.
struct io_uring_sqe *cede_uring_ring_next(struct cede_uring_ring *ring);

// How many entries the kernel has not seen.
unsigned cede_uring_ring_queued(const struct cede_uring_ring *ring);

// Hands over all entries and waits for `wait_count` completions up to `timeout_ns`: 0, or -errno.
int cede_uring_ring_enter(struct cede_uring_ring *ring, unsigned wait_count, int64_t timeout_ns);

// Hands over all entries, each of which is tried, while nothing that waits in the kernel goes on:
// 0, or -errno.
int cede_uring_ring_submit(struct cede_uring_ring *ring);

// Whether completions are pending that an enter would bring.
bool cede_uring_ring_has_work(const struct cede_uring_ring *ring);

// Whether completions wait in the kernel because their queue is full.
bool cede_uring_ring_overflows(const struct cede_uring_ring *ring);

#endif
