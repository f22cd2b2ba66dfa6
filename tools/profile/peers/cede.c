// SPDX-License-Identifier: MIT
//
// The same server with this library, as README.md says a server is written: a task a connection,
// which receives and sends in a loop. It is what the arms select, epoll and io_uring measure.
//
// Fan-out alone needs more: whoever receives a message queues it for everybody, and a connection
// that has something queued is given a second task, which sends until nothing is left.
//
// Usage: see peer_read_options, and --backend select|epoll|io_uring. SIGTERM ends it.

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "cede.h"
#include "engine/backends.h"
#include "tools/options.h"
#include "tools/profile/peers/peer.h"

struct connection {
    int fd;
    int user_count; // tasks: the last of them closes
    bool has_ended; // nothing more is queued for it
    bool is_sending;
    size_t sending_bytes;
    struct peer_request request;
    struct peer_bytes queued;
    LIST_ENTRY(connection) link;
    unsigned char buffer[PEER_BUFFER_BYTES];
};

static struct peer_options options;
static LIST_HEAD(connections, connection) connections = LIST_HEAD_INITIALIZER(connections);

// --- A conversation -----------------------------------------------------------------------------

static void leave(struct cede_task *self, struct connection *connection)
{
    if (--connection->user_count > 0)
        return;
    cede_close(self, connection->fd);
    LIST_REMOVE(connection, link);
    peer_bytes_free(&connection->request.bytes);
    peer_bytes_free(&connection->queued);
    free(connection);
}

static int echo(struct cede_task *self, void *argument)
{
    struct connection *connection = argument;
    unsigned char *buffer = connection->buffer;
    int64_t count;
    while ((count = cede_recv(self, connection->fd, buffer, PEER_BUFFER_BYTES)) > 0) {
        if (options.mode == PEER_COMPUTE)
            peer_compute();
        if (cede_send_all(self, connection->fd, buffer, (size_t)count) < 0)
            break;
    }
    leave(self, connection);
    return 0;
}

static int reply(struct cede_task *self, void *argument)
{
    struct connection *connection = argument;
    struct peer_bytes answer = {.count = 0};
    int64_t count;
    while ((count = cede_recv(self, connection->fd, connection->buffer, PEER_BUFFER_BYTES)) > 0) {
        answer.count = 0;
        peer_answer(&options, &connection->request, connection->buffer, (size_t)count, &answer);
        if (answer.count > 0 && cede_send_all(self, connection->fd, answer.data, answer.count) < 0)
            break;
    }
    peer_bytes_free(&answer);
    leave(self, connection);
    return 0;
}

// --- Fan-out ------------------------------------------------------------------------------------

// Sends what is queued and what is queued meanwhile. What is being sent must stay as it is (S16),
// so that it takes turns with what grows.
static int send_queued(struct cede_task *self, void *argument)
{
    struct connection *connection = argument;
    struct peer_bytes sending = {.count = 0};
    while (connection->queued.count > 0) {
        struct peer_bytes empty = sending;
        sending = connection->queued;
        connection->queued = empty;
        connection->sending_bytes = sending.count;
        if (cede_send_all(self, connection->fd, sending.data, sending.count) < 0) {
            connection->has_ended = true;
            connection->queued.count = 0;
        }
        sending.count = 0;
    }
    connection->sending_bytes = 0;
    connection->is_sending = false;
    peer_bytes_free(&sending);
    leave(self, connection);
    return 0;
}

static void queue(struct cede_task *self, struct connection *connection,
                  const struct peer_bytes *message)
{
    peer_bytes_add(&connection->queued, message->data, message->count);
    // How much of what is being sent has left, its operation alone knows: all of it counts.
    if (connection->sending_bytes + connection->queued.count > PEER_UNSENT_BYTES_MAX) {
        // Wakes both of its tasks, which then leave.
        connection->has_ended = true;
        cede_shutdown(self, connection->fd, SHUT_RDWR);
    } else if (!connection->is_sending) {
        int error = cede_spawn(self, "sender", send_queued, connection, NULL);
        if (error < 0)
            peer_fail(&options, "sender", -error);
        connection->is_sending = true;
        connection->user_count++;
    }
}

static int fan_out(struct cede_task *self, void *argument)
{
    struct connection *connection = argument;
    struct peer_bytes message = {.count = 0};
    int64_t count;
    while ((count = cede_recv(self, connection->fd, connection->buffer, PEER_BUFFER_BYTES)) > 0) {
        struct connection *each;
        message.count = 0;
        peer_answer(&options, &connection->request, connection->buffer, (size_t)count, &message);
        LIST_FOREACH(each, &connections, link)
        {
            if (!each->has_ended && message.count > 0)
                queue(self, each, &message);
        }
    }
    connection->has_ended = true;
    peer_bytes_free(&message);
    leave(self, connection);
    return 0;
}

// --- The server ---------------------------------------------------------------------------------

static void begin(struct cede_task *self, int fd)
{
    struct connection *connection = malloc(sizeof(*connection));
    cede_body *body = options.mode == PEER_FAN_OUT ? fan_out : peer_echoes(&options) ? echo : reply;
    if (connection == NULL)
        peer_fail(&options, "connection", ENOMEM);
    // The buffer stays as it came: what is never received into takes no memory.
    memset(connection, 0, offsetof(struct connection, buffer));
    connection->fd = fd;
    connection->user_count = 1;
    LIST_INSERT_HEAD(&connections, connection, link);
    int error = cede_spawn(self, "connection", body, connection, NULL);
    if (error < 0)
        peer_fail(&options, "connection", -error);
}

static int serve(struct cede_task *self, void *argument)
{
    int listener = *(int *)argument;
    char version[PEER_VERSION_BYTES];
    snprintf(version, sizeof(version), "cede %s %s", OPTIONS_VERSION, cede_backend_name(self));
    peer_announce(&options, listener, version);
    // Who hung up before it was accepted is no reason to end.
    int fd;
    while ((fd = cede_accept(self, listener)) >= 0 || fd == -ECONNABORTED) {
        if (fd < 0)
            continue;
        peer_set_nodelay(&options, fd);
        begin(self, fd);
    }
    peer_fail(&options, "accept", -fd);
    return fd;
}

static void log_message(void *argument, const char *message)
{
    (void)argument;
    fprintf(stderr, "%s: %s\n", options.program, message);
}

// Before anybody is told where it listens. A backend that cannot be had is a mistake of whoever
// named it.
static void check_backend(void)
{
    struct cede_backends_choice choice;
    if (cede_backends_choose(options.backend, &choice) == 0)
        return;
    const struct cede_trial *refusal = &choice.refusals[0];
    fprintf(stderr, "%s: --backend %s: %s\n", options.program, refusal->name, refusal->text);
    exit(OPTIONS_EXIT_USAGE);
}

int main(int argc, char *argv[])
{
    peer_read_options(argc, argv, "cede", 1, 1, &options);
    check_backend();
    const struct cede_options cede_options = {.backend = options.backend, .log = log_message};
    int listener = peer_listen(&options);
    peer_fail(&options, "run", -cede_run(&cede_options, serve, &listener));
}
