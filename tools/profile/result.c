// SPDX-License-Identifier: MIT
//
// Memory of results. Windows stand in one array, block by block, so that a block is a row and an
// arm a column; it grows by doubling.

#include "tools/profile/result.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void result_init(struct result *result)
{
    memset(result, 0, sizeof(*result));
    result->reference = RESULT_NONE;
    result->environment.processors = RESULT_UNKNOWN;
    result->environment.load_average = NAN;
    result->environment.descriptor_limit = RESULT_UNKNOWN;
    result->environment.somaxconn = RESULT_UNKNOWN;
    result->plan.rate = NAN;
    result->plan.depth = 1;
    result->plan.server_cpu = -1;
    result->plan.client_cpu = -1;
    result->plan.precision = NAN;
    result->plan.budget_ns = RESULT_UNKNOWN;
    result->plan.slo_ns = RESULT_UNKNOWN;
    result->plan.generator_per_s = NAN;
    for (size_t index = 0; index < RESULT_ARM_LIMIT; index++) {
        struct result_arm *arm = &result->arms[index];
        arm->rss_bytes = RESULT_UNKNOWN;
        arm->threads = RESULT_UNKNOWN;
        arm->kernel_workers = RESULT_UNKNOWN;
        arm->idle_bytes_per_connection = NAN;
        arm->context_switches_per_operation = NAN;
        arm->syscalls_per_operation = NAN;
        arm->events_per_wait = NAN;
        arm->instructions_per_operation = NAN;
        arm->headroom = NAN;
        arm->warmup_ns = RESULT_UNKNOWN;
        arm->warmup_slope = NAN;
    }
}

static size_t window_count(const struct result *result)
{
    return result->block_count * result->arm_count;
}

void result_destroy(struct result *result)
{
    for (size_t index = 0; index < window_count(result); index++)
        free(result->windows[index].latency);
    free(result->windows);
    for (size_t index = 0; index < result->arm_count; index++)
        free(result->arms[index].service);
    for (size_t index = 0; index < result->word_count; index++)
        free(result->words[index]);
    free(result->words);
    free(result->curve);
    result_init(result);
}

int result_set_words(struct result *result, char *const words[])
{
    size_t count = 0;
    while (words[count] != NULL)
        count++;
    result->words = calloc(count + 1, sizeof(*result->words));
    if (result->words == NULL)
        return -ENOMEM;
    for (; result->word_count < count; result->word_count++) {
        result->words[result->word_count] = strdup(words[result->word_count]);
        if (result->words[result->word_count] == NULL)
            return -ENOMEM;
    }
    return 0;
}

int result_add_block(struct result *result)
{
    // Full at every power of two, and only there.
    size_t count = result->block_count;
    if ((count & (count - 1)) == 0 && result->arm_count > 0) {
        size_t wanted = count == 0 ? 1 : 2 * count;
        struct result_window *grown =
            reallocarray(result->windows, wanted * result->arm_count, sizeof(*grown));
        if (grown == NULL)
            return -ENOMEM;
        result->windows = grown;
    }
    if (result->arm_count > 0)
        memset(&result->windows[count * result->arm_count], 0,
               result->arm_count * sizeof(*result->windows));
    result->block_count++;
    return 0;
}

void result_drop_block(struct result *result)
{
    result->block_count--;
    for (size_t index = 0; index < result->arm_count; index++)
        free(result_window_at(result, result->block_count, index)->latency);
}

struct result_window *result_window_at(const struct result *result, size_t block, size_t arm)
{
    return &result->windows[block * result->arm_count + arm];
}

int result_set_latency(struct result_window *window, const struct histogram *latency)
{
    size_t count = 0;
    for (size_t index = 0; index < HISTOGRAM_BUCKET_COUNT; index++)
        count += latency->counts[index] > 0;
    struct result_bucket *buckets = calloc(count > 0 ? count : 1, sizeof(*buckets));
    if (buckets == NULL)
        return -ENOMEM;
    struct result_bucket *at = buckets;
    for (size_t index = 0; index < HISTOGRAM_BUCKET_COUNT; index++) {
        if (latency->counts[index] > 0)
            *at++ = (struct result_bucket){histogram_bucket_end(index), latency->counts[index]};
    }
    free(window->latency);
    window->latency = buckets;
    window->latency_count = count;
    return 0;
}

// The buckets of a window ascend, so that one walk over the histogram finds them all.
void result_merge_latency(const struct result_window *window, struct histogram *into)
{
    size_t index = 0;
    for (size_t at = 0; at < window->latency_count; at++) {
        const struct result_bucket *bucket = &window->latency[at];
        while (index < HISTOGRAM_BUCKET_COUNT - 1 && histogram_bucket_end(index) < bucket->end_ns)
            index++;
        into->counts[index] += bucket->count;
        into->total += bucket->count;
    }
    if ((uint64_t)window->maximum_ns > into->maximum)
        into->maximum = (uint64_t)window->maximum_ns;
}

int result_add_point(struct result *result, const struct result_point *point)
{
    struct result_point *grown =
        reallocarray(result->curve, result->curve_count + 1, sizeof(*grown));
    if (grown == NULL)
        return -ENOMEM;
    result->curve = grown;
    grown[result->curve_count++] = *point;
    return 0;
}

// An open loop that ends with the last reply lasts a little longer than its plan.
bool result_keeps(const struct result *result, const struct result_point *point)
{
    return point->is_valid && point->achieved_per_s >= 0.98 * point->rate && point->p99_ns > 0 &&
           point->p99_ns <= result->plan.slo_ns;
}
