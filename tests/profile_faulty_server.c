// SPDX-License-Identifier: MIT
//
// A server that does one thing wrong, or odd, after a number of bytes: what the profiler must
// notice. Called by the profiler's tests: profile_faulty_server FAULT AFTER_BYTES [PORT] [--unix
// PATH] [--mode echo|rr|fan-out|compute|http] [--request BYTES] [--reply BYTES]. Without a port it
// chooses one and prints `listening on 127.0.0.1:PORT (FAULT)`. The modes are those of the peers
// in tools/profile, but nothing is computed.
//
//   none        nothing
//   wrong       one byte of each piece or reply is changed
//   extra       its last byte is sent twice
//   twice       it is sent twice
//   short       its last byte is not sent
//   hang        it is not sent at all
//   hangup      the connection is closed
//   truncate    at the end of the stream the connection is reset
//   linger      at the end of the stream the connection stays open
//   drop        one client of a fan-out does not get the message, once
//   swap        one client of a fan-out gets messages that come together in another order
//   spin        everything is right, but it never sleeps again
//   interrupt   the parent gets SIGINT, once, and everything else is right

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { CLIENT_LIMIT = 4096, PIECE_BYTES = 8192, SWAP_PATIENCE_MS = 5 };

struct client {
    bool is_open;
    unsigned char *request; // what came of it
    size_t request_bytes;
};

static const char http_reply[] = "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n"
                                 "Content-Type: text/plain\r\n\r\nHello, world!";

static const char *fault;
static unsigned long long bytes_left; // before the fault shows
static const char *mode = "echo";
static size_t request_bytes, reply_bytes;
static const char *unix_path;
static struct client clients[CLIENT_LIMIT]; // by descriptor
static int last_client;                     // the largest open descriptor
static unsigned char *reply;                // with room for one byte more
static unsigned char *held;                 // a message that the last client did not get yet
static size_t held_bytes;

static bool has_fault(const char *name)
{
    return strcmp(fault, name) == 0;
}

static bool has_mode(const char *name)
{
    return strcmp(mode, name) == 0;
}

// The descriptor blocks: this server is for few clients who read.
static bool send_to(int fd, const unsigned char *bytes, size_t count)
{
    return send(fd, bytes, count, MSG_NOSIGNAL) == (ssize_t)count;
}

static bool give_held_back(void)
{
    bool is_sent = held_bytes == 0 || send_to(last_client, held, held_bytes);
    held_bytes = 0;
    return is_sent;
}

static bool send_to_last(const unsigned char *bytes, size_t count, bool is_due)
{
    if (is_due && has_fault("drop")) {
        fault = "none";
        return true;
    }
    if (is_due && has_fault("swap") && held_bytes == 0) {
        memcpy(held, bytes, count);
        held_bytes = count;
        return true;
    }
    return send_to(last_client, bytes, count) && give_held_back();
}

static bool deliver(int fd, const unsigned char *bytes, size_t count, bool is_due)
{
    if (!has_mode("fan-out"))
        return send_to(fd, bytes, count);
    bool is_sent = true;
    for (int other = 0; other < last_client; other++) {
        if (clients[other].is_open)
            is_sent = send_to(other, bytes, count) && is_sent;
    }
    return send_to_last(bytes, count, is_due) && is_sent;
}

// Sends this piece or reply, with the fault if it is due; there is room for one byte more. False:
// close the connection.
static bool answer(int fd, unsigned char *bytes, size_t count)
{
    bool is_due = count > bytes_left;
    bytes_left = is_due ? 0 : bytes_left - count;
    if (is_due && has_fault("hangup"))
        return false;
    if (is_due && has_fault("hang"))
        return true;
    if (is_due && has_fault("wrong"))
        bytes[count / 2] ^= 1;
    if (is_due && has_fault("interrupt")) {
        kill(getppid(), SIGINT);
        fault = "none";
    }
    if (is_due && has_fault("short"))
        count--;
    if (is_due && has_fault("extra")) {
        bytes[count] = bytes[count - 1];
        count++;
    }
    return deliver(fd, bytes, count, is_due) &&
           (!is_due || !has_fault("twice") || deliver(fd, bytes, count, is_due));
}

static bool answer_request(int fd)
{
    struct client *client = &clients[fd];
    size_t count = has_mode("rr") ? reply_bytes : client->request_bytes;
    if (has_mode("http")) {
        count = strlen(http_reply);
        memcpy(reply, http_reply, count);
    } else {
        for (size_t index = 0; index < count; index++)
            reply[index] = client->request[index % client->request_bytes];
    }
    client->request_bytes = 0;
    return answer(fd, reply, count);
}

