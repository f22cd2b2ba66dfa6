// SPDX-License-Identifier: MIT
//
// The noisiest ratio decides, of processor time or of rate, whichever arm it belongs to.

#include "tools/profile/pilot.h"

#include <errno.h>
#include <stdlib.h>

#include "tools/profile/statistics.h"
#include "tools/profile/summary.h"

static int blocks_wanted(const struct result *result, double precision, size_t *ret_block_count)
{
    static const enum summary_metric metrics[] = {SUMMARY_CPU, SUMMARY_RATE};
    double *logarithms = calloc(result->block_count + 1, sizeof(*logarithms));
    size_t most = PILOT_BLOCKS_MINIMUM;
    int error = logarithms != NULL ? 0 : -ENOMEM;
    for (size_t index = 0; index < result->arm_count && error == 0; index++) {
        if (result->reference == RESULT_NONE || index == result->reference)
            continue;
        for (size_t metric = 0; metric < 2 && error == 0; metric++) {
            size_t wanted = 0;
            size_t count = summary_logarithms(result, index, metrics[metric], logarithms);
            if (count >= 2)
                error = statistics_blocks_for(logarithms, count, summary_comparisons(result),
                                              precision, &wanted);
            most = wanted > most ? wanted : most;
        }
    }
    free(logarithms);
    *ret_block_count = most;
    return error;
}

int pilot_plan(const struct result *result, double precision, int64_t left_ns, int64_t block_ns,
               size_t cycle, size_t *ret_block_count)
{
    size_t wanted;
    int error = blocks_wanted(result, precision, &wanted);
    if (error < 0)
        return error;
    int64_t more = left_ns > 0 && block_ns > 0 ? left_ns / block_ns : 0;
    size_t most = result->block_count + (size_t)more;
    wanted = (wanted + cycle - 1) / cycle * cycle;
    if (wanted > most)
        wanted = most;
    *ret_block_count = wanted > result->block_count ? wanted : result->block_count;
    return 0;
}
