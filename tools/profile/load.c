// SPDX-License-Identifier: MIT
//
// A closed loop: a connection sends its next request as soon as its reply is complete. So the rate
// is the server's doing, and the latency is what this many clients at a time see, not what clients
// who come by the clock would see.
//
// The set of epoll is level-triggered. Every connection is watched for input all the time, also
// when no reply is due, so that bytes nobody asked for are found; output is watched only while a
// request did not fit.

#include "tools/profile/load.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tools/profile/clock.h"
#include "tools/profile/loopback.h"

enum { EVENT_COUNT = 256, RECV_BYTES = 65536, SILENCE_LIMIT_MS = 5000 };

struct connection {
    int fd;
    bool busy; // a reply is due
    bool watches_output;
    struct exchange exchange;
    size_t sent_bytes;
    size_t received_bytes;
    int64_t began_ns;
    uint64_t number; // of the operation, on this connection
};

struct load {
    const struct workload *workload;
    struct load_plan plan;
    void *state;
    int epoll_fd;
    size_t busy_count;
    size_t connection_count;
    struct load_histograms histograms; // of the window that is running
    struct load_window window;
    char failure[160];
    unsigned char received[RECV_BYTES];
    struct connection connections[];
};

static int fail(struct load *load, const struct connection *connection, int error, const char *what)
{
    snprintf(load->failure, sizeof(load->failure),
             "connection %zu, operation %llu: %s at %zu of %zu",
             (size_t)(connection - load->connections), (unsigned long long)connection->number, what,
             connection->received_bytes, connection->exchange.reply_bytes);
    return error;
}

