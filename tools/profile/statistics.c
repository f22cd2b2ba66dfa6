// SPDX-License-Identifier: MIT
//
// Why a median of ratios: on a shared machine some windows are disturbed by a factor, not by a bit,
// and a mean follows them. Why ratios within a block: what disturbs for seconds disturbs both arms
// of it.
//
// Why an interval of order statistics: each block lies above the true median with probability one
// half, whatever the noise is like, so the count of those that do is binomial, and the d-th value
// from below and from above hold the median between them with a probability that is known exactly.
// Between two such pairs it is interpolated as T. P. Hettmansperger and S. J. Sheather do.
// docs/decisions/0008-intervals.md compares it with bootstraps.

#include "tools/profile/statistics.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double FAMILY_ERROR = 0.05;     // of all intervals of a family together
static const double POWER_QUANTILE = 0.8416; // of the normal distribution, for four of five runs

// With fewer blocks a correlation of neighbours cannot be told from chance, and beyond the distance
// none of this kind is expected.
enum { CORRELATION_BLOCKS = 20, DISTANCE_LIMIT = 11, BLOCK_LIMIT = 1000000 };

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

// Two-sided: the normal distribution leaves this share outside of plus and minus the result.
static double quantile_of(double share)
{
    double low = 0, high = 40;
    for (int step = 0; step < 60; step++) {
        double middle = (low + high) / 2;
        if (erfc(middle / sqrt(2)) > share)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static double share_of(double quantile)
{
    return erfc(quantile / sqrt(2));
}

// The probability of exactly `hits` heads in `count` throws of a coin.
static double coin_probability(size_t hits, size_t count)
{
    double n = (double)count, k = (double)hits;
    return exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) - n * log(2));
}

// The interval of the median of sorted values that leaves this share outside. False: so few values
// have none.
static bool bracket_median(const double *sorted, size_t count, double error, double *ret_low,
                           double *ret_high)
{
    // The pair at `depth` from both ends leaves `outside`, the next inner one `outside_next`.
    size_t depth = 1;
    double outside = 2 * coin_probability(0, count);
    double outside_next = outside + 2 * coin_probability(1, count);
    if (outside > error)
        return false;
    while (outside_next <= error) {
        depth++;
        outside = outside_next;
        outside_next += 2 * coin_probability(depth, count);
    }
    // The weight of the inner pair; the formula is that of a double exponential distribution, and
    // close for every other one.
    double part = (error - outside) / (outside_next - outside);
    double n = (double)count, d = (double)depth;
    double inner = (n - d) * part / (d + (n - 2 * d) * part);
    *ret_low = (1 - inner) * sorted[depth - 1] + inner * sorted[depth];
    *ret_high = (1 - inner) * sorted[count - depth] + inner * sorted[count - depth - 1];
    return true;
}

// The correlation of the signs of blocks that are so many apart. That the median was taken from the
// values themselves lowers the sum by one on average.
static double sign_correlation(const double *values, size_t count, double median, size_t distance)
{
    double sum = 1;
    for (size_t index = distance; index < count; index++) {
        double before = values[index - distance], after = values[index];
        sum += ((before > median) - (before < median)) * ((after > median) - (after < median));
    }
    return sum / (double)count;
}

// By how much the interval widens where near blocks go together: the square root of how many blocks
// are worth one independent block. The signs are looked at, on which the interval rests, up to the
// first distance at which they no longer go together. What would make it narrower is not believed.
static double widening_of(const double *values, size_t count, double median)
{
    double worth = 1;
    for (size_t distance = 1; distance <= DISTANCE_LIMIT && count >= CORRELATION_BLOCKS;
         distance++) {
        double correlation = sign_correlation(values, count, median, distance);
        if (correlation <= 0)
            break;
        worth += 2 * correlation;
    }
    return sqrt(worth);
}

int statistics_ratio_among(const double *logarithms, size_t count, size_t comparison_count,
                           struct statistics_ratio *ret_ratio)
{
    if (count == 0)
        return -EINVAL;
    double *sorted = malloc(count * sizeof(*sorted));
    if (sorted == NULL)
        return -ENOMEM;
    memcpy(sorted, logarithms, count * sizeof(*sorted));
    double median = statistics_median(sorted, count);
    struct statistics_ratio ratio = {
        .estimate = exp(median), .low = 0, .high = INFINITY, .detectable = INFINITY};

