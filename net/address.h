// SPDX-License-Identifier: MIT
//
// Where a socket is: numeric IPv4 and IPv6 addresses with a port, and unix socket paths. Names are
// not looked up. Nothing here suspends or touches the kernel.

#ifndef CEDE_NET_ADDRESS_H
#define CEDE_NET_ADDRESS_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

struct cede_address {
    socklen_t bytes;
    union {
        struct sockaddr any;
        struct sockaddr_in ipv4;
        struct sockaddr_in6 ipv6;
        struct sockaddr_un unix_path;
    } as;
};

// Room for any address as text, with the terminating zero.
#define CEDE_ADDRESS_TEXT_BYTES 128

// Reads "127.0.0.1", "::1", "[::1]" or "unix:PATH"; for a unix path the port is ignored. A path
// that begins with '@' is in the abstract name space (unix(7)). 0; -EINVAL when it is none of
// these; -ENAMETOOLONG for a path that does not fit.
int cede_address_parse(const char *host, uint16_t port, struct cede_address *ret_address);

// Writes "127.0.0.1:9000", "[::1]:9000" or "unix:PATH", cut off at `bytes`; ends with a zero.
void cede_address_format(const struct cede_address *address, char *ret_text, size_t bytes);

// The port; 0 for a unix path.
uint16_t cede_address_port(const struct cede_address *address);

#endif
