// SPDX-License-Identifier: MIT
//
// Percentiles of latency from the histograms of blocks, with the band in which they lie with 95 %
// confidence: blocks are drawn with replacement, as many as there are, again and again, and the
// middle 95 % of what the percentile then is makes the band. It knows numbers only. digest.c calls
// it.

#ifndef CEDE_TOOLS_PROFILE_HTML_BAND_H
#define CEDE_TOOLS_PROFILE_HTML_BAND_H

#include <stddef.h>
#include <stdint.h>

// So many values in a bucket of a block's histogram.
struct band_bucket {
    uint64_t end_ns; // the largest value of the bucket
    uint64_t count;
    size_t block;
};

struct band_point {
    double one_in; // one of so many values is larger
    uint64_t value_ns;
    uint64_t low_ns;
    uint64_t high_ns;
};

enum { BAND_POINT_LIMIT = 20 * 12 };

// From the buckets of `block_count` blocks, which are sorted by this call: points from the smallest
// value to the percentile beyond which there are still ten values, at least the former. With fewer
// than two blocks the band is from 0 to UINT64_MAX. 0; -EINVAL: no values; or -ENOMEM.
int band_make(struct band_bucket *buckets, size_t count, size_t block_count, uint64_t seed,
              struct band_point ret_points[BAND_POINT_LIMIT], size_t *ret_point_count);

#endif
