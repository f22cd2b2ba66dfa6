// SPDX-License-Identifier: MIT
//
// The other side of the echo server: single connections for a test to play with, and a crowd of
// them that sends in odd pieces and compares each byte that comes back. Plain sockets and poll(2),
// so that the library does not judge itself. Failures are cmocka's.

#ifndef CEDE_TESTS_ECHO_CLIENT_H
#define CEDE_TESTS_ECHO_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/address.h"

// --- One connection -----------------------------------------------------------------------------

// A blocking connection; each call on it fails after some time.
int echo_client_connect(uint16_t port);
int echo_client_connect_to(const struct cede_address *address);

// Whether the port takes connections.
bool echo_client_is_welcome(uint16_t port);

// Sends a text, and expects exactly this text.
void echo_client_send(int fd, const char *text);
void echo_client_expect(int fd, const char *text);

// Expects the end of the stream, and closes.
void echo_client_expect_end(int fd);

// What has not come yet does not come now.
void echo_client_expect_nothing(int fd);

// Sends without reading until neither side's kernel takes more: how many bytes.
uint64_t echo_client_stuff(int fd);

// How many of the bytes sent the peer's kernel has not acknowledged.
int echo_client_unacknowledged(int fd);

// Makes close(2) a reset, and closes.
void echo_client_reset(int fd);

// --- A crowd ------------------------------------------------------------------------------------

enum echo_manner {
    ECHO_HALF_CLOSES, // Sends all, says so, reads to the end of the stream.
    ECHO_CLOSES,      // Sends all, reads all, closes.
    ECHO_RESETS,      // Resets the connection when half has come back.
    ECHO_WAITS,       // Sends all, and reads until the server ends the stream.
    ECHO_HOLDS,       // The same, but reads nothing before it is told to.
    ECHO_STREAMS,     // Goes on sending until the server ends the stream.
    ECHO_FLOODS,      // The same, but reads nothing before it is told to.
};

struct echo_client {
    int fd; // -1 when it is done.
    enum echo_manner manner;
    uint32_t seed; // Where its bytes begin in those that all send.
    uint64_t total_bytes;
    uint64_t sent_bytes;
    uint64_t received_bytes;
    uint64_t owed_bytes; // What must have come back at the end.
    unsigned piece_index;
    size_t piece_bytes; // What is left to be sent of the piece.
    bool may_read;
    bool may_send;
};

struct echo_crowd {
    struct echo_client *clients;
    unsigned count;
};

// Connects `count` clients that send so many bytes each. The i-th has manner i % manner_count.
void echo_crowd_connect(uint16_t port, unsigned count, const enum echo_manner *manners,
                        unsigned manner_count, uint64_t bytes_each, struct echo_crowd *ret_crowd);

// Has each send its first byte and get it back: the server has accepted them all.
void echo_crowd_greet(struct echo_crowd *crowd);

// Goes on until every client is done, or `is_enough` says so (NULL: never).
void echo_crowd_run(struct echo_crowd *crowd, bool (*is_enough)(const struct echo_crowd *crowd));

// For echo_crowd_run: everything that is to be sent was sent and is with the server's kernel.
bool echo_crowd_has_delivered(const struct echo_crowd *crowd);

// Lets those read that did not, and notes what streams are owed: what the server's kernel has by
// now.
void echo_crowd_release(struct echo_crowd *crowd);

// Bytes received by all.
uint64_t echo_crowd_received_bytes(const struct echo_crowd *crowd);

// Gives everything back; all must be done.
void echo_crowd_close(struct echo_crowd *crowd);

#endif
