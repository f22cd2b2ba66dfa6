// SPDX-License-Identifier: MIT
//
// Each gate is a sentence: what was seen, in numbers, and nothing else. docs/profiling.md says what
// each is for.

#include "tools/profile/gates.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tools/profile/summary.h"

// Others may take so much of all processors. The kernel counts it in ticks, of which one may belong
// to the time before the window.
static const double STEAL_SHARE = 0.05;
static const double STEAL_TICK_NS = 10e6;

// The client's own lateness, of the latency: median of median, 99th percentile of the same.
static const double LAG_SHARE = 0.10;

// By how much the two sides of Little's law may differ.
static const double LITTLE_SHARE = 0.02;

// A processor is busy from here on. What is left is the cost of sleeping and waking.
static const double BUSY_SHARE = 0.90;

// A server that uses more than this share of a processor without being asked is not asleep.
static const double RESTLESS_SHARE = 0.02;

__attribute__((format(printf, 2, 3))) static void reject(struct result_window *window,
                                                         const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(window->invalid, sizeof(window->invalid), format, arguments);
    va_end(arguments);
    window->is_valid = false;
}

static void judge_little(struct result_window *window)
{
    if (window->busy_ns <= 0 || window->service_ns == RESULT_UNKNOWN)
        return;
    double share = (double)window->service_ns / (double)window->busy_ns - 1;
    if (fabs(share) > LITTLE_SHARE)
        reject(window, "Little's law is off by %.1f %%", 100 * share);
}

// A latency holds the client's lag in it: each percentile must be the server's, by far.
static void judge_lag(struct result_window *window, const char *name, int64_t lag_ns,
                      int64_t latency_ns)
{
    if (lag_ns != RESULT_UNKNOWN && (double)lag_ns >= LAG_SHARE * (double)latency_ns)
        reject(window, "the client was late by %.1f us (%s), of a latency of %.1f us",
               (double)lag_ns * 1e-3, name, (double)latency_ns * 1e-3);
}

static void judge_plan(struct result_window *window)
{
    if (window->unsent_count > 0) {
        reject(window, "%" PRId64 " planned operations were given up, the server was too slow",
               window->unsent_count);
        return;
    }
    judge_lag(window, "median", window->lag_p50_ns, window->p50_ns);
    if (window->is_valid)
        judge_lag(window, "p99", window->lag_p99_ns, window->p99_ns);
}

void gates_judge_window(const struct result *result, struct result_window *window)
{
    double time_ns = (double)window->elapsed_ns * (double)result->environment.processors;
    window->is_valid = true;
    window->invalid[0] = '\0';
    if (result->plan.is_open_loop)
        judge_plan(window);
    if (window->is_valid)
        judge_little(window);
    if (window->is_valid && window->steal_ns != RESULT_UNKNOWN && time_ns > 0 &&
        (double)window->steal_ns - STEAL_TICK_NS > STEAL_SHARE * time_ns)
        reject(window, "other guests took %.0f %% of the processors",
               100 * (double)window->steal_ns / time_ns);
}

__attribute__((format(printf, 2, 3))) static void object(struct result_arm *arm, const char *format,
                                                         ...)
{
    if (arm->reason_count == RESULT_REASON_LIMIT)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(arm->reasons[arm->reason_count++], RESULT_TEXT_BYTES, format, arguments);
    va_end(arguments);
}

static void judge_windows(struct result *result, size_t index)
{
    size_t count = 0, invalid_count = 0;
    const char *last = "";
    for (size_t block = 0; block < result->block_count; block++) {
        const struct result_window *window = result_window_at(result, block, index);
        count += window->is_complete;
        if (window->is_complete && !window->is_valid) {
            invalid_count++;
            last = window->invalid;
        }
    }
    result->arms[index].uses_invalid = 2 * invalid_count > count;
    if (result->arms[index].uses_invalid)
        object(&result->arms[index], "%zu of %zu windows failed a gate, the last one: %.120s",
               invalid_count, count, last);
}

// A client that shares the server's processor takes time from it in every arm alike; alone on its
// own it must not be the one that everybody waits for.
static void judge_pace(struct result *result, size_t index)
{
    struct result_arm *arm = &result->arms[index];
    struct summary_shares shares;
    bool is_shared =
        result->plan.server_cpu >= 0 && result->plan.server_cpu == result->plan.client_cpu;
    summary_shares(result, index, &shares);
    if (!(shares.client > 0))
        return;
    arm->headroom = result->plan.generator_per_s / summary_rate(result, index);
    bool is_server_busy = shares.server >= BUSY_SHARE;
    bool is_client_busy = shares.client >= BUSY_SHARE;
    const char *limit = "neither";
    if (is_shared && shares.server + shares.client >= BUSY_SHARE)
        limit = "the core that server and client share";
    else if (!is_shared && is_server_busy)
        limit = is_client_busy ? "server core and generator" : "server core";
    else if (!is_shared && is_client_busy)
        limit = "generator";
    snprintf(arm->limited_by, sizeof(arm->limited_by), "%s", limit);
    if (!is_shared && is_client_busy && !is_server_busy)
        object(arm, "the client set the pace: it was %.0f %% busy, the server %.0f %%",
               100 * shares.client, 100 * shares.server);
}

void gates_judge_arm(struct result *result, size_t index)
{
    struct result_arm *arm = &result->arms[index];
    double rest = (double)arm->rest_cpu_ns / (double)arm->rest_ns;
    arm->reason_count = 0;
    judge_windows(result, index);
    if (rest > RESTLESS_SHARE)
        object(arm,
               "it used %.0f %% of a processor while others were measured, which disturbs them",
               100 * rest);
    judge_pace(result, index);
}

bool gates_hold(const struct result *result)
{
    for (size_t index = 0; index < result->arm_count; index++) {
        if (result->arms[index].failure[0] == '\0' && result->arms[index].reason_count > 0)
            return false;
    }
    return true;
}
