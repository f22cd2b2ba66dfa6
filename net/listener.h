// SPDX-License-Identifier: MIT
//
// Listening sockets. Making one does not suspend; accepting is in net/socket.h.

#ifndef CEDE_NET_LISTENER_H
#define CEDE_NET_LISTENER_H

#include <stdbool.h>

#include "net/address.h"

struct cede_listen_options {
    int backlog;      // listen(2); 0: SOMAXCONN.
    bool reuse_port;  // SO_REUSEPORT: several listeners share the port.
    bool keep_port;   // Without SO_REUSEADDR, which is otherwise set on TCP sockets.
};

// Binds and listens: the descriptor (non-blocking, close-on-exec), or -errno of socket(2), bind(2)
// or listen(2). `options` may be NULL. Port 0 lets the kernel pick one; see cede_listen_address. A
// unix path whose file was left by a server that is gone is taken over: it is removed if it is
// a socket and connecting to it is refused. Does not suspend.
int cede_listen_at(const struct cede_address *address, const struct cede_listen_options *options);

// The same for a host as cede_address_parse reads it.
int cede_listen(const char *host, uint16_t port);

// Where the socket is bound: 0, or -errno of getsockname(2). Does not suspend.
int cede_listen_address(int listener, struct cede_address *ret_address);

#endif
