// SPDX-License-Identifier: MIT
//
// What follows from the windows of an experiment: a few numbers for each arm, and its ratios to the
// arm with which all are compared. Everything here can be computed again from the result file. It
// prints nothing; report.h and json.h do.

#ifndef CEDE_TOOLS_PROFILE_SUMMARY_H
#define CEDE_TOOLS_PROFILE_SUMMARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/profile/experiment.h"
#include "tools/profile/statistics.h"

// No arm.
#define SUMMARY_NONE SIZE_MAX

struct summary {
    uint64_t operation_count; // of all complete blocks
    uint64_t reply_bytes;
    double rate;       // operations a second, the median of the windows
    double cpu_ns;     // of the server for one operation, the median of the windows
    double user_share; // of cpu_ns, from all windows together; NAN: too little time to tell
    uint64_t p50_ns;   // from the merged histogram; 0: too few operations to say
    uint64_t p99_ns;
    bool is_compared;                   // the ratios are there: it is not the reference itself
    struct statistics_ratio cpu_ratio;  // of processor time for one operation
    struct statistics_ratio rate_ratio; // of operations a second
};

// The arm with which all are compared: the one that the table of arms marks, if it was timed to the
// end; else the first one that was; else SUMMARY_NONE.
size_t summary_reference(const struct experiment *experiment);

// Summarise an arm that was timed to the end, over at least one block. 0 or -ENOMEM.
int summary_of(const struct experiment *experiment, size_t index, size_t reference,
               struct summary *ret_summary);

#endif
