// SPDX-License-Identifier: MIT
//
// Entries are looked at where the kernel will find them: from its head of the submission ring on.

#include "tests/conformance/explore/opcodes.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>

static uint64_t counted[UINT8_MAX + 1];

static const struct {
    uint8_t opcode;
    const char *name;
} used[] = {
    {IORING_OP_POLL_ADD, "POLL_ADD"}, {IORING_OP_RECV, "RECV"},
    {IORING_OP_RECVMSG, "RECVMSG"},   {IORING_OP_SEND, "SEND"},
    {IORING_OP_SENDMSG, "SENDMSG"},   {IORING_OP_ACCEPT, "ACCEPT"},
    {IORING_OP_CONNECT, "CONNECT"},   {IORING_OP_ASYNC_CANCEL, "ASYNC_CANCEL"},
};

void opcodes_count(const struct io_uring *ring, unsigned entry_count)
{
    const struct io_uring_sq *sq = &ring->sq;
    unsigned head = *sq->khead;
    for (unsigned i = 0; i < entry_count; i++)
        counted[sq->sqes[(head + i) & sq->ring_mask].opcode]++;
}

void opcodes_print(FILE *file)
{
    uint64_t others = 0;
    for (size_t opcode = 0; opcode <= UINT8_MAX; opcode++)
        others += counted[opcode];
    fputc('{', file);
    for (size_t i = 0; i < sizeof used / sizeof *used; i++) {
        fprintf(file, "\"%s\": %" PRIu64 ", ", used[i].name, counted[used[i].opcode]);
        others -= counted[used[i].opcode];
    }
    fprintf(file, "\"others\": %" PRIu64 "}", others);
}
