// SPDX-License-Identifier: MIT
//
// Seven halvings: to within a hundredth of where the search began. A step whose windows failed a
// gate says nothing, so it is taken for one at which the promise was broken: the capacity that is
// found may be too low, never too high.

#include "tools/profile/capacity.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "tools/profile/sweep.h"

enum { STEP_COUNT = 8 };

// The closed loop's rate leaves room above it, since it waits for replies.
static const double ROOM = 1.2;

struct range {
    double low;  // was kept, or 0
    double high; // was not, or was never tried
};

static int take_step(struct experiment *experiment, int step, struct range ranges[ARMS_LIMIT])
{
    struct result_point points[ARMS_LIMIT];
    char text[40];
    for (size_t index = 0; index < experiment->contestant_count; index++)
        experiment->contestants[index].rate_per_s =
            fmax(1, (ranges[index].low + ranges[index].high) / 2);
    snprintf(text, sizeof(text), "step %d of %d", step + 1, STEP_COUNT);
    int error = sweep_take_points(experiment, text, points);
    for (size_t index = 0; index < experiment->contestant_count && error == 0; index++) {
        if (points[index].connections == 0)
            continue;
        if (result_keeps(experiment->result, &points[index]))
            ranges[index].low = points[index].rate;
        else
            ranges[index].high = points[index].rate;
        error = result_add_point(experiment->result, &points[index]);
    }
    return error;
}

int capacity_run(struct experiment *experiment, int64_t slo_ns)
{
    struct range ranges[ARMS_LIMIT] = {0};
    double limits[ARMS_LIMIT];
    experiment->result->plan.slo_ns = slo_ns;
    int error = experiment_start(experiment);
    if (error == 0)
        error = sweep_find_limits(experiment, limits);
    for (size_t index = 0; index < ARMS_LIMIT && error == 0; index++)
        ranges[index].high = isnan(limits[index]) ? 2 : ROOM * limits[index];
    for (int step = 0; step < STEP_COUNT && error == 0 && experiment_goes_on(experiment); step++)
        error = take_step(experiment, step, ranges);
    int missing = experiment_finish(experiment);
    return error < 0 ? error : missing;
}
