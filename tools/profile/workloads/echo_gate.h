// SPDX-License-Identifier: MIT
//
// Is this an echo server at all? Called for each arm before any time is taken, through the table of
// the workload: a fast wrong server must not win.

#ifndef CEDE_TOOLS_PROFILE_WORKLOADS_ECHO_GATE_H
#define CEDE_TOOLS_PROFILE_WORKLOADS_ECHO_GATE_H

#include "tools/profile/workload.h"

// The member `gate` of struct workload. Sends pieces of odd sizes one by one, then megabytes
// without reading until the server can neither send nor take more, then closes its own direction,
// and wants every byte back and then the end of the stream.
int echo_gate(const struct workload_choice *choice, const struct loopback_address *address,
              uint64_t seed, char *reason, size_t reason_bytes);

#endif
