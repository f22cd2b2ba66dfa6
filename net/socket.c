// SPDX-License-Identifier: MIT
//
// Arguments into operations. Nothing happens here: what a verb does stands in engine/attempt.c, and
// a loop around a system call would be a mistake in this file.

#include "net/socket.h"

#include <netinet/tcp.h>

#include "engine/sys.h"

void cede_accept_prepare(struct cede_operation *ret_op, int listener, struct sockaddr *ret_peer,
                         socklen_t *ret_peer_bytes)
{
    cede_operation_prepare(ret_op, CEDE_VERB_ACCEPT, listener);
    ret_op->as.accept.address = ret_peer;
    ret_op->as.accept.bytes = ret_peer_bytes;
}

int cede_accept(struct cede_task *self, int listener)
{
    struct cede_operation op;
    cede_accept_prepare(&op, listener, NULL, NULL);
    return (int)cede_await(self, &op);
}

void cede_connect_prepare(struct cede_operation *ret_op, int fd,
                          const struct cede_address *address)
{
    cede_operation_prepare(ret_op, CEDE_VERB_CONNECT, fd);
    ret_op->as.connect.address = &address->as.any;
    ret_op->as.connect.bytes = address->bytes;
}

int cede_connect(struct cede_task *self, const struct cede_address *address)
{
    int fd = cede_sys_socket(address->as.any.sa_family, SOCK_STREAM, 0);
    if (fd < 0)
        return fd;
    struct cede_operation op;
    cede_connect_prepare(&op, fd, address);
    int error = (int)cede_await(self, &op);
    if (error < 0) {
        cede_close(self, fd);
        return error;
    }
    return fd;
}

// An operation with a buffer to receive into.
static void prepare_buffer(struct cede_operation *ret_op, enum cede_verb verb, int fd, void *buffer,
                           size_t bytes)
{
    cede_operation_prepare(ret_op, verb, fd);
    ret_op->as.buffer.data = buffer;
    ret_op->as.buffer.bytes = bytes;
}

// An operation with data to send.
static void prepare_source(struct cede_operation *ret_op, enum cede_verb verb, int fd,
                           const void *data, size_t bytes)
{
    cede_operation_prepare(ret_op, verb, fd);
    ret_op->as.source.data = data;
    ret_op->as.source.bytes = bytes;
}

static void prepare_message(struct cede_operation *ret_op, enum cede_verb verb, int fd,
                            struct msghdr *message, int flags)
{
    cede_operation_prepare(ret_op, verb, fd);
    ret_op->as.message.header = message;
    ret_op->as.message.flags = flags;
}

void cede_recv_prepare(struct cede_operation *ret_op, int fd, void *buffer, size_t bytes)
{
    prepare_buffer(ret_op, CEDE_VERB_RECV, fd, buffer, bytes);
}

int64_t cede_recv(struct cede_task *self, int fd, void *buffer, size_t bytes)
{
    struct cede_operation op;
    cede_recv_prepare(&op, fd, buffer, bytes);
    return cede_await(self, &op);
}

void cede_recv_exact_prepare(struct cede_operation *ret_op, int fd, void *buffer, size_t bytes)
{
    prepare_buffer(ret_op, CEDE_VERB_RECV_EXACT, fd, buffer, bytes);
}

int64_t cede_recv_exact(struct cede_task *self, int fd, void *buffer, size_t bytes)
{
    struct cede_operation op;
    cede_recv_exact_prepare(&op, fd, buffer, bytes);
    return cede_await(self, &op);
}

void cede_send_prepare(struct cede_operation *ret_op, int fd, const void *data, size_t bytes)
{
    prepare_source(ret_op, CEDE_VERB_SEND, fd, data, bytes);
}

int64_t cede_send(struct cede_task *self, int fd, const void *data, size_t bytes)
{
    struct cede_operation op;
    cede_send_prepare(&op, fd, data, bytes);
    return cede_await(self, &op);
}

void cede_send_all_prepare(struct cede_operation *ret_op, int fd, const void *data, size_t bytes)
{
    prepare_source(ret_op, CEDE_VERB_SEND_ALL, fd, data, bytes);
}

int64_t cede_send_all(struct cede_task *self, int fd, const void *data, size_t bytes)
{
    struct cede_operation op;
    cede_send_all_prepare(&op, fd, data, bytes);
    return cede_await(self, &op);
}

void cede_recvmsg_prepare(struct cede_operation *ret_op, int fd, struct msghdr *message, int flags)
{
    prepare_message(ret_op, CEDE_VERB_RECVMSG, fd, message, flags);
}

int64_t cede_recvmsg(struct cede_task *self, int fd, struct msghdr *message, int flags)
{
    struct cede_operation op;
    cede_recvmsg_prepare(&op, fd, message, flags);
    return cede_await(self, &op);
}

void cede_sendmsg_prepare(struct cede_operation *ret_op, int fd, struct msghdr *message, int flags)
{
    prepare_message(ret_op, CEDE_VERB_SENDMSG, fd, message, flags);
}

int64_t cede_sendmsg(struct cede_task *self, int fd, struct msghdr *message, int flags)
{
    struct cede_operation op;
    cede_sendmsg_prepare(&op, fd, message, flags);
    return cede_await(self, &op);
}

int cede_shutdown(struct cede_task *self, int fd, int how)
{
    return cede_scheduler_shutdown(self, fd, how);
}

void cede_close_prepare(struct cede_operation *ret_op, int fd)
{
    cede_operation_prepare(ret_op, CEDE_VERB_CLOSE, fd);
}

int cede_close(struct cede_task *self, int fd)
{
    struct cede_operation op;
    cede_close_prepare(&op, fd);
    return (int)cede_await(self, &op);
}

void cede_release_prepare(struct cede_operation *ret_op, int fd)
{
    cede_operation_prepare(ret_op, CEDE_VERB_RELEASE, fd);
}

int cede_release(struct cede_task *self, int fd)
{
    struct cede_operation op;
    cede_release_prepare(&op, fd);
    return (int)cede_await(self, &op);
}

int cede_set_nodelay(int fd, bool is_on)
{
    int value = is_on;
    return cede_sys_setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, sizeof value);
}
