// SPDX-License-Identifier: MIT
//
// A server that stops for a moment while clients come by the clock: everyone who comes meanwhile
// waits, and how long can be computed. A load generator that measures from the moment when it got
// to send, and not from the moment when it should have, does not see it. This unit makes such a
// moment and says what was to be seen and what was; selfcheck.h judges.

#ifndef CEDE_TOOLS_PROFILE_STALL_H
#define CEDE_TOOLS_PROFILE_STALL_H

#include <signal.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/profile/arms.h"
#include "tools/profile/pin.h"

struct stall_plan {
    const struct arm *arm;
    struct pin pin;
    double rate_per_s; // evenly spaced
    int64_t duration_ns;
    int64_t stop_ns; // less than half of the duration; it begins at a third of it
    uint64_t seed;
    const volatile sig_atomic_t *stop;
};

struct stall_outcome {
    uint64_t operation_count;
    int64_t stopped_ns;      // how long the server really stood still
    int64_t expected_p99_ns; // by arithmetic: the plan of arrivals, and stopped_ns
    int64_t p99_ns;          // as the open loop has it, from the planned time
    int64_t service_p99_ns;  // from the real send, as one would have it who waits for replies
};

// Start the server, load it, stop it for a moment (SIGSTOP, SIGCONT) and end it. 0, or -errno and a
// sentence without a full stop in `reason`.
int stall_run(const struct stall_plan *plan, char *reason, size_t reason_bytes,
              struct stall_outcome *ret_outcome);

#endif
