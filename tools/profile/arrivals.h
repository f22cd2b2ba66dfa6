// SPDX-License-Identifier: MIT
//
// When the operations of an open loop are due: all of it is decided before the window begins, from
// a seed, so that neither the server nor a late generator can change it. It knows no clock; times
// count from the start of the window. The load generator follows the plan.

#ifndef CEDE_TOOLS_PROFILE_ARRIVALS_H
#define CEDE_TOOLS_PROFILE_ARRIVALS_H

#include <stddef.h>
#include <stdint.h>

#include "tools/profile/statistics.h"

// How far apart planned operations are: by chance, as those of many independent users, or evenly.
enum load_arrivals { LOAD_POISSON, LOAD_UNIFORM };

struct arrivals {
    int64_t *times_ns; // ascending, each at least 0 and below the duration
    size_t count;
};

// Plan operations at this rate, which is above 0, for so long. The same state of `random` gives the
// same plan. 0 or -ENOMEM.
int arrivals_plan(enum load_arrivals kind, double rate_per_s, int64_t duration_ns,
                  struct statistics_random *random, struct arrivals *ret_arrivals);

// Forget the plan; accepts one that is all zero.
void arrivals_clear(struct arrivals *arrivals);

#endif
