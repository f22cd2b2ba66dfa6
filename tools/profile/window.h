// SPDX-License-Identifier: MIT
//
// One window: a load on one server for a while, and what was seen on both sides and on the machine
// meanwhile. It knows a server and a plan of load, neither arms nor blocks, and judges nothing
// (gates.h does). The experiment calls it.

#ifndef CEDE_TOOLS_PROFILE_WINDOW_H
#define CEDE_TOOLS_PROFILE_WINDOW_H

#include <stddef.h>
#include <stdint.h>

#include "tools/profile/costs.h"
#include "tools/profile/histogram.h"
#include "tools/profile/load.h"
#include "tools/profile/result.h"
#include "tools/profile/server.h"

struct window_request {
    const struct server *server;
    struct load_plan load;
    int64_t warmup_ns; // load before, on the same connections, not counted
    int64_t duration_ns;
    struct histogram *scratch[3];    // are overwritten
    struct histogram *total_service; // the times from send to reply are added here; or NULL
};

// Take it, on connections of its own, and fill in all that is seen; place, start_ns and the verdict
// are the caller's. Memory that *window owns is given back first. 0; or -errno, and `reason`, a
// part of a sentence, says what was seen.
int window_take(const struct window_request *request, struct result_window *window, char *reason,
                size_t reason_bytes);

// Operations a second in windows of `duration_ns` on one set of connections, one after the other,
// up to `count`: how a server warms up. 0 or an error as above.
int window_take_rates(const struct window_request *request, size_t count, double *ret_seconds,
                      double *ret_rates, char *reason, size_t reason_bytes);

// The system calls of the server in a window that is not timed, and the operations in it. 0 or an
// error as above, also when this machine does not let us count.
int window_count(const struct window_request *request, struct costs_calls *ret_calls,
                 uint64_t *ret_operation_count, char *reason, size_t reason_bytes);

#endif
