// SPDX-License-Identifier: MIT
//
// The buckets of all blocks lie in one array, sorted by value. A draw is a weight for each block:
// one walk along the array with weighted counts meets the percentiles in their order.

#include "tools/profile/html/band.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/profile/statistics.h"

enum {
    DRAWS = 200,
    VALUES_BEYOND = 10, // with fewer, a percentile is an accident
};

// Twenty round numbers a decade (the series R20), so that 2, 4, 10, 20, 100 ... are among them.
static const double steps[] = {1,   1.12, 1.25, 1.4, 1.6, 1.8, 2,   2.24, 2.5, 2.8,
                               3.15, 3.55, 4,   4.5, 5,   5.6, 6.3, 7.1,  8,   9};
enum { STEP_COUNT = sizeof(steps) / sizeof(steps[0]) };

static int compare_buckets(const void *left, const void *right)
{
    uint64_t a = ((const struct band_bucket *)left)->end_ns;
    uint64_t b = ((const struct band_bucket *)right)->end_ns;
    return (a > b) - (a < b);
}

static int compare_values(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static size_t choose_points(uint64_t total, struct band_point *points)
{
    size_t count = 0;
    double decade = 1;
    while (count < BAND_POINT_LIMIT) {
        double one_in = decade * steps[count % STEP_COUNT];
        if (count > 0 && one_in * VALUES_BEYOND > (double)total)
            break;
        points[count++] = (struct band_point){.one_in = one_in, .high_ns = UINT64_MAX};
        if (count % STEP_COUNT == 0)
            decade *= 10;
    }
    return count;
}

// The percentiles of the blocks with these weights, whose values are `total` in all.
static void percentiles(const struct band_bucket *buckets, size_t count, const uint64_t *weights,
                        uint64_t total, const struct band_point *points, size_t point_count,
                        uint64_t *values)
{
    size_t point = 0;
    uint64_t seen = 0, value = 0;
    for (size_t index = 0; index < count && point < point_count; index++) {
        uint64_t here = buckets[index].count * weights[buckets[index].block];
        if (here == 0)
            continue;
        seen += here;
        value = buckets[index].end_ns;
        while (point < point_count &&
               (double)seen >= (double)total * (1 - 1 / points[point].one_in))
            values[point++] = value;
    }
    while (point < point_count)
        values[point++] = value;
}

// Draw blocks with replacement; `totals` says how many values each has. How many there are in all.
static uint64_t draw_weights(struct statistics_random *random, const uint64_t *totals,
                             size_t block_count, uint64_t *weights)
{
    uint64_t total = 0;
    memset(weights, 0, block_count * sizeof(*weights));
    for (size_t draw = 0; draw < block_count; draw++) {
        size_t block = (size_t)statistics_below(random, block_count);
        weights[block]++;
        total += totals[block];
    }
    return total;
}

// `values` holds DRAWS values for each point, one draw after the other.
static void set_band(struct band_point *points, size_t point_count, const uint64_t *values)
{
    uint64_t sorted[DRAWS];
    for (size_t point = 0; point < point_count; point++) {
        for (size_t draw = 0; draw < DRAWS; draw++)
            sorted[draw] = values[draw * point_count + point];
        qsort(sorted, DRAWS, sizeof(sorted[0]), compare_values);
        points[point].low_ns = sorted[DRAWS / 40];
        points[point].high_ns = sorted[DRAWS - 1 - DRAWS / 40];
    }
}

// The percentiles of DRAWS draws of blocks, one draw after the other.
static void draw_all(const struct band_bucket *buckets, size_t count, const uint64_t *totals,
                     size_t block_count, uint64_t *weights, uint64_t seed,
                     const struct band_point *points, size_t point_count, uint64_t *values)
{
    struct statistics_random random;
    statistics_seed(&random, seed);
    for (size_t draw = 0; draw < DRAWS; draw++) {
        uint64_t total = draw_weights(&random, totals, block_count, weights);
        percentiles(buckets, count, weights, total, points, point_count,
                    values + draw * point_count);
    }
}

int band_make(struct band_bucket *buckets, size_t count, size_t block_count, uint64_t seed,
              struct band_point ret_points[BAND_POINT_LIMIT], size_t *ret_point_count)
{
    uint64_t total = 0, exact[BAND_POINT_LIMIT];
    for (size_t index = 0; index < count; index++)
        total += buckets[index].count;
    if (total == 0)
        return -EINVAL;
    uint64_t *totals = calloc(2 * block_count, sizeof(*totals));
    uint64_t *values = calloc((size_t)DRAWS * BAND_POINT_LIMIT, sizeof(*values));
    if (totals == NULL || values == NULL) {
        free(totals);
        free(values);
        return -ENOMEM;
    }
    uint64_t *weights = totals + block_count;
    for (size_t index = 0; index < count; index++)
        totals[buckets[index].block] += buckets[index].count;
    for (size_t block = 0; block < block_count; block++)
        weights[block] = 1;
    qsort(buckets, count, sizeof(buckets[0]), compare_buckets);
    size_t point_count = choose_points(total, ret_points);
    percentiles(buckets, count, weights, total, ret_points, point_count, exact);
    for (size_t point = 0; point < point_count; point++)
        ret_points[point].value_ns = exact[point];
    if (block_count > 1) {
        draw_all(buckets, count, totals, block_count, weights, seed, ret_points, point_count,
                 values);
        set_band(ret_points, point_count, values);
    }
    free(totals);
    free(values);
    *ret_point_count = point_count;
    return 0;
}
