// SPDX-License-Identifier: MIT
//
// Requests of random bytes and replies that repeat them: what most workloads have in common. All
// messages are cut out of one block, each at its own place; so making one and checking one cost no
// more than a pointer and a memcmp(3), and the load generator stays small beside the server. These
// are members of struct workload (tools/profile/workload.h), which says what each of them does.

#ifndef CEDE_TOOLS_PROFILE_WORKLOADS_MESSAGES_H
#define CEDE_TOOLS_PROFILE_WORKLOADS_MESSAGES_H

#include "tools/profile/workload.h"

// A request has choice->message_bytes; a reply has as many, or choice->needs.reply_bytes unless
// that is 0, and its byte k is byte k % message_bytes of the request.
int messages_open(const struct workload_choice *choice, uint64_t seed, void **ret_state);
void messages_close(void *state);
void messages_prepare(void *state, size_t connection, uint64_t number,
                      struct exchange *ret_exchange);
bool messages_verify(void *state, const struct exchange *exchange, size_t offset,
                     const unsigned char *bytes, size_t count);

#endif
