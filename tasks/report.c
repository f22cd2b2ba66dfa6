// SPDX-License-Identifier: MIT
//
// What the scheduler does, as events. Called by the scheduler; knows what an operation's arguments
// mean, and nothing of how it is carried out.

#include "tasks/report.h"

#include <string.h>

static void report(const struct cede_scheduler *scheduler, const struct cede_trace_event *event)
{
    scheduler->options.trace(scheduler->options.trace_argument, event);
}

// The number under which a trace knows a task.
static uint32_t number_of(const struct cede_task *task)
{
    return task ? (uint32_t)task->id : 0;
}

// A deadline as a trace has it.
static int64_t deadline_of(int64_t deadline_ns)
{
    return deadline_ns == CEDE_NEVER ? -1 : deadline_ns;
}

// --- Operations ---------------------------------------------------------------------------------

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
        .task = number_of(task),
        .verb = op->verb,
        .object = op->fd,
        .bytes = bytes_asked_for(op),
        .deadline_ns = deadline_of(op->limit_ns),
    };
    report(task->scheduler, &event);
}

void cede_report_end(const struct cede_task *task, const struct cede_operation *op)
{
    struct cede_trace_event event = {
        .kind = CEDE_TRACE_END,
        .task = number_of(task),
        .verb = op->verb,
        .object = op->fd,
        .result = op->result,
        .bytes = bytes_moved(op),
    };
    if (has_message(op))
        event.digest = digest_of_message(op->as.message.header, event.bytes);
    else if (event.bytes > 0)
        event.digest = cede_trace_digest(0, op->as.buffer.data, event.bytes);
    report(task->scheduler, &event);
}

// --- Tasks --------------------------------------------------------------------------------------

void cede_report_tick(const struct cede_scheduler *scheduler)
{
    const struct cede_trace_event event = {
        .kind = CEDE_TRACE_TICK,
        .now_ns = cede_engine_tick_ns(scheduler->engine),
    };
    report(scheduler, &event);
}

void cede_report_spawn(const struct cede_scheduler *scheduler, const struct cede_task *parent,
                       const struct cede_task *task, const char *name, int error)
{
    struct cede_trace_event event = {
        .kind = CEDE_TRACE_SPAWN,
        .task = number_of(parent),
        .other = number_of(task),
        .result = error,
    };
    strncpy(event.name, name, sizeof event.name - 1);
    report(scheduler, &event);
}

void cede_report_pause(const struct cede_task *task)
{
    const struct cede_trace_event event = {
        .kind = CEDE_TRACE_PAUSE,
        .task = number_of(task),
        .result = cede_scheduler_refusal(task),
    };
    report(task->scheduler, &event);
}

void cede_report_join(const struct cede_task *task, struct cede_handle other, int result, int value)
{
    const struct cede_trace_event event = {
        .kind = CEDE_TRACE_JOIN,
        .task = number_of(task),
        .other = (uint32_t)other.id,
        .result = result,
        .value = value,
    };
    report(task->scheduler, &event);
}

void cede_report_cancel(const struct cede_task *task, struct cede_handle other)
{
    const struct cede_trace_event event = {
        .kind = CEDE_TRACE_CANCEL,
        .task = number_of(task),
        .other = (uint32_t)other.id,
    };
    report(task->scheduler, &event);
}

void cede_report_shutdown(const struct cede_task *task, int fd, int how, int result)
{
    const struct cede_trace_event event = {
        .kind = CEDE_TRACE_SHUTDOWN,
        .task = number_of(task),
        .verb = (uint32_t)how,
        .object = fd,
        .result = result,
    };
    report(task->scheduler, &event);
}

void cede_report_scope(const struct cede_scope *scope, enum cede_trace_scope what, int64_t value)
{
    const struct cede_trace_event event = {
        .kind = CEDE_TRACE_SCOPE,
        .task = number_of(scope->task),
        .verb = what,
        .value = deadline_of(value),
    };
    report(scope->task->scheduler, &event);
}

void cede_report_done(const struct cede_task *task)
{
    const struct cede_trace_event event = {
        .kind = CEDE_TRACE_DONE,
        .task = number_of(task),
        .result = task->result,
    };
    report(task->scheduler, &event);
}

void cede_report_outcome(const struct cede_scheduler *scheduler, int outcome)
{
    const struct cede_trace_event event = {.kind = CEDE_TRACE_OUTCOME, .result = outcome};
    report(scheduler, &event);
}
