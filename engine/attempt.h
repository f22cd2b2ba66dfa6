// SPDX-License-Identifier: MIT
//
// What each verb means in system calls: one try that never blocks. The readiness backend makes all
// of its calls here, and the engine its last tries (S15), so an operation is the same thing
// wherever it is carried out.

#ifndef CEDE_ENGINE_ATTEMPT_H
#define CEDE_ENGINE_ATTEMPT_H

#include "engine/descriptors.h"
#include "engine/operation.h"

// A transfer of any length makes way for others after so many bytes (S10). What it has not moved it
// finds ready the next time.
#define CEDE_ATTEMPT_BYTES ((size_t)256 << 10)

enum cede_attempt {
    CEDE_ATTEMPT_BLOCKED, // It would block: nothing has changed.
    CEDE_ATTEMPT_MOVED,   // Bytes moved, more are wanted, but it would block or be unfair.
    CEDE_ATTEMPT_ENDED,   // The result is set.
};

// Whether there is nothing to try: the last receive got less than it asked for, so that the next,
// unless it is over with no bytes, would find nothing (normal mode only: another process may have
// shown otherwise).
static inline bool cede_attempt_is_pointless(const struct cede_operation *op,
                                             const struct cede_descriptor *slot, bool strict)
{
    return !strict && slot->is_drained &&
           (op->verb == CEDE_VERB_RECV ||
            (op->verb == CEDE_VERB_RECV_EXACT && op->as.buffer.bytes > 0));
}

// Whether there is nothing to try before the descriptor is ready: a bare wait, or a transfer of no
// bytes.
static inline bool cede_attempt_is_none(const struct cede_operation *op)
{
    bool is_transfer = op->verb == CEDE_VERB_RECV || op->verb == CEDE_VERB_SEND;
    return cede_operation_is_bare_wait(op) || (is_transfer && op->as.buffer.bytes == 0);
}

// Tries an operation that has a descriptor and is no bare wait. `is_ready`: the kernel has just
// called the descriptor ready, which an operation of no bytes waits for. `strict`: read until the
// kernel says that nothing is left, instead of believing a short read. Does not suspend.
enum cede_attempt cede_attempt(struct cede_operation *op, struct cede_descriptor *slot,
                               bool is_ready, bool strict);

// Whether a result of accept is about the connection, which was gone or broken before it was
// accepted, and not about the listener: then the next one is waited for (accept(2), "Error
// handling").
bool cede_attempt_is_lost_connection(int64_t result);

// Whether a result of accept means that the system is short of something that closing gives back
// (S19).
bool cede_attempt_is_shortage(const struct cede_operation *op);

#endif
