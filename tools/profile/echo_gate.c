// SPDX-License-Identifier: MIT
//
// One connection, one endless stream of pattern bytes on it, and two positions: how far it was
// sent, how far it came back. The pattern repeats after a prime number of bytes, so that a piece
// which is lost, doubled or exchanged does not fit for any size of a buffer.

#include "tools/profile/echo_gate.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tools/profile/clock.h"
#include "tools/profile/loopback.h"
#include "tools/profile/statistics.h"

enum {
    PATTERN_BYTES = 65521,
    FLOOD_BYTES = 16 << 20,
    FLOOD_PATIENCE_MS = 20, // without room for another byte: the server stopped reading
    LIMIT_MS = 10000,
};

// Sizes around those of buffers, and sizes nobody expects.
static const size_t piece_sizes[] = {1, 2, 3, 61, 4095, 4097, 16383, 16385, 65521, 100003};

struct talk {
    int fd;
    uint64_t sent;
    uint64_t received;
    int64_t limit_ns;
    char *reason;
    size_t reason_bytes;
    unsigned char pattern[PATTERN_BYTES];
};

static int fail(struct talk *talk, int error, const char *what)
{
    snprintf(talk->reason, talk->reason_bytes, "%s after %llu of %llu bytes", what,
             (unsigned long long)talk->received, (unsigned long long)talk->sent);
    return error;
}

// Sleep until one of these events. 0: it came; -ETIMEDOUT: the limit of the whole gate passed.
static int wait_for(struct talk *talk, short events)
{
    int64_t left_ms = (talk->limit_ns - clock_now_ns()) / CLOCK_NS_PER_MS;
    struct pollfd poller = {.fd = talk->fd, .events = events};
    int count = left_ms > 0 ? poll(&poller, 1, (int)left_ms) : 0;
    if (count < 0)
        return errno == EINTR ? 0 : fail(talk, -errno, strerror(errno));
    return count == 0 ? fail(talk, -ETIMEDOUT, "no more bytes") : 0;
}

// One send(2) up to this position of the stream. 1: some bytes went; 0: there was no room.
static int send_some(struct talk *talk, uint64_t until)
{
    size_t place = (size_t)(talk->sent % PATTERN_BYTES);
    size_t count = PATTERN_BYTES - place;
    if (count > until - talk->sent)
        count = (size_t)(until - talk->sent);
    ssize_t result = send(talk->fd, talk->pattern + place, count, MSG_NOSIGNAL);
    if (result < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : fail(talk, -errno, strerror(errno));
    talk->sent += (uint64_t)result;
    return 1;
}

// One recv(2), and a look at every byte of it. 1: right bytes came; 0: none were there.
// -ENODATA: the stream ended.
static int recv_some(struct talk *talk)
{
    unsigned char bytes[16384];
    ssize_t result = recv(talk->fd, bytes, sizeof(bytes), 0);
    if (result < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : fail(talk, -errno, strerror(errno));
    if (result == 0)
        return fail(talk, -ENODATA, "end of stream");
    if (talk->received + (uint64_t)result > talk->sent)
        return fail(talk, -EBADMSG, "more bytes than were sent");
    for (ssize_t index = 0; index < result; index++, talk->received++) {
        if (bytes[index] != talk->pattern[talk->received % PATTERN_BYTES])
            return fail(talk, -EBADMSG, "a wrong byte");
    }
    return 1;
}

// Send up to one position and receive up to another, in whatever order the server lets us.
static int pump(struct talk *talk, uint64_t send_until, uint64_t receive_until)
{
    while (talk->sent < send_until || talk->received < receive_until) {
        int sent = talk->sent < send_until ? send_some(talk, send_until) : 0;
        if (sent < 0)
            return sent;
        int received = recv_some(talk);
        if (received < 0)
            return received;
        if (sent == 0 && received == 0) {
            int result = wait_for(talk, talk->sent < send_until ? POLLIN | POLLOUT : POLLIN);
            if (result < 0)
                return result;
        }
    }
    return 0;
}

// Send without reading until nothing moves: now the server holds bytes that it could not send.
static int flood(struct talk *talk, uint64_t until)
{
    while (talk->sent < until) {
        int result = send_some(talk, until);
        if (result < 0)
            return result;
        if (result > 0)
            continue;
        struct pollfd poller = {.fd = talk->fd, .events = POLLOUT};
        if (poll(&poller, 1, FLOOD_PATIENCE_MS) == 0)
            return 0;
    }
    return 0;
}

static int expect_end(struct talk *talk)
{
    for (;;) {
        int result = recv_some(talk);
        if (result == -ENODATA)
            return 0;
        if (result == 0)
            result = wait_for(talk, POLLIN);
        if (result == -ETIMEDOUT)
            return fail(talk, result, "no end of stream");
        if (result < 0)
            return result;
    }
}

static int hold(struct talk *talk)
{
    uint64_t position = 0;
    for (size_t index = 0; index < sizeof(piece_sizes) / sizeof(piece_sizes[0]); index++) {
        position += piece_sizes[index];
        int result = pump(talk, position, position);
        if (result < 0)
            return result;
    }
    position += FLOOD_BYTES;
    int result = flood(talk, position);
    if (result < 0)
        return result;
    // The half-close must overtake the reading: what is on its way still has to come back after it.
    result = pump(talk, position, 0);
    if (result < 0)
        return result;
    if (shutdown(talk->fd, SHUT_WR) < 0)
        return fail(talk, -errno, strerror(errno));
    result = pump(talk, position, position);
    return result < 0 ? result : expect_end(talk);
}

int echo_gate(const struct workload_choice *choice, const struct loopback_address *address,
              uint64_t seed, char *reason, size_t reason_bytes)
{
    (void)choice;
    struct talk talk = {
        .limit_ns = clock_now_ns() + LIMIT_MS * CLOCK_NS_PER_MS,
        .reason = reason,
        .reason_bytes = reason_bytes,
    };
    struct statistics_random random;
    statistics_seed(&random, seed);
    for (size_t index = 0; index < PATTERN_BYTES; index++)
        talk.pattern[index] = (unsigned char)statistics_next(&random);

    talk.fd = loopback_connect_to(address);
    if (talk.fd < 0)
        return fail(&talk, talk.fd, strerror(-talk.fd));
    int result = hold(&talk);
    close(talk.fd);
    // A server that hangs up where it should not is as wrong as one that lies.
    return result == -ENODATA ? -EBADMSG : result;
}
