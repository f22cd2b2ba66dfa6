// SPDX-License-Identifier: MIT
//
// The measurement itself: start every arm once, see that each is correct, warm each up, and then
// take one window of each, block after block, in balanced order. It fills a result and prints
// nothing but progress; summary.h draws conclusions from the result, report.h shows them. The verb
// `run` is experiment_run; sweep.h and capacity.h take blocks at points of their own.

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
    bool is_unix;            // unix sockets, not TCP
    size_t connection_count; // to each arm
    size_t depth;            // operations under way on a connection
    enum load_loop loop;
    double rate_per_s; // open loop
    enum load_arrivals arrivals;
    bool polls; // the client never sleeps
    int64_t window_ns;
    int64_t warmup_ns;  // load before each window, not counted
    bool warms_up;      // before the first window, until the rate has no slope
    size_t block_count; // 0: as many as `precision` needs and `budget_ns` allows
    double precision;
    int64_t budget_ns; // of time, from the start of the servers to their end
    uint64_t seed;
    struct pin pin;
    bool counts_calls;        // of the system, after the last block
    bool counts_instructions; // by callgrind, which takes seconds
    bool shows_progress;
    const volatile sig_atomic_t *stop; // a signal asks for the end
};

// An arm in the race. It is out of it as soon as its arm in the result has a failure.
struct contestant {
    struct arm arm;
    struct server server;
    char unix_path[SERVER_PATH_BYTES];
    bool is_started;
    bool is_unavailable; // the failure is that it could not be started here
    double rate_per_s;   // open loop: what it is asked for, at first the plan's
    int64_t rest_began_ns;
    int64_t rest_began_cpu_ns;
    struct result_arm *outcome; // in the result
};

struct experiment {
    struct experiment_plan plan;
    struct contestant contestants[ARMS_LIMIT];
    size_t contestant_count;
    size_t blocks_taken; // since the start, also those that were dropped
    void *workload_state;
    int64_t start_ns;
    struct histogram *scratch[3];
    struct result *result;
};

// Prepare to measure these arms; what comes of it goes to *result, which is initialised and must
// outlive the experiment, and gets the arms and the plan now. 0 or -ENOMEM. Nothing is started.
int experiment_create(const struct experiment_plan *plan, const struct arm *arms, size_t count,
                      struct result *result, struct experiment *ret_experiment);

// Start and check the servers, and warm them up. A failing arm is left out from then on; the others
// go on. 0 or -errno.
int experiment_start(struct experiment *experiment);

// Take a block, one window of every arm that is in the race, and add it to the result; if a signal
// ended it early it is dropped. `text` says in the progress what it is for. 0 or -ENOMEM.
int experiment_take_block(struct experiment *experiment, const char *text);

// Set the reference of the result: the arm that the table of arms marks, if it was timed so far;
// else the first one that was. experiment_finish does it too.
void experiment_choose_reference(struct experiment *experiment);

// True as long as it makes sense to take another block: nobody asked for the end, and an arm is in
// the race.
bool experiment_goes_on(const struct experiment *experiment);

// Judge what there is, and end the servers, which must be done in every case. 0, or -ENOENT when no
// arm could be timed.
int experiment_finish(struct experiment *experiment);

// Do it, from the start of the servers to their end. 0, also when a signal ended it early; -ENOENT
// when no arm could be timed; or -errno.
int experiment_run(struct experiment *experiment);

void experiment_destroy(struct experiment *experiment);

#endif
