// SPDX-License-Identifier: MIT
//
// Events go to a log in memory, and the log to the file when it has grown to a block. The write
// stops the server for its time; a file is not a descriptor that a task could wait for.

#include "tools/echo_trace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

// About a thousand messages.
#define BLOCK_BYTES ((size_t)64 << 10)

// The first error is the one that counts.
static void fail(struct echo_trace *trace, int error)
{
    if (trace->error < 0)
        return;
    trace->error = error;
    fprintf(stderr, "echo_server: trace %s: %s\n", trace->path, strerror(-error));
}

int echo_trace_open(const char *path, struct echo_trace *ret_trace)
{
    *ret_trace = (struct echo_trace){.path = path};
    ret_trace->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (ret_trace->fd < 0)
        fail(ret_trace, -errno);
    return ret_trace->error;
}

static int write_all(int fd, const uint8_t *data, size_t bytes)
{
    while (bytes > 0) {
        ssize_t count = write(fd, data, bytes);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -errno;
        data += count;
        bytes -= (size_t)count;
    }
    return 0;
}

// What could not be written stays missing, and so does what comes after it.
static void flush(struct echo_trace *trace)
{
    int error = trace->error;
    if (error == 0)
        error = write_all(trace->fd, trace->log.data, trace->log.bytes);
    if (error < 0)
        fail(trace, error);
    trace->log.bytes = 0;
}

void echo_trace_record(void *argument, const struct cede_trace_event *event)
{
    struct echo_trace *trace = argument;
    if (trace->error < 0)
        return;
    int error = cede_trace_append(&trace->log, event);
    if (trace->log.bytes >= BLOCK_BYTES || error < 0)
        flush(trace);
    if (error < 0)
        fail(trace, error);
}

int echo_trace_close(struct echo_trace *trace)
{
    flush(trace);
    cede_trace_clear(&trace->log);
    // Some file systems know only now that there was no room.
    if (close(trace->fd) < 0)
        fail(trace, -errno);
    return trace->error;
}
