// SPDX-License-Identifier: MIT
//
// Echo, with several messages under way on each connection. A server meets more than one of them in
// a single receive and may answer them in a single send: what a system call costs counts less here,
// what a byte and a turn cost counts more.

#include "tools/profile/workloads/echo_gate.h"
#include "tools/profile/workloads/messages.h"

static int set_depth(struct workload_choice *choice, const size_t *parameters)
{
    choice->depth = parameters[0];
    return 0;
}

const struct workload workload_pipelined = {
    .name = "pipelined",
    .parameters = ":DEPTH",
    .parameter_count = 1,
    .set = set_depth,
    .open = messages_open,
    .close = messages_close,
    .prepare = messages_prepare,
    .verify = messages_verify,
    .gate = echo_gate,
};
