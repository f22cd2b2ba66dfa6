// SPDX-License-Identifier: MIT
//
// The verb `run`: blocks at one operating point, as many as were asked for or as the pilot finds
// right.

#include <stdio.h>

#include "tools/profile/clock.h"
#include "tools/profile/experiment_parts.h"
#include "tools/profile/order.h"
#include "tools/profile/pilot.h"

// Take the blocks of the pilot, and say how many there are to be in all.
static int fly_pilot(struct experiment *experiment, size_t *ret_block_count)
{
    const struct experiment_plan *plan = &experiment->plan;
    struct result *result = experiment->result;
    int64_t begin_ns = clock_now_ns();
    int64_t end_ns = experiment->start_ns + plan->budget_ns;
    int error = 0;
    while (error == 0 && experiment_goes_on(experiment) && result->block_count < PILOT_BLOCKS &&
           (result->block_count < PILOT_BLOCKS_MINIMUM || clock_now_ns() < end_ns)) {
        char text[40];
        snprintf(text, sizeof(text), "pilot, block %zu", result->block_count + 1);
        error = experiment_take_block(experiment, text);
    }
    *ret_block_count = result->block_count;
    if (error < 0 || !experiment_goes_on(experiment))
        return error;
    int64_t now_ns = clock_now_ns();
    experiment_choose_reference(experiment);
    return pilot_plan(result, plan->precision, end_ns - now_ns,
                      (now_ns - begin_ns) / (int64_t)result->block_count,
                      order_cycle(experiment->contestant_count), ret_block_count);
}

// For the progress: which block of how many it is, and how long it will take, judged by those since
// `first`.
static void describe(size_t block, size_t first, size_t block_count, int64_t taken_ns, char *text,
                     size_t size)
{
    double taken_s = (double)taken_ns * 1e-9;
    int length = snprintf(text, size, "block %zu of %zu", block + 1, block_count);
    if (block > first)
        snprintf(text + length, size - (size_t)length, ", %.0f s left",
                 taken_s / (double)(block - first) * (double)(block_count - block));
}

static int take_blocks(struct experiment *experiment)
{
    struct result *result = experiment->result;
    size_t block_count = experiment->plan.block_count;
    int error = block_count == 0 ? fly_pilot(experiment, &block_count) : 0;
    size_t first = result->block_count;
    int64_t begin_ns = clock_now_ns();
    result->plan.blocks_planned = (int64_t)block_count;
    while (error == 0 && experiment_goes_on(experiment) && result->block_count < block_count) {
        char text[60];
        describe(result->block_count, first, block_count, clock_now_ns() - begin_ns, text,
                 sizeof(text));
        error = experiment_take_block(experiment, text);
    }
    return error;
}

int experiment_run(struct experiment *experiment)
{
    int error = experiment_start(experiment);
    if (error == 0)
        error = take_blocks(experiment);
    if (error == 0)
        experiment_take_costs(experiment);
    int missing = experiment_finish(experiment);
    return error < 0 ? error : missing;
}
