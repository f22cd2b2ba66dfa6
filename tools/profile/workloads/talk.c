// SPDX-License-Identifier: MIT
//
// The patience of a conversation begins anew with every byte that moves, so that a slow server is
// not taken for a dead one.

#include "tools/profile/workloads/talk.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tools/profile/clock.h"

int talk_fail(struct talk *talk, int error, const char *what)
{
    snprintf(talk->reason, talk->reason_bytes, "%s after %llu of %llu bytes", what,
             (unsigned long long)talk->received, (unsigned long long)talk->sent);
    return error;
}

int talk_open(const struct workload_choice *choice, const struct loopback_address *address,
              char *reason, size_t reason_bytes, struct talk *ret_talk)
{
    struct talk talk = {
        .fd = loopback_connect_to(address),
        .patience_ns = choice->patience_ns,
        .heard_ns = clock_now_ns(),
        .reason = reason,
        .reason_bytes = reason_bytes,
    };
    *ret_talk = talk;
    return talk.fd < 0 ? talk_fail(ret_talk, talk.fd, strerror(-talk.fd)) : 0;
}

void talk_close(struct talk *talk)
{
    if (talk->fd >= 0)
        close(talk->fd);
    talk->fd = -1;
}

int talk_wait(struct talk *talk, short events)
{
    // Rounded up: the last fraction of a millisecond is waited for as well.
    int64_t left_ns = talk->heard_ns + talk->patience_ns - clock_now_ns();
    int64_t left_ms = (left_ns + CLOCK_NS_PER_MS - 1) / CLOCK_NS_PER_MS;
    struct pollfd poller = {.fd = talk->fd, .events = events};
    int count = left_ns > 0 ? poll(&poller, 1, (int)left_ms) : 0;
    if (count < 0)
        return errno == EINTR ? 0 : talk_fail(talk, -errno, strerror(errno));
    return count == 0 ? talk_fail(talk, -ETIMEDOUT, "no more bytes") : 0;
}

int talk_send_some(struct talk *talk, const unsigned char *bytes, size_t count)
{
    ssize_t result = send(talk->fd, bytes, count < INT32_MAX ? count : INT32_MAX, MSG_NOSIGNAL);
    if (result < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : talk_fail(talk, -errno, strerror(errno));
    talk->sent += (uint64_t)result;
    talk->heard_ns = clock_now_ns();
    return (int)result;
}

int talk_recv_some(struct talk *talk, unsigned char *bytes, size_t size)
{
    ssize_t result = recv(talk->fd, bytes, size < INT32_MAX ? size : INT32_MAX, 0);
    if (result < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : talk_fail(talk, -errno, strerror(errno));
    if (result == 0)
        return talk_fail(talk, -ENODATA, "end of stream");
    talk->heard_ns = clock_now_ns();
    return (int)result;
}

int talk_send(struct talk *talk, const unsigned char *bytes, size_t count)
{
    while (count > 0) {
        int result = talk_send_some(talk, bytes, count);
        if (result == 0) {
            result = talk_wait(talk, POLLOUT);
            if (result < 0)
                return result;
            continue;
        }
        if (result < 0)
            return result;
        bytes += result;
        count -= (size_t)result;
    }
    return 0;
}

int talk_expect(struct talk *talk, const unsigned char *bytes, size_t count)
{
    unsigned char received[16384];
    while (count > 0) {
        size_t wanted = count < sizeof(received) ? count : sizeof(received);
        int result = talk_recv_some(talk, received, wanted);
        if (result == -ENODATA)
            return -EBADMSG;
        if (result == 0) {
            result = talk_wait(talk, POLLIN);
            if (result < 0)
                return result;
            continue;
        }
        if (result < 0)
            return result;
        if (memcmp(bytes, received, (size_t)result) != 0)
            return talk_fail(talk, -EBADMSG, "a wrong byte");
        talk->received += (uint64_t)result;
        bytes += result;
        count -= (size_t)result;
    }
    return 0;
}

int talk_expect_end(struct talk *talk)
{
    for (;;) {
        unsigned char byte;
        int result = talk_recv_some(talk, &byte, sizeof(byte));
        if (result == -ENODATA)
            return 0;
        if (result > 0)
            return talk_fail(talk, -EBADMSG, "bytes too many");
        if (result == 0)
            result = talk_wait(talk, POLLIN);
        if (result == -ETIMEDOUT)
            return talk_fail(talk, result, "no end of stream");
        if (result < 0)
            return result;
    }
}

int talk_end(struct talk *talk)
{
    if (shutdown(talk->fd, SHUT_WR) < 0)
        return talk_fail(talk, -errno, strerror(errno));
    return talk_expect_end(talk);
}