static int open_connection(struct load *load)
{
    struct connection *connection = &load->connections[load->connection_count];
    int fd = loopback_connect_to(&load->plan.address);
    if (fd < 0)
        return fd;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    if (epoll_ctl(load->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
        int error = errno;
        close(fd);
        return -error;
    }
    connection->fd = fd;
    load->connection_count++;
    return 0;
}

int load_open(const struct load_plan *plan, struct load **ret_load)
{
    struct load *load =
        calloc(1, sizeof(*load) + plan->connection_count * sizeof(struct connection));
    if (load == NULL)
        return -ENOMEM;
    load->plan = *plan;
    load->workload = plan->workload->workload;
    load->state = plan->state;
    load->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    int result = load->epoll_fd < 0 ? -errno : 0;
    while (result == 0 && load->connection_count < plan->connection_count)
        result = open_connection(load);
    if (result < 0) {
        load_close(load);
        return result;
    }
    *ret_load = load;
    return 0;
}

void load_close(struct load *load)
{
    if (load == NULL)
        return;
    for (size_t index = 0; index < load->connection_count; index++) {
        if (load->connections[index].fd >= 0)
            close(load->connections[index].fd);
    }
    if (load->epoll_fd >= 0)
        close(load->epoll_fd);
    free(load);
}

static int watch_output(struct load *load, struct connection *connection, bool wanted)
{
    if (connection->watches_output == wanted)
        return 0;
    struct epoll_event event = {.events = wanted ? EPOLLIN | EPOLLOUT : EPOLLIN,
                                .data.ptr = connection};
    if (epoll_ctl(load->epoll_fd, EPOLL_CTL_MOD, connection->fd, &event) < 0)
        return fail(load, connection, -errno, strerror(errno));
    connection->watches_output = wanted;
    return 0;
}

// Send as much of the request as fits.
static int send_request(struct load *load, struct connection *connection)
{
    const struct exchange *exchange = &connection->exchange;
    while (connection->sent_bytes < exchange->request_bytes) {
        ssize_t count = send(connection->fd, exchange->request + connection->sent_bytes,
                             exchange->request_bytes - connection->sent_bytes, MSG_NOSIGNAL);
        if (count < 0 && errno == EAGAIN)
            return watch_output(load, connection, true);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return fail(load, connection, -errno, strerror(errno));
        connection->sent_bytes += (size_t)count;
    }
    return watch_output(load, connection, false);
}

static int begin_operation(struct load *load, struct connection *connection, int64_t now_ns)
{
    size_t index = (size_t)(connection - load->connections);
    connection->number++;
    connection->sent_bytes = 0;
    connection->received_bytes = 0;
    connection->began_ns = now_ns;
    load->workload->prepare(load->state, index, connection->number, &connection->exchange);
    if (!connection->busy) {
        connection->busy = true;
        load->busy_count++;
    }
    return send_request(load, connection);
}

// One recv(2), checked byte by byte. 1: the reply is complete; 0: not yet.
static int recv_reply(struct load *load, struct connection *connection)
{
    // Room for more than the reply: what a server adds to it must not wait for the next operation.
    ssize_t result = recv(connection->fd, load->received, sizeof(load->received), 0);
    if (result < 0)
        return errno == EAGAIN || errno == EINTR ? 0
                                                 : fail(load, connection, -errno, strerror(errno));
    if (result == 0)
        return fail(load, connection, -ECONNRESET, "the server hung up");
    size_t count = (size_t)result;
    size_t due =
        connection->busy ? connection->exchange.reply_bytes - connection->received_bytes : 0;
    if (count > due)
        return fail(load, connection, -EBADMSG, "bytes too many");
    if (!load->workload->verify(load->state, &connection->exchange, connection->received_bytes,
                                load->received, count))
        return fail(load, connection, -EBADMSG, "wrong bytes");
    connection->received_bytes += count;
    load->window.reply_bytes += count;
    return count == due ? 1 : 0;
}

static void end_operation(struct load *load, struct connection *connection, int64_t now_ns)
{
    uint64_t duration_ns = (uint64_t)(now_ns - connection->began_ns);
    if (load->histograms.latency != NULL)
        histogram_record(load->histograms.latency, duration_ns);
    if (load->histograms.service != NULL)
        histogram_record(load->histograms.service, duration_ns);
    load->window.operation_count++;
    connection->busy = false;
    load->busy_count--;
}

static int serve_event(struct load *load, const struct epoll_event *event, int64_t end_ns)
{
    struct connection *connection = event->data.ptr;
    if ((event->events & EPOLLOUT) != 0) {
        int result = send_request(load, connection);
        if (result < 0)
            return result;
    }
    if ((event->events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0)
        return 0;
    int result = recv_reply(load, connection);
    if (result <= 0)
        return result;
    int64_t now_ns = clock_now_ns();
    end_operation(load, connection, now_ns);
    return now_ns < end_ns && !*load->plan.stop ? begin_operation(load, connection, now_ns) : 0;
}

// Sleep until connections have something to say. Their count, 0 after a signal, or an error.
static int await_events(struct load *load, struct epoll_event *events, const char *what,
                        size_t due_count)
{
    int count = epoll_wait(load->epoll_fd, events, EVENT_COUNT, SILENCE_LIMIT_MS);
    if (count < 0 && errno == EINTR)
        return 0;
    if (count < 0) {
        int error = errno;
        snprintf(load->failure, sizeof(load->failure), "epoll_wait: %s", strerror(error));
        return -error;
    }
    if (count == 0) {
        snprintf(load->failure, sizeof(load->failure), "no %s for %d seconds, %zu are due", what,
                 SILENCE_LIMIT_MS / 1000, due_count);
        return -ETIMEDOUT;
    }
    return count;
}

int load_run(struct load *load, int64_t duration_ns, const struct load_histograms *histograms,
             struct load_window *ret_window)
{
    struct epoll_event events[EVENT_COUNT];
    int64_t start_ns = clock_now_ns();
    int64_t end_ns = start_ns + duration_ns;
    load->histograms = *histograms;
    load->window = (struct load_window){0};
    for (size_t index = 0; index < load->connection_count; index++) {
        int result = begin_operation(load, &load->connections[index], clock_now_ns());
        if (result < 0)
            return result;
    }
    while (load->busy_count > 0) {
        int count = await_events(load, events, "reply", load->busy_count);
        if (count < 0)
            return count;
        for (int index = 0; index < count; index++) {
            int result = serve_event(load, &events[index], end_ns);
            if (result < 0)
                return result;
        }
    }
    load->window.elapsed_ns = clock_now_ns() - start_ns;
    *ret_window = load->window;
    return 0;
}

// 1: the server closed its direction too, and the connection is gone; 0: not yet.
static int end_connection(struct load *load, struct connection *connection)
{
    ssize_t result = recv(connection->fd, load->received, sizeof(load->received), 0);
    if (result > 0)
        return fail(load, connection, -EBADMSG, "bytes after the last reply");
    if (result < 0)
        return errno == EAGAIN || errno == EINTR ? 0
                                                 : fail(load, connection, -errno, strerror(errno));
    close(connection->fd);
    connection->fd = -1;
    return 1;
}

int load_finish(struct load *load)
{
    struct epoll_event events[EVENT_COUNT];
    size_t open_count = load->connection_count;
    for (size_t index = 0; index < load->connection_count; index++) {
        if (shutdown(load->connections[index].fd, SHUT_WR) < 0)
            return fail(load, &load->connections[index], -errno, strerror(errno));
    }
    while (open_count > 0) {
        int count = await_events(load, events, "end of stream", open_count);
        if (count < 0)
            return count;
        for (int index = 0; index < count; index++) {
            int result = end_connection(load, events[index].data.ptr);
            if (result < 0)
                return result;
            open_count -= (size_t)result;
        }
    }
    return 0;
}

const char *load_failure(const struct load *load)
{
    return load->failure;
}
