// SPDX-License-Identifier: MIT
//
// The list of backends, and the choice among them. To add one is to add its line here.

#include "engine/backends.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine/epoll.h"
#include "engine/readiness.h"
#include "engine/select.h"
#include "engine/uring.h"

static const struct cede_backend epoll_backend =
    CEDE_READINESS_BACKEND("epoll", &cede_epoll_poller);
static const struct cede_backend select_backend =
    CEDE_READINESS_BACKEND("select", &cede_select_poller);

static const struct cede_backend *const backends[] = {
    &cede_uring_backend,
    &epoll_backend,
    &select_backend,
};

#define BACKEND_COUNT ((int)(sizeof backends / sizeof *backends))

_Static_assert(BACKEND_COUNT <= CEDE_BACKEND_LIMIT, "every backend can refuse");

const struct cede_backend *cede_backends_at(int index)
{
    return index >= 0 && index < BACKEND_COUNT ? backends[index] : NULL;
}

const struct cede_backend *cede_backends_find(const char *name)
{
    for (int i = 0; i < BACKEND_COUNT; i++)
        if (strcmp(backends[i]->name, name) == 0)
            return backends[i];
    return NULL;
}

// Sends a byte through a socket pair with the backend: 0, or -errno.
static int pass_a_byte(const struct cede_backend *backend, void *state,
                       const struct cede_descriptors *descriptors, const int fds[2])
{
    char byte = 0;
    struct cede_operation op;
    cede_operation_prepare(&op, CEDE_VERB_RECV, fds[0]);
    op.as.buffer.data = &byte;
    op.as.buffer.bytes = 1;
    op.state = CEDE_SUBMITTED;
    op.class = CEDE_CLASS_RECEIVER;
    op.ticket = 1;
    struct cede_descriptor *slot = cede_descriptors_at(descriptors, fds[0]);
    if (!slot)
        return -EMFILE;
    slot->waiting[CEDE_RECV] = &op;
    backend->submit(state, &op);

    ssize_t sent = cede_sys_send(fds[1], "x", 1, 0);
    if (sent < 0)
        return (int)sent;
    struct cede_operation_list ended = {.first = NULL};
    int progress = backend->wait(state, CEDE_NANOSECONDS_PER_SECOND, false, &ended);
    if (progress < 0)
        return progress;
    if (ended.first != &op || op.result != 1 || byte != 'x')
        return -EIO;
    backend->forget(state, fds[0]);
    return 0;
}

static int test_on_pair(const struct cede_backend *backend, const int fds[2],
                        struct cede_trial *trial)
{
    struct cede_descriptors descriptors;
    int largest = fds[0] > fds[1] ? fds[0] : fds[1];
    int error = cede_descriptors_open(largest + 1, &descriptors);
    if (error < 0)
        return error;
    struct cede_backend_setup setup = {.descriptors = &descriptors};
    void *state;
    error = backend->open(backend, &setup, &state);
    if (error == 0) {
        error = pass_a_byte(backend, state, &descriptors, fds);
        if (error == 0 && backend->describe)
            backend->describe(state, trial->text, sizeof trial->text);
        backend->close(state);
    }
    cede_descriptors_close(&descriptors);
    return error;
}

static void explain(struct cede_trial *trial, const char *text, int error)
{
    trial->error = error;
    snprintf(trial->text, sizeof trial->text, "%s: %s", text, strerror(-error));
}

int cede_backends_test(const struct cede_backend *backend, struct cede_trial *ret_trial)
{
    int fds[2];
    *ret_trial = (struct cede_trial){.name = backend->name};
    int error = cede_sys_socketpair(AF_UNIX, SOCK_STREAM, fds);
    if (error < 0) {
        explain(ret_trial, "no socket pair to test it on", error);
        return error;
    }
    error = test_on_pair(backend, fds, ret_trial);
    cede_sys_close(fds[0]);
    cede_sys_close(fds[1]);
    if (error < 0 && backend->explain) {
        ret_trial->error = error;
        backend->explain(error, ret_trial->text, sizeof ret_trial->text);
    } else if (error < 0) {
        explain(ret_trial, "passing a byte through it failed", error);
    }
    return error;
}
static int choose_named(const char *name, struct cede_backends_choice *choice)
{
    struct cede_trial *refusal = &choice->refusals[0];
    const struct cede_backend *backend = cede_backends_find(name);
    int error;
    if (!backend) {
        error = -EINVAL;
        *refusal = (struct cede_trial){.name = name, .error = error};
        snprintf(refusal->text, sizeof refusal->text, "no backend of this name");
    } else {
        error = cede_backends_test(backend, refusal);
    }
    choice->refusal_count = error < 0;
    choice->backend = error < 0 ? NULL : backend;
    return error;
}

int cede_backends_choose(const char *name, struct cede_backends_choice *ret_choice)
{
    *ret_choice = (struct cede_backends_choice){.backend = NULL};
    if (!name)
        name = cede_sys_environment("CEDE_BACKEND");
    if (name && *name && strcmp(name, "auto") != 0)
        return choose_named(name, ret_choice);
    int error = -ENOSYS;
    for (int i = 0; i < BACKEND_COUNT; i++) {
        error = cede_backends_test(backends[i], &ret_choice->refusals[ret_choice->refusal_count]);
        if (error == 0) {
            ret_choice->backend = backends[i];
            return 0;
        }
        ret_choice->refusal_count++;
    }
    return error;
}
