// SPDX-License-Identifier: MIT
//
// After the last block: counting slows a server down, so it is never done in a window that counts.

#include <stdio.h>
#include <string.h>

#include "tools/profile/clock.h"
#include "tools/profile/costs.h"
#include "tools/profile/experiment_parts.h"

// Enough that the start of the program and of valgrind divides out.
enum { REPLAY_OPERATIONS = 1000 };

static const int64_t IDLE_RUN_NS = 50 * CLOCK_NS_PER_MS;

static void keep_reason(struct result_arm *outcome, const char *what, const char *reason)
{
    size_t length = strlen(outcome->costs_note);
    snprintf(outcome->costs_note + length, sizeof(outcome->costs_note) - length, "%s%s: %s",
             length > 0 ? "; " : "", what, reason);
}

static void look_at_process(struct contestant *contestant)
{
    struct costs_process process;
    if (costs_process(contestant->server.pid, &process) < 0)
        return;
    contestant->outcome->rss_bytes = (int64_t)process.rss_bytes;
    contestant->outcome->threads = process.thread_count;
    contestant->outcome->kernel_workers = process.kernel_worker_count;
}

void experiment_look_at_idle(struct experiment *experiment, struct contestant *contestant)
{
    const struct window_request request = experiment_request(experiment, contestant);
    const struct load_histograms ignored = {0};
    size_t count = workload_open_count(&experiment->plan.workload, request.load.connection_count);
    struct costs_process before, after;
    struct load_window seen;
    struct load *load;
    if (experiment->plan.workload.idle_count == 0 ||
        costs_process(contestant->server.pid, &before) < 0 || load_open(&request.load, &load) < 0)
        return;
    // Replies tell that the server has taken up the connections.
    if (load_run(load, IDLE_RUN_NS, &ignored, &seen) == 0 &&
        costs_process(contestant->server.pid, &after) == 0)
        contestant->outcome->idle_bytes_per_connection =
            ((double)after.rss_bytes - (double)before.rss_bytes) / (double)count;
    load_finish(load);
    load_close(load);
}

static void count_calls(struct experiment *experiment, struct contestant *contestant)
{
    const struct window_request request = experiment_request(experiment, contestant);
    struct result_arm *outcome = contestant->outcome;
    struct costs_calls calls;
    uint64_t operation_count;
    char reason[160];
    experiment_show(experiment, "counting the system calls of %s", contestant->arm.name);
    if (window_count(&request, &calls, &operation_count, reason, sizeof(reason)) < 0) {
        keep_reason(outcome, "system calls", reason);
        return;
    }
    if (operation_count > 0)
        outcome->syscalls_per_operation = (double)calls.call_count / (double)operation_count;
    if (calls.wait_count > 0)
        outcome->events_per_wait = (double)calls.event_count / (double)calls.wait_count;
}

static void count_instructions(struct experiment *experiment, struct contestant *contestant)
{
    struct result_arm *outcome = contestant->outcome;
    char reason[160];
    experiment_show(experiment, "counting the instructions of %s", contestant->arm.name);
    if (costs_instructions(&contestant->arm, experiment->plan.workload.message_bytes,
                           REPLAY_OPERATIONS, reason, sizeof(reason),
                           &outcome->instructions_per_operation) < 0)
        keep_reason(outcome, "instructions", reason);
}

// Switches were counted in the windows themselves.
static void sum_switches(struct result *result, size_t index)
{
    double switch_count = 0, operation_count = 0;
    for (size_t block = 0; block < result->block_count; block++) {
        const struct result_window *window = result_window_at(result, block, index);
        if (!window->is_complete || window->voluntary_switches == RESULT_UNKNOWN ||
            window->involuntary_switches == RESULT_UNKNOWN)
            continue;
        switch_count += (double)(window->voluntary_switches + window->involuntary_switches);
        operation_count += (double)window->operation_count;
    }
    if (operation_count > 0)
        result->arms[index].context_switches_per_operation = switch_count / operation_count;
}

void experiment_take_costs(struct experiment *experiment)
{
    for (size_t index = 0; index < experiment->contestant_count; index++) {
        struct contestant *contestant = &experiment->contestants[index];
        if (!experiment_has(contestant) || *experiment->plan.stop)
            continue;
        sum_switches(experiment->result, index);
        look_at_process(contestant);
        if (experiment->plan.counts_calls)
            count_calls(experiment, contestant);
        if (experiment->plan.counts_instructions)
            count_instructions(experiment, contestant);
    }
}
