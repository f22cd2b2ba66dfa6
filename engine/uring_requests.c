// SPDX-License-Identifier: MIT
//
// Verbs to opcodes.
//
// Sends carry MSG_DONTWAIT: without it a send that would block is retried in the kernel as often as
// the descriptor looks writable, and with a peer that has half-closed and stopped reading it looks
// so for ever, at the price of a kernel thread for each (S23). With it the answer comes at once,
// and may be EAGAIN. A connect to a unix socket with a full backlog has the same defect and no such
// flag; it is made by connect(2). Datagram sockets and listeners whose receiving direction was shut
// down have it, too: poll(2) calls them ready, and recv(2) and accept(2) find nothing.

#include "engine/uring_requests.h"

#include <poll.h>

#include "engine/attempt.h"
#include "engine/check.h"

enum cede_uring_way cede_uring_way_of(const struct cede_operation *op,
                                      const struct cede_descriptor *descriptor, bool prefers_call)
{
    if (cede_attempt_is_none(op))
        return CEDE_URING_POLL;
    if (op->class == CEDE_CLASS_RECEIVER && descriptor->is_receiving_over)
        return CEDE_URING_CALL;
    switch ((enum cede_verb)op->verb) {
    // From a non-blocking descriptor it would not wait in the ring.
    case CEDE_VERB_READ:
        return CEDE_URING_CALL;
    // The opcode reads once, and a try reads until nothing is left.
    case CEDE_VERB_RECV_EXACT:
        return op->as.buffer.bytes == 0 || prefers_call ? CEDE_URING_CALL : CEDE_URING_DIRECT;
    case CEDE_VERB_SEND_ALL:
        return op->as.buffer.bytes == 0 ? CEDE_URING_CALL : CEDE_URING_DIRECT;
    // The opcode would see the end of what it began at once, while that is for T3 to see; and it
    // begins anew where it finds the connection aborted.
    case CEDE_VERB_CONNECT:
        return op->as.connect.address->sa_family == AF_UNIX || prefers_call ? CEDE_URING_CALL
                                                                             : CEDE_URING_DIRECT;
    default:
        return CEDE_URING_DIRECT;
    }
}

// What one call moves at most (read(2), NOTES). An entry has room for hardly more.
#define CALL_BYTES ((size_t)0x7ffff000)

// How much an entry asks for. A transfer that goes on until all is done makes way for others (S10).
static size_t bytes_at_once(const struct cede_operation *op)
{
    bool goes_on = op->verb == CEDE_VERB_RECV_EXACT || op->verb == CEDE_VERB_SEND_ALL;
    size_t limit = goes_on ? CEDE_ATTEMPT_BYTES : CALL_BYTES;
    size_t left = op->as.buffer.bytes - op->as.buffer.progress;
    return left < limit ? left : limit;
}

void cede_uring_prepare_direct(struct io_uring_sqe *sqe, const struct cede_operation *op,
                               const struct cede_descriptor *descriptor, bool strict)
{
    const int send_flags = MSG_DONTWAIT | MSG_NOSIGNAL;
    // In strict mode a receive that would block comes back and is polled for. Waiting in the kernel
    // it would go on whenever a completion is reaped, also between two closes.
    const int recv_flags = strict ? MSG_DONTWAIT : 0;
    size_t done = op->as.buffer.progress;
    switch ((enum cede_verb)op->verb) {
    case CEDE_VERB_RECV:
    case CEDE_VERB_RECV_EXACT:
        io_uring_prep_recv(sqe, op->fd, (char *)op->as.buffer.data + done,
                           bytes_at_once(op), recv_flags);
        // A receive that would find nothing is not tried before something has arrived.
        if (cede_attempt_is_pointless(op, descriptor, strict))
            sqe->ioprio = IORING_RECVSEND_POLL_FIRST;
        break;
    case CEDE_VERB_RECVMSG:
        io_uring_prep_recvmsg(sqe, op->fd, op->as.message.header,
                              (unsigned)(op->as.message.flags | recv_flags | MSG_CMSG_CLOEXEC));
        break;
    case CEDE_VERB_ACCEPT:
        io_uring_prep_accept(sqe, op->fd, op->as.accept.address, op->as.accept.bytes,
                             SOCK_NONBLOCK | SOCK_CLOEXEC);
        break;
    case CEDE_VERB_SEND:
    case CEDE_VERB_SEND_ALL:
        io_uring_prep_send(sqe, op->fd, (const char *)op->as.source.data + done,
                           bytes_at_once(op), send_flags);
        break;
    case CEDE_VERB_SENDMSG:
        io_uring_prep_sendmsg(sqe, op->fd, op->as.message.header,
                              (unsigned)(op->as.message.flags | send_flags));
        break;
    case CEDE_VERB_CONNECT:
        io_uring_prep_connect(sqe, op->fd, op->as.connect.address, op->as.connect.bytes);
        break;
    default:
        // The others are polled for, or called.
        cede_check_failed(__FILE__, __LINE__, "a verb with an opcode");
    }
}

void cede_uring_prepare_poll(struct io_uring_sqe *sqe, const struct cede_operation *op,
                             bool is_multishot)
{
    unsigned events = cede_operation_direction(op) == CEDE_RECV ? POLLIN : POLLOUT;
    if (is_multishot)
        io_uring_prep_poll_multishot(sqe, op->fd, events);
    else
        io_uring_prep_poll_add(sqe, op->fd, events);
}

bool cede_uring_is_ready(const struct cede_operation *op, int events)
{
    int wanted =
        cede_operation_direction(op) == CEDE_RECV ? POLLIN | POLLHUP | POLLERR : POLLOUT | POLLERR;
    return events & wanted;
}
