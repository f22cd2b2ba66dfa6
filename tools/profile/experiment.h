// SPDX-License-Identifier: MIT
//
// The measurement itself: start every arm once, see that each is correct, warm each up, and then
// take one window of each, block after block, in balanced order. It fills a result and prints
// nothing but progress; summary.h draws conclusions from the result, report.h shows them.

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
#include "tools/profile/result.h"
#include "tools/profile/server.h"
#include "tools/profile/workload.h"

struct experiment_plan {
    struct workload_choice workload;
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

// An arm in the race. It is out of it as soon as its arm in the result has a failure.
struct contestant {
    struct arm arm;
    struct server server;
    bool is_started;
    bool is_unavailable; // the failure is that it could not be started here
    int64_t rest_began_ns;
    int64_t rest_began_cpu_ns;
    struct result_arm *outcome; // in the result
};

struct experiment {
    struct experiment_plan plan;
    struct contestant contestants[ARMS_LIMIT];
    size_t contestant_count;
    void *workload_state;
    int64_t start_ns;
    struct histogram *latency; // of the window that is running
    struct result *result;
};

// Prepare to measure these arms; what comes of it goes to *result, which is initialised and must
// outlive the experiment, and gets the arms and the plan now. 0 or -ENOMEM. Nothing is started.
int experiment_create(const struct experiment_plan *plan, const struct arm *arms, size_t count,
                      struct result *result, struct experiment *ret_experiment);

// Do it, from the start of the servers to their end; they are ended in every case. A failing arm is
// left out from then on; the others go on.
// 0, also when a signal ended it early; -ENOENT when no arm could be timed; or -errno.
int experiment_run(struct experiment *experiment);

void experiment_destroy(struct experiment *experiment);

#endif
