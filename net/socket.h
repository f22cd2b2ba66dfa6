// SPDX-License-Identifier: MIT
//
// What a task does with a socket. Each suspending call is two: cede_X_prepare, which only fills in
// an operation, and cede_await; cede_X(self, ...) is both. All results are >= 0, or -errno; to
// those named here come the ones of cede_await: -ECANCELED, -ETIMEDOUT, -EBUSY, -EBADF.
// Would-block, EINTR and SIGPIPE are never seen (S1, S17).
//
// From submission to the end a receive buffer belongs to the engine; what is being sent may be read
// but not written (S16).

#ifndef CEDE_NET_SOCKET_H
#define CEDE_NET_SOCKET_H

#include "net/address.h"
#include "tasks/scheduler.h"

// Suspends until a connection is there: its descriptor, non-blocking and close-on-exec. The
// listener must be non-blocking, else -EINVAL (S24). When descriptors or memory run out the call
// goes on waiting (S19). `ret_peer` and `ret_peer_bytes` may be NULL; see accept(2).
int cede_accept(struct cede_task *self, int listener);
void cede_accept_prepare(struct cede_operation *ret_op, int listener, struct sockaddr *ret_peer,
                         socklen_t *ret_peer_bytes);

// Opens a socket and suspends until it is connected: the descriptor, or -errno of connect(2), and
// then nothing is left open.
int cede_connect(struct cede_task *self, const struct cede_address *address);

// Connects a socket that is there: 0, or -errno. It must be non-blocking (S24). After a failure, or
// when it was cut off, only close is legal on it (S15).
void cede_connect_prepare(struct cede_operation *ret_op, int fd,
                          const struct cede_address *address);

// Suspends until something is there: how many bytes were received, at most `bytes`; 0 at the end of
// the stream (S18).
int64_t cede_recv(struct cede_task *self, int fd, void *buffer, size_t bytes);
void cede_recv_prepare(struct cede_operation *ret_op, int fd, void *buffer, size_t bytes);

// Suspends until all of `bytes` were received, or the stream has ended: then fewer. When it is cut
// off, the operation's as.buffer.progress says how many came.
int64_t cede_recv_exact(struct cede_task *self, int fd, void *buffer, size_t bytes);
void cede_recv_exact_prepare(struct cede_operation *ret_op, int fd, void *buffer, size_t bytes);

// Suspends until some could be sent: how many, which may be fewer than `bytes`.
int64_t cede_send(struct cede_task *self, int fd, const void *data, size_t bytes);
void cede_send_prepare(struct cede_operation *ret_op, int fd, const void *data, size_t bytes);

// Suspends until all were sent: `bytes`. On failure the operation's as.source.progress says how
// many were.
int64_t cede_send_all(struct cede_task *self, int fd, const void *data, size_t bytes);
void cede_send_all_prepare(struct cede_operation *ret_op, int fd, const void *data, size_t bytes);

// recvmsg(2) and sendmsg(2), for datagrams, gathered buffers and descriptors. Suspend likewise.
int64_t cede_recvmsg(struct cede_task *self, int fd, struct msghdr *message, int flags);
void cede_recvmsg_prepare(struct cede_operation *ret_op, int fd, struct msghdr *message, int flags);
int64_t cede_sendmsg(struct cede_task *self, int fd, struct msghdr *message, int flags);
void cede_sendmsg_prepare(struct cede_operation *ret_op, int fd, struct msghdr *message, int flags);

// shutdown(2) with SHUT_RD, SHUT_WR or SHUT_RDWR; acts at once and wakes who waits there (S8). 0,
// or -errno. Does not suspend.
int cede_shutdown(struct cede_task *self, int fd, int how);

// Closes the descriptor; the only legal way to (S6). Whoever waits on it gets -EBADF. Always runs
// to its end, also in a task that is being cancelled. 0, or -EBADF. Suspends.
int cede_close(struct cede_task *self, int fd);
void cede_close_prepare(struct cede_operation *ret_op, int fd);

// The same without close(2): the engine forgets the descriptor, which stays open, to be handed to
// another engine or thread. Suspends.
int cede_release(struct cede_task *self, int fd);
void cede_release_prepare(struct cede_operation *ret_op, int fd);

// TCP_NODELAY: small messages leave at once. 0, or -errno. Does not suspend.
int cede_set_nodelay(int fd, bool is_on);

#endif
