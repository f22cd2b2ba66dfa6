// SPDX-License-Identifier: MIT
//
// Request and response of different sizes, as most protocols have them. The server must collect a
// request before it answers, and the answer repeats the request as often as it takes.

#include "tools/profile/workloads/exchange_gate.h"
#include "tools/profile/workloads/messages.h"

static int set_sizes(struct workload_choice *choice, const size_t *parameters)
{
    choice->message_bytes = parameters[0];
    choice->needs.mode = SERVER_RR;
    choice->needs.request_bytes = parameters[0];
    choice->needs.reply_bytes = parameters[1];
    return 0;
}

const struct workload workload_rr = {
    .name = "rr",
    .parameters = ":REQUEST:REPLY",
    .parameter_count = 2,
    .set = set_sizes,
    .open = messages_open,
    .close = messages_close,
    .prepare = messages_prepare,
    .verify = messages_verify,
    .gate = exchange_gate,
};
