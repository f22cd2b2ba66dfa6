// SPDX-License-Identifier: MIT
//
// The file that --trace names: events are collected in memory and written by the block, so that a
// traced server still serves. It knows files and bytes, nothing of events.

#ifndef CEDE_TOOLS_ECHO_TRACE_H
#define CEDE_TOOLS_ECHO_TRACE_H

#include "tasks/trace.h"

struct echo_trace {
    const char *path;
    int fd;
    int error; // The first one: from then on nothing is written, so that the file has no gap.
    struct cede_trace_log log;
};

// Each function that fails says so at once, in a line on stderr.

// Creates the file, or empties it: 0, or -errno.
int echo_trace_open(const char *path, struct echo_trace *ret_trace);

// For options.trace; the argument is the struct echo_trace.
void echo_trace_record(void *argument, const struct cede_trace_event *event);

// Writes what is left and closes the file: 0, or the -errno because of which events are missing,
// now or since long ago.
int echo_trace_close(struct echo_trace *trace);

#endif
