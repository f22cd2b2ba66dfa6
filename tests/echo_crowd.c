// SPDX-License-Identifier: MIT
//
// Many connections at once, driven by poll(2). What a client sends at each offset follows from its
// seed alone, so that whatever comes back can be checked without keeping it.

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/echo_client.h"

// Around the sizes at which something changes: a byte, a page, the server's buffer, the largest
// segment that loopback takes.
static const size_t piece_sizes[] = {1, 7, 4095, 4097, 65537, 13, 512, 16385, 2, 1460};
#define PIECE_SIZE_COUNT (sizeof piece_sizes / sizeof *piece_sizes)
#define LARGEST_PIECE ((size_t)65537)

// No event for so long, and something is stuck.
#define STUCK_LIMIT_MS 20000

// What everybody sends: these bytes over and over, each client from another place on. A prime, so
// that no loss or repetition of whole buffers can look right. Followed by its own beginning, so
// that what comes from any place on stands in one piece.
#define PATTERN_BYTES ((size_t)65521)
static uint8_t pattern[PATTERN_BYTES + LARGEST_PIECE];

static void make_pattern(void)
{
    for (size_t i = 0; i < sizeof pattern; i++)
        pattern[i] = (uint8_t)((uint32_t)(i % PATTERN_BYTES) * UINT32_C(2654435761) >> 21);
}

static const uint8_t *pattern_at(const struct echo_client *client, uint64_t offset)
{
    return pattern + (client->seed + offset) % PATTERN_BYTES;
}

// Whether it goes on for as long as the server lets it.
static bool is_endless(const struct echo_client *client)
{
    return client->manner == ECHO_STREAMS || client->manner == ECHO_FLOODS;
}

static struct echo_client connect_client(uint16_t port, unsigned index, enum echo_manner manner,
                                         uint64_t bytes)
{
    int on = 1;
    int fd = echo_client_connect(port);
    // Each piece is a segment of its own.
    assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), 0);
    return (struct echo_client){
        .fd = fd,
        .manner = manner,
        .seed = index * UINT32_C(7919),
        .total_bytes = bytes,
        .owed_bytes = bytes,
        .piece_index = index,
        .may_read = manner != ECHO_HOLDS && manner != ECHO_FLOODS,
        .may_send = true,
    };
}

void echo_crowd_connect(uint16_t port, unsigned count, const enum echo_manner *manners,
                        unsigned manner_count, uint64_t bytes_each, struct echo_crowd *ret_crowd)
{
    struct echo_client *clients = calloc(count, sizeof *clients);
    assert_non_null(clients);
    make_pattern();
    for (unsigned i = 0; i < count; i++)
        clients[i] = connect_client(port, i, manners[i % manner_count], bytes_each);
    *ret_crowd = (struct echo_crowd){.clients = clients, .count = count};
}

void echo_crowd_greet(struct echo_crowd *crowd)
{
    for (unsigned i = 0; i < crowd->count; i++) {
        struct echo_client *client = &crowd->clients[i];
        uint8_t received;
        assert_int_equal(send(client->fd, pattern_at(client, 0), 1, MSG_NOSIGNAL), 1);
        assert_int_equal(recv(client->fd, &received, 1, 0), 1);
        assert_int_equal(received, *pattern_at(client, 0));
        client->sent_bytes = 1;
        client->received_bytes = 1;
    }
}

static void finish(struct echo_client *client)
{
    if (client->received_bytes < client->owed_bytes || client->received_bytes > client->sent_bytes)
        fail_msg("%llu of %llu bytes came back, %llu were owed",
                 (unsigned long long)client->received_bytes, (unsigned long long)client->sent_bytes,
                 (unsigned long long)client->owed_bytes);
    close(client->fd);
    client->fd = -1;
}

static bool wants_to_send(const struct echo_client *client)
{
    return client->may_send && (is_endless(client) || client->sent_bytes < client->total_bytes);
}

// Sends what is left of the current piece, as far as the kernel takes it.
static void send_piece(struct echo_client *client)
{
    if (client->piece_bytes == 0)
        client->piece_bytes = piece_sizes[client->piece_index++ % PIECE_SIZE_COUNT];
    uint64_t left = client->total_bytes - client->sent_bytes;
    if (!is_endless(client) && client->piece_bytes > left)
        client->piece_bytes = (size_t)left;
    ssize_t count = send(client->fd, pattern_at(client, client->sent_bytes), client->piece_bytes,
                         MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count < 0 && errno == EAGAIN)
        return;
    if (count < 0) {
        // A stream goes on until the server has closed; what it sends then is refused.
        assert_true(is_endless(client));
        client->may_send = false;
        return;
    }
    client->piece_bytes -= (size_t)count;
    client->sent_bytes += (uint64_t)count;
    if (client->manner == ECHO_HALF_CLOSES && !wants_to_send(client))
        assert_int_equal(shutdown(client->fd, SHUT_WR), 0);
}

