// SPDX-License-Identifier: MIT
//
// Copies, member by member.

#include "tools/profile/experiment_record.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

_Static_assert((int)ARMS_LIMIT <= (int)RESULT_ARM_LIMIT, "every arm fits into a result");

void experiment_record_plan(const struct experiment_plan *plan, struct result *result)
{
    struct result_plan *to = &result->plan;
    result->seed = (int64_t)plan->seed;
    snprintf(to->verb, sizeof(to->verb), "run");
    snprintf(to->workload, sizeof(to->workload), "%s", plan->workload.name);
    to->is_open_loop = plan->loop == LOAD_OPEN;
    if (to->is_open_loop) {
        to->rate = plan->rate_per_s > 0 ? plan->rate_per_s : NAN;
        strcpy(to->arrivals, plan->arrivals == LOAD_POISSON ? "poisson" : "uniform");
    }
    to->connections = (int64_t)plan->connection_count;
    to->message_bytes = (int64_t)plan->workload.message_bytes;
    to->depth = (int64_t)(plan->workload.depth > 0 ? plan->workload.depth : plan->depth);
    to->is_unix = plan->is_unix;
    to->is_polling = plan->polls;
    to->window_ns = plan->window_ns;
    to->warmup_ns = plan->warmup_ns;
    to->blocks_planned = (int64_t)plan->block_count;
    if (plan->block_count == 0) {
        to->precision = plan->precision;
        to->budget_ns = plan->budget_ns;
    }
    to->server_cpu = plan->pin.server_cpu;
    to->client_cpu = plan->pin.client_cpu;
    pin_describe(&plan->pin, to->pin, sizeof(to->pin));
}

void experiment_record_arm(const struct arm *arm, struct result_arm *outcome)
{
    snprintf(outcome->name, sizeof(outcome->name), "%s", arm->name);
    if (arm->program != NULL)
        snprintf(outcome->program, sizeof(outcome->program), "%s", arm->program->path);
    else
        snprintf(outcome->command, sizeof(outcome->command), "%s", arm->command);
}

// Our own servers name the backend behind their version, "cede 0.1.0 io_uring": the one that they
// use, which need not be the one that they were asked for.
void experiment_record_version(const char *version, struct result_arm *outcome)
{
    const char *last = strrchr(version, ' ');
    snprintf(outcome->version, sizeof(outcome->version), "%s", version);
    if (last != NULL && strncmp(version, "cede ", 5) == 0)
        snprintf(outcome->backend, sizeof(outcome->backend), "%.*s", RESULT_NAME_BYTES - 1,
                 last + 1);
}
