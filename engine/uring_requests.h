// SPDX-License-Identifier: MIT
//
// Operations as entries of a ring. A part of the io_uring backend: knows verbs and arguments, not
// lifetimes.

#ifndef CEDE_ENGINE_URING_REQUESTS_H
#define CEDE_ENGINE_URING_REQUESTS_H

#include <liburing.h>

#include "engine/descriptors.h"
#include "engine/operation.h"

// How a verb is carried out on a ring.
enum cede_uring_way {
    CEDE_URING_DIRECT, // By its own opcode.
    CEDE_URING_POLL,   // By a poll, and then a system call or the end.
    CEDE_URING_CALL, // By a system call at once: it cannot block, or must not in the kernel (S23).
};

// `prefers_call` where the opcode could differ from the call: in T2 of strict mode, which it must
// neither exceed nor fall short of, and after an error or a hang-up.
enum cede_uring_way cede_uring_way_of(const struct cede_operation *op,
                                      const struct cede_descriptor *descriptor, bool prefers_call);

// Fills in an entry with the operation's own opcode, for what is left of it to do on that
// descriptor.
void cede_uring_prepare_direct(struct io_uring_sqe *sqe, const struct cede_operation *op,
                               const struct cede_descriptor *descriptor, bool strict);

// Fills in a poll of the operation's direction.
void cede_uring_prepare_poll(struct io_uring_sqe *sqe, const struct cede_operation *op,
                             bool is_multishot);

// Whether what a poll reports is "ready" in the operation's direction (S2). The kernel adds RDHUP
// and HUP to every poll, and neither makes a descriptor ready to send.
bool cede_uring_is_ready(const struct cede_operation *op, int events);

#endif
