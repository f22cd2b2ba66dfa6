// SPDX-License-Identifier: MIT
//
// The load generator: many connections to one server, one operation at a time on each, for a while.
// It is the client of every measurement and stays as plain as possible: one thread, one epoll set
// of its own, no code shared with any server that it measures. It knows ports and workloads, not
// arms. The experiment calls it, one window after the other.

#ifndef CEDE_TOOLS_PROFILE_LOAD_H
#define CEDE_TOOLS_PROFILE_LOAD_H

#include <signal.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/profile/histogram.h"
#include "tools/profile/workload.h"

struct load;

// What happened in one window.
struct load_window {
    uint64_t operation_count; // complete ones; the bytes of every reply were looked at
    uint64_t reply_bytes;
    int64_t elapsed_ns; // from the first request to the last reply
};

// Connect to this port so many times. `state` belongs to the workload and must outlive the load.
// 0, -ENOMEM, or the error of a connect.
int load_open(const struct workload *workload, void *state, uint16_t port, size_t connection_count,
              struct load **ret_load);

// Close our direction of every connection and wait until the server has closed its own: afterwards
// it has no work left to do for this load. 0, or an error as of load_run.
int load_finish(struct load *load);

// Close what is still open and free the load; accepts NULL.
void load_close(struct load *load);

// Keep every connection busy for this long, then wait for the replies that are due: the window
// begins and ends with an idle server. Each operation's duration is recorded in `latency`, in
// nanoseconds. When *stop turns true (a signal handler sets it) the window ends early. 0; -EBADMSG:
// a wrong reply; -ECONNRESET: the server hung up; -ETIMEDOUT: no reply for five seconds; or another
// -errno. After an error load_failure says more, and the load can only be closed.
int load_run(struct load *load, int64_t duration_ns, const volatile sig_atomic_t *stop,
             struct histogram *latency, struct load_window *ret_window);

// What made load_run fail, such as "connection 3, operation 17: wrong bytes at 0 of 64".
const char *load_failure(const struct load *load);

#endif