    // Each ratio of a family may err in its part of the cases (C. E. Bonferroni). S. Holm's steps
    // would give verdicts a little more power, but no intervals that go with them.
    double quantile = quantile_of(FAMILY_ERROR / (double)comparison_count);
    double error = share_of(quantile * widening_of(logarithms, count, median));
    double low, high;
    if (bracket_median(sorted, count, error, &low, &high)) {
        ratio.low = exp(low);
        ratio.high = exp(high);
        // Half of the interval is `quantile` standard errors. A true ratio is seen in four of five
        // runs if it lies POWER_QUANTILE standard errors farther out.
        ratio.detectable = exp((high - low) / 2 * (1 + POWER_QUANTILE / quantile));
    }
    free(sorted);
    *ret_ratio = ratio;
    return 0;
}

// The standard deviation of the bulk of the values, as if they were normal: what lies far out moves
// the median as little as what lies near. Replaces the values.
static double spread_of(double *values, size_t count)
{
    double median = statistics_median(values, count);
    for (size_t index = 0; index < count; index++)
        values[index] = fabs(values[index] - median);
    // A few values show too little of the spread: six of them five sixths.
    return 1.4826 * statistics_median(values, count) * (double)count / (double)(count - 1);
}

int statistics_blocks_for(const double *logarithms, size_t count, size_t comparison_count,
                          double precision, size_t *ret_block_count)
{
    double error = FAMILY_ERROR / (double)comparison_count;
    size_t fewest = 2;
    while (2 * coin_probability(0, fewest) > error)
        fewest++;
    double wanted = 0;
    if (count > 1) {
        double *values = malloc(count * sizeof(*values));
        if (values == NULL)
            return -ENOMEM;
        memcpy(values, logarithms, count * sizeof(*values));
        // The standard error of a median of n normal values is sqrt(pi / 2n) of their deviation.
        double reach = quantile_of(error) * spread_of(values, count) / log1p(precision);
        wanted = ceil(reach * reach * acos(-1) / 2);
        free(values);
    }
    *ret_block_count = wanted > BLOCK_LIMIT      ? BLOCK_LIMIT
                       : wanted > (double)fewest ? (size_t)wanted
                                                 : fewest;
    return 0;
}

// The slopes of all pairs of values that have different moments. Their count.
static size_t pair_slopes(const double *seconds, const double *values, size_t count,
                          double *ret_slopes)
{
    size_t slope_count = 0;
    for (size_t index = 0; index < count; index++) {
        for (size_t other = index + 1; other < count; other++) {
            double distance = seconds[other] - seconds[index];
            if (distance > 0 || distance < 0)
                ret_slopes[slope_count++] = (values[other] - values[index]) / distance;
        }
    }
    return slope_count;
}

// H. Theil's and P. K. Sen's estimate: the median of the slopes, and those that stand as far from
// it in their order as M. Kendall's rank correlation of unrelated values strays.
int statistics_slope_of(const double *seconds, const double *values, size_t count,
                        struct statistics_slope *ret_slope)
{
    if (count < 2)
        return -EINVAL;
    double *slopes = malloc(count * (count - 1) / 2 * sizeof(*slopes));
    double *sorted = malloc(count * sizeof(*sorted));
    int result = -ENOMEM;
    if (slopes == NULL || sorted == NULL)
        goto free_slopes;

    memcpy(sorted, values, count * sizeof(*sorted));
    double percent = 100 / statistics_median(sorted, count);
    size_t slope_count = pair_slopes(seconds, values, count, slopes);
    result = slope_count > 0 ? 0 : -EINVAL;
    if (result < 0)
        goto free_slopes;
    struct statistics_slope slope = {.low = -INFINITY, .high = INFINITY};
    slope.estimate = percent * statistics_median(slopes, slope_count);
    double n = (double)count;
    double reach = quantile_of(FAMILY_ERROR) * sqrt(n * (n - 1) * (2 * n + 5) / 18);
    double rank = floor(((double)slope_count - reach) / 2);
    if (rank >= 1) {
        slope.low = percent * slopes[(size_t)rank - 1];
        slope.high = percent * slopes[slope_count - (size_t)rank];
    }
    *ret_slope = slope;

free_slopes:
    free(sorted);
    free(slopes);
    return result;
}

bool statistics_differs(const struct statistics_ratio *ratio)
{
    return ratio->low > 1 || ratio->high < 1;
}
