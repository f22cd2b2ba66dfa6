// SPDX-License-Identifier: MIT
//
// Connect, one message there and back, close, and again: what the beginning and the end of a
// connection cost. The operation is the whole, until the server has closed its direction too.

#include "tools/profile/workloads/churn_gate.h"
#include "tools/profile/workloads/messages.h"

static int set_depth(struct workload_choice *choice, const size_t *parameters)
{
    (void)parameters;
    choice->depth = 1;
    return 0;
}

const struct workload workload_churn = {
    .name = "churn",
    .parameters = "",
    .reconnects = true,
    .set = set_depth,
    .open = messages_open,
    .close = messages_close,
    .prepare = messages_prepare,
    .verify = messages_verify,
    .gate = churn_gate,
};
