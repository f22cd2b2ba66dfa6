// SPDX-License-Identifier: MIT
//
// What the user may decide about the echo server, and the reading of it. Knows the names of
// backends, since it has to refuse those that are not here; knows nothing of connections.

#ifndef CEDE_TOOLS_ECHO_OPTIONS_H
#define CEDE_TOOLS_ECHO_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "net/address.h"

struct echo_options {
    const char *backend; // The name of one that has passed its test.
    const char *host;
    uint64_t port;
    struct cede_address address; // Host and port, read.
    uint64_t connection_limit;
    int64_t idle_timeout_ns; // 0: none.
    uint64_t buffer_bytes;
    uint64_t stack_bytes;
    const char *trace_path; // NULL: no trace.
    bool is_quiet;
    bool lists_backends;
};

// Reads the command line and chooses the backend. True: go on. False: the program ends with
// *ret_exit_status; what there was to say has been printed.
bool echo_options_read(int argc, char *const argv[], struct echo_options *ret_options,
                       int *ret_exit_status);

#endif
