// SPDX-License-Identifier: MIT
//
// An echo server as a careful C programmer writes it by hand for Linux: one thread, one
// level-triggered epoll set, no library. It is what the profiler compares our own servers with, so
// it is as fast as this shape can be made without tricks, and sets the same socket options. It
// shares no code with the engine.
//
// Bytes go from one buffer for all connections straight back. Only when a send is short does a
// connection keep the rest in memory of its own, and is then watched for output instead of input.
//
// Usage: raw_epoll [--port N]. Prints `listening on 127.0.0.1:PORT (raw-epoll)`; SIGTERM ends it.

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENT_COUNT = 256, BUFFER_BYTES = 16384, BACKLOG = 4096 };

struct connection {
    int fd;
    unsigned char *rest; // what a short send left over, or NULL
    size_t rest_bytes;
    size_t rest_sent;
};

static unsigned char buffer[BUFFER_BYTES];

static void end(const char *what)
{
    fprintf(stderr, "raw_epoll: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int listen_on(uint16_t port)
{
    const int on = 1;
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        bind(fd, (struct sockaddr *)&address, length) < 0 || listen(fd, BACKLOG) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) < 0)
        end("listen");
    printf("listening on 127.0.0.1:%u (raw-epoll)\n", (unsigned)ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

// Closing a descriptor takes it out of the set.
static void drop(struct connection *connection)
{
    close(connection->fd);
    free(connection->rest);
    free(connection);
}

static void accept_all(int epoll_fd, int listener)
{
    const int on = 1;
    int fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct connection *connection = calloc(1, sizeof(*connection));
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
        if (connection == NULL)
            end("accept");
        connection->fd = fd;
        if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0 ||
            epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
            drop(connection);
    }
}

static bool watch(int epoll_fd, struct connection *connection, unsigned events)
{
    struct epoll_event event = {.events = events, .data.ptr = connection};
    return epoll_ctl(epoll_fd, EPOLL_CTL_MOD, connection->fd, &event) == 0;
}

// Both return false when the connection is to be dropped.
static bool send_back(int epoll_fd, struct connection *connection, size_t count)
{
    ssize_t sent = send(connection->fd, buffer, count, MSG_NOSIGNAL);
    if (sent == (ssize_t)count)
        return true;
    if (sent < 0 && errno != EAGAIN)
        return false;
    connection->rest_sent = 0;
    connection->rest_bytes = count - (sent < 0 ? 0 : (size_t)sent);
    connection->rest = malloc(connection->rest_bytes);
    if (connection->rest == NULL)
        return false;
    memcpy(connection->rest, buffer + count - connection->rest_bytes, connection->rest_bytes);
    return watch(epoll_fd, connection, EPOLLOUT);
}

static bool send_rest(int epoll_fd, struct connection *connection)
{
    ssize_t sent = send(connection->fd, connection->rest + connection->rest_sent,
                        connection->rest_bytes - connection->rest_sent, MSG_NOSIGNAL);
    if (sent < 0)
        return errno == EAGAIN;
    connection->rest_sent += (size_t)sent;
    if (connection->rest_sent < connection->rest_bytes)
        return true;
    free(connection->rest);
    connection->rest = NULL;
    return watch(epoll_fd, connection, EPOLLIN);
}

static bool serve(int epoll_fd, struct connection *connection)
{
    if (connection->rest != NULL)
        return send_rest(epoll_fd, connection);
    ssize_t count = recv(connection->fd, buffer, sizeof(buffer), 0);
    if (count < 0)
        return errno == EAGAIN;
    return count > 0 && send_back(epoll_fd, connection, (size_t)count);
}

int main(int argc, char *argv[])
{
    struct epoll_event events[EVENT_COUNT];
    bool has_port = argc == 3 && strcmp(argv[1], "--port") == 0;
    if (argc != 1 && !has_port) {
        fputs("raw_epoll: usage: raw_epoll [--port N]\n", stderr);
        return 2;
    }
    int listener = listen_on(has_port ? (uint16_t)atoi(argv[2]) : 0);
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (epoll_fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &event) < 0)
        end("epoll");
    for (;;) {
        int count = epoll_wait(epoll_fd, events, EVENT_COUNT, -1);
        if (count < 0 && errno != EINTR)
            end("epoll_wait");
        for (int index = 0; index < count; index++) {
            struct connection *connection = events[index].data.ptr;
            if (connection == NULL)
                accept_all(epoll_fd, listener);
            else if (!serve(epoll_fd, connection))
                drop(connection);
        }
    }
}
