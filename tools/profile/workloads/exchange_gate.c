// SPDX-License-Identifier: MIT
//
// A script is a row of exchanges whose requests leave as one stream, cut into pieces. A piece that
// is smaller than a request mostly meets a server that has read the one before it, since the socket
// does not delay it; and those behind one another fill its buffer at any place.

#include "tools/profile/workloads/exchange_gate.h"

#include <errno.h>
#include <poll.h>

#include "tools/profile/workloads/talk.h"

enum { PIPELINE_COUNT = 16 };

struct script {
    const struct workload *workload;
    void *state;
    uint64_t number;    // of the first exchange
    size_t count;       // of exchanges
    size_t piece_bytes; // a send is no longer than this
    uint64_t sending;   // the exchange whose request leaves, and how much of it left
    size_t sent_bytes;
    uint64_t receiving; // the same of replies
    size_t received_bytes;
};

static void exchange_of(const struct script *script, uint64_t number, struct exchange *ret_exchange)
{
    script->workload->prepare(script->state, 0, script->number + number, ret_exchange);
}

// 1: some bytes went; 0: there was no room, or nothing is left.
static int send_piece(struct talk *talk, struct script *script)
{
    struct exchange exchange;
    if (script->sending == script->count)
        return 0;
    exchange_of(script, script->sending, &exchange);
    size_t count = exchange.request_bytes - script->sent_bytes;
    if (count > script->piece_bytes)
        count = script->piece_bytes;
    int result = talk_send_some(talk, exchange.request + script->sent_bytes, count);
    if (result <= 0)
        return result;
    script->sent_bytes += (size_t)result;
    if (script->sent_bytes == exchange.request_bytes) {
        script->sending++;
        script->sent_bytes = 0;
    }
    return 1;
}

static int check(struct talk *talk, struct script *script, const unsigned char *bytes, size_t count)
{
    while (count > 0) {
        struct exchange exchange;
        if (script->receiving == script->count)
            return talk_fail(talk, -EBADMSG, "bytes too many");
        exchange_of(script, script->receiving, &exchange);
        size_t piece = exchange.reply_bytes - script->received_bytes;
        piece = count < piece ? count : piece;
        if (!script->workload->verify(script->state, &exchange, script->received_bytes, bytes,
                                      piece))
            return talk_fail(talk, -EBADMSG, "a wrong byte");
        talk->received += piece;
        bytes += piece;
        count -= piece;
        script->received_bytes += piece;
        if (script->received_bytes == exchange.reply_bytes) {
            script->receiving++;
            script->received_bytes = 0;
        }
    }
    return 0;
}

static int play(struct talk *talk, struct script *script)
{
    while (script->receiving < script->count) {
        unsigned char bytes[16384];
        int sent = send_piece(talk, script);
        if (sent < 0)
            return sent;
        int received = talk_recv_some(talk, bytes, sizeof(bytes));
        if (received < 0)
            return received;
        int result = check(talk, script, bytes, (size_t)received);
        if (result == 0 && sent == 0 && received == 0)
            result = talk_wait(talk, script->sending < script->count ? POLLIN | POLLOUT : POLLIN);
        if (result < 0)
            return result;
    }
    return 0;
}

static int hold(struct talk *talk, const struct workload *workload, void *state)
{
    static const size_t piece_sizes[] = {SIZE_MAX, 1, 2, 3, 61, 4095, 4097, 16385};
    struct exchange exchange;
    uint64_t number = 0;
    workload->prepare(state, 0, number, &exchange);
    // A long request is cut into a hundred pieces, not into a million.
    const size_t least_bytes = exchange.request_bytes / 100;
    for (size_t index = 0; index < sizeof(piece_sizes) / sizeof(piece_sizes[0]); index++) {
        size_t piece_bytes = piece_sizes[index] > least_bytes ? piece_sizes[index] : least_bytes;
        for (size_t count = 1; count <= PIPELINE_COUNT; count += PIPELINE_COUNT - 1) {
            struct script script = {.workload = workload,
                                    .state = state,
                                    .number = number,
                                    .count = count,
                                    .piece_bytes = piece_bytes};
            int result = play(talk, &script);
            if (result < 0)
                return result;
            number += count;
        }
    }
    workload->prepare(state, 0, number, &exchange);
    int result = talk_send(talk, exchange.request, exchange.request_bytes - 1);
    return result < 0 ? result : talk_end(talk);
}

int exchange_gate(const struct workload_choice *choice, const struct loopback_address *address,
                  uint64_t seed, char *reason, size_t reason_bytes)
{
    struct talk talk;
    void *state;
    int result = talk_open(choice, address, reason, reason_bytes, &talk);
    if (result < 0)
        return result;
    result = choice->workload->open(choice, seed, &state);
    if (result < 0) {
        talk_close(&talk);
        return talk_fail(&talk, result, "no memory");
    }
    result = hold(&talk, choice->workload, state);
    choice->workload->close(state);
    talk_close(&talk);
    // A server that hangs up where it should not is as wrong as one that lies.
    return result == -ENODATA ? -EBADMSG : result;
}
