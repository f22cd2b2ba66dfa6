// SPDX-License-Identifier: MIT
//
// A trial is a result like every other, except that its windows are copies. Latencies are left out:
// no ratio depends on them.

#include "tools/profile/trials.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "tools/profile/statistics.h"
#include "tools/profile/summary.h"

// Two arms and this many empty blocks. 0 or -ENOMEM, and the caller destroys it in either case.
static int prepare(size_t block_count, struct result *trial)
{
    int result = 0;
    result_init(trial);
    trial->arm_count = 2;
    trial->reference = 0;
    while (result == 0 && trial->block_count < block_count)
        result = result_add_block(trial);
    return result;
}

// What the arms of the recording differ by for good (the memory layout which each process happened
// to get) is no noise: arm 1 is freed of it.
static void copy_window(const struct result *recording, const struct summary *summary, size_t block,
                        size_t arm, struct result_window *to)
{
    *to = *result_window_at(recording, block, arm);
    to->latency = NULL;
    to->latency_count = 0;
    if (arm == 1 && summary->is_compared) {
        to->cpu_ns = llround((double)to->cpu_ns / summary->cpu_ratio.estimate);
        to->elapsed_ns = llround((double)to->elapsed_ns * summary->rate_ratio.estimate);
    }
}

// Fill the trial with runs of neighbours; behind the last block of the recording comes its first.
static void draw(const struct result *recording, const struct summary *summary,
                 const struct trials_plan *plan, struct statistics_random *random,
                 struct result *trial)
{
    size_t from = 0, swapped = 0;
    for (size_t block = 0; block < trial->block_count; block++, from++) {
        if (block % plan->run_blocks == 0) {
            from = (size_t)statistics_below(random, recording->block_count);
            swapped = (size_t)statistics_below(random, 2);
        }
        for (size_t arm = 0; arm < 2; arm++)
            copy_window(recording, summary, from % recording->block_count, arm ^ swapped,
                        result_window_at(trial, block, arm));
        struct result_window *burdened = result_window_at(trial, block, 1);
        burdened->cpu_ns = llround((double)burdened->cpu_ns * plan->burden);
    }
}

// Put a trial through the summary and count what it saw: one without a valid pair, nothing.
static int judge(const struct result *trial, struct trials_outcome *outcome, double *ret_detectable)
{
    struct summary summary = {0};
    int result = summary_has(trial, 1) ? summary_of(trial, 1, &summary) : 0;
    *ret_detectable = INFINITY;
    if (result < 0 || !summary.is_compared)
        return result;
    outcome->cpu_seen += statistics_differs(&summary.cpu_ratio);
    outcome->rate_seen += statistics_differs(&summary.rate_ratio);
    outcome->slower_seen += summary.cpu_ratio.low > 1;
    *ret_detectable = summary.cpu_ratio.detectable;
    return 0;
}

int trials_run(const struct result *recording, const struct trials_plan *plan,
               struct trials_outcome *ret_outcome)
{
    if (recording->arm_count != 2 || !summary_has(recording, 0) || !summary_has(recording, 1))
        return -EINVAL;
    double *detectable = malloc(plan->trial_count * sizeof(*detectable));
    struct trials_outcome outcome = {0};
    struct statistics_random random;
    struct summary summary;
    struct result trial;
    statistics_seed(&random, plan->seed);
    int result = prepare(plan->block_count, &trial);
    if (detectable == NULL)
        result = -ENOMEM;
    if (result == 0)
        result = summary_of(recording, 1, &summary);
    for (size_t number = 0; result == 0 && number < plan->trial_count; number++) {
        draw(recording, &summary, plan, &random, &trial);
        result = judge(&trial, &outcome, &detectable[number]);
    }
    if (result == 0) {
        outcome.detectable = statistics_median(detectable, plan->trial_count);
        *ret_outcome = outcome;
    }
    free(detectable);
    result_destroy(&trial);
    return result;
}
