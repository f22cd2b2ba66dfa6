// SPDX-License-Identifier: MIT
//
// An echo server as a careful C programmer writes it by hand for io_uring: one thread, one ring,
// multishot accept and receives, buffers that the kernel takes from a pool, and one system call a
// turn, which hands over all sends and waits. It is what the profiler compares our own ring with,
// and it sets the same socket options. It shares no code with the engine.
//
// What was received is sent from the buffer it came in, one send at a time for each connection, and
// the buffer goes back into the pool. Who does not read what is sent back is not received from
// beyond some buffers; who found the pool empty is received from again when it no longer is.
//
// Usage: raw_uring [--port N]. Prints `listening on 127.0.0.1:PORT (raw-uring)`; SIGTERM ends it.

#include <errno.h>
#include <liburing.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    SUBMISSION_ENTRIES = 1024,
    COMPLETION_ENTRIES = 8192,
    BUFFER_COUNT = 256, // a power of two, which the kernel wants
    BUFFER_BYTES = 16384,
    HELD_LIMIT = 16, // buffers of one connection before it is not received from
    BACKLOG = 4096
};

// What a completion is of, in the user data beside the connection's address.
enum request { RECV, SEND, CANCEL, REQUEST_MASK = 3 };

// Its buffers, the one that is being sent first, are chained through `pool`.
struct connection {
    int fd;
    int first, last; // buffers, or -1
    int held_count;
    unsigned sent; // of the first buffer
    bool is_receiving, is_sending;
    bool has_ended;  // nothing more will come
    bool is_starved; // in the list of those that found no buffer
    struct connection *next_starved;
};

static struct {
    unsigned bytes; // in this buffer
    int next;
} pool[BUFFER_COUNT];

static struct io_uring ring;
static struct io_uring_buf_ring *buffers;
static unsigned char *memory;
static int returned_count; // buffers, in this turn
static struct connection *starved;

static void end(const char *what, int error)
{
    fprintf(stderr, "raw_uring: %s: %s\n", what, strerror(error));
    exit(1);
}

static int listen_on(uint16_t port)
{
    const int on = 1;
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        bind(fd, (struct sockaddr *)&address, length) < 0 || listen(fd, BACKLOG) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) < 0)
        end("listen", errno);
    printf("listening on 127.0.0.1:%u (raw-uring)\n", (unsigned)ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

static void return_buffer(int index)
{
    io_uring_buf_ring_add(buffers, memory + (size_t)index * BUFFER_BYTES, BUFFER_BYTES,
                          (unsigned short)index, io_uring_buf_ring_mask(BUFFER_COUNT),
                          returned_count++);
}

static void open_ring(void)
{
    struct io_uring_params params = {.flags = IORING_SETUP_SINGLE_ISSUER |
                                              IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SUBMIT_ALL |
                                              IORING_SETUP_CQSIZE,
                                     .cq_entries = COMPLETION_ENTRIES};
    int result = io_uring_queue_init_params(SUBMISSION_ENTRIES, &ring, &params);
    if (result < 0)
        end("io_uring_setup", -result);
    io_uring_register_ring_fd(&ring);

    size_t ring_bytes = BUFFER_COUNT * sizeof(struct io_uring_buf);
    size_t bytes = ring_bytes + (size_t)BUFFER_COUNT * BUFFER_BYTES;
    void *mapped = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED)
        end("mmap", errno);
    buffers = mapped;
    memory = (unsigned char *)mapped + ring_bytes;
    struct io_uring_buf_reg registration = {.ring_addr = (uintptr_t)mapped,
                                            .ring_entries = BUFFER_COUNT};
    result = io_uring_register_buf_ring(&ring, &registration, 0);
    if (result < 0)
        end("buffers", -result);
    io_uring_buf_ring_init(buffers);
    for (int index = 0; index < BUFFER_COUNT; index++)
        return_buffer(index);
    io_uring_buf_ring_advance(buffers, returned_count);
}

static struct io_uring_sqe *next_entry(void)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);
    if (sqe == NULL) {
        io_uring_submit(&ring);
        sqe = io_uring_get_sqe(&ring);
    }
    if (sqe == NULL)
        end("submit", EBUSY);
    return sqe;
}

static uint64_t name(const struct connection *connection, enum request request)
{
    return (uintptr_t)connection | request;
}

static void accept_all(int listener)
{
    struct io_uring_sqe *sqe = next_entry();
    io_uring_prep_multishot_accept(sqe, listener, NULL, NULL, SOCK_CLOEXEC);
    io_uring_sqe_set_data64(sqe, name(NULL, RECV));
}

