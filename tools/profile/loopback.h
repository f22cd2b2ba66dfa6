// SPDX-License-Identifier: MIT
//
// Connections to a server on this machine, over TCP or a unix socket. The load generator, the gates
// and the control of servers share it; it knows nothing of them.

#ifndef CEDE_TOOLS_PROFILE_LOOPBACK_H
#define CEDE_TOOLS_PROFILE_LOOPBACK_H

#include <stdint.h>

// Where a server listens.
struct loopback_address {
    uint16_t port;         // of 127.0.0.1
    const char *unix_path; // instead of the port, unless it is NULL
};

// Connect to this address, as loopback_connect does. -ENAMETOOLONG: a path that does not fit into
// an address, see unix(7).
int loopback_connect_to(const struct loopback_address *address);

// Connect to this port of 127.0.0.1. The descriptor is non-blocking, close-on-exec and has
// TCP_NODELAY set, as every server here sets it. -ECONNREFUSED: nobody listens; -ETIMEDOUT: the
// server's queue of connections stayed full for five seconds; or another -errno. See tcp(7).
int loopback_connect(uint16_t port);

// Begin to connect and do not wait: bytes can be sent, and are refused with EAGAIN, until the
// connection stands. The client's own address on TCP changes with `number`, since each keeps its
// ports for a minute after the end of a connection, and runs out of them.
int loopback_begin_connect(const struct loopback_address *address, uint32_t number);

// A port of 127.0.0.1 that was free a moment ago, or -errno.
int loopback_free_port(void);

#endif
