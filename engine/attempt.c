// SPDX-License-Identifier: MIT
//
// The system calls of the verbs. Would-block is recognised here and nowhere else; EINTR never gets
// past engine/sys. Errors are those of the call that should have moved the data (S17).

#include "engine/attempt.h"

#include <errno.h>

#include "engine/poison.h"

static enum cede_attempt end(struct cede_operation *op, int64_t result)
{
    op->result = result;
    return CEDE_ATTEMPT_ENDED;
}

static size_t at_most(size_t bytes, size_t limit)
{
    return bytes < limit ? bytes : limit;
}

static enum cede_attempt end_unless_blocked(struct cede_operation *op, int64_t result)
{
    return result == -EAGAIN ? CEDE_ATTEMPT_BLOCKED : end(op, result);
}

static enum cede_attempt attempt_recv(struct cede_operation *op, struct cede_descriptor *slot,
                                      bool is_ready)
{
    if (op->as.buffer.bytes == 0 && !is_ready)
        return CEDE_ATTEMPT_BLOCKED;
    ssize_t count = cede_sys_recv(op->fd, op->as.buffer.data, op->as.buffer.bytes, 0);
    slot->is_drained = count > 0 && (size_t)count < op->as.buffer.bytes;
    return end_unless_blocked(op, count);
}

static enum cede_attempt attempt_recv_exact(struct cede_operation *op,
                                            struct cede_descriptor *slot, bool strict)
{
    size_t before = op->as.buffer.progress;
    slot->is_drained = false;
    while (op->as.buffer.progress < op->as.buffer.bytes) {
        if (op->as.buffer.progress - before >= CEDE_ATTEMPT_BYTES)
            return CEDE_ATTEMPT_MOVED;
        size_t wanted = at_most(op->as.buffer.bytes - op->as.buffer.progress, CEDE_ATTEMPT_BYTES);
        char *place = (char *)op->as.buffer.data + op->as.buffer.progress;
        // After a short read the next one would most likely find nothing.
        ssize_t count = slot->is_drained && !strict ? -EAGAIN
                                                    : cede_sys_recv(op->fd, place, wanted, 0);
        if (count == -EAGAIN)
            return op->as.buffer.progress > before ? CEDE_ATTEMPT_MOVED : CEDE_ATTEMPT_BLOCKED;
        if (count < 0)
            return end(op, count);
        if (count == 0)
            break;
        op->as.buffer.progress += (size_t)count;
        slot->is_drained = (size_t)count < wanted;
    }
    return end(op, (int64_t)op->as.buffer.progress);
}

static enum cede_attempt attempt_send(struct cede_operation *op, bool is_ready)
{
    if (op->as.source.bytes == 0 && !is_ready)
        return CEDE_ATTEMPT_BLOCKED;
    ssize_t count = cede_sys_send(op->fd, op->as.source.data, op->as.source.bytes, 0);
    return end_unless_blocked(op, count);
}

static enum cede_attempt attempt_send_all(struct cede_operation *op)
{
    size_t before = op->as.source.progress;
    while (op->as.source.progress < op->as.source.bytes) {
        if (op->as.source.progress - before >= CEDE_ATTEMPT_BYTES)
            return CEDE_ATTEMPT_MOVED;
        const char *place = (const char *)op->as.source.data + op->as.source.progress;
        size_t wanted = at_most(op->as.source.bytes - op->as.source.progress, CEDE_ATTEMPT_BYTES);
        ssize_t count = cede_sys_send(op->fd, place, wanted, 0);
        if (count == -EAGAIN)
            return op->as.source.progress > before ? CEDE_ATTEMPT_MOVED : CEDE_ATTEMPT_BLOCKED;
        if (count < 0)
            return end(op, count);
        op->as.source.progress += (size_t)count;
    }
    return end(op, (int64_t)op->as.source.progress);
}

static enum cede_attempt attempt_accept(struct cede_operation *op)
{
    int fd = cede_sys_accept(op->fd, op->as.accept.address, op->as.accept.bytes);
    return cede_attempt_is_lost_connection(fd) ? CEDE_ATTEMPT_BLOCKED : end_unless_blocked(op, fd);
}

static enum cede_attempt attempt_connect(struct cede_operation *op)
{
    int result = cede_sys_connect(op->fd, op->as.connect.address, op->as.connect.bytes);
    if (result == -EINPROGRESS || result == -EALREADY) {
        op->is_begun = true;
        return CEDE_ATTEMPT_BLOCKED;
    }
    // The second call is how connect(2) tells the outcome of the first.
    if (result == -EISCONN && op->is_begun)
        result = 0;
    return end_unless_blocked(op, result);
}

static enum cede_attempt attempt_verb(struct cede_operation *op, struct cede_descriptor *slot,
                                      bool is_ready, bool strict)
{
    switch ((enum cede_verb)op->verb) {
    case CEDE_VERB_RECV:
        return attempt_recv(op, slot, is_ready);
    case CEDE_VERB_RECV_EXACT:
        return attempt_recv_exact(op, slot, strict);
    case CEDE_VERB_RECVMSG:
        return end_unless_blocked(
            op, cede_sys_recvmsg(op->fd, op->as.message.header, op->as.message.flags));
    case CEDE_VERB_READ:
        return end_unless_blocked(
            op, cede_sys_read(op->fd, op->as.buffer.data, op->as.buffer.bytes));
    case CEDE_VERB_ACCEPT:
        return attempt_accept(op);
    case CEDE_VERB_SEND:
        return attempt_send(op, is_ready);
    case CEDE_VERB_SEND_ALL:
        return attempt_send_all(op);
    case CEDE_VERB_SENDMSG:
        return end_unless_blocked(
            op, cede_sys_sendmsg(op->fd, op->as.message.header, op->as.message.flags));
    case CEDE_VERB_CONNECT:
        return attempt_connect(op);
    default:
        // The engine has refused unknown verbs; waits and parked operations have nothing to try.
        return end(op, -EINVAL);
    }
}

enum cede_attempt cede_attempt(struct cede_operation *op, struct cede_descriptor *slot,
                               bool is_ready, bool strict)
{
    cede_unpoison(op);
    enum cede_attempt outcome = attempt_verb(op, slot, is_ready, strict);
    if (outcome != CEDE_ATTEMPT_ENDED)
        cede_poison(op);
    return outcome;
}

bool cede_attempt_is_lost_connection(int64_t result)
{
    switch (-result) {
    case ECONNABORTED:
    case EPROTO:
    case ENOPROTOOPT:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENONET:
        return true;
    default:
        return false;
    }
}

bool cede_attempt_is_shortage(const struct cede_operation *op)
{
    if (op->verb != CEDE_VERB_ACCEPT)
        return false;
    return op->result == -EMFILE || op->result == -ENFILE || op->result == -ENOBUFS ||
           op->result == -ENOMEM;
}
