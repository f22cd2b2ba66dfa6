// SPDX-License-Identifier: MIT
//
// How far the profiler can be trusted, found out by itself on the machine where it is to be
// trusted: how often it sees a difference where there is none, how often it finds a server that is
// five percent slower, and whether it sees a server stand still. It measures servers of this
// workspace only. The verb `selfcheck` calls it, and a test does with less time.

#ifndef CEDE_TOOLS_PROFILE_SELFCHECK_H
#define CEDE_TOOLS_PROFILE_SELFCHECK_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "tools/profile/pin.h"
#include "tools/profile/result.h"

struct selfcheck_plan {
    bool is_quick; // a small share of it, in twenty seconds instead of five minutes
    uint64_t seed;
    struct pin pin;
    const struct result_environment *environment; // printed, no more
    bool shows_progress;
    const volatile sig_atomic_t *stop;
};

// Measure and print a table, line by line as soon as each is known: what was tried, what the goal
// is, what was seen. The number of goals that were missed; or -errno (-EINTR: stopped) and a
// sentence without a full stop in `reason`.
int selfcheck_run(const struct selfcheck_plan *plan, FILE *stream, char *reason,
                  size_t reason_bytes);

#endif
