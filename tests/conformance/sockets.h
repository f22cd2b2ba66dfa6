// SPDX-License-Identifier: MIT
//
// Descriptors for claims: made, filled and drained with plain system calls, so that nothing of what
// is being checked is taken for granted. What is opened here is closed when the claim is over,
// unless the claim has closed it.

#ifndef CEDE_TESTS_CONFORMANCE_SOCKETS_H
#define CEDE_TESTS_CONFORMANCE_SOCKETS_H

#include <stddef.h>

#include "net/address.h"

// To be closed at the end: returns the descriptor, which must be valid.
int keep(int fd);

// Closes all that was kept and is still what it was.
void close_kept(void);

// A connected pair of unix stream sockets, non-blocking.
void open_pair(int ret_fds[2]);

// The two ends of a pipe, non-blocking: [0] to receive from, [1] to send to.
void open_pipe(int ret_fds[2]);

// A connected pair of TCP sockets over loopback, non-blocking.
void open_tcp_pair(int ret_fds[2]);

// A listening socket, non-blocking: a unix socket with an abstract name, or TCP on loopback.
int open_unix_listener(int backlog, struct cede_address *ret_address);
int open_tcp_listener(struct cede_address *ret_address);

// A non-blocking stream socket, and one that is connected to a listener.
int open_socket(int family);
int open_connection(const struct cede_address *address);

// Sends until the socket would block: how many bytes that took.
size_t fill(int fd);

// Receives until the socket would block or the stream has ended: how many bytes there were.
size_t drain(int fd);

// Sends a text whole.
void put(int fd, const char *text);

// The same as stimuli: `argument` points to the descriptor.
void put_a_byte(void *argument);
void drain_it(void *argument);
void close_it(void *argument);
void shut_sending_down(void *argument);

// Lets the process have no more descriptors than it has now, or again as many as before.
void forbid_descriptors(void);
void allow_descriptors(void);

#endif
