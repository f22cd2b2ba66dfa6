// SPDX-License-Identifier: MIT
//
// A curve: the same servers at many rates or with many connections. At each point every arm takes
// as many windows as the plan has blocks, in turn; what they show together is one point of the
// arm's curve. The verb `sweep` calls it; capacity.h takes its points by the same means.

#ifndef CEDE_TOOLS_PROFILE_SWEEP_H
#define CEDE_TOOLS_PROFILE_SWEEP_H

#include <stdbool.h>
#include <stddef.h>

#include "tools/profile/experiment.h"

enum { SWEEP_POINT_LIMIT = 32 };

struct sweep_point {
    double value;  // operations a second, a share of what the arm can do, or connections
    bool is_share; // of a rate
};

struct sweep_plan {
    bool is_over_connections; // closed loop; else over rates, open loop
    struct sweep_point points[SWEEP_POINT_LIMIT];
    size_t point_count;
};

// Read a list such as "10k,50k,80%" (rates) or "1,16,256" (connections); NULL stands for a usual
// one. 0; or -EINVAL and a sentence without a full stop in `reason`.
int sweep_parse(const char *list, bool is_over_connections, struct sweep_plan *ret_plan,
                char *reason, size_t reason_bytes);

// Take the curve of every arm, and end the servers. Results as for experiment_run.
int sweep_run(struct experiment *experiment, const struct sweep_plan *plan);

// Take the blocks of one point, at the rates and with the connections that are set now, and turn
// them into one point of each arm that is in the race, in *ret_points, in the order of the arms; an
// arm that is not has connections 0. The result keeps no block of them. `text` is for the progress.
// 0 or -ENOMEM.
int sweep_take_points(struct experiment *experiment, const char *text,
                      struct result_point ret_points[ARMS_LIMIT]);

// What each arm does in a closed loop with the plan's connections, in operations a second; NAN for
// one that is not in the race. The loop is open again afterwards. 0 or -ENOMEM.
int sweep_find_limits(struct experiment *experiment, double ret_rates[ARMS_LIMIT]);

#endif
