// SPDX-License-Identifier: MIT
//
// One message to everybody: the first connection sends, the server passes the message on to each
// connection that is open, and the operation ends when the last of them has it.

#include "tools/profile/workloads/fan_out_gate.h"
#include "tools/profile/workloads/messages.h"

static int set_mode(struct workload_choice *choice, const size_t *parameters)
{
    (void)parameters;
    choice->needs.mode = SERVER_FAN_OUT;
    choice->needs.request_bytes = choice->message_bytes;
    return 0;
}

const struct workload workload_fan_out = {
    .name = "fan-out",
    .parameters = "",
    .is_broadcast = true,
    .set = set_mode,
    .open = messages_open,
    .close = messages_close,
    .prepare = messages_prepare,
    .verify = messages_verify,
    .gate = fan_out_gate,
};
