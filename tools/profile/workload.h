// SPDX-License-Identifier: MIT
//
// What is asked of a server while it is measured: the contract of a workload, and the table of
// those that exist. A workload says which bytes go out, how many come back and which they must be;
// it makes no system call while time is taken (the load generator, its caller, does) and knows no
// arm. Only the gate, which runs before any time is taken, talks to a server by itself.

#ifndef CEDE_TOOLS_PROFILE_WORKLOAD_H
#define CEDE_TOOLS_PROFILE_WORKLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// One operation on one connection: a request, and a reply of known length. The request stays where
// it is until the reply is complete.
struct exchange {
    const unsigned char *request;
    size_t request_bytes;
    size_t reply_bytes;
};

struct workload {
    const char *name;

    // Prepare what all connections share. 0 or -ENOMEM.
    int (*open)(size_t message_bytes, uint64_t seed, void **ret_state);

    // Give it back; accepts NULL.
    void (*close)(void *state);

    // Say what operation `number` of this connection is. No two neighbouring operations, of one
    // connection or of two, may look alike: a reply that was misrouted or repeated must not fit.
    void (*prepare)(void *state, size_t connection, uint64_t number, struct exchange *ret_exchange);

    // Look at every one of `count` bytes that arrived at `offset` of the reply. True: they are
    // right.
    bool (*verify)(void *state, const struct exchange *exchange, size_t offset,
                   const unsigned char *bytes, size_t count);

    // Before anything is timed: is the server on this port of 127.0.0.1 correct, at odd sizes and
    // at the end of the stream too? 0; or -EBADMSG, -ETIMEDOUT or the error of a system call, and a
    // sentence without a full stop in `reason` that says what was seen.
    int (*gate)(uint16_t port, uint64_t seed, char *reason, size_t reason_bytes);
};

extern const struct workload workload_echo;

// The workload of this name, or NULL.
const struct workload *workload_find(const char *name);

#endif