static void receive(struct echo_client *client)
{
    uint8_t received[LARGEST_PIECE];
    ssize_t count = recv(client->fd, received, sizeof received, MSG_DONTWAIT);
    if (count < 0 && errno == EAGAIN)
        return;
    bool is_reset = count < 0 && errno == ECONNRESET;
    if (count == 0 || (is_reset && is_endless(client))) {
        finish(client);
        return;
    }
    if (count < 0)
        fail_msg("recv: %s", strerror(errno));
    if (memcmp(received, pattern_at(client, client->received_bytes), (size_t)count) != 0)
        fail_msg("what came back at offset %llu is not what was sent",
                 (unsigned long long)client->received_bytes);
    client->received_bytes += (uint64_t)count;
    if (client->manner == ECHO_CLOSES && client->received_bytes == client->total_bytes)
        finish(client);
    if (client->manner == ECHO_RESETS && client->received_bytes >= client->total_bytes / 2) {
        echo_client_reset(client->fd);
        client->fd = -1;
    }
}

// One step of all who can take one. False: nobody could.
static bool step(struct echo_crowd *crowd, struct pollfd *questions, int timeout_ms)
{
    for (unsigned i = 0; i < crowd->count; i++) {
        const struct echo_client *client = &crowd->clients[i];
        questions[i] = (struct pollfd){
            .fd = client->may_read || wants_to_send(client) ? client->fd : -1,
            .events =
                (short)((client->may_read ? POLLIN : 0) | (wants_to_send(client) ? POLLOUT : 0)),
        };
    }
    int ready = poll(questions, crowd->count, timeout_ms);
    assert_true(ready >= 0 || errno == EINTR);
    for (unsigned i = 0; i < crowd->count && ready > 0; i++) {
        struct echo_client *client = &crowd->clients[i];
        if (questions[i].revents & POLLOUT && wants_to_send(client))
            send_piece(client);
        if (questions[i].revents & (POLLIN | POLLHUP | POLLERR) && client->may_read)
            receive(client);
    }
    return ready > 0;
}

static bool is_done(const struct echo_crowd *crowd)
{
    for (unsigned i = 0; i < crowd->count; i++)
        if (crowd->clients[i].fd >= 0)
            return false;
    return true;
}

void echo_crowd_run(struct echo_crowd *crowd, bool (*is_enough)(const struct echo_crowd *crowd))
{
    struct pollfd *questions = calloc(crowd->count, sizeof *questions);
    assert_non_null(questions);
    // Where something else than an event is looked for, it is looked for each millisecond.
    int timeout_ms = is_enough ? 1 : STUCK_LIMIT_MS;
    int idle_ms = 0;
    while (!is_done(crowd) && !(is_enough && is_enough(crowd))) {
        idle_ms = step(crowd, questions, timeout_ms) ? 0 : idle_ms + timeout_ms;
        if (idle_ms >= STUCK_LIMIT_MS)
            fail_msg("nothing happened for %d ms", idle_ms);
    }
    free(questions);
}

bool echo_crowd_has_delivered(const struct echo_crowd *crowd)
{
    for (unsigned i = 0; i < crowd->count; i++) {
        const struct echo_client *client = &crowd->clients[i];
        if (client->fd < 0)
            continue;
        if (client->sent_bytes < client->total_bytes)
            return false;
        if (!is_endless(client) && echo_client_unacknowledged(client->fd) > 0)
            return false;
    }
    return true;
}

void echo_crowd_release(struct echo_crowd *crowd)
{
    for (unsigned i = 0; i < crowd->count; i++) {
        struct echo_client *client = &crowd->clients[i];
        client->may_read = true;
        if (is_endless(client) && client->fd >= 0)
            client->owed_bytes =
                client->sent_bytes - (uint64_t)echo_client_unacknowledged(client->fd);
    }
}

uint64_t echo_crowd_received_bytes(const struct echo_crowd *crowd)
{
    uint64_t total = 0;
    for (unsigned i = 0; i < crowd->count; i++)
        total += crowd->clients[i].received_bytes;
    return total;
}

void echo_crowd_close(struct echo_crowd *crowd)
{
    assert_true(is_done(crowd));
    free(crowd->clients);
    crowd->clients = NULL;
}
