// SPDX-License-Identifier: MIT
//
// The highest rate at which the 99th percentile of latency stays below a limit, for each arm: a
// search by halves between nothing and what the arm does in a closed loop. All arms search side by
// side, one step at a time, so that they meet the same moments of the machine. The verb `capacity`
// calls it.

#ifndef CEDE_TOOLS_PROFILE_CAPACITY_H
#define CEDE_TOOLS_PROFILE_CAPACITY_H

#include <stdint.h>

#include "tools/profile/experiment.h"

// Search, and end the servers. Every step is a point of the result's curve; the capacity is the
// highest rate of those that keep the promise (result_keeps). Results as for experiment_run.
int capacity_run(struct experiment *experiment, int64_t slo_ns);

#endif
