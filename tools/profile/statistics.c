// SPDX-License-Identifier: MIT
//
// Why a median of ratios: on a shared machine some windows are disturbed by a factor, not by a bit,
// and a mean follows them. Why ratios within a block: what disturbs for seconds disturbs both arms
// of it. Why a bootstrap: nothing is known about the distribution of what is left, and it need not
// be. Blocks are drawn with replacement, as many as there are, and the median taken, many times;
// the middle 95 % of those medians is the interval.

#include "tools/profile/statistics.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// Enough that the ends of the interval no longer move in the digits that are printed.
enum { RESAMPLE_COUNT = 10000 };

void statistics_seed(struct statistics_random *random, uint64_t seed)
{
    random->state = seed;
}

// SplitMix64: a counter and a mixing function, each seed a different sequence, none of them bad.
uint64_t statistics_next(struct statistics_random *random)
{
    uint64_t mixed = random->state += UINT64_C(0x9e3779b97f4a7c15);
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ (mixed >> 31);
}

// The remainder prefers small numbers by bound / 2^64, which is nothing for the bounds we have.
uint64_t statistics_below(struct statistics_random *random, uint64_t bound)
{
    return statistics_next(random) % bound;
}

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

double statistics_median(double *values, size_t count)
{
    if (count == 0)
        return NAN;
    qsort(values, count, sizeof(*values), compare_doubles);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

// The median of as many values as there are, drawn with replacement. How often each of the sorted
// values was drawn is all that must be known; so nothing is sorted again.
static double resampled_median(const double *sorted, size_t count, struct statistics_random *random,
                               size_t *draws)
{
    memset(draws, 0, count * sizeof(*draws));
    for (size_t index = 0; index < count; index++)
        draws[statistics_below(random, count)]++;
    size_t index = 0, passed = draws[0];
    while (passed <= (count - 1) / 2)
        passed += draws[++index];
    double lower_middle = sorted[index];
    while (passed <= count / 2)
        passed += draws[++index];
    return (lower_middle + sorted[index]) / 2;
}

int statistics_ratio_of_blocks(const double *logarithms, size_t count, uint64_t seed,
                               struct statistics_ratio *ret_ratio)
{
    if (count == 0)
        return -EINVAL;
    double *sorted = malloc(count * sizeof(*sorted));
    size_t *draws = malloc(count * sizeof(*draws));
    double *medians = malloc(RESAMPLE_COUNT * sizeof(*medians));
    int result = -ENOMEM;
    if (sorted == NULL || draws == NULL || medians == NULL)
        goto free_samples;

    memcpy(sorted, logarithms, count * sizeof(*sorted));
    struct statistics_ratio ratio = {
        .estimate = exp(statistics_median(sorted, count)), .low = 0, .high = INFINITY};
    if (count > 1) {
        struct statistics_random random;
        statistics_seed(&random, seed);
        for (size_t round = 0; round < RESAMPLE_COUNT; round++)
            medians[round] = resampled_median(sorted, count, &random, draws);
        qsort(medians, RESAMPLE_COUNT, sizeof(*medians), compare_doubles);
        ratio.low = exp(medians[RESAMPLE_COUNT / 40]);
        ratio.high = exp(medians[RESAMPLE_COUNT - 1 - RESAMPLE_COUNT / 40]);
    }
    *ret_ratio = ratio;
    result = 0;

free_samples:
    free(medians);
    free(draws);
    free(sorted);
    return result;
}

bool statistics_differs(const struct statistics_ratio *ratio)
{
    return ratio->low > 1 || ratio->high < 1;
}
