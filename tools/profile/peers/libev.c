// SPDX-License-Identifier: MIT
//
// The server as one writes it with libev, which knows descriptors and no streams: two watchers for
// each connection, one of which is active at a time (both with fan-out), and recv(2) and send(2) by
// hand.
//
// Usage: see peer_read_options. SIGTERM ends it.

#include <errno.h>
#include <ev.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tools/profile/peers/peer.h"

struct connection {
    ev_io readable;
    ev_io writable;
    int fd;
    bool has_ended;         // nothing more is received: it goes when the rest has been sent
    struct peer_bytes rest; // what a short send left over
    size_t rest_sent;
    struct peer_request request;
    LIST_ENTRY(connection) link;
};

static struct peer_options options;
static unsigned char buffer[PEER_BUFFER_BYTES];
static struct peer_bytes answer;
static LIST_HEAD(connections, connection) connections = LIST_HEAD_INITIALIZER(connections);

// Events of a watcher that was stopped are not delivered any more.
static void hang_up(struct ev_loop *loop, struct connection *connection)
{
    ev_io_stop(loop, &connection->readable);
    ev_io_stop(loop, &connection->writable);
    LIST_REMOVE(connection, link);
    close(connection->fd);
    peer_bytes_free(&connection->rest);
    peer_bytes_free(&connection->request.bytes);
    free(connection);
}

// False: the connection is gone.
static bool send_bytes(struct ev_loop *loop, struct connection *connection,
                       const unsigned char *data, size_t count)
{
    ssize_t sent = send(connection->fd, data, count, MSG_NOSIGNAL);
    if (sent == (ssize_t)count)
        return true;
    if (sent < 0 && errno != EAGAIN) {
        hang_up(loop, connection);
        return false;
    }
    size_t done = sent < 0 ? 0 : (size_t)sent;
    peer_bytes_add(&connection->rest, data + done, count - done);
    ev_io_start(loop, &connection->writable);
    if (options.mode != PEER_FAN_OUT)
        ev_io_stop(loop, &connection->readable);
    return true;
}

static void on_writable(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)events;
    struct connection *connection = watcher->data;
    ssize_t sent = send(connection->fd, connection->rest.data + connection->rest_sent,
                        connection->rest.count - connection->rest_sent, MSG_NOSIGNAL);
    connection->rest_sent += sent > 0 ? (size_t)sent : 0;
    bool is_empty = connection->rest_sent == connection->rest.count;
    if ((sent < 0 && errno != EAGAIN) || (is_empty && connection->has_ended)) {
        hang_up(loop, connection);
    } else if (is_empty) {
        peer_bytes_free(&connection->rest);
        connection->rest_sent = 0;
        ev_io_stop(loop, &connection->writable);
        ev_io_start(loop, &connection->readable);
    }
}

static void send_behind_rest(struct ev_loop *loop, struct connection *connection)
{
    peer_bytes_drop(&connection->rest, connection->rest_sent);
    connection->rest_sent = 0;
    peer_bytes_add(&connection->rest, answer.data, answer.count);
    if (connection->rest.count > PEER_UNSENT_BYTES_MAX)
        hang_up(loop, connection);
}

static void send_to_everybody(struct ev_loop *loop)
{
    struct connection *connection, *next;
    for (connection = LIST_FIRST(&connections); connection != NULL; connection = next) {
        next = LIST_NEXT(connection, link);
        if (connection->has_ended)
            continue;
        if (connection->rest.count > 0)
            send_behind_rest(loop, connection);
        else
            send_bytes(loop, connection, answer.data, answer.count);
    }
}

static void answer_bytes(struct ev_loop *loop, struct connection *connection, size_t count)
{
    answer.count = 0;
    peer_answer(&options, &connection->request, buffer, count, &answer);
    if (answer.count == 0)
        return;
    if (options.mode == PEER_FAN_OUT)
        send_to_everybody(loop);
    else
        send_bytes(loop, connection, answer.data, answer.count);
}

static void on_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)events;
    struct connection *connection = watcher->data;
    ssize_t count = recv(connection->fd, buffer, sizeof(buffer), 0);
    if (count < 0 && errno == EAGAIN)
        return;
    if (count <= 0) {
        connection->has_ended = true;
        ev_io_stop(loop, watcher);
        if (count < 0 || connection->rest.count == 0)
            hang_up(loop, connection);
    } else if (!peer_echoes(&options)) {
        answer_bytes(loop, connection, (size_t)count);
    } else {
        if (options.mode == PEER_COMPUTE)
            peer_compute();
        send_bytes(loop, connection, buffer, (size_t)count);
    }
}

static void on_connection(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)events;
    int fd;
    while ((fd = accept4(watcher->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct connection *connection = calloc(1, sizeof(*connection));
        if (connection == NULL)
            peer_fail(&options, "connection", ENOMEM);
        connection->fd = fd;
        connection->readable.data = connection;
        connection->writable.data = connection;
        ev_io_init(&connection->readable, on_readable, fd, EV_READ);
        ev_io_init(&connection->writable, on_writable, fd, EV_WRITE);
        peer_set_nodelay(&options, fd);
        LIST_INSERT_HEAD(&connections, connection, link);
        ev_io_start(loop, &connection->readable);
    }
}

int main(int argc, char *argv[])
{
    ev_io acceptable;
    char version[PEER_VERSION_BYTES];
    peer_read_options(argc, argv, "libev", 0, 0, &options);
    struct ev_loop *loop = ev_default_loop(EVFLAG_AUTO);
    if (loop == NULL)
        peer_fail(&options, "ev_default_loop", errno);
    int listener = peer_listen(&options);
    ev_io_init(&acceptable, on_connection, listener, EV_READ);
    ev_io_start(loop, &acceptable);
    snprintf(version, sizeof(version), "libev %d.%d", ev_version_major(), ev_version_minor());
    peer_announce(&options, listener, version);
    ev_run(loop, 0);
    return 1;
}
