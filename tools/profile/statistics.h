// SPDX-License-Identifier: MIT
//
// The little statistics that a comparison needs: a seeded generator of random numbers, medians, the
// interval of a median, how many blocks an interval needs, and the slope of a series. It knows
// numbers only, neither arms nor units. The same numbers give the same answers; only what asks for
// a generator draws lots. The summary calls it, the experiment sizes its run by it, and the order
// of the windows draws from it.

#ifndef CEDE_TOOLS_PROFILE_STATISTICS_H
#define CEDE_TOOLS_PROFILE_STATISTICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct statistics_random {
    uint64_t state;
};

// A ratio of two arms and the interval in which it lies, together with the other ratios of its
// family in theirs, with 95 % confidence.
struct statistics_ratio {
    double estimate;
    double low;
    double high;
    // Above 1: a true ratio of this size, or of its inverse, would have been told from 1 by four of
    // five runs with as many blocks as noisy as these. INFINITY: none would.
    double detectable;
};

// How a series moves, in percent of its median for each second, and where the true slope lies with
// 95 % confidence. As long as the interval holds 0, no slope was seen.
struct statistics_slope {
    double estimate;
    double low;
    double high;
};

void statistics_seed(struct statistics_random *random, uint64_t seed);

// The next 64 random bits.
uint64_t statistics_next(struct statistics_random *random);

// A random number from 0 to bound - 1; bound is not 0.
uint64_t statistics_below(struct statistics_random *random, uint64_t bound);

// The median, of an even number of values the mean of the middle two. Sorts the values. NAN for
// none.
double statistics_median(double *values, size_t count);

// From one logarithm of a ratio for each block: the median of the ratios, and the order-statistic
// interval of that median, wide enough that a family of so many ratios (`comparison_count`, at
// least 1: arms that are compared with the same reference) holds all its true ratios in 95 % of the
// runs. From 20 blocks on it widens when near blocks go together. The blocks must stand in
// the order in which they were taken; the logarithms are left as they are. With too few blocks for
// the level (five, for a single ratio) the interval is from 0 to INFINITY: nothing is known. 0,
// -EINVAL for no block, or -ENOMEM.
int statistics_ratio_among(const double *logarithms, size_t count, size_t comparison_count,
                           struct statistics_ratio *ret_ratio);

// How many blocks it takes until the interval reaches about this share (0.02: 2 %) to each side of
// the ratio, judged by a pilot's blocks. A pilot of fewer than two blocks, or with no spread, gives
// the fewest with which an interval is known. Never more than a million. Or -ENOMEM.
int statistics_blocks_for(const double *logarithms, size_t count, size_t comparison_count,
                          double precision, size_t *ret_block_count);

// The slope of a series of positive values, each with its moment: the median over all pairs of
// values, which a few disturbed ones do not move. 0; -EINVAL for fewer than two moments; or
// -ENOMEM. With fewer than five values the interval is everything.
int statistics_slope_of(const double *seconds, const double *values, size_t count,
                        struct statistics_slope *ret_slope);

// True if the interval leaves no room for 1: a difference was seen.
bool statistics_differs(const struct statistics_ratio *ratio);

#endif
