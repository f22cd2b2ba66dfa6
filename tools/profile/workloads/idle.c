// SPDX-License-Identifier: MIT
//
// Echo on the busy connections, and beside them many that are silent after their first message:
// what they cost the server in memory, and what they cost the busy ones in time.

#include "tools/profile/workloads/echo_gate.h"
#include "tools/profile/workloads/messages.h"

static int set_count(struct workload_choice *choice, const size_t *parameters)
{
    choice->idle_count = parameters[0];
    return 0;
}

const struct workload workload_idle = {
    .name = "idle",
    .parameters = ":COUNT",
    .parameter_count = 1,
    .set = set_count,
    .open = messages_open,
    .close = messages_close,
    .prepare = messages_prepare,
    .verify = messages_verify,
    .gate = echo_gate,
};
