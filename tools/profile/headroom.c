// SPDX-License-Identifier: MIT
//
// The null server is a child of this process that answers from one buffer and keeps no queue: a
// send that would not fit blocks it, which costs the generator nothing. Its speed does not matter
// much, since the time for which the generator waits is not counted; that it does not sleep does,
// since waking it would be the generator's work.

#include "tools/profile/headroom.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/profile/peers/peer.h"

enum { CLIENT_LIMIT = 65536, BUFFER_BYTES = 65536, BACKLOG = 4096 };

static const enum peer_mode mode_of[SERVER_MODE_COUNT] = {
    [SERVER_ECHO] = PEER_ECHO,    [SERVER_RR] = PEER_RR,     [SERVER_FAN_OUT] = PEER_FAN_OUT,
    [SERVER_COMPUTE] = PEER_ECHO, [SERVER_HTTP] = PEER_HTTP,
};

struct null_server {
    struct peer_options options;
    int epoll_fd;
    int listener;
    int timeout_ms; // of epoll_wait(2)
    int last_fd;
    bool is_open[CLIENT_LIMIT];                 // by descriptor
    struct peer_request requests[CLIENT_LIMIT]; // so, too
    struct peer_bytes answer;
    unsigned char buffer[BUFFER_BYTES];
};

// Without waiting, unless it does not fit. A client who left will show it when it is its turn.
static void send_all(int fd, const unsigned char *bytes, size_t count)
{
    while (count > 0) {
        ssize_t sent = send(fd, bytes, count, MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        bytes += sent;
        count -= (size_t)sent;
    }
}

static void answer(struct null_server *server, int fd, size_t count)
{
    if (server->options.mode == PEER_ECHO) {
        send_all(fd, server->buffer, count);
        return;
    }
    server->answer.count = 0;
    peer_answer(&server->options, &server->requests[fd], server->buffer, count, &server->answer);
    int first = server->options.mode == PEER_FAN_OUT ? 0 : fd;
    int last = server->options.mode == PEER_FAN_OUT ? server->last_fd : fd;
    for (int other = first; other <= last; other++) {
        if (server->is_open[other])
            send_all(other, server->answer.data, server->answer.count);
    }
}

static void welcome(struct null_server *server)
{
    const int on = 1;
    int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (fd < 0 || fd >= CLIENT_LIMIT || epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
        _exit(1);
    // Refused by a unix socket, which has no such delay.
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    server->is_open[fd] = true;
    server->last_fd = fd > server->last_fd ? fd : server->last_fd;
}

// In a process of its own, until it is killed.
__attribute__((noreturn)) static void serve(struct null_server *server)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = server->listener};
    server->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (server->epoll_fd < 0 ||
        epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, server->listener, &event) < 0)
        _exit(1);
    for (;;) {
        int count = epoll_wait(server->epoll_fd, &event, 1, server->timeout_ms);
        if (count <= 0)
            continue;
        int fd = event.data.fd;
        if (fd == server->listener) {
            welcome(server);
            continue;
        }
        ssize_t received = recv(fd, server->buffer, sizeof(server->buffer), 0);
        if (received > 0) {
            answer(server, fd, (size_t)received);
            continue;
        }
        server->is_open[fd] = false;
        peer_bytes_free(&server->requests[fd].bytes);
        server->requests[fd].matched = 0;
        close(fd);
    }
}

static int listen_at(struct loopback_address *address)
{
    struct sockaddr_un path = {.sun_family = AF_UNIX};
    struct sockaddr_in port = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    bool is_unix = address->unix_path != NULL;
    socklen_t length = is_unix ? sizeof(path) : sizeof(port);
    struct sockaddr *name = is_unix ? (struct sockaddr *)&path : (struct sockaddr *)&port;
    if (is_unix)
        snprintf(path.sun_path, sizeof(path.sun_path), "%s", address->unix_path);
    int fd = socket(name->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (bind(fd, name, length) < 0 || listen(fd, BACKLOG) < 0 ||
        (!is_unix && getsockname(fd, name, &length) < 0)) {
        int error = errno;
        close(fd);
        return -error;
    }
    address->port = ntohs(port.sin_port);
    return fd;
}

// The child's process id, or -errno.
static pid_t start(struct null_server *server, int server_cpu)
{
    pid_t parent = getpid();
    pid_t child = fork();
    if (child != 0)
        return child < 0 ? -errno : child;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    if (server_cpu >= 0) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET((size_t)server_cpu, &set);
        sched_setaffinity(0, sizeof(set), &set);
    }
    serve(server);
}

static int run(const struct load_plan *plan, int64_t duration_ns, double *ret_per_s)
{
    struct load_window window;
    struct load *load;
    int result = load_open(plan, &load);
    if (result < 0)
        return result;
    // What the caches and the kernel's tables have to learn is learnt before it counts.
    result = load_run(load, duration_ns / 4, &(struct load_histograms){0}, &window);
    if (result == 0)
        result = load_run(load, duration_ns, &(struct load_histograms){0}, &window);
    if (result == 0)
        *ret_per_s = load_window_headroom(&window);
    load_close(load);
    return result;
}

int headroom_measure(const struct load_plan *plan, int server_cpu, int64_t duration_ns,
                     double *ret_per_s)
{
    const struct workload_choice *choice = plan->workload;
    char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
    struct load_plan own = *plan;
    own.loop = LOAD_CLOSED;
    if (plan->address.unix_path != NULL) {
        if (snprintf(path, sizeof(path), "%s.null", plan->address.unix_path) >= (int)sizeof(path))
            return -ENAMETOOLONG;
        own.address.unix_path = path;
    }
    struct null_server *server = calloc(1, sizeof(*server));
    if (server == NULL)
        return -ENOMEM;
    server->options.mode = mode_of[choice->needs.mode];
    server->options.request_bytes = choice->needs.request_bytes;
    server->options.reply_bytes = choice->needs.reply_bytes;
    server->timeout_ms = server_cpu >= 0 ? 0 : -1;
    server->listener = listen_at(&own.address);
    int result = server->listener < 0 ? server->listener : 0;
    pid_t child = result == 0 ? start(server, server_cpu) : -1;
    if (result == 0 && child < 0)
        result = child;
    if (server->listener >= 0)
        close(server->listener);
    free(server);
    if (result == 0)
        result = choice->workload->open(choice, own.seed, &own.state);
    if (result == 0) {
        result = run(&own, duration_ns, ret_per_s);
        choice->workload->close(own.state);
    }
    if (child > 0) {
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    if (own.address.unix_path != NULL)
        unlink(own.address.unix_path);
    return result;
}