static bool is_request(const struct client *client)
{
    if (has_mode("http"))
        return client->request_bytes >= 4 &&
               memcmp(client->request + client->request_bytes - 4, "\r\n\r\n", 4) == 0;
    return client->request_bytes == request_bytes;
}

static bool collect(int fd, const unsigned char *bytes, size_t count)
{
    struct client *client = &clients[fd];
    for (size_t index = 0; index < count; index++) {
        if (client->request_bytes >= request_bytes)
            return false;
        client->request[client->request_bytes++] = bytes[index];
        if (is_request(client) && !answer_request(fd))
            return false;
    }
    return true;
}

static void leave(int fd)
{
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    if (fd == last_client)
        give_held_back();
    clients[fd].is_open = false;
    while (last_client > 0 && !clients[last_client].is_open)
        last_client--;
    if (has_fault("truncate"))
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    close(fd);
}

static void serve(int epoll_fd, int fd)
{
    unsigned char bytes[PIECE_BYTES];
    ssize_t count = recv(fd, bytes, sizeof(bytes) - 1, 0);
    bool collects = !has_mode("echo") && !has_mode("compute");
    if (count == 0 && has_fault("linger"))
        epoll_ctl(epoll_fd, EPOLL_CTL_DEL, fd, NULL);
    else if (count <= 0 ||
             !(collects ? collect(fd, bytes, (size_t)count) : answer(fd, bytes, (size_t)count)))
        leave(fd);
}

static bool welcome(int epoll_fd, int listener)
{
    const int on = 1;
    int fd = accept(listener, NULL, NULL);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (fd < 0 || fd >= CLIENT_LIMIT || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
        return false;
    if (unix_path == NULL)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    give_held_back();
    clients[fd].is_open = true;
    clients[fd].request_bytes = 0;
    if (clients[fd].request == NULL)
        clients[fd].request = malloc(request_bytes);
    last_client = fd > last_client ? fd : last_client;
    return clients[fd].request != NULL;
}

static int open_unix_listener(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", unix_path);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(listener, 128) < 0)
        return -1;
    printf("listening on unix:%s (%s)\n", unix_path, fault);
    fflush(stdout);
    return listener;
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

// False: the command line makes no sense.
static bool read_options(int argc, char *argv[], int *ret_port)
{
    int index = 3;
    if (argc < 3)
        return false;
    fault = argv[1];
    bytes_left = strtoull(argv[2], NULL, 10);
    if (argc > 3 && argv[3][0] != '-')
        *ret_port = atoi(argv[index++]);
    for (; index + 1 < argc; index += 2) {
        if (strcmp(argv[index], "--mode") == 0)
            mode = argv[index + 1];
        else if (strcmp(argv[index], "--unix") == 0)
            unix_path = argv[index + 1];
        else if (strcmp(argv[index], "--request") == 0)
            request_bytes = strtoul(argv[index + 1], NULL, 10);
        else if (strcmp(argv[index], "--reply") == 0)
            reply_bytes = strtoul(argv[index + 1], NULL, 10);
    }
    if (request_bytes == 0)
        request_bytes = PIECE_BYTES;
    return index == argc;
}

int main(int argc, char *argv[])
{
    int port = 0;
    if (!read_options(argc, argv, &port))
        return 2;
    reply = malloc((reply_bytes > request_bytes ? reply_bytes : request_bytes) + 1);
    held = malloc(request_bytes + 1);
    int listener = unix_path != NULL ? open_unix_listener() : open_listener(port);
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
    if (reply == NULL || held == NULL || listener < 0 || epoll_fd < 0 ||
        epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &event) < 0)
        return 1;
    for (;;) {
        bool never_sleeps = bytes_left == 0 && has_fault("spin");
        int timeout_ms = never_sleeps ? 0 : held_bytes > 0 ? SWAP_PATIENCE_MS : -1;
        int count = epoll_wait(epoll_fd, &event, 1, timeout_ms);
        // Whoever was stopped and goes on is told so.
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return 1;
        if (count == 0)
            give_held_back();
        else if (event.data.fd != listener)
            serve(epoll_fd, event.data.fd);
        else if (!welcome(epoll_fd, listener))
            return 1;
    }
}
