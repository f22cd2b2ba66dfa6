// SPDX-License-Identifier: MIT
//
// The server as one writes it with libuv: streams, callbacks, one loop. What arrives lies in one
// buffer and is written at once where the socket takes it (uv_try_write); only what it does not
// take is copied and queued, and until that is gone nothing more is read, but for fan-out.
//
// Usage: see peer_read_options. SIGTERM ends it.

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>
#include <uv.h>

#include "tools/profile/peers/peer.h"

union stream {
    uv_handle_t handle;
    uv_stream_t any;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
};

struct connection {
    union stream stream;
    bool has_ended; // nothing more is read from it or queued for it
    struct peer_request request;
    LIST_ENTRY(connection) link;
};

// A write that did not fit, with its bytes.
struct rest {
    uv_write_t write;
    char bytes[];
};

static struct peer_options options;
static char buffer[PEER_BUFFER_BYTES];
static struct peer_bytes answer;
static LIST_HEAD(connections, connection) connections = LIST_HEAD_INITIALIZER(connections);

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *data);

static void must(const char *what, int result)
{
    if (result < 0)
        peer_fail(&options, what, -result);
}

static void on_close(uv_handle_t *handle)
{
    struct connection *connection = handle->data;
    peer_bytes_free(&connection->request.bytes);
    free(connection);
}

static void hang_up(struct connection *connection)
{
    if (uv_is_closing(&connection->stream.handle))
        return;
    connection->has_ended = true;
    LIST_REMOVE(connection, link);
    uv_close(&connection->stream.handle, on_close);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buffer)
{
    (void)handle;
    (void)suggested;
    *ret_buffer = uv_buf_init(buffer, sizeof(buffer));
}

static void on_written(uv_write_t *write, int status)
{
    struct connection *connection = write->handle->data;
    free(write->data);
    bool is_empty = uv_stream_get_write_queue_size(&connection->stream.any) == 0;
    if (status < 0 || (connection->has_ended && is_empty))
        hang_up(connection);
    else if (!connection->has_ended && options.mode != PEER_FAN_OUT)
        uv_read_start(&connection->stream.any, on_alloc, on_read);
}

static void queue(struct connection *connection, const char *data, size_t count)
{
    struct rest *rest = malloc(sizeof(*rest) + count);
    if (rest == NULL)
        peer_fail(&options, "write", ENOMEM);
    memcpy(rest->bytes, data, count);
    rest->write.data = rest;
    uv_buf_t bytes = uv_buf_init(rest->bytes, (unsigned)count);
    if (options.mode != PEER_FAN_OUT)
        uv_read_stop(&connection->stream.any);
    must("write", uv_write(&rest->write, &connection->stream.any, &bytes, 1, on_written));
}

static void send_bytes(struct connection *connection, char *data, size_t count)
{
    uv_buf_t bytes = uv_buf_init(data, (unsigned)count);
    int sent = uv_try_write(&connection->stream.any, &bytes, 1);
    if (sent == UV_EAGAIN)
        sent = 0;
    if (sent < 0)
        hang_up(connection);
    else if ((size_t)sent < count)
        queue(connection, data + sent, count - (size_t)sent);
}

static void send_to_everybody(void)
{
    struct connection *connection, *next;
    for (connection = LIST_FIRST(&connections); connection != NULL; connection = next) {
        next = LIST_NEXT(connection, link);
        if (connection->has_ended)
            continue;
        send_bytes(connection, (char *)answer.data, answer.count);
        if (uv_stream_get_write_queue_size(&connection->stream.any) > PEER_UNSENT_BYTES_MAX)
            hang_up(connection);
    }
}

static void answer_bytes(struct connection *connection, const char *data, size_t count)
{
    answer.count = 0;
    peer_answer(&options, &connection->request, (const unsigned char *)data, count, &answer);
    if (answer.count == 0)
        return;
    if (options.mode == PEER_FAN_OUT)
        send_to_everybody();
    else
        send_bytes(connection, (char *)answer.data, answer.count);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *data)
{
    struct connection *connection = stream->data;
    if (count < 0) {
        connection->has_ended = true;
        uv_read_stop(stream);
        if (count != UV_EOF || uv_stream_get_write_queue_size(stream) == 0)
            hang_up(connection);
        return;
    }
    if (count > 0 && !peer_echoes(&options)) {
        answer_bytes(connection, data->base, (size_t)count);
    } else if (count > 0) {
        if (options.mode == PEER_COMPUTE)
            peer_compute();
        send_bytes(connection, data->base, (size_t)count);
    }
}

static int open_stream(uv_loop_t *loop, union stream *stream)
{
    return options.unix_path != NULL ? uv_pipe_init(loop, &stream->pipe, 0)
                                     : uv_tcp_init(loop, &stream->tcp);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct connection *connection = calloc(1, sizeof(*connection));
    if (status < 0 || connection == NULL) {
        free(connection);
        return;
    }
    must("connection", open_stream(listener->loop, &connection->stream));
    connection->stream.handle.data = connection;
    LIST_INSERT_HEAD(&connections, connection, link);
    if (uv_accept(listener, &connection->stream.any) < 0) {
        hang_up(connection);
        return;
    }
    if (options.unix_path == NULL)
        uv_tcp_nodelay(&connection->stream.tcp, 1);
    uv_read_start(&connection->stream.any, on_alloc, on_read);
}

static void bind_listener(union stream *listener)
{
    struct sockaddr_in address;
    if (options.unix_path != NULL) {
        unlink(options.unix_path);
        must("bind", uv_pipe_bind(&listener->pipe, options.unix_path));
        return;
    }
    must("address", uv_ip4_addr("127.0.0.1", options.port, &address));
    must("bind", uv_tcp_bind(&listener->tcp, (const struct sockaddr *)&address, 0));
}

int main(int argc, char *argv[])
{
    union stream listener;
    uv_os_fd_t fd;
    char version[PEER_VERSION_BYTES];
    peer_read_options(argc, argv, "libuv", 0, 0, &options);
    // The library writes as to a file, which a peer that is gone would make deadly.
    signal(SIGPIPE, SIG_IGN);
    must("listener", open_stream(uv_default_loop(), &listener));
    bind_listener(&listener);
    must("listen", uv_listen(&listener.any, PEER_BACKLOG, on_connection));
    must("listener", uv_fileno(&listener.handle, &fd));
    snprintf(version, sizeof(version), "libuv %s", uv_version_string());
    peer_announce(&options, fd, version);
    return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
