// SPDX-License-Identifier: MIT
//
// The one clock of the profiler. Everything that measures or waits reads it.

#ifndef CEDE_TOOLS_PROFILE_CLOCK_H
#define CEDE_TOOLS_PROFILE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define CLOCK_NS_PER_SECOND INT64_C(1000000000)
#define CLOCK_NS_PER_MS INT64_C(1000000)

// Nanoseconds of the monotonic clock. It cannot fail, and costs no system call on common machines.
static inline int64_t clock_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * CLOCK_NS_PER_SECOND + now.tv_nsec;
}

#endif
