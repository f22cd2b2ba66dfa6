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

#include "tools/profile/loopback.h"
#include "tools/profile/needs.h"

enum { WORKLOAD_NAME_BYTES = 40, WORKLOAD_PARAMETER_LIMIT = 2 };

// One operation: a request, and a reply of known length. The request stays where it is until the
// reply is complete.
struct exchange {
    const unsigned char *request;
    size_t request_bytes;
    size_t reply_bytes;
};

// A workload with its parameters, as the command line asks for it.
struct workload_choice {
    const struct workload *workload;
    char name[WORKLOAD_NAME_BYTES]; // "rr:64:1000"
    struct server_needs needs;      // what the server must do; the address is the caller's business
    size_t message_bytes;           // of a request
    size_t depth;                   // operations under way on a connection; 0: the caller's choice
    size_t idle_count;              // connections that are open and silent beside the busy ones
    size_t open_count;              // connections that are open in all; 0: no more than are busy
    int64_t patience_ns;            // how long a server may owe a reply and be silent: five seconds
};

struct workload {
    const char *name;
    const char *parameters; // for help, such as ":REQUEST:REPLY", or ""
    size_t parameter_count;
    bool reconnects;     // each operation has a connection of its own, from connect to close
    bool is_broadcast;   // connection 0 sends, and every connection gets the whole reply
    bool changes_places; // the next operation goes to another connection, not to the same again

    // Turn parameters, which are at least 1, into the choice; NULL if there is nothing to set.
    // 0, or -EINVAL: they make no sense.
    int (*set)(struct workload_choice *choice, const size_t *parameters);

    // Prepare what all connections share. 0 or -ENOMEM.
    int (*open)(const struct workload_choice *choice, uint64_t seed, void **ret_state);

    // Give it back; accepts NULL.
    void (*close)(void *state);

    // Say what operation `number` of this connection is. No two neighbouring operations, of one
    // connection or of two, may look alike: a reply that was misrouted or repeated must not fit.
    // (Where all replies are the same by nature, their count must do.)
    void (*prepare)(void *state, size_t connection, uint64_t number, struct exchange *ret_exchange);

    // Look at every one of `count` bytes that arrived at `offset` of the reply. True: they are
    // right.
    bool (*verify)(void *state, const struct exchange *exchange, size_t offset,
                   const unsigned char *bytes, size_t count);

    // Before anything is timed: is the server at this address correct, at odd sizes and at the end
    // of the stream too? 0; or -EBADMSG, -ETIMEDOUT or the error of a system call, and a sentence
    // without a full stop in `reason` that says what was seen.
    int (*gate)(const struct workload_choice *choice, const struct loopback_address *address,
                uint64_t seed, char *reason, size_t reason_bytes);
};

extern const struct workload workload_churn;
extern const struct workload workload_compute;
extern const struct workload workload_echo;
extern const struct workload workload_fan_out;
extern const struct workload workload_few_active;
extern const struct workload workload_http;
extern const struct workload workload_idle;
extern const struct workload workload_pipelined;
extern const struct workload workload_rr;
extern const struct workload workload_stream;

// Read "echo", "rr:64:1000" and the like; `message_bytes` is for workloads without a size of their
// own. 0; or -EINVAL, and a sentence without a full stop in `reason` that says what is wrong.
int workload_choose(const char *text, size_t message_bytes, struct workload_choice *ret_choice,
                    char *reason, size_t reason_bytes);

// How many connections a load with this many busy ones has open.
size_t workload_open_count(const struct workload_choice *choice, size_t busy_count);

// Every name of the table with its parameters, separated by ", ", for help and messages.
void workload_list(char *text, size_t size);

#endif
