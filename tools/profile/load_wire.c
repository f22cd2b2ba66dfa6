// SPDX-License-Identifier: MIT
//
// Requests that began together leave in one sendmsg(2), since a client that pipelines does not pay
// for each of them; replies come in as large pieces as the kernel has, and are taken apart here.
//
// The set of epoll is level-triggered. Every connection is watched for input all the time, also
// when no reply is due, so that bytes nobody asked for are found; output is watched only while a
// request did not fit.

#include "tools/profile/load_parts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { GATHER_COUNT = 64 };

int load_wire_fail(struct load *load, const struct load_connection *connection, int error,
                   const char *what)
{
    const struct load_lane *lane = connection->lane;
    const struct exchange none = {0};
    const struct exchange *exchange =
        connection->received_count < lane->begun_count
            ? &load_operation_at(load, lane, connection->received_count)->exchange
            : &none;
    snprintf(load->failure, sizeof(load->failure),
             "connection %zu, operation %llu: %s at %zu of %zu",
             (size_t)(connection - load->connections),
             (unsigned long long)connection->received_count + 1, what, connection->received_bytes,
             exchange->reply_bytes);
    return error;
}

static int fail_errno(struct load *load, const struct load_connection *connection, int error)
{
    return load_wire_fail(load, connection, -error, strerror(error));
}

int load_wire_open(struct load *load, struct load_connection *connection)
{
    int fd = load->workload->reconnects
                 ? loopback_begin_connect(&load->plan.address, connection->open_count)
                 : loopback_connect_to(&load->plan.address);
    if (fd < 0)
        return fd;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    if (epoll_ctl(load->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
        int error = errno;
        close(fd);
        return -error;
    }
    connection->fd = fd;
    connection->open_count++;
    connection->watches_output = false;
    connection->is_ending = false;
    return 0;
}

static int watch_output(struct load *load, struct load_connection *connection, bool wanted)
{
    if (connection->watches_output == wanted)
        return 0;
    struct epoll_event event = {.events = wanted ? EPOLLIN | EPOLLOUT : EPOLLIN,
                                .data.ptr = connection};
    if (epoll_ctl(load->epoll_fd, EPOLL_CTL_MOD, connection->fd, &event) < 0)
        return fail_errno(load, connection, errno);
    connection->watches_output = wanted;
    return 0;
}

// What is left of the requests that began, up to GATHER_COUNT of them.
static size_t gather(const struct load *load, const struct load_lane *lane, struct iovec *pieces)
{
    size_t count = 0;
    size_t skip = lane->sent_bytes;
    for (uint64_t number = lane->sent_count; number < lane->begun_count && count < GATHER_COUNT;
         number++) {
        const struct exchange *exchange = &load_operation_at(load, lane, number)->exchange;
        // The kernel only reads what it is given to send.
        pieces[count].iov_base = (void *)(uintptr_t)(exchange->request + skip);
        pieces[count].iov_len = exchange->request_bytes - skip;
        skip = 0;
        count++;
    }
    return count;
}

static void count_sent(const struct load *load, struct load_lane *lane, size_t bytes)
{
    while (bytes > 0) {
        const struct exchange *exchange =
            &load_operation_at(load, lane, lane->sent_count)->exchange;
        size_t left = exchange->request_bytes - lane->sent_bytes;
        if (bytes < left) {
            lane->sent_bytes += bytes;
            return;
        }
        bytes -= left;
        lane->sent_bytes = 0;
        lane->sent_count++;
    }
}

int load_wire_send(struct load *load, struct load_lane *lane)
{
    struct load_connection *connection = lane->sender;
    int result = connection->fd < 0 ? load_wire_open(load, connection) : 0;
    if (result < 0)
        return fail_errno(load, connection, -result);
    while (lane->sent_count < lane->begun_count) {
        struct iovec pieces[GATHER_COUNT];
        struct msghdr message = {.msg_iov = pieces, .msg_iovlen = gather(load, lane, pieces)};
        ssize_t count = message.msg_iovlen == 1 ? send(connection->fd, pieces[0].iov_base,
                                                       pieces[0].iov_len, MSG_NOSIGNAL)
                                                : sendmsg(connection->fd, &message, MSG_NOSIGNAL);
        // Also the answer of a connection that is not made yet.
        if (count < 0 && errno == EAGAIN)
            return watch_output(load, connection, true);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return fail_errno(load, connection, errno);
        count_sent(load, lane, (size_t)count);
    }
    return watch_output(load, connection, false);
}

// The server's direction is closed. The end of an operation, if it has the connection for itself
// and the reply is complete; else it must not be.
static int end_of_stream(struct load *load, struct load_connection *connection)
{
    if (!connection->is_ending)
        return load_wire_fail(load, connection, -ECONNRESET, "the server hung up");
    close(connection->fd);
    connection->fd = -1;
    return 1;
}

// The reply is complete. 1 if the operation is, too.
static int complete_reply(struct load *load, struct load_connection *connection)
{
    struct load_operation *operation =
        load_operation_at(load, connection->lane, connection->received_count);
    connection->received_count++;
    connection->received_bytes = 0;
    operation->due_count--;
    if (!load->workload->reconnects)
        return operation->due_count == 0;
    if (shutdown(connection->fd, SHUT_WR) < 0)
        return fail_errno(load, connection, errno);
    connection->is_ending = true;
    return 0;
}

int load_wire_recv(struct load *load, struct load_connection *connection)
{
    const struct load_lane *lane = connection->lane;
    int ended_count = 0;
    // Room for more than is due: what a server adds must not wait for the next operation.
    ssize_t result = recv(connection->fd, load->received, sizeof(load->received), 0);
    if (result < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : fail_errno(load, connection, errno);
    if (result == 0)
        return end_of_stream(load, connection);
    size_t left = (size_t)result;
    load->window.reply_bytes += left;
    for (const unsigned char *bytes = load->received; left > 0;) {
        if (connection->received_count == lane->begun_count)
            return load_wire_fail(load, connection, -EBADMSG, "bytes too many");
        const struct exchange *exchange =
            &load_operation_at(load, lane, connection->received_count)->exchange;
        size_t due = exchange->reply_bytes - connection->received_bytes;
        size_t count = left < due ? left : due;
        if (!load->workload->verify(load->plan.state, exchange, connection->received_bytes, bytes,
                                    count))
            return load_wire_fail(load, connection, -EBADMSG, "wrong bytes");
        connection->received_bytes += count;
        bytes += count;
        left -= count;
        if (count < due)
            continue;
        int completed = complete_reply(load, connection);
        if (completed < 0)
            return completed;
        ended_count += completed;
    }
    return ended_count;
}
