// SPDX-License-Identifier: MIT
//
// The load generator: many connections to one server, operations on them for a while. It is the
// client of every measurement and stays as plain as possible: one thread, one epoll set of its own,
// no code shared with any server that it measures. It knows addresses and workloads, not arms. The
// experiment calls it, one window after the other.

#ifndef CEDE_TOOLS_PROFILE_LOAD_H
#define CEDE_TOOLS_PROFILE_LOAD_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/profile/arrivals.h"
#include "tools/profile/histogram.h"
#include "tools/profile/loopback.h"
#include "tools/profile/workload.h"

struct load;

// Who decides when the next operation begins: the server, by ending the one before it; or a plan
// that was made before the window, which waits for nobody.
enum load_loop { LOAD_CLOSED, LOAD_OPEN };

struct load_plan {
    const struct workload_choice *workload; // both must outlive the load
    void *state;                            // what workload->open gave
    struct loopback_address address;
    size_t connection_count; // busy ones, at least 1; the workload may add silent ones
    size_t depth;            // operations under way on each at most; 0: one
    enum load_loop loop;
    double rate_per_s; // open loop: operations planned for a second, over all connections
    enum load_arrivals arrivals;
    uint64_t seed;                     // of the planned times
    bool polls;                        // never sleep: look for events again and again
    const volatile sig_atomic_t *stop; // when it turns true, a window ends early
};

// Where durations are recorded, in nanoseconds; each may be NULL, none is cleared. All are filled
// for complete operations, so their totals are equal.
struct load_histograms {
    struct histogram *latency; // open loop: from the planned time; closed loop: as `service`
    struct histogram *service; // from the moment when the request is handed to the kernel
    struct histogram *lag;     // how much later than it could the generator sent; closed loop: 0
};

// What happened in one window.
struct load_window {
    uint64_t operation_count; // complete ones; the bytes of every reply were looked at
    uint64_t reply_bytes;
    int64_t start_ns;       // of the monotonic clock; planned times count from it
    int64_t elapsed_ns;     // from the first request to the last reply
    int64_t busy_ns;        // integral over time of the number of operations under way
    int64_t cpu_ns;         // processor time of the generator's thread
    int64_t work_ns;        // of this, without polls that found nothing
    uint64_t planned_count; // open loop: operations that the plan held for this window
    uint64_t waited_count;  // of these: no connection had room for them when their time came
    uint64_t unsent_count;  // of these: given up, since the server fell too far behind
};

// Connect; but a workload that reconnects does it for each operation, and a broadcast in its first
// window. 0, -ENOMEM, or the error of a connect.
int load_open(const struct load_plan *plan, struct load **ret_load);

// Close our direction of every connection and wait until the server has closed its own: afterwards
// it has no work left to do for this load. 0, or an error as of load_run.
int load_finish(struct load *load);

// Close what is still open and free the load; accepts NULL.
void load_close(struct load *load);

// Do operations for this long, then wait for the replies that are due: the window begins and ends
// with an idle server. A load takes any number of windows; each has other planned times. Before the
// first one, and not in it, silent connections have one exchange each, and those of a broadcast
// greet one after the other (of N connections, N * N / 2 messages). 0; -EBADMSG: a wrong reply;
// -ECONNRESET: the server hung up; -ETIMEDOUT: no reply for five seconds; or another -errno. After
// an error load_failure says more, and the load can only be closed.
int load_run(struct load *load, int64_t duration_ns, const struct load_histograms *histograms,
             struct load_window *ret_window);

// How many operations a second the generator would do if it never had to wait.
double load_window_headroom(const struct load_window *window);

// What made load_run fail, such as "connection 3, operation 17: wrong bytes at 0 of 64".
const char *load_failure(const struct load *load);

#endif
