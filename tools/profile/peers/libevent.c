// SPDX-License-Identifier: MIT
//
// The server as one writes it with libevent: a listener, and a buffered event for each connection,
// whose input moves to its output. Who has much to be read does not get more: see READ_LIMIT.
//
// Usage: see peer_read_options. SIGTERM ends it.

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/un.h>
#include <unistd.h>

#include "tools/profile/peers/peer.h"

// With this much unsent a connection is not read from, but for fan-out.
enum { READ_LIMIT = 1 << 18 };

struct connection {
    struct bufferevent *events;
    bool has_ended; // it goes when its output is empty
    struct peer_request request;
    LIST_ENTRY(connection) link;
};

static struct peer_options options;
static struct event_base *base;
static struct peer_bytes answer;
static LIST_HEAD(connections, connection) connections = LIST_HEAD_INITIALIZER(connections);

static void hang_up(struct connection *connection)
{
    LIST_REMOVE(connection, link);
    bufferevent_free(connection->events);
    peer_bytes_free(&connection->request.bytes);
    free(connection);
}

static size_t unsent_bytes(const struct connection *connection)
{
    return evbuffer_get_length(bufferevent_get_output(connection->events));
}

// Returns whether this connection is still there.
static bool send_to_everybody(const struct connection *sender)
{
    struct connection *connection, *next;
    bool is_there = true;
    for (connection = LIST_FIRST(&connections); connection != NULL; connection = next) {
        next = LIST_NEXT(connection, link);
        if (connection->has_ended)
            continue;
        bufferevent_write(connection->events, answer.data, answer.count);
        if (unsent_bytes(connection) <= PEER_UNSENT_BYTES_MAX)
            continue;
        is_there &= connection != sender;
        hang_up(connection);
    }
    return is_there;
}

static void answer_input(struct connection *connection)
{
    static unsigned char buffer[PEER_BUFFER_BYTES];
    size_t count;
    while ((count = bufferevent_read(connection->events, buffer, sizeof(buffer))) > 0) {
        answer.count = 0;
        peer_answer(&options, &connection->request, buffer, count, &answer);
        if (answer.count == 0)
            continue;
        if (options.mode != PEER_FAN_OUT)
            bufferevent_write(connection->events, answer.data, answer.count);
        else if (!send_to_everybody(connection))
            return;
    }
}

static void on_read(struct bufferevent *events, void *argument)
{
    struct connection *connection = argument;
    if (!peer_echoes(&options)) {
        answer_input(connection);
        if (options.mode == PEER_FAN_OUT)
            return;
    } else {
        if (options.mode == PEER_COMPUTE)
            peer_compute();
        bufferevent_write_buffer(events, bufferevent_get_input(events));
    }
    if (unsent_bytes(connection) > READ_LIMIT)
        bufferevent_disable(events, EV_READ);
}

// All output is gone.
static void on_written(struct bufferevent *events, void *argument)
{
    struct connection *connection = argument;
    if (connection->has_ended)
        hang_up(connection);
    else if (!(bufferevent_get_enabled(events) & EV_READ))
        bufferevent_enable(events, EV_READ);
}

static void on_event(struct bufferevent *events, short what, void *argument)
{
    struct connection *connection = argument;
    connection->has_ended = true;
    if (what & BEV_EVENT_ERROR || unsent_bytes(connection) == 0)
        hang_up(connection);
    else
        bufferevent_disable(events, EV_READ);
}

static void on_connection(struct evconnlistener *listener, evutil_socket_t fd,
                          struct sockaddr *address, int address_bytes, void *argument)
{
    (void)listener;
    (void)address;
    (void)address_bytes;
    (void)argument;
    struct connection *connection = calloc(1, sizeof(*connection));
    if (connection == NULL)
        peer_fail(&options, "connection", ENOMEM);
    peer_set_nodelay(&options, fd);
    connection->events = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
    if (connection->events == NULL)
        peer_fail(&options, "connection", ENOMEM);
    LIST_INSERT_HEAD(&connections, connection, link);
    bufferevent_setcb(connection->events, on_read, on_written, on_event, connection);
    bufferevent_set_max_single_read(connection->events, PEER_BUFFER_BYTES);
    bufferevent_enable(connection->events, EV_READ | EV_WRITE);
}

static struct evconnlistener *listen_on(void)
{
    const unsigned flags = LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE;
    struct sockaddr_in tcp = {.sin_family = AF_INET,
                              .sin_port = htons(options.port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    if (options.unix_path == NULL)
        return evconnlistener_new_bind(base, on_connection, NULL, flags, PEER_BACKLOG,
                                       (struct sockaddr *)&tcp, sizeof(tcp));
    snprintf(local.sun_path, sizeof(local.sun_path), "%s", options.unix_path);
    unlink(options.unix_path);
    return evconnlistener_new_bind(base, on_connection, NULL, flags, PEER_BACKLOG,
                                   (struct sockaddr *)&local, sizeof(local));
}

int main(int argc, char *argv[])
{
    char version[PEER_VERSION_BYTES];
    peer_read_options(argc, argv, "libevent", 0, 0, &options);
    // The library writes as to a file, which a peer that is gone would make deadly.
    signal(SIGPIPE, SIG_IGN);
    base = event_base_new();
    if (base == NULL)
        peer_fail(&options, "event_base_new", errno);
    struct evconnlistener *listener = listen_on();
    if (listener == NULL)
        peer_fail(&options, "listen", errno);
    snprintf(version, sizeof(version), "libevent %s", event_get_version());
    peer_announce(&options, evconnlistener_get_fd(listener), version);
    return event_base_dispatch(base) < 0;
}
