// SPDX-License-Identifier: MIT
//
// A conversation with one peer. `echo` is the whole of it, a loop that receives and sends back.
// When the server wants to go, the scope around that loop is cancelled, the operation in which the
// task sleeps ends, and the task goes on behind the scope with `finish`:
//
// 1. It sends what it had received, and what the kernel had received for it by then.
// 2. It says that nothing follows (FIN), and waits until the peer's kernel has acknowledged all. To
//    close at once would be wrong: the kernel answers what the peer still sends to a closed socket
//    with a reset, and throws away what we had sent and the peer had not yet got.

#include "tools/echo_connection.h"

#include <errno.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <sys/ioctl.h>

// How often a connection that takes its leave looks whether the peer has got all.
#define LINGER_NS (10 * CEDE_NANOSECONDS_PER_MILLISECOND)

// Structure and buffer are one piece of memory, from the heap and not from the task's stack: so the
// size of the one does not bound that of the other. What is never received into takes no page.
struct echo_connection {
    LIST_ENTRY(echo_connection) link;
    struct echo_connections *all;
    struct cede_handle task;
    struct cede_scope echoing;
    int fd;
    size_t sent_bytes; // Of those received,
    size_t received_bytes;
    char buffer[]; // which are here.
};

// When a wait that begins now has lasted too long. Without a limit nothing reads the clock: a
// message then costs a recv and a send, and no other call.
static int64_t idle_deadline_ns(struct cede_task *self, const struct echo_connection *connection)
{
    int64_t timeout_ns = connection->all->options->idle_timeout_ns;
    return timeout_ns > 0 ? cede_now_ns(self) + timeout_ns : CEDE_NEVER;
}

// Receives at most `limit` bytes into the buffer, which is empty: how many, 0 at the end, or
// -errno.
static int64_t receive(struct cede_task *self, struct echo_connection *connection, size_t limit)
{
    struct cede_operation op;
    cede_recv_prepare(&op, connection->fd, connection->buffer, limit);
    op.deadline_ns = idle_deadline_ns(self, connection);
    int64_t count = cede_await(self, &op);
    connection->sent_bytes = 0;
    connection->received_bytes = count > 0 ? (size_t)count : 0;
    return count;
}

// Sends what is in the buffer: 0, or -errno, and what was not sent stays for another attempt.
static int64_t send_back(struct cede_task *self, struct echo_connection *connection)
{
    struct cede_operation op;
    int64_t result;
    do {
        cede_send_all_prepare(&op, connection->fd, connection->buffer + connection->sent_bytes,
                              connection->received_bytes - connection->sent_bytes);
        op.deadline_ns = idle_deadline_ns(self, connection);
        result = cede_await(self, &op);
        connection->sent_bytes += op.as.source.progress;
        connection->all->echoed_bytes += op.as.source.progress;
        // A peer that reads slowly is not idle.
    } while (result == -ETIMEDOUT && op.as.source.progress > 0);
    return result < 0 ? result : 0;
}

// The conversation: 0 when the peer has sent all it wanted and got it back, or -errno.
static int64_t echo(struct cede_task *self, struct echo_connection *connection)
{
    size_t buffer_bytes = connection->all->options->buffer_bytes;
    int64_t result;
    while ((result = receive(self, connection, buffer_bytes)) > 0)
        if ((result = send_back(self, connection)) < 0)
            break;
    return result;
}

// Waits until the peer has acknowledged everything, or closes. What it still sends is dropped. The
// kernel has no event for an acknowledgement, so this is the one place that looks again and again.
static int64_t linger(struct cede_task *self, struct echo_connection *connection)
{
    for (;;) {
        int unacknowledged_bytes = 0;
        if (ioctl(connection->fd, SIOCOUTQ, &unacknowledged_bytes) < 0)
            return -errno;
        if (unacknowledged_bytes == 0)
            return 0;
        struct cede_operation op;
        cede_recv_prepare(&op, connection->fd, connection->buffer,
                          connection->all->options->buffer_bytes);
        op.deadline_ns = cede_now_ns(self) + LINGER_NS;
        int64_t count = cede_await(self, &op);
        if (count <= 0 && count != -ETIMEDOUT)
            return count;
    }
}

