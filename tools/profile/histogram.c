// SPDX-License-Identifier: MIT
//
// The bucket of a value is its eleven leading bits and how far they were shifted. One formula
// serves the exact part too, where the shift is zero:
//
//     shift 0: 0 ... 2047     shift 1: 2048, 2050, ... 4094     shift 2: 4096, 4100, ... 8188
//     index    0 ... 2047              2048  2049      3071              3072  3073      4095

#include "tools/profile/histogram.h"

#include <float.h>
#include <string.h>

static size_t bucket_of(uint64_t value)
{
    if (value >= UINT64_C(1) << HISTOGRAM_VALUE_BITS)
        return HISTOGRAM_BUCKET_COUNT - 1;
    // Setting a low bit spares the logarithm its undefined case and changes no result.
    unsigned bits = 64 - (unsigned)__builtin_clzll(value | 1);
    unsigned shift = bits > HISTOGRAM_LINEAR_BITS ? bits - HISTOGRAM_LINEAR_BITS : 0;
    return (size_t)shift * HISTOGRAM_HALF + (size_t)(value >> shift);
}

uint64_t histogram_bucket_end(size_t index)
{
    if (index < 2 * HISTOGRAM_HALF)
        return index;
    unsigned shift = (unsigned)(index / HISTOGRAM_HALF) - 1;
    uint64_t leading = index - (size_t)shift * HISTOGRAM_HALF;
    return ((leading + 1) << shift) - 1;
}

void histogram_clear(struct histogram *histogram)
{
    memset(histogram, 0, sizeof(*histogram));
}

void histogram_record(struct histogram *histogram, uint64_t value)
{
    histogram->counts[bucket_of(value)]++;
    histogram->total++;
    if (value > histogram->maximum)
        histogram->maximum = value;
}

void histogram_merge(struct histogram *to, const struct histogram *from)
{
    for (size_t index = 0; index < HISTOGRAM_BUCKET_COUNT; index++)
        to->counts[index] += from->counts[index];
    to->total += from->total;
    if (from->maximum > to->maximum)
        to->maximum = from->maximum;
}

uint64_t histogram_percentile(const struct histogram *histogram, double share)
{
    // The rank is rounded up: the median of three values is the second, of two the first. What only
    // the rounding of the product or of the share added is taken off before: 99.9 / 100 of 100,000
    // values are 99,900, and not one more.
    double exact_rank = share * (double)histogram->total * (1 - 4 * DBL_EPSILON);
    uint64_t rank = (uint64_t)exact_rank;
    if ((double)rank < exact_rank || rank == 0)
        rank++;
    uint64_t seen = 0;
    for (size_t index = 0; index < HISTOGRAM_BUCKET_COUNT; index++) {
        seen += histogram->counts[index];
        if (seen < rank)
            continue;
        // The last bucket has no upper end of its own, and no value lies above the maximum.
        uint64_t end = histogram_bucket_end(index);
        return index == HISTOGRAM_BUCKET_COUNT - 1 || end > histogram->maximum ? histogram->maximum
                                                                               : end;
    }
    return histogram->maximum;
}
