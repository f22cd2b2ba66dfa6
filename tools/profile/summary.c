// SPDX-License-Identifier: MIT
//
// From windows to statements. An arm that fell out of the race makes none: half a series was taken
// at other moments than the whole ones, and would compare moments.

#include "tools/profile/summary.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

// The kernel counts user and kernel time in ticks of up to 10 ms: fifty of them make a share.
static const double SHARE_MINIMUM_NS = 500e6;

// Beyond a percentile there must be ten values, or one odd operation moves it.
static uint64_t percentile(const struct histogram *latency, double share)
{
    bool is_supported = (double)latency->total * (1 - share) >= 10;
    return is_supported ? histogram_percentile(latency, share) : 0;
}

static bool was_timed(const struct experiment *experiment, size_t index)
{
    return experiment->contestants[index].failure[0] == '\0' && experiment->blocks_done > 0;
}

size_t summary_reference(const struct experiment *experiment)
{
    size_t first = SUMMARY_NONE;
    for (size_t index = 0; index < experiment->contestant_count; index++) {
        const struct arm_program *program = experiment->contestants[index].arm.program;
        if (!was_timed(experiment, index))
            continue;
        if (program != NULL && program->reference)
            return index;
        if (first == SUMMARY_NONE)
            first = index;
    }
    return first;
}

static double rate_of(const struct experiment_window *window)
{
    return (double)window->load.operation_count / ((double)window->load.elapsed_ns * 1e-9);
}

static double cpu_of(const struct experiment_window *window)
{
    return (double)window->used.cpu_ns / (double)window->load.operation_count;
}

// One logarithm for each block of what one arm did in it over what the other one did.
static int compare(const struct experiment *experiment, const struct experiment_window *windows,
                   const struct experiment_window *reference,
                   double (*value_of)(const struct experiment_window *), double *scratch,
                   struct statistics_ratio *ret_ratio)
{
    for (size_t block = 0; block < experiment->blocks_done; block++)
        scratch[block] = log(value_of(&windows[block]) / value_of(&reference[block]));
    return statistics_ratio_of_blocks(scratch, experiment->blocks_done, experiment->plan.seed,
                                      ret_ratio);
}

static double median_of(const struct experiment *experiment,
                        const struct experiment_window *windows,
                        double (*value_of)(const struct experiment_window *), double *scratch)
{
    for (size_t block = 0; block < experiment->blocks_done; block++)
        scratch[block] = value_of(&windows[block]);
    return statistics_median(scratch, experiment->blocks_done);
}

int summary_of(const struct experiment *experiment, size_t index, size_t reference,
               struct summary *ret_summary)
{
    const struct contestant *contestant = &experiment->contestants[index];
    const struct experiment_window *windows = contestant->windows;
    struct summary summary = {
        .p50_ns = percentile(contestant->latency, 0.50),
        .p99_ns = percentile(contestant->latency, 0.99),
        .is_compared = reference != SUMMARY_NONE && reference != index,
    };
    double *scratch = calloc(experiment->blocks_done, sizeof(*scratch));
    if (scratch == NULL)
        return -ENOMEM;

    double user_ns = 0, kernel_ns = 0;
    for (size_t block = 0; block < experiment->blocks_done; block++) {
        summary.operation_count += windows[block].load.operation_count;
        summary.reply_bytes += windows[block].load.reply_bytes;
        user_ns += (double)windows[block].used.user_ns;
        kernel_ns += (double)windows[block].used.kernel_ns;
    }
    bool has_share = user_ns + kernel_ns >= SHARE_MINIMUM_NS;
    summary.user_share = has_share ? user_ns / (user_ns + kernel_ns) : NAN;
    summary.rate = median_of(experiment, windows, rate_of, scratch);
    summary.cpu_ns = median_of(experiment, windows, cpu_of, scratch);

    int result = 0;
    if (summary.is_compared) {
        const struct experiment_window *other = experiment->contestants[reference].windows;
        result = compare(experiment, windows, other, cpu_of, scratch, &summary.cpu_ratio);
        if (result == 0)
            result = compare(experiment, windows, other, rate_of, scratch, &summary.rate_ratio);
    }
    free(scratch);
    if (result == 0)
        *ret_summary = summary;
    return result;
}