// The end of a conversation that we end: the numbered steps of the beginning. 0, or -errno.
static int64_t finish(struct cede_task *self, struct echo_connection *connection)
{
    size_t buffer_bytes = connection->all->options->buffer_bytes;
    int waiting_bytes = 0;
    // The echo may have been cut short within a message: the buffer knows where.
    int64_t result = send_back(self, connection);
    // As much as is there, and no more: a peer that goes on sending would keep us for ever.
    if (result == 0 && ioctl(connection->fd, FIONREAD, &waiting_bytes) < 0)
        result = -errno;
    for (size_t left = (size_t)waiting_bytes; result == 0 && left > 0;) {
        int64_t count = receive(self, connection, left < buffer_bytes ? left : buffer_bytes);
        if (count <= 0)
            return count;
        left -= (size_t)count;
        result = send_back(self, connection);
    }
    if (result == 0)
        result = cede_shutdown(self, connection->fd, SHUT_WR);
    return result == 0 ? linger(self, connection) : result;
}

static void set_event(struct echo_event *event)
{
    if (event->is_awaited)
        cede_scope_cancel(&event->scope);
}

// -ECANCELED here is the task's own: when only the scope was cancelled, `finish` has come since.
static void count_end(struct echo_connections *all, int64_t result)
{
    if (result == -ECANCELED)
        all->cut_off_count++;
    else if (result == -ETIMEDOUT && all->options->idle_timeout_ns > 0)
        all->idle_count++;
    else if (result < 0)
        all->failed_count++;
}

// The task of a connection.
static int serve(struct cede_task *self, void *argument)
{
    struct echo_connection *connection = argument;
    struct echo_connections *all = connection->all;
    connection->task = cede_self(self);
    LIST_INSERT_HEAD(&all->begun, connection, link);

    cede_scope_enter(self, CEDE_NEVER, &connection->echoing);
    int64_t result = all->is_leaving ? -ECANCELED : echo(self, connection);
    cede_scope_leave(self, &connection->echoing);
    if (result == -ECANCELED)
        result = finish(self, connection);
    count_end(all, result);

    // The descriptor goes last: who sees it gone knows that nothing else is left.
    int fd = connection->fd;
    LIST_REMOVE(connection, link);
    free(connection);
    cede_close(self, fd);
    all->count--;
    set_event(&all->has_room);
    if (all->count == 0)
        set_event(&all->is_empty);
    return 0;
}

int echo_connections_start(struct cede_task *self, struct echo_connections *connections, int fd)
{
    struct echo_connection *connection =
        malloc(sizeof *connection + connections->options->buffer_bytes);
    if (!connection)
        return -ENOMEM;
    *connection = (struct echo_connection){.all = connections, .fd = fd};
    int error = cede_spawn(self, "connection", serve, connection, NULL);
    if (error < 0) {
        free(connection);
        return error;
    }
    connections->started_count++;
    connections->count++;
    return 0;
}

void echo_connections_leave(struct echo_connections *connections)
{
    connections->is_leaving = true;
    struct echo_connection *connection = LIST_FIRST(&connections->begun);
    for (; connection; connection = LIST_NEXT(connection, link))
        cede_scope_cancel(&connection->echoing);
}

void echo_connections_cut_off(struct cede_task *self, struct echo_connections *connections)
{
    struct echo_connection *connection = LIST_FIRST(&connections->begun);
    for (; connection; connection = LIST_NEXT(connection, link))
        cede_cancel(self, connection->task);
}

void echo_event_enter(struct cede_task *self, int64_t deadline_ns, struct echo_event *event)
{
    cede_scope_enter(self, deadline_ns, &event->scope);
    event->is_awaited = true;
}

void echo_event_leave(struct cede_task *self, struct echo_event *event)
{
    event->is_awaited = false;
    cede_scope_leave(self, &event->scope);
}
