// SPDX-License-Identifier: MIT
//
// The backend over a poller: select and epoll mean the same for an operation because this code
// gives both their meaning. Named in engine/backends.c only.

#ifndef CEDE_ENGINE_READINESS_H
#define CEDE_ENGINE_READINESS_H

#include "engine/backend.h"
#include "engine/poller.h"

// The members of struct cede_backend, as its contract says.
int cede_readiness_open(const struct cede_backend *backend,
                        const struct cede_backend_setup *setup, void **ret_state);
void cede_readiness_close(void *state);
void cede_readiness_submit(void *state, struct cede_operation *op);
int cede_readiness_cancel(void *state, struct cede_operation_list *ops);
void cede_readiness_forget(void *state, int fd);
int cede_readiness_wait(void *state, int64_t timeout_ns, bool may_skip_poll,
                        struct cede_operation_list *ended);

// A table entry for the backend that asks this poller.
#define CEDE_READINESS_BACKEND(name_of_backend, poller_to_ask)                                     \
    {                                                                                              \
        .name = (name_of_backend), .poller = (poller_to_ask), .open = cede_readiness_open,         \
        .close = cede_readiness_close, .submit = cede_readiness_submit,                            \
        .cancel = cede_readiness_cancel, .forget = cede_readiness_forget,                          \
        .wait = cede_readiness_wait,                                                               \
    }

#endif
