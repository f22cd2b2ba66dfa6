// SPDX-License-Identifier: MIT
//
// Echo on many connections of which only a few have a message under way at any moment, in turn:
// each message meets a connection that was silent for a while, whose state nobody has at hand.

#include "tools/profile/workloads/echo_gate.h"
#include "tools/profile/workloads/messages.h"

static int set_count(struct workload_choice *choice, const size_t *parameters)
{
    choice->open_count = parameters[0];
    choice->depth = 1;
    return 0;
}

const struct workload workload_few_active = {
    .name = "few-active",
    .parameters = ":OPEN",
    .parameter_count = 1,
    .changes_places = true,
    .set = set_count,
    .open = messages_open,
    .close = messages_close,
    .prepare = messages_prepare,
    .verify = messages_verify,
    .gate = echo_gate,
};
