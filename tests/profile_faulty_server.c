// SPDX-License-Identifier: MIT
//
// An echo server that does one thing wrong, or odd, after a number of bytes: what the profiler must
// notice. Called by the profiler's tests: profile_faulty_server FAULT AFTER_BYTES [PORT]. Without a
// port it chooses one and prints `listening on 127.0.0.1:PORT (FAULT)`.
//
//   none        nothing
//   wrong       one byte is changed
//   extra       one byte is sent twice
//   hangup      the connection is closed
//   truncate    at the end of the stream the connection is reset
//   spin        everything is right, but it never sleeps again
//   interrupt   the parent gets SIGINT, once, and everything else is right

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *fault;
static unsigned long long bytes_left; // before the fault shows

static bool has_fault(const char *name)
{
    return strcmp(fault, name) == 0;
}

// Sends what came, with the fault if it is due; there is room for one byte more. False: close the
// connection.
static bool answer(int fd, unsigned char *bytes, size_t count)
{
    bool is_due = count > bytes_left;
    bytes_left = is_due ? 0 : bytes_left - count;
    if (is_due && has_fault("hangup"))
        return false;
    if (is_due && has_fault("wrong"))
        bytes[count / 2] ^= 1;
    if (is_due && has_fault("interrupt")) {
        kill(getppid(), SIGINT);
        fault = "none";
    }
    if (is_due && has_fault("extra")) {
        bytes[count] = bytes[count - 1];
        count++;
    }
    // The descriptor blocks: this server is for few clients who read.
    return send(fd, bytes, count, MSG_NOSIGNAL) == (ssize_t)count;
}

static void serve(int fd)
{
    unsigned char bytes[8192];
    ssize_t count = recv(fd, bytes, sizeof(bytes) - 1, 0);
    if (count > 0 && answer(fd, bytes, (size_t)count))
        return;
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    if (has_fault("truncate"))
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    close(fd);
}

static int open_listener(int port)
{
    const int on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        bind(listener, (struct sockaddr *)&address, length) < 0 || listen(listener, 128) < 0 ||
        getsockname(listener, (struct sockaddr *)&address, &length) < 0)
        return -1;
    if (port == 0)
        printf("a line before it\nlistening on 127.0.0.1:%u (%s)\n",
               (unsigned)ntohs(address.sin_port), fault);
    fflush(stdout);
    return listener;
}

int main(int argc, char *argv[])
{
    if (argc != 3 && argc != 4)
        return 2;
    fault = argv[1];
    bytes_left = strtoull(argv[2], NULL, 10);
    int listener = open_listener(argc == 4 ? atoi(argv[3]) : 0);
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
    if (listener < 0 || epoll_fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &event) < 0)
        return 1;
    for (;;) {
        bool never_sleeps = bytes_left == 0 && has_fault("spin");
        int count = epoll_wait(epoll_fd, &event, 1, never_sleeps ? 0 : -1);
        if (count == 0)
            continue;
        if (count < 0)
            return 1;
        if (event.data.fd != listener) {
            serve(event.data.fd);
            continue;
        }
        const int on = 1;
        event.data.fd = accept(listener, NULL, NULL);
        if (event.data.fd < 0 ||
            setsockopt(event.data.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0 ||
            epoll_ctl(epoll_fd, EPOLL_CTL_ADD, event.data.fd, &event) < 0)
            return 1;
    }
}
