// SPDX-License-Identifier: MIT
//
// A server as a careful C programmer writes it by hand for io_uring: one thread, one ring,
// multishot accept and receives, buffers that the kernel takes from a pool, and one system call a
// turn, which hands over all sends and waits. It is what the profiler compares our own ring with,
// and it sets the same socket options. It shares no code with the engine.
//
// An echo is sent from the buffer it came in, one send at a time for each connection, and the
// buffer goes back into the pool. Other answers are written into memory of the connection: one part
// of it is being sent while the other grows. Who does not read what is sent is not received from
// beyond some buffers; who found the pool empty is received from again when it no longer is.
//
// Usage: see peer_read_options. SIGTERM ends it.

#include <errno.h>
#include <liburing.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tools/profile/peers/peer.h"

enum {
    SUBMISSION_ENTRIES = 1024,
    COMPLETION_ENTRIES = 8192,
    BUFFER_COUNT = 256,   // a power of two, which the kernel wants
    HELD_LIMIT = 16,      // buffers of one connection before it is not received from,
    QUEUE_LIMIT = 1 << 18 // or bytes of other answers
};

// What a completion is of, in the user data beside the connection's address.
enum request { RECV, SEND, CANCEL, REQUEST_MASK = 3 };

// Its buffers, the one that is being sent first, are chained through `pool`.
struct connection {
    int fd;
    int first, last; // buffers, or -1
    int held_count;
    size_t sent; // of the first buffer, or of what is in flight
    bool is_receiving, is_sending;
    bool is_stopping; // a cancellation of the receive is on its way
    bool has_ended;   // nothing more will come
    bool is_starved;  // in the list of those that found no buffer
    struct connection *next_starved;
    struct peer_request request;
    struct peer_bytes in_flight, queued; // answers that are no echoes
    LIST_ENTRY(connection) link;
};

static struct {
    unsigned bytes; // in this buffer
    int next;
} pool[BUFFER_COUNT];

static struct peer_options options;
static struct io_uring ring;
static struct io_uring_buf_ring *buffers;
static unsigned char *memory;
static int returned_count; // buffers, in this turn
static struct connection *starved;
static struct peer_bytes answer;
static LIST_HEAD(connections, connection) connections = LIST_HEAD_INITIALIZER(connections);

