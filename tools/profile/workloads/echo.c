// SPDX-License-Identifier: MIT
//
// The echo workload: what goes out must come back, byte for byte; one message at a time on each
// connection, unless the caller wants more.

#include "tools/profile/workloads/echo_gate.h"
#include "tools/profile/workloads/messages.h"

const struct workload workload_echo = {
    .name = "echo",
    .parameters = "",
    .open = messages_open,
    .close = messages_close,
    .prepare = messages_prepare,
    .verify = messages_verify,
    .gate = echo_gate,
};
