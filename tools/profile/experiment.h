// SPDX-License-Identifier: MIT
//
// The measurement itself: start every arm once, see that each is correct, warm each up, and then
// take one window of each, block after block, in balanced order. It prints nothing but progress;
// summary.h draws conclusions from what it leaves, report.h and json.h show them.

#ifndef CEDE_TOOLS_PROFILE_EXPERIMENT_H
#define CEDE_TOOLS_PROFILE_EXPERIMENT_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/profile/arms.h"
#include "tools/profile/histogram.h"
#include "tools/profile/load.h"
#include "tools/profile/pin.h"
#include "tools/profile/server.h"
#include "tools/profile/workload.h"

struct experiment_plan {
    const struct workload *workload;
    size_t connection_count; // to each arm
    size_t message_bytes;
    int64_t window_ns;
    int64_t warmup_ns; // load before each window, not counted
    size_t block_count;
    uint64_t seed;
    struct pin pin;
    bool shows_progress;
    const volatile sig_atomic_t *stop; // a signal asks for the end
};

// One window of one arm: what the client counted and what the server used meanwhile.
struct experiment_window {
    bool is_complete;
    size_t place;     // in the order of its block
    int64_t start_ns; // since the experiment began
    struct load_window load;
    struct server_usage used;
    uint64_t p50_ns;
    uint64_t p99_ns;
    uint64_t maximum_ns;
};

// An arm in the race. It is out of it as soon as `failure` is not empty.
struct contestant {
    struct arm arm;
    struct server server;
    bool is_started;
    bool is_unavailable; // the failure is that it could not be started here
    int64_t rest_ns;     // how long it was left in peace between windows, in all
    int64_t rest_cpu_ns; // what it used meanwhile: next to nothing, or it disturbs the others
    int64_t rest_began_ns;
    int64_t rest_began_cpu_ns;
    char failure[256];                 // "gate: a wrong byte after 0 of 61 bytes"
    struct histogram *latency;         // over all complete blocks
    struct experiment_window *windows; // one a block
};

struct experiment {
    struct experiment_plan plan;
    struct contestant contestants[ARMS_LIMIT];
    size_t contestant_count;
    size_t blocks_done; // complete ones; what follows is not looked at
    void *workload_state;
    int64_t start_ns;
    struct histogram *window_latency[ARMS_LIMIT]; // of the block that is running
};

// Allocate what `plan` needs for these arms. 0 or -ENOMEM. Nothing is started.
int experiment_create(const struct experiment_plan *plan, const struct arm *arms, size_t count,
                      struct experiment *ret_experiment);

// Do it, from the start of the servers to their end; they are ended in every case. A failing arm is
// left out from then on; the others go on.
// 0, also when a signal ended it early; -ENOENT when no arm could be timed; or -errno.
int experiment_run(struct experiment *experiment);

void experiment_destroy(struct experiment *experiment);

#endif
