// SPDX-License-Identifier: MIT
//
// A server as a careful C programmer writes it by hand for Linux: one thread, one level-triggered
// epoll set, no library. It is what the profiler compares our own servers with, so it is as fast as
// this shape can be made without tricks, and sets the same socket options. It shares no code with
// the engine.
//
// Bytes go from one buffer for all connections straight back. Only when a send is short does a
// connection keep the rest in memory of its own, and is then watched for output instead of input.
// With fan-out everybody's rest grows by what others send, and input is watched all the same.
//
// Usage: see peer_read_options. SIGTERM ends it.

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tools/profile/peers/peer.h"

enum { EVENT_COUNT = 256 };

struct connection {
    int fd;
    bool has_ended;         // nothing more is received: it goes when the rest has been sent
    bool is_dropped;        // it goes when the events in hand have been looked at
    struct peer_bytes rest; // what a short send left over
    size_t rest_sent;
    struct peer_request request;
    LIST_ENTRY(connection) link;
};

static struct peer_options options;
static int epoll_fd;
static unsigned char buffer[PEER_BUFFER_BYTES];
static struct peer_bytes answer;
static LIST_HEAD(connections, connection) connections = LIST_HEAD_INITIALIZER(connections);
static struct connections dropped = LIST_HEAD_INITIALIZER(dropped);

// Another event of the same wait may still name it, so that it lives until they have been seen.
static void drop(struct connection *connection)
{
    if (connection->is_dropped)
        return;
    connection->is_dropped = true;
    LIST_REMOVE(connection, link);
    LIST_INSERT_HEAD(&dropped, connection, link);
}

// Closing a descriptor takes it out of the set.
static void free_dropped(void)
{
    struct connection *connection;
    while ((connection = LIST_FIRST(&dropped)) != NULL) {
        LIST_REMOVE(connection, link);
        close(connection->fd);
        peer_bytes_free(&connection->rest);
        peer_bytes_free(&connection->request.bytes);
        free(connection);
    }
}

static void accept_all(int listener)
{
    int fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct connection *connection = calloc(1, sizeof(*connection));
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
        if (connection == NULL)
            peer_fail(&options, "accept", ENOMEM);
        connection->fd = fd;
        peer_set_nodelay(&options, fd);
        LIST_INSERT_HEAD(&connections, connection, link);
        if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
            drop(connection);
    }
}

static bool watch(struct connection *connection, unsigned events)
{
    struct epoll_event event = {.events = events, .data.ptr = connection};
    return epoll_ctl(epoll_fd, EPOLL_CTL_MOD, connection->fd, &event) == 0;
}

// What to watch a connection for that has a rest.
static unsigned rest_events(const struct connection *connection)
{
    bool goes_on = options.mode == PEER_FAN_OUT && !connection->has_ended;
    return goes_on ? EPOLLIN | EPOLLOUT : EPOLLOUT;
}

// This and the following return false when the connection is to be dropped.
static bool send_now(struct connection *connection, const unsigned char *data, size_t count)
{
    ssize_t sent = send(connection->fd, data, count, MSG_NOSIGNAL);
    if (sent == (ssize_t)count)
        return true;
    if (sent < 0 && errno != EAGAIN)
        return false;
    size_t done = sent < 0 ? 0 : (size_t)sent;
    peer_bytes_add(&connection->rest, data + done, count - done);
    return watch(connection, rest_events(connection));
}

static bool send_rest(struct connection *connection)
{
    ssize_t sent = send(connection->fd, connection->rest.data + connection->rest_sent,
                        connection->rest.count - connection->rest_sent, MSG_NOSIGNAL);
    if (sent < 0)
        return errno == EAGAIN;
    connection->rest_sent += (size_t)sent;
    if (connection->rest_sent < connection->rest.count)
        return true;
    peer_bytes_free(&connection->rest);
    connection->rest_sent = 0;
    return !connection->has_ended && watch(connection, EPOLLIN);
}

static bool send_behind_rest(struct connection *connection)
{
    peer_bytes_drop(&connection->rest, connection->rest_sent);
    connection->rest_sent = 0;
    peer_bytes_add(&connection->rest, answer.data, answer.count);
    return connection->rest.count <= PEER_UNSENT_BYTES_MAX;
}

static void send_to_everybody(void)
{
    struct connection *connection, *next;
    for (connection = LIST_FIRST(&connections); connection != NULL; connection = next) {
        next = LIST_NEXT(connection, link);
        if (connection->has_ended)
            continue;
        bool is_sent = connection->rest.count > 0 ? send_behind_rest(connection)
                                                  : send_now(connection, answer.data, answer.count);
        if (!is_sent)
            drop(connection);
    }
}

static bool answer_bytes(struct connection *connection, size_t count)
{
    answer.count = 0;
    peer_answer(&options, &connection->request, buffer, count, &answer);
    if (answer.count == 0)
        return true;
    if (options.mode != PEER_FAN_OUT)
        return send_now(connection, answer.data, answer.count);
    send_to_everybody();
    return true;
}

// The end of what it sends. In fan-out there may be something for it still.
static bool end_input(struct connection *connection)
{
    connection->has_ended = true;
    return connection->rest.count > 0 && watch(connection, EPOLLOUT);
}

static bool serve(struct connection *connection, unsigned events)
{
    if (connection->rest.count > 0) {
        if (events & ~(unsigned)EPOLLIN && !send_rest(connection))
            return false;
        if (options.mode != PEER_FAN_OUT || !(events & EPOLLIN))
            return true;
    }
    ssize_t count = recv(connection->fd, buffer, sizeof(buffer), 0);
    if (count < 0)
        return errno == EAGAIN;
    if (count == 0)
        return end_input(connection);
    if (!peer_echoes(&options))
        return answer_bytes(connection, (size_t)count);
    if (options.mode == PEER_COMPUTE)
        peer_compute();
    return send_now(connection, buffer, (size_t)count);
}

int main(int argc, char *argv[])
{
    struct epoll_event events[EVENT_COUNT];
    peer_read_options(argc, argv, "raw_epoll", 1, 0, &options);
    int listener = peer_listen(&options);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &event) < 0)
        peer_fail(&options, "epoll", errno);
    peer_announce(&options, listener, "epoll");
    for (;;) {
        int count = epoll_wait(epoll_fd, events, EVENT_COUNT, -1);
        if (count < 0 && errno != EINTR)
            peer_fail(&options, "epoll_wait", errno);
        for (int index = 0; index < count; index++) {
            struct connection *connection = events[index].data.ptr;
            if (connection == NULL)
                accept_all(listener);
            else if (!connection->is_dropped && !serve(connection, events[index].events))
                drop(connection);
        }
        free_dropped();
    }
}
