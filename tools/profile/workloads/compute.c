// SPDX-License-Identifier: MIT
//
// Echo by a server that computes for a while before it sends back what it received: how much of a
// difference between servers is left when the handler does some work, and who waits meanwhile.

#include <errno.h>

#include "tools/profile/workloads/echo_gate.h"
#include "tools/profile/workloads/messages.h"

static int set_time(struct workload_choice *choice, const size_t *parameters)
{
    choice->needs.mode = SERVER_COMPUTE;
    choice->needs.compute_us = (uint32_t)parameters[0];
    return parameters[0] <= UINT32_MAX ? 0 : -EINVAL;
}

const struct workload workload_compute = {
    .name = "compute",
    .parameters = ":MICROSECONDS",
    .parameter_count = 1,
    .set = set_time,
    .open = messages_open,
    .close = messages_close,
    .prepare = messages_prepare,
    .verify = messages_verify,
    .gate = echo_gate,
};
