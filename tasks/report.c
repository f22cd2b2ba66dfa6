// SPDX-License-Identifier: MIT
//
// What an operation and a spawning look like in a trace. Called by the scheduler, which says what
// is simpler by itself.

#include "tasks/report.h"

#include <string.h>

void cede_report(const struct cede_scheduler *scheduler, const struct cede_trace_event *event)
{
    scheduler->options.trace(scheduler->options.trace_argument, event);
}

void cede_report_spawn(const struct cede_scheduler *scheduler, const struct cede_task *parent,
                       const struct cede_task *task, const char *name, int error)
{
    struct cede_trace_event event = {
        .kind = CEDE_TRACE_SPAWN,
        .task = parent ? cede_task_number(parent) : 0,
        .other = task ? cede_task_number(task) : 0,
        .result = error,
    };
    strncpy(event.name, name, sizeof event.name - 1);
    cede_report(scheduler, &event);
}

// Whether `as.buffer` or `as.source` are the arguments: the same three fields in both.
static bool has_buffer(const struct cede_operation *op)
{
    return op->verb == CEDE_VERB_RECV || op->verb == CEDE_VERB_RECV_EXACT ||
           op->verb == CEDE_VERB_READ || op->verb == CEDE_VERB_SEND ||
           op->verb == CEDE_VERB_SEND_ALL;
}

static bool has_message(const struct cede_operation *op)
{
    return op->verb == CEDE_VERB_RECVMSG || op->verb == CEDE_VERB_SENDMSG;
}

static uint64_t bytes_asked_for(const struct cede_operation *op)
{
    if (has_buffer(op))
        return op->as.buffer.bytes;
    uint64_t bytes = 0;
    for (size_t i = 0; has_message(op) && i < op->as.message.header->msg_iovlen; i++)
        bytes += op->as.message.header->msg_iov[i].iov_len;
    return bytes;
}

// What was moved, also by an operation that was cut off in the middle of it.
static uint64_t bytes_moved(const struct cede_operation *op)
{
    if (op->verb == CEDE_VERB_RECV_EXACT || op->verb == CEDE_VERB_SEND_ALL)
        return op->as.buffer.progress;
    return (has_buffer(op) || has_message(op)) && op->result > 0 ? (uint64_t)op->result : 0;
}

// Of a datagram that was cut off the kernel may tell more bytes (MSG_TRUNC) than are there.
static uint32_t digest_of_message(const struct msghdr *header, uint64_t bytes)
{
    uint32_t digest = 0;
    for (size_t i = 0; i < header->msg_iovlen && bytes > 0; i++) {
        const struct iovec *piece = &header->msg_iov[i];
        uint64_t share = piece->iov_len < bytes ? piece->iov_len : bytes;
        digest = cede_trace_digest(digest, piece->iov_base, share);
        bytes -= share;
    }
    return digest;
}

void cede_report_submit(const struct cede_task *task, const struct cede_operation *op)
{
    const struct cede_trace_event event = {
        .kind = CEDE_TRACE_SUBMIT,
        .task = cede_task_number(task),
        .verb = op->verb,
        .object = op->fd,
        .bytes = bytes_asked_for(op),
        .deadline_ns = cede_report_deadline(op->limit_ns),
    };
    cede_report(task->scheduler, &event);
}

void cede_report_end(const struct cede_task *task, const struct cede_operation *op)
{
    uint64_t bytes = bytes_moved(op);
    uint32_t digest = 0;
    if (has_message(op))
        digest = digest_of_message(op->as.message.header, bytes);
    else if (bytes > 0)
        digest = cede_trace_digest(0, op->as.buffer.data, bytes);
    const struct cede_trace_event event = {
        .kind = CEDE_TRACE_END,
        .task = cede_task_number(task),
        .verb = op->verb,
        .object = op->fd,
        .result = op->result,
        .bytes = bytes,
        .digest = digest,
    };
    cede_report(task->scheduler, &event);
}
