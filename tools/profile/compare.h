// SPDX-License-Identifier: MIT
//
// Two results, taken at different times: which of the servers that both measured has become better
// or worse. It works on results alone; the verb `compare` calls it.
//
// Runs at different times were on different machines, as it were: one that was busier makes every
// server look worse. So where both runs have the same reference, what is compared is how each
// server stood to it, within its own run.

#ifndef CEDE_TOOLS_PROFILE_COMPARE_H
#define CEDE_TOOLS_PROFILE_COMPARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "tools/profile/result.h"
#include "tools/profile/statistics.h"

// One server, new over old.
struct compare_arm {
    char name[RESULT_NAME_BYTES];
    bool is_relative; // to the reference of both runs; else the plain values are compared
    struct statistics_ratio cpu_ratio;
    struct statistics_ratio rate_ratio;
    bool is_regression;
};

struct compare_outcome {
    struct compare_arm arms[RESULT_ARM_LIMIT];
    size_t arm_count;
    size_t regression_count;
    char reference[RESULT_NAME_BYTES];  // "": there is none in common
    char difference[RESULT_TEXT_BYTES]; // in what was asked for, "": there is none
    double tolerance;
};

// Compare. A regression is a ratio for the worse that is past `tolerance` (0.03: 3 %) and whose
// interval does not hold 1. 0; -ENOENT: no server was timed and ranked in both; or -ENOMEM.
int compare_results(const struct result *old, const struct result *new, double tolerance,
                    struct compare_outcome *ret_outcome);

// Print it; `paths` are the names of both files.
void compare_print(const struct compare_outcome *outcome, const char *const paths[2], bool colors,
                   FILE *stream);

#endif
