// SPDX-License-Identifier: MIT
//
// The contract of a poller: it says which descriptors would not block. select and epoll are
// pollers; engine/readiness.c makes a backend of one. A poller moves no byte and knows no
// operation.
//
// Ready in the recv direction is IN, HUP or ERR; in the send direction OUT or ERR (S2): what
// select(2) would report. A report is one-shot: what was reported is no longer armed.

#ifndef CEDE_ENGINE_POLLER_H
#define CEDE_ENGINE_POLLER_H

#include <stdint.h>

#include "engine/operation.h"

struct cede_ready {
    int fd;
    enum cede_direction direction;
    int error; // 0, or -errno when the descriptor cannot be asked about (-EBADF: it was closed).
};

struct cede_poller {
    // Acquires kernel state for descriptors below `descriptor_count`; errors as a backend's open.
    int (*open)(int descriptor_count, void **ret_state);

    // Gives everything back. Accepts NULL.
    void (*close)(void *state);

    // Asks for one report of this pair. Arming what is armed changes nothing. Makes no system call:
    // a pair that is reported and armed again before the next wait shall cost none.
    void (*arm)(void *state, int fd, enum cede_direction direction);

    // Withdraws the wish: the pair is not reported. Harmless when it is not armed.
    void (*disarm)(void *state, int fd, enum cede_direction direction);

    // Before a close or a handing over: neither poller nor kernel remembers the descriptor.
    void (*forget)(void *state, int fd);

    // Waits until an armed pair is ready or the time is up (0 not at all, CEDE_NEVER without end);
    // writes at most `capacity` distinct pairs, in any order, and disarms them. What did not fit
    // comes next time, and nothing is reported that was not armed. Returns the count, 0 also on a
    // signal or when it has to look again; -errno only if the poller is dead.
    int (*wait)(void *state, struct cede_ready *ret_ready, int capacity, int64_t timeout_ns);
};

// The most pairs that can be armed at once.
#define CEDE_POLLER_CAPACITY(descriptor_count) (CEDE_DIRECTION_COUNT * (descriptor_count))

#endif
