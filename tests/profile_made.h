// SPDX-License-Identifier: MIT
//
// Results that nobody measured, for tests of what is concluded from them: each arm's windows take a
// known time for an operation, with a known noise.

#ifndef CEDE_TESTS_PROFILE_MADE_H
#define CEDE_TESTS_PROFILE_MADE_H

#include <stdio.h>
#include <string.h>

#include "tools/profile/result.h"
#include "tools/profile/statistics.h"

// What an arm does: processor time and client's time for an operation, and how much both vary from
// window to window (0.05: up to 5 % to each side).
struct made_arm {
    const char *name;
    double cpu_ns;
    double client_ns;
    double noise;
};

// One window of a tenth of a second, on a core that server and client share.
static inline void made_window(const struct made_arm *arm, struct statistics_random *random,
                               struct result_window *window)
{
    double share = (double)statistics_below(random, 2001) / 1000 - 1;
    double factor = 1 + arm->noise * share;
    window->is_complete = true;
    window->is_valid = true;
    window->elapsed_ns = 100000000;
    window->operation_count = (int64_t)(1e8 / (factor * (arm->cpu_ns + arm->client_ns)));
    window->reply_bytes = 64 * window->operation_count;
    window->cpu_ns = (int64_t)(factor * arm->cpu_ns * (double)window->operation_count);
    window->client_cpu_ns = (int64_t)(factor * arm->client_ns * (double)window->operation_count);
    window->client_work_ns = window->client_cpu_ns;
    window->busy_ns = window->service_ns = 64 * window->elapsed_ns;
    window->lag_p50_ns = window->lag_p99_ns = RESULT_UNKNOWN;
    window->p50_ns = 300000;
    window->p99_ns = 900000;
    window->maximum_ns = 1000000;
}

// A result of these arms and so many blocks; the first arm is the reference. False: no memory.
static inline bool made_result(const struct made_arm *arms, size_t arm_count, size_t block_count,
                               uint64_t seed, struct result *ret_result)
{
    struct statistics_random random;
    statistics_seed(&random, seed);
    result_init(ret_result);
    strcpy(ret_result->plan.workload, "echo");
    strcpy(ret_result->plan.pin, "server and client share cpu 1");
    ret_result->environment.processors = 2;
    ret_result->plan.server_cpu = ret_result->plan.client_cpu = 1;
    ret_result->plan.connections = 64;
    ret_result->plan.message_bytes = 64;
    ret_result->plan.window_ns = 100000000;
    ret_result->arm_count = arm_count;
    ret_result->reference = 0;
    for (size_t index = 0; index < arm_count; index++)
        snprintf(ret_result->arms[index].name, RESULT_NAME_BYTES, "%s", arms[index].name);
    for (size_t block = 0; block < block_count; block++) {
        if (result_add_block(ret_result) < 0)
            return false;
        for (size_t index = 0; index < arm_count; index++)
            made_window(&arms[index], &random, result_window_at(ret_result, block, index));
    }
    return true;
}

#endif
