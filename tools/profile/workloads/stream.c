// SPDX-License-Identifier: MIT
//
// Echo of a stream without a break: so much is under way on each connection that neither side ever
// waits for the other to have something. An operation is a piece of it that came back.

#include "tools/profile/workloads/echo_gate.h"
#include "tools/profile/workloads/messages.h"

enum { PIECE_BYTES = 16384, STREAM_BYTES = 262144 };

static int set_sizes(struct workload_choice *choice, const size_t *parameters)
{
    (void)parameters;
    choice->message_bytes = PIECE_BYTES;
    choice->depth = STREAM_BYTES / PIECE_BYTES;
    return 0;
}

const struct workload workload_stream = {
    .name = "stream",
    .parameters = "",
    .set = set_sizes,
    .open = messages_open,
    .close = messages_close,
    .prepare = messages_prepare,
    .verify = messages_verify,
    .gate = echo_gate,
};
