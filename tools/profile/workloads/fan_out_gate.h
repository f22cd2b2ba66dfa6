// SPDX-License-Identifier: MIT
//
// Does this server pass each message on to everybody, in one order? Called through the table of the
// workload.

#ifndef CEDE_TOOLS_PROFILE_WORKLOADS_FAN_OUT_GATE_H
#define CEDE_TOOLS_PROFILE_WORKLOADS_FAN_OUT_GATE_H

#include "tools/profile/workload.h"

// The member `gate` of struct workload. Several clients send messages, whole and in pieces, one
// after the other and at the same time; every one must get all of them, its own too, whole and in
// the order in which the others get them, also after one of them has left.
int fan_out_gate(const struct workload_choice *choice, const struct loopback_address *address,
                 uint64_t seed, char *reason, size_t reason_bytes);

#endif
