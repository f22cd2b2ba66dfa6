// SPDX-License-Identifier: MIT
//
// Poisson arrivals have independent, exponentially distributed gaps; uniform ones have equal gaps,
// after a first one of random length, so that two windows do not beat with a timer of the server.

#include "tools/profile/arrivals.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

// Above 0 and at most 1, so that its logarithm is a number.
static double random_share(struct statistics_random *random)
{
    return ((double)(statistics_next(random) >> 11) + 1) / 0x1p53;
}

// Twice the room each time: the number of arrivals is known only when they are drawn.
static int add_time(struct arrivals *arrivals, size_t *capacity, double time_ns)
{
    if (arrivals->count == *capacity) {
        size_t wanted = *capacity > 0 ? *capacity * 2 : 1024;
        int64_t *times_ns = reallocarray(arrivals->times_ns, wanted, sizeof(*times_ns));
        if (times_ns == NULL)
            return -ENOMEM;
        arrivals->times_ns = times_ns;
        *capacity = wanted;
    }
    arrivals->times_ns[arrivals->count++] = (int64_t)time_ns;
    return 0;
}

int arrivals_plan(enum load_arrivals kind, double rate_per_s, int64_t duration_ns,
                  struct statistics_random *random, struct arrivals *ret_arrivals)
{
    struct arrivals arrivals = {0};
    size_t capacity = 0;
    double time_ns = 0;
    for (bool is_first = true;; is_first = false) {
        double gap_ns = 1e9 / rate_per_s;
        if (kind == LOAD_POISSON)
            gap_ns *= -log(random_share(random));
        else if (is_first)
            gap_ns *= random_share(random);
        time_ns += gap_ns;
        if (time_ns >= (double)duration_ns)
            break;
        if (add_time(&arrivals, &capacity, time_ns) < 0) {
            arrivals_clear(&arrivals);
            return -ENOMEM;
        }
    }
    *ret_arrivals = arrivals;
    return 0;
}

void arrivals_clear(struct arrivals *arrivals)
{
    free(arrivals->times_ns);
    memset(arrivals, 0, sizeof(*arrivals));
}
