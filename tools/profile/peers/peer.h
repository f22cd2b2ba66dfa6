// SPDX-License-Identifier: MIT
//
// What the servers that are compared have in common and what is not compared: the command line, the
// line that says where they listen, what is answered. None of it waits for anything or sends. Every
// server in C or C++ here calls it; it knows none of them.
//
// Functions that can fail for want of memory or of a socket end the program instead: a server that
// cannot go on has nothing to show.

#ifndef CEDE_TOOLS_PROFILE_PEERS_PEER_H
#define CEDE_TOOLS_PROFILE_PEERS_PEER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    PEER_BUFFER_BYTES = 16384,       // the most that is received at once
    PEER_BACKLOG = 4096,             // of listen(2)
    PEER_UNSENT_BYTES_MAX = 1 << 20, // fan-out: who leaves more than this unread is dropped
    PEER_VERSION_BYTES = 64
};

// What a server does with what it receives; tools/profile/needs.h says it from the other side.
enum peer_mode { PEER_ECHO, PEER_COMPUTE, PEER_RR, PEER_FAN_OUT, PEER_HTTP, PEER_MODE_COUNT };

struct peer_options {
    const char *program;
    const char *backend;   // --backend, which one server alone has; else NULL
    const char *unix_path; // NULL: TCP on 127.0.0.1
    uint16_t port;         // 0: any
    enum peer_mode mode;
    size_t request_bytes;
    size_t reply_bytes;
    unsigned compute_us;
};

// Read the command line; ends the program (2) when it makes no sense. Where `can_http` is 0 that
// mode makes none; where *ret->backend is to be read, `has_backend` is 1. Calibrates peer_compute.
void peer_read_options(int argc, char *argv[], const char *program, int can_http, int has_backend,
                       struct peer_options *ret_options);

// Bind and listen: a non-blocking descriptor. The file of a unix path is replaced.
int peer_listen(const struct peer_options *options);

// TCP_NODELAY on a connection, if it is one of TCP.
void peer_set_nodelay(const struct peer_options *options, int fd);

// Print the line that the profiler waits for: `listening on 127.0.0.1:PORT (VERSION)`. The version
// is that of the library which runs.
void peer_announce(const struct peer_options *options, int listener, const char *version);

// Print `program: what: Reason` and end the program with 1.
void peer_fail(const struct peer_options *options, const char *what, int error)
    __attribute__((noreturn));

// Compute for compute_us microseconds: a number of steps that was fixed at the start.
void peer_compute(void);

// Bytes in a row that grow as they must. All zero is an empty one.
struct peer_bytes {
    unsigned char *data;
    size_t count;
    size_t capacity;
};

void peer_bytes_add(struct peer_bytes *bytes, const void *data, size_t count);
void peer_bytes_drop(struct peer_bytes *bytes, size_t count); // from the front
void peer_bytes_free(struct peer_bytes *bytes);

// What a connection's stream has begun: a request whose end has not come. All zero at the start.
struct peer_request {
    struct peer_bytes bytes; // of rr and fan-out
    unsigned matched;        // of the end of an HTTP request, how many bytes
};

// Take `count` bytes off the stream and append to `answer` what they are answered with. With
// PEER_FAN_OUT these are whole messages, and go to everybody. Echoes need no answer of their own,
// and the caller sends what it received: not for PEER_ECHO and PEER_COMPUTE.
void peer_answer(const struct peer_options *options, struct peer_request *request,
                 const unsigned char *data, size_t count, struct peer_bytes *answer);

// True for the modes which send back what they received.
static inline int peer_echoes(const struct peer_options *options)
{
    return options->mode <= PEER_COMPUTE;
}

#ifdef __cplusplus
}
#endif

#endif
