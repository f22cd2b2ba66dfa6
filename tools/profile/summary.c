// SPDX-License-Identifier: MIT
//
// From windows to statements. An arm that fell out of the race makes none: half a series was taken
// at other moments than the whole ones, and would compare moments. A window whose gate failed makes
// none either, and takes the other one of its pair with it.

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

// The window, or NULL if it makes no statement. One without an operation has no time for one.
static const struct result_window *valid_window(const struct result *result, size_t block,
                                                size_t index)
{
    const struct result_window *window = result_window_at(result, block, index);
    bool is_fit = window->is_complete && window->is_valid && window->operation_count > 0;
    return is_fit ? window : NULL;
}

bool summary_has(const struct result *result, size_t index)
{
    if (result->arms[index].failure[0] != '\0')
        return false;
    for (size_t block = 0; block < result->block_count; block++) {
        if (valid_window(result, block, index) != NULL)
            return true;
    }
    return false;
}

// How many arms are compared with the reference: the more, the wider the interval of each.
static size_t count_compared(const struct result *result)
{
    size_t count = 0;
    for (size_t index = 0; index < result->arm_count; index++)
        count += index != result->reference && summary_has(result, index);
    return count;
}

static double rate_of(const struct result_window *window)
{
    return (double)window->operation_count / ((double)window->elapsed_ns * 1e-9);
}

static double cpu_of(const struct result_window *window)
{
    return (double)window->cpu_ns / (double)window->operation_count;
}

// One logarithm for each block of what one arm did in it over what the reference did. A window in
// which the server's time did not advance has no logarithm, and no ratio.
static int compare(const struct result *result, size_t index,
                   double (*value_of)(const struct result_window *), double *scratch,
                   size_t *ret_count, struct statistics_ratio *ret_ratio)
{
    size_t count = 0;
    for (size_t block = 0; block < result->block_count; block++) {
        const struct result_window *window = valid_window(result, block, index);
        const struct result_window *other = valid_window(result, block, result->reference);
        double ratio = window != NULL && other != NULL ? value_of(window) / value_of(other) : NAN;
        if (isfinite(ratio) && ratio > 0)
            scratch[count++] = log(ratio);
    }
    *ret_count = count;
    if (count == 0) {
        *ret_ratio = (struct statistics_ratio){
            .estimate = NAN, .low = 0, .high = INFINITY, .detectable = INFINITY};
        return 0;
    }
    return statistics_ratio_among(scratch, count, count_compared(result), ret_ratio);
}

static double median_of(const struct result *result, size_t index,
                        double (*value_of)(const struct result_window *), double *scratch)
{
    size_t count = 0;
    for (size_t block = 0; block < result->block_count; block++) {
        const struct result_window *window = valid_window(result, block, index);
        if (window != NULL)
            scratch[count++] = value_of(window);
    }
    return statistics_median(scratch, count);
}

void summary_latency(const struct result *result, size_t index, struct histogram *ret_latency)
{
    histogram_clear(ret_latency);
    for (size_t block = 0; block < result->block_count; block++) {
        const struct result_window *window = valid_window(result, block, index);
        if (window != NULL)
            result_merge_latency(window, ret_latency);
    }
}

static void summarise_totals(const struct result *result, size_t index, struct summary *summary)
{
    double user_ns = 0, kernel_ns = 0;
    for (size_t block = 0; block < result->block_count; block++) {
        const struct result_window *window = valid_window(result, block, index);
        if (window == NULL)
            continue;
        summary->window_count++;
        summary->operation_count += window->operation_count;
        summary->reply_bytes += window->reply_bytes;
        user_ns += (double)window->user_ns;
        kernel_ns += (double)window->kernel_ns;
    }
    bool has_share = user_ns + kernel_ns >= SHARE_MINIMUM_NS;
    summary->user_share = has_share ? user_ns / (user_ns + kernel_ns) : NAN;
}

int summary_of(const struct result *result, size_t index, struct summary *ret_summary)
{
    struct summary summary = {
        .is_compared = result->reference != RESULT_NONE && result->reference != index &&
                       summary_has(result, result->reference),
    };
    double *scratch = calloc(result->block_count, sizeof(*scratch));
    struct histogram *latency = malloc(sizeof(*latency));
    int error = -ENOMEM;
    if (scratch == NULL || latency == NULL)
        goto free_scratch;

    summarise_totals(result, index, &summary);
    summary.rate = median_of(result, index, rate_of, scratch);
    summary.cpu_ns = median_of(result, index, cpu_of, scratch);
    summary_latency(result, index, latency);
    summary.p50_ns = percentile(latency, 0.50);
    summary.p99_ns = percentile(latency, 0.99);
    summary.p999_ns = percentile(latency, 0.999);

    error = 0;
    if (summary.is_compared) {
        error = compare(result, index, rate_of, scratch, &summary.pair_count, &summary.rate_ratio);
        if (error == 0)
            error =
                compare(result, index, cpu_of, scratch, &summary.pair_count, &summary.cpu_ratio);
    }
    if (error == 0)
        *ret_summary = summary;

free_scratch:
    free(latency);
    free(scratch);
    return error;
}