static void return_buffer(int index)
{
    io_uring_buf_ring_add(buffers, memory + (size_t)index * PEER_BUFFER_BYTES, PEER_BUFFER_BYTES,
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
        peer_fail(&options, "io_uring_setup", -result);
    io_uring_register_ring_fd(&ring);

    size_t ring_bytes = BUFFER_COUNT * sizeof(struct io_uring_buf);
    size_t bytes = ring_bytes + (size_t)BUFFER_COUNT * PEER_BUFFER_BYTES;
    void *mapped = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED)
        peer_fail(&options, "mmap", errno);
    buffers = mapped;
    memory = (unsigned char *)mapped + ring_bytes;
    struct io_uring_buf_reg registration = {.ring_addr = (uintptr_t)mapped,
                                            .ring_entries = BUFFER_COUNT};
    result = io_uring_register_buf_ring(&ring, &registration, 0);
    if (result < 0)
        peer_fail(&options, "buffers", -result);
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
        peer_fail(&options, "submit", EBUSY);
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

static void stop_receiving(struct connection *connection)
{
    if (!connection->is_receiving || connection->is_stopping)
        return;
    connection->is_stopping = true;
    struct io_uring_sqe *sqe = next_entry();
    io_uring_prep_cancel64(sqe, name(connection, RECV), 0);
    io_uring_sqe_set_data64(sqe, name(connection, CANCEL));
}

static void send_from(struct connection *connection, const unsigned char *data, size_t count)
{
    struct io_uring_sqe *sqe = next_entry();
    io_uring_prep_send(sqe, connection->fd, data + connection->sent, count - connection->sent,
                       MSG_NOSIGNAL);
    io_uring_sqe_set_data64(sqe, name(connection, SEND));
    connection->is_sending = true;
}

static void send_first(struct connection *connection)
{
    send_from(connection, memory + (size_t)connection->first * PEER_BUFFER_BYTES,
              pool[connection->first].bytes);
}

// The kernel reads what is in flight, which therefore must not grow; so it takes turns with what
// is queued.
static void send_queued(struct connection *connection)
{
    if (connection->in_flight.count == 0) {
        struct peer_bytes empty = connection->in_flight;
        connection->in_flight = connection->queued;
        connection->queued = empty;
    }
    send_from(connection, connection->in_flight.data, connection->in_flight.count);
}

static void drop_first(struct connection *connection)
{
    int index = connection->first;
    connection->first = pool[index].next;
    connection->held_count--;
    connection->sent = 0;
    return_buffer(index);
}

static void free_connection(struct connection *connection)
{
    LIST_REMOVE(connection, link);
    close(connection->fd);
    peer_bytes_free(&connection->request.bytes);
    peer_bytes_free(&connection->in_flight);
    peer_bytes_free(&connection->queued);
    free(connection);
}

// Receives, sends or closes, whichever is next for a connection that has no request in the kernel
// for it.
static void go_on(struct connection *connection)
{
    if (!connection->is_sending) {
        if (connection->held_count > 0)
            send_first(connection);
        else if (connection->in_flight.count + connection->queued.count > 0)
            send_queued(connection);
    }
    if (connection->is_receiving || connection->is_starved)
        return;
    if (!connection->is_sending && connection->has_ended)
        free_connection(connection);
    else if (!connection->has_ended && (!connection->is_sending || options.mode == PEER_FAN_OUT))
        receive(connection);
}

static void add_connection(int listener, const struct io_uring_cqe *cqe)
{
    if (!(cqe->flags & IORING_CQE_F_MORE))
        accept_all(listener);
    if (cqe->res < 0)
        return;
    struct connection *connection = calloc(1, sizeof(*connection));
    if (connection == NULL)
        peer_fail(&options, "accept", ENOMEM);
    connection->fd = cqe->res;
    LIST_INSERT_HEAD(&connections, connection, link);
    peer_set_nodelay(&options, connection->fd);
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
    if (connection->held_count == HELD_LIMIT)
        stop_receiving(connection);
}

// What was to be sent will never be.
static void give_up(struct connection *connection)
{
    connection->has_ended = true;
    connection->sent = 0;
    connection->in_flight.count = 0;
    connection->queued.count = 0;
    while (connection->held_count > 0)
        drop_first(connection);
    stop_receiving(connection);
}

static void send_to_everybody(void)
{
    struct connection *connection;
    LIST_FOREACH(connection, &connections, link)
    {
        if (connection->has_ended)
            continue;
        peer_bytes_add(&connection->queued, answer.data, answer.count);
        size_t unsent = connection->in_flight.count - connection->sent + connection->queued.count;
        if (unsent > PEER_UNSENT_BYTES_MAX) {
            // Ends the send and the receive that are in the kernel, and their ends end it.
            connection->has_ended = true;
            connection->queued.count = 0;
            shutdown(connection->fd, SHUT_RDWR);
        } else if (!connection->is_sending) {
            send_queued(connection);
        }
    }
}

static void answer_buffer(struct connection *connection, int index, size_t bytes)
{
    answer.count = 0;
    peer_answer(&options, &connection->request, memory + (size_t)index * PEER_BUFFER_BYTES, bytes,
                &answer);
    return_buffer(index);
    if (answer.count > 0 && options.mode == PEER_FAN_OUT) {
        send_to_everybody();
    } else if (answer.count > 0) {
        peer_bytes_add(&connection->queued, answer.data, answer.count);
        if (connection->queued.count >= QUEUE_LIMIT)
            stop_receiving(connection);
    }
}

static void received(struct connection *connection, const struct io_uring_cqe *cqe)
{
    int index = (int)(cqe->flags >> IORING_CQE_BUFFER_SHIFT);
    connection->is_receiving = cqe->flags & IORING_CQE_F_MORE;
    connection->is_stopping &= connection->is_receiving;
    if (cqe->res > 0 && peer_echoes(&options)) {
        if (options.mode == PEER_COMPUTE)
            peer_compute();
        hold(connection, index, (unsigned)cqe->res);
    } else if (cqe->res > 0) {
        answer_buffer(connection, index, (size_t)cqe->res);
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
    connection->sent += result > 0 ? (size_t)result : 0;
    if (result < 0) {
        give_up(connection);
    } else if (connection->held_count > 0) {
        if (connection->sent == pool[connection->first].bytes)
            drop_first(connection);
    } else if (connection->sent == connection->in_flight.count) {
        connection->in_flight.count = 0;
        connection->sent = 0;
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
            peer_fail(&options, "io_uring_enter", -result);
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
    peer_read_options(argc, argv, "raw_uring", 0, 0, &options);
    open_ring();
    int listener = peer_listen(&options);
    peer_announce(&options, listener, "io_uring");
    accept_all(listener);
    serve(listener);
}
