// SPDX-License-Identifier: MIT
//
// Marks memory that belongs to the engine for a while, so that the address sanitizer reports a task
// that touches a receive buffer between submission and end (S16). Nothing in other builds.

#ifndef CEDE_ENGINE_POISON_H
#define CEDE_ENGINE_POISON_H

#include "engine/operation.h"

#if defined(__SANITIZE_ADDRESS__)
#define CEDE_POISONS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CEDE_POISONS 1
#endif
#endif

#ifdef CEDE_POISONS
#include <sanitizer/asan_interface.h>
#endif

// The receive buffer of an operation, or false when its verb has none.
static inline bool cede_poison_has_buffer(const struct cede_operation *op)
{
    return op->verb == CEDE_VERB_RECV || op->verb == CEDE_VERB_RECV_EXACT ||
           op->verb == CEDE_VERB_READ;
}

static inline void cede_poison(const struct cede_operation *op)
{
#ifdef CEDE_POISONS
    if (cede_poison_has_buffer(op))
        __asan_poison_memory_region(op->as.buffer.data, op->as.buffer.bytes);
#else
    (void)op;
#endif
}

static inline void cede_unpoison(const struct cede_operation *op)
{
#ifdef CEDE_POISONS
    if (cede_poison_has_buffer(op))
        __asan_unpoison_memory_region(op->as.buffer.data, op->as.buffer.bytes);
#else
    (void)op;
#endif
}

#endif
