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

// The window, or NULL if it makes no statement. One without an operation has no time for one. Where
// hardly a window is valid all of them speak, and the arm is not ranked.
static const struct result_window *valid_window(const struct result *result, size_t block,
                                                size_t index)
{
    const struct result_window *window = result_window_at(result, block, index);
    bool is_fit = window->is_complete && window->operation_count > 0 &&
                  (window->is_valid || result->arms[index].uses_invalid);
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

static double rate_of(const struct result_window *window)
{
    return (double)window->operation_count / ((double)window->elapsed_ns * 1e-9);
}

static double cpu_of(const struct result_window *window)
{
    return (double)window->cpu_ns / (double)window->operation_count;
}

static bool is_ranked(const struct result *result, size_t index)
{
    return result->arms[index].reason_count == 0 && summary_has(result, index);
}

size_t summary_comparisons(const struct result *result)
{
    size_t count = 0;
    for (size_t index = 0; index < result->arm_count; index++)
        count += index != result->reference && summary_has(result, index);
    return count > 0 ? count : 1;
}

size_t summary_logarithms(const struct result *result, size_t index, enum summary_metric metric,
                          double *ret_logarithms)
{
    double (*value_of)(const struct result_window *) = metric == SUMMARY_CPU ? cpu_of : rate_of;
    size_t count = 0;
    for (size_t block = 0; block < result->block_count; block++) {
        const struct result_window *window = valid_window(result, block, index);
        const struct result_window *other = valid_window(result, block, result->reference);
        double ratio = window != NULL && other != NULL ? value_of(window) / value_of(other) : NAN;
        if (isfinite(ratio) && ratio > 0)
            ret_logarithms[count++] = log(ratio);
    }
    return count;
}

static int compare(const struct result *result, size_t index, enum summary_metric metric,
                   double *scratch, struct statistics_ratio *ret_ratio)
{
    size_t count = summary_logarithms(result, index, metric, scratch);
    *ret_ratio = (struct statistics_ratio){
        .estimate = NAN, .low = 0, .high = INFINITY, .detectable = INFINITY};
    if (count == 0)
        return 0;
    return statistics_ratio_among(scratch, count, summary_comparisons(result), ret_ratio);
}

size_t summary_values(const struct result *result, size_t index, enum summary_metric metric,
                      double *ret_values)
{
    double (*value_of)(const struct result_window *) = metric == SUMMARY_CPU ? cpu_of : rate_of;
    size_t count = 0;
    for (size_t block = 0; block < result->block_count; block++) {
        const struct result_window *window = valid_window(result, block, index);
        if (window != NULL)
            ret_values[count++] = value_of(window);
    }
    return count;
}

double summary_rate(const struct result *result, size_t index)
{
    double operation_count = 0, elapsed_ns = 0;
    for (size_t block = 0; block < result->block_count; block++) {
        const struct result_window *window = valid_window(result, block, index);
        if (window == NULL)
            continue;
        operation_count += (double)window->operation_count;
        elapsed_ns += (double)window->elapsed_ns;
    }
    return operation_count / (elapsed_ns * 1e-9);
}

static double median_of(const struct result *result, size_t index, enum summary_metric metric,
                        double *scratch)
{
    return statistics_median(scratch, summary_values(result, index, metric, scratch));
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

double summary_half_width(const struct statistics_ratio *ratio)
{
    return ratio->low > 0 ? sqrt(ratio->high / ratio->low) - 1 : INFINITY;
}

void summary_shares(const struct result *result, size_t index, struct summary_shares *ret_shares)
{
    double elapsed_ns = 0, server_ns = 0, client_ns = 0;
    for (size_t block = 0; block < result->block_count; block++) {
        const struct result_window *window = valid_window(result, block, index);
        if (window == NULL)
            continue;
        elapsed_ns += (double)window->elapsed_ns;
        server_ns += (double)window->cpu_ns;
        client_ns +=
            window->client_work_ns == RESULT_UNKNOWN ? NAN : (double)window->client_work_ns;
    }
    ret_shares->server = server_ns / elapsed_ns;
    ret_shares->client = client_ns / elapsed_ns;
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
                       is_ranked(result, index) && is_ranked(result, result->reference),
    };
    double *scratch = calloc(result->block_count, sizeof(*scratch));
    struct histogram *latency = malloc(sizeof(*latency));
    int error = -ENOMEM;
    if (scratch == NULL || latency == NULL)
        goto free_scratch;

    summarise_totals(result, index, &summary);
    summary.rate = median_of(result, index, SUMMARY_RATE, scratch);
    summary.cpu_ns = median_of(result, index, SUMMARY_CPU, scratch);
    summary_latency(result, index, latency);
    summary.p50_ns = percentile(latency, 0.50);
    summary.p99_ns = percentile(latency, 0.99);
    summary.p999_ns = percentile(latency, 0.999);

    error = 0;
    if (summary.is_compared) {
        error = compare(result, index, SUMMARY_RATE, scratch, &summary.rate_ratio);
        if (error == 0)
            error = compare(result, index, SUMMARY_CPU, scratch, &summary.cpu_ratio);
    }
    if (error == 0)
        *ret_summary = summary;

free_scratch:
    free(latency);
    free(scratch);
    return error;
}
