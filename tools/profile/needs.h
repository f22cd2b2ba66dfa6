// SPDX-License-Identifier: MIT
//
// What a workload needs of a server. The workload says it, arms.h turns it into words of a command
// line; neither has to know the other. All zero stands for an echo server on a TCP port.

#ifndef CEDE_TOOLS_PROFILE_NEEDS_H
#define CEDE_TOOLS_PROFILE_NEEDS_H

#include <stddef.h>
#include <stdint.h>

// What a server does with the bytes that it receives.
enum server_mode {
    SERVER_ECHO, // sends them back
    SERVER_RR,   // for each `request_bytes`, `reply_bytes`: reply[k] = request[k % request_bytes]
    SERVER_FAN_OUT, // sends each `request_bytes` to everybody who is connected
    SERVER_COMPUTE, // echo, but computes for `compute_us` before each piece goes back
    SERVER_HTTP,    // answers every request with the same short text
    SERVER_MODE_COUNT
};

struct server_needs {
    enum server_mode mode;
    size_t request_bytes;  // rr and fan-out
    size_t reply_bytes;    // rr
    uint32_t compute_us;   // compute
    const char *unix_path; // listen here instead of on a TCP port; NULL: TCP
};

#endif