static void receive(struct connection *connection)
{
    struct io_uring_sqe *sqe = next_entry();
    io_uring_prep_recv_multishot(sqe, connection->fd, NULL, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    io_uring_sqe_set_data64(sqe, name(connection, RECV));
    connection->is_receiving = true;
}

static void stop_receiving(const struct connection *connection)
{
    struct io_uring_sqe *sqe = next_entry();
    io_uring_prep_cancel64(sqe, name(connection, RECV), 0);
    io_uring_sqe_set_data64(sqe, name(connection, CANCEL));
}

static void send_first(struct connection *connection)
{
    struct io_uring_sqe *sqe = next_entry();
    const unsigned char *data = memory + (size_t)connection->first * BUFFER_BYTES;
    io_uring_prep_send(sqe, connection->fd, data + connection->sent,
                       pool[connection->first].bytes - connection->sent, MSG_NOSIGNAL);
    io_uring_sqe_set_data64(sqe, name(connection, SEND));
    connection->is_sending = true;
}

static void drop_first(struct connection *connection)
{
    int index = connection->first;
    connection->first = pool[index].next;
    connection->held_count--;
    connection->sent = 0;
    return_buffer(index);
}

// Receives, sends or closes, whichever is next for a connection that has no request in the kernel
// for it.
static void go_on(struct connection *connection)
{
    if (connection->held_count > 0 && !connection->is_sending)
        send_first(connection);
    bool is_idle = connection->held_count == 0 && !connection->is_starved;
    if (!is_idle || connection->is_receiving)
        return;
    if (!connection->has_ended) {
        receive(connection);
    } else {
        close(connection->fd);
        free(connection);
    }
}

static void add_connection(int listener, const struct io_uring_cqe *cqe)
{
    const int on = 1;
    if (!(cqe->flags & IORING_CQE_F_MORE))
        accept_all(listener);
    if (cqe->res < 0)
        return;
    struct connection *connection = calloc(1, sizeof(*connection));
    if (connection == NULL)
        end("accept", ENOMEM);
    connection->fd = cqe->res;
    connection->has_ended =
        setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0;
    go_on(connection);
}

static void hold(struct connection *connection, int index, unsigned bytes)
{
    pool[index].bytes = bytes;
    if (connection->held_count++ == 0)
        connection->first = index;
    else
        pool[connection->last].next = index;
    connection->last = index;
    if (connection->held_count == HELD_LIMIT && connection->is_receiving)
        stop_receiving(connection);
}

static void received(struct connection *connection, const struct io_uring_cqe *cqe)
{
    connection->is_receiving = cqe->flags & IORING_CQE_F_MORE;
    if (cqe->res > 0) {
        hold(connection, (int)(cqe->flags >> IORING_CQE_BUFFER_SHIFT), (unsigned)cqe->res);
    } else if (cqe->res == -ENOBUFS) {
        connection->is_starved = true;
        connection->next_starved = starved;
        starved = connection;
    } else {
        // What was cancelled had received too much, and goes on later; or could not send.
        connection->has_ended |= cqe->res != -ECANCELED;
    }
    go_on(connection);
}

static void sent(struct connection *connection, int result)
{
    connection->is_sending = false;
    if (result >= 0) {
        connection->sent += (unsigned)result;
        if (connection->sent == pool[connection->first].bytes)
            drop_first(connection);
    } else {
        connection->has_ended = true;
        while (connection->held_count > 0)
            drop_first(connection);
        if (connection->is_receiving)
            stop_receiving(connection);
    }
    go_on(connection);
}

static void complete(int listener, const struct io_uring_cqe *cqe)
{
    struct connection *connection =
        (struct connection *)(uintptr_t)(cqe->user_data & ~(uint64_t)REQUEST_MASK);
    enum request request = cqe->user_data & REQUEST_MASK;
    if (request == CANCEL)
        return;
    if (connection == NULL)
        add_connection(listener, cqe);
    else if (request == RECV)
        received(connection, cqe);
    else
        sent(connection, cqe->res);
}

static void feed_starved(void)
{
    struct connection *list = starved;
    starved = NULL;
    while (list != NULL) {
        struct connection *connection = list;
        list = connection->next_starved;
        connection->is_starved = false;
        go_on(connection);
    }
}

static void serve(int listener)
{
    for (;;) {
        int result = io_uring_submit_and_wait(&ring, 1);
        if (result < 0 && result != -EINTR && result != -EAGAIN && result != -EBUSY)
            end("io_uring_enter", -result);
        returned_count = 0;
        struct io_uring_cqe *cqe;
        unsigned head, count = 0;
        io_uring_for_each_cqe(&ring, head, cqe)
        {
            complete(listener, cqe);
            count++;
        }
        io_uring_cq_advance(&ring, count);
        if (returned_count == 0)
            continue;
        io_uring_buf_ring_advance(buffers, returned_count);
        feed_starved();
    }
}

int main(int argc, char *argv[])
{
    bool has_port = argc == 3 && strcmp(argv[1], "--port") == 0;
    if (argc != 1 && !has_port) {
        fputs("raw_uring: usage: raw_uring [--port N]\n", stderr);
        return 2;
    }
    open_ring();
    int listener = listen_on(has_port ? (uint16_t)atoi(argv[2]) : 0);
    accept_all(listener);
    serve(listener);
}
