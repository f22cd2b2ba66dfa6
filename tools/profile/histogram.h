// SPDX-License-Identifier: MIT
//
// A histogram of durations that keeps three significant digits over its whole range, in the manner
// of HdrHistogram: exact below 2048 ns, then 1024 equal buckets for each power of two. Recording is
// a few instructions and never fails. It knows nothing of what is recorded. The load generator
// fills one a window, the report asks merged ones for percentiles.

#ifndef CEDE_TOOLS_PROFILE_HISTOGRAM_H
#define CEDE_TOOLS_PROFILE_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

enum {
    HISTOGRAM_LINEAR_BITS = 11,                        // values below 2^11 have a bucket each
    HISTOGRAM_HALF = 1 << (HISTOGRAM_LINEAR_BITS - 1), // buckets of each further power of two
    HISTOGRAM_VALUE_BITS = 37, // values below 2^37 ns, 137 s, are told apart
    HISTOGRAM_BUCKET_COUNT = (HISTOGRAM_VALUE_BITS - HISTOGRAM_LINEAR_BITS + 2) * HISTOGRAM_HALF,
};

struct histogram {
    uint64_t counts[HISTOGRAM_BUCKET_COUNT];
    uint64_t total;
    uint64_t maximum; // exact, also of values too large for a bucket of their own
};

// Forget everything.
void histogram_clear(struct histogram *histogram);

// Count one value; one of 2^37 or more goes to the last bucket.
void histogram_record(struct histogram *histogram, uint64_t value);

// Add what `from` holds to `to`. Percentiles are taken from merged histograms, never averaged.
void histogram_merge(struct histogram *to, const struct histogram *from);

// The smallest bucket's upper end below or at which at least this share (0 < share <= 1) of the
// values lies: never less than the exact percentile, at most 1/1024 more. 0 if nothing was
// recorded.
uint64_t histogram_percentile(const struct histogram *histogram, double share);

// The largest value that is counted in this bucket.
uint64_t histogram_bucket_end(size_t index);

#endif
