// SPDX-License-Identifier: MIT
//
// The connections of the echo server, one task each, and how they are told to end. Knows nothing of
// listening and signals; tools/echo_server.c accepts, and decides when it is time to go.

#ifndef CEDE_TOOLS_ECHO_CONNECTION_H
#define CEDE_TOOLS_ECHO_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "cede.h"
#include "tools/echo_options.h"

// Something that one task waits for and others make true. The waiter sleeps in a scope, and whoever
// brings the news cancels it.
struct echo_event {
    struct cede_scope scope;
    bool is_awaited;
};

LIST_HEAD(echo_connection_list, echo_connection);

// All of them. To be filled with zeros, and `options`. The functions below write it.
struct echo_connections {
    const struct echo_options *options;
    struct echo_connection_list begun; // Their tasks have begun and not ended.
    uint32_t count;                    // From accept to close.
    bool is_leaving;                   // Those that begin now take their leave at once.
    struct echo_event has_room;        // One is gone.
    struct echo_event is_empty;        // The last one is.

    uint64_t started_count;
    uint64_t echoed_bytes;
    uint64_t failed_count; // Resets and the like.
    uint64_t idle_count;
    uint64_t cut_off_count;
};

// Gives a connection its task, which closes the descriptor in the end: 0; or -ENOMEM or -EAGAIN,
// and the descriptor is still the caller's. Does not suspend.
int echo_connections_start(struct cede_task *self, struct echo_connections *connections, int fd);

// Has all of them, and those that start later, echo what was received by now and end. Does not
// suspend.
void echo_connections_leave(struct echo_connections *connections);

// Has those that have begun end at once, whatever they have still to send. Does not suspend.
void echo_connections_cut_off(struct cede_task *self, struct echo_connections *connections);

// Opens the scope of a wait for an event; whatever suspends in it ends with -ECANCELED when the
// event comes, and with -ETIMEDOUT at the deadline. Does not suspend.
void echo_event_enter(struct cede_task *self, int64_t deadline_ns, struct echo_event *event);
void echo_event_leave(struct cede_task *self, struct echo_event *event);

#endif
