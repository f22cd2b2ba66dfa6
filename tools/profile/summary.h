// SPDX-License-Identifier: MIT
//
// What follows from the windows of a result: a few numbers for each arm, and its ratios to the arm
// with which all are compared. It can be computed again at any time, from a file as well. It prints
// nothing; report.h and result.h do.

#ifndef CEDE_TOOLS_PROFILE_SUMMARY_H
#define CEDE_TOOLS_PROFILE_SUMMARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/profile/result.h"
#include "tools/profile/statistics.h"

struct summary {
    size_t window_count; // valid ones; all that follows is about them
    int64_t operation_count;
    int64_t reply_bytes;
    double rate;       // operations a second, the median of the windows
    double cpu_ns;     // of the server for one operation, the median of the windows
    double user_share; // of cpu_ns, from all windows together; NAN: too little time to tell
    uint64_t p50_ns;   // from the merged histogram; 0: too few operations to say
    uint64_t p99_ns;
    uint64_t p999_ns;
    bool is_compared; // the ratios are there: it is not the reference, and no gate failed
    struct statistics_ratio cpu_ratio;  // of processor time for one operation
    struct statistics_ratio rate_ratio; // of operations a second
};

// Shares of a processor, over all valid windows together: how much of one each was busy. NAN: not
// known.
struct summary_shares {
    double server; // above 1 if it has several threads
    double client;
};

// What two windows of a block are compared by.
enum summary_metric { SUMMARY_CPU, SUMMARY_RATE };

// True if the arm was timed to the end and has a valid window: then summary_of has something to
// say.
bool summary_has(const struct result *result, size_t index);

// Summarise an arm for which summary_has is true. 0 or -ENOMEM.
int summary_of(const struct result *result, size_t index, struct summary *ret_summary);

// One logarithm for each block of what the arm did in it over what the reference did, into space
// for one a block; how many there are. A block in which one of them has no valid window has none.
size_t summary_logarithms(const struct result *result, size_t index, enum summary_metric metric,
                          double *ret_logarithms);

// The values themselves, of all valid windows of the arm: nanoseconds for an operation, or
// operations a second.
size_t summary_values(const struct result *result, size_t index, enum summary_metric metric,
                      double *ret_values);

// Operations a second, over all valid windows together. NAN: there is none.
double summary_rate(const struct result *result, size_t index);

// How many arms are compared with the reference: the size of the family, at least 1.
size_t summary_comparisons(const struct result *result);

// How far the interval reaches to each side, as a share: 0.02 is 2 %. INFINITY: nothing is known.
double summary_half_width(const struct statistics_ratio *ratio);

// How busy both sides of an arm were.
void summary_shares(const struct result *result, size_t index, struct summary_shares *ret_shares);

// The latencies of all valid windows of an arm, in place of what *ret_latency holds.
void summary_latency(const struct result *result, size_t index, struct histogram *ret_latency);

#endif
