// SPDX-License-Identifier: MIT
//
// One connection, one endless stream of pattern bytes on it, and two positions: how far it was
// sent, how far it came back. The pattern repeats after a prime number of bytes, so that a piece
// which is lost, doubled or exchanged does not fit for any size of a buffer.

#include "tools/profile/workloads/echo_gate.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "tools/profile/statistics.h"
#include "tools/profile/workloads/talk.h"

enum {
    PATTERN_BYTES = 65521,
    FLOOD_BYTES = 16 << 20,
    FLOOD_PATIENCE_MS = 20, // without room for another byte: the server stopped reading
};

// Sizes around those of buffers, and sizes nobody expects.
static const size_t piece_sizes[] = {1, 2, 3, 61, 4095, 4097, 16383, 16385, 65521, 100003};

struct stream {
    struct talk talk;
    unsigned char pattern[PATTERN_BYTES];
};

// One send(2) up to this position of the stream. 1: some bytes went; 0: there was no room.
static int send_some(struct stream *stream, uint64_t until)
{
    size_t place = (size_t)(stream->talk.sent % PATTERN_BYTES);
    size_t count = PATTERN_BYTES - place;
    if (count > until - stream->talk.sent)
        count = (size_t)(until - stream->talk.sent);
    int result = talk_send_some(&stream->talk, stream->pattern + place, count);
    return result > 0 ? 1 : result;
}

// One recv(2), and a look at every byte of it. 1: right bytes came; 0: none were there.
// -ENODATA: the stream ended.
static int recv_some(struct stream *stream)
{
    unsigned char bytes[16384];
    struct talk *talk = &stream->talk;
    int result = talk_recv_some(talk, bytes, sizeof(bytes));
    if (result <= 0)
        return result;
    if (talk->received + (uint64_t)result > talk->sent)
        return talk_fail(talk, -EBADMSG, "more bytes than were sent");
    for (int index = 0; index < result; index++, talk->received++) {
        if (bytes[index] != stream->pattern[talk->received % PATTERN_BYTES])
            return talk_fail(talk, -EBADMSG, "a wrong byte");
    }
    return 1;
}

// Send up to one position and receive up to another, in whatever order the server lets us.
static int pump(struct stream *stream, uint64_t send_until, uint64_t receive_until)
{
    struct talk *talk = &stream->talk;
    while (talk->sent < send_until || talk->received < receive_until) {
        int sent = talk->sent < send_until ? send_some(stream, send_until) : 0;
        if (sent < 0)
            return sent;
        int received = recv_some(stream);
        if (received < 0)
            return received;
        if (sent == 0 && received == 0) {
            int result = talk_wait(talk, talk->sent < send_until ? POLLIN | POLLOUT : POLLIN);
            if (result < 0)
                return result;
        }
    }
    return 0;
}

// Send without reading until nothing moves: now the server holds bytes that it could not send.
static int flood(struct stream *stream, uint64_t until)
{
    while (stream->talk.sent < until) {
        int result = send_some(stream, until);
        if (result < 0)
            return result;
        if (result > 0)
            continue;
        struct pollfd poller = {.fd = stream->talk.fd, .events = POLLOUT};
        if (poll(&poller, 1, FLOOD_PATIENCE_MS) == 0)
            return 0;
    }
    return 0;
}

static int hold(struct stream *stream, uint64_t flood_bytes)
{
    uint64_t position = 0;
    for (size_t index = 0; index < sizeof(piece_sizes) / sizeof(piece_sizes[0]); index++) {
        position += piece_sizes[index];
        int result = pump(stream, position, position);
        if (result < 0)
            return result;
    }
    position += flood_bytes;
    int result = flood(stream, position);
    if (result < 0)
        return result;
    // The half-close must overtake the reading: what is on its way still has to come back after it.
    result = pump(stream, position, 0);
    if (result < 0)
        return result;
    if (shutdown(stream->talk.fd, SHUT_WR) < 0)
        return talk_fail(&stream->talk, -errno, strerror(errno));
    result = pump(stream, position, position);
    return result < 0 ? result : talk_expect_end(&stream->talk);
}

int echo_gate(const struct workload_choice *choice, const struct loopback_address *address,
              uint64_t seed, char *reason, size_t reason_bytes)
{
    struct stream stream;
    struct statistics_random random;
    statistics_seed(&random, seed);
    for (size_t index = 0; index < PATTERN_BYTES; index++)
        stream.pattern[index] = (unsigned char)statistics_next(&random);
    int result = talk_open(choice, address, reason, reason_bytes, &stream.talk);
    if (result < 0)
        return result;
    // A server that computes before each piece would take its time for so many bytes.
    result = hold(&stream, choice->needs.mode == SERVER_COMPUTE ? FLOOD_BYTES / 16 : FLOOD_BYTES);
    talk_close(&stream.talk);
    // A server that hangs up where it should not is as wrong as one that lies.
    return result == -ENODATA ? -EBADMSG : result;
}
