// SPDX-License-Identifier: MIT
//
// One conversation of a gate with a server: bytes out, bytes in, the end of the stream, none of it
// waited for longer than the server may be silent. It knows no protocol. Every function that fails
// has written what was seen to the gate's reason.

#ifndef CEDE_TOOLS_PROFILE_WORKLOADS_TALK_H
#define CEDE_TOOLS_PROFILE_WORKLOADS_TALK_H

#include "tools/profile/workload.h"

struct talk {
    int fd; // non-blocking
    uint64_t sent;
    uint64_t received;
    int64_t patience_ns;
    int64_t heard_ns; // when bytes last moved
    char *reason;
    size_t reason_bytes;
};

// Connect. 0 or -errno.
int talk_open(const struct workload_choice *choice, const struct loopback_address *address,
              char *reason, size_t reason_bytes, struct talk *ret_talk);

// Close the connection, if talk_open made one.
void talk_close(struct talk *talk);

// Write "WHAT after 3 of 5 bytes" to the reason and return the error.
int talk_fail(struct talk *talk, int error, const char *what);

// Sleep until one of these events of poll(2), or a signal. 0; -ETIMEDOUT: nothing moved for so
// long.
int talk_wait(struct talk *talk, short events);

// One send(2). How many bytes went, 0 if there was no room, or -errno.
int talk_send_some(struct talk *talk, const unsigned char *bytes, size_t count);

// One recv(2). How many bytes came, 0 if there were none; -ENODATA: the stream ended, which is
// written down as a fault but may be what the caller wants; or -errno.
int talk_recv_some(struct talk *talk, unsigned char *bytes, size_t size);

// Send all of it; wait for nothing but room. 0 or an error.
int talk_send(struct talk *talk, const unsigned char *bytes, size_t count);

// Want exactly these bytes next. 0; -EBADMSG: others came, or the end; or an error.
int talk_expect(struct talk *talk, const unsigned char *bytes, size_t count);

// Close our direction, want nothing more but the end of the server's. 0 or an error.
int talk_end(struct talk *talk);

// Want nothing more but the end. 0 or an error.
int talk_expect_end(struct talk *talk);

#endif
