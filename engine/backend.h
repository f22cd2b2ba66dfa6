// SPDX-License-Identifier: MIT
//
// The contract of a backend: it carries operations out. select and epoll do that through
// engine/readiness.c, which is one backend over two pollers; a completion queue does it in the
// kernel. The engine owns the descriptor table and the operations; a backend owns kernel state
// only, and neither calls into the engine nor into a task. engine/engine.c is the one caller.

#ifndef CEDE_ENGINE_BACKEND_H
#define CEDE_ENGINE_BACKEND_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/descriptors.h"
#include "engine/operation.h"

// What a backend is told when it opens. The table is the engine's and outlives the backend.
struct cede_backend_setup {
    const struct cede_descriptors *descriptors;
    bool strict;
};

struct cede_backend {
    // The word that users type.
    const char *name;

    // For readiness.c: the poller to ask. NULL in a backend that needs none.
    const struct cede_poller *poller;

    // Acquires kernel state. 0; -ENOSYS, -EPERM or -EACCES when this kernel or sandbox does not
    // offer it, so that the caller may try the next; any other -errno is a failure. `backend` is
    // the table entry itself.
    int (*open)(const struct cede_backend *backend, const struct cede_backend_setup *setup,
                void **ret_state);

    // Gives everything back. Operations still parked are forgotten. Accepts NULL.
    void (*close)(void *state);

    // Takes over an operation and, now or by the next wait at the latest, tries it once without
    // blocking, in the order of submission (T2). What there is no point in trying
    // (cede_attempt_is_pointless) may come before T2, and waits for the kernel. It ends exactly
    // once, later, through wait; nothing is ever reported from inside submit.
    void (*submit)(void *state, struct cede_operation *op);

    // Takes the listed operations back (the list is linked through `next`, which is therefore not
    // the backend's to use for what is parked): on return neither kernel nor backend names one of
    // them, and no byte of theirs is lost. Those that had ended on their own meanwhile leave the
    // list, and come through wait with their results. Returns how many did.
    int (*cancel)(void *state, struct cede_operation_list *ops);

    // Lets go of a descriptor before it is closed or handed over: everything submitted earlier has
    // been tried, and nothing in the kernel keeps the file alive for us. No operation is on it.
    void (*forget)(void *state, int fd);

    // One answer of T2 and T3: appends what has ended, in any order, each with its result and in
    // state CEDE_ENDED. Sleeps up to `timeout_ns` (0 not at all, CEDE_NEVER without end), but not
    // when something has ended already; with `may_skip_poll` the kernel then need not be asked for
    // more. Two results have a meaning of their own, and the engine lets such an operation rest
    // before it submits it again: -EAGAIN, woken in vain too often (S2); -EMFILE and its kin from
    // accept (S19). Returns 1 when an operation ended or a byte moved, 0 when not (settling, T3);
    // -errno only if the backend is dead. A signal is no error.
    int (*wait)(void *state, int64_t timeout_ns, bool may_skip_poll,
                struct cede_operation_list *ended);

    // Says in a line what it means on this machine that opening or testing the backend failed.
    // NULL: there is nothing to say beyond the error.
    void (*explain)(int error, char *ret_text, size_t bytes);

    // Says in a line what the open backend got from this kernel. NULL: there is nothing to say.
    void (*describe)(const void *state, char *ret_text, size_t bytes);
};

#endif
