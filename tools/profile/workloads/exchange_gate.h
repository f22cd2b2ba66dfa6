// SPDX-License-Identifier: MIT
//
// Does this server answer requests as the workload says? For workloads whose server must collect a
// request before it answers. Called through the table of the workload.

#ifndef CEDE_TOOLS_PROFILE_WORKLOADS_EXCHANGE_GATE_H
#define CEDE_TOOLS_PROFILE_WORKLOADS_EXCHANGE_GATE_H

#include "tools/profile/workload.h"

// The member `gate` of struct workload. Sends requests whole, and cut into pieces of odd sizes, and
// many behind one another with the cuts anywhere; then one without its last byte, and closes its
// direction; and wants the replies that the workload's `verify` calls right, no more, and the end.
int exchange_gate(const struct workload_choice *choice, const struct loopback_address *address,
                  uint64_t seed, char *reason, size_t reason_bytes);

#endif
