// SPDX-License-Identifier: MIT
//
// Is this an echo server that also survives clients who come and go? Called through the table of
// the workload.

#ifndef CEDE_TOOLS_PROFILE_WORKLOADS_CHURN_GATE_H
#define CEDE_TOOLS_PROFILE_WORKLOADS_CHURN_GATE_H

#include "tools/profile/workload.h"

// The member `gate` of struct workload. What echo_gate does, and then short connections: with a
// message, without one, and such as end in a reset.
int churn_gate(const struct workload_choice *choice, const struct loopback_address *address,
               uint64_t seed, char *reason, size_t reason_bytes);

#endif
