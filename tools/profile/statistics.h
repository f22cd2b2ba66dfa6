// SPDX-License-Identifier: MIT
//
// The little statistics that a comparison needs: a seeded generator of random numbers, medians, and
// a bootstrap interval of a median. It knows numbers only, neither arms nor units. Equal seeds give
// equal answers on every machine. The report calls it, and the order of the windows draws from it.

#ifndef CEDE_TOOLS_PROFILE_STATISTICS_H
#define CEDE_TOOLS_PROFILE_STATISTICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct statistics_random {
    uint64_t state;
};

// A ratio of two arms and the interval in which it lies with 95 % confidence.
struct statistics_ratio {
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

// From one logarithm of a ratio for each block: the median of the ratios, and the percentile
// bootstrap interval of that median over blocks. The logarithms are left as they are. With fewer
// than two blocks the interval is from 0 to INFINITY: nothing is known. 0, -EINVAL for no block, or
// -ENOMEM.
int statistics_ratio_of_blocks(const double *logarithms, size_t count, uint64_t seed,
                               struct statistics_ratio *ret_ratio);

// True if the interval leaves no room for 1: a difference was seen.
bool statistics_differs(const struct statistics_ratio *ratio);

#endif
