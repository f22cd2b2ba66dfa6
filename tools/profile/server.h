// SPDX-License-Identifier: MIT
//
// Processes that serve: start one, learn its port, read its processor time, end it. Whatever
// happens to this process, what it started does not outlive it. It knows words of a command line,
// not arms, and sends no bytes.

#ifndef CEDE_TOOLS_PROFILE_SERVER_H
#define CEDE_TOOLS_PROFILE_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

enum { SERVER_VERSION_BYTES = 64, SERVER_PATH_BYTES = 108 };

struct server {
    pid_t pid;
    uint16_t port;                      // 0 where it listens on a unix path
    char unix_path[SERVER_PATH_BYTES];  // empty where it listens on a port
    char version[SERVER_VERSION_BYTES]; // "libuv 1.44.2", as it said itself; empty: it said nothing
    int output_fd; // its stdout, or -1; kept open so that a later line does not kill it
    int stat_fd;   // /proc/PID/stat
    clockid_t cpu_clock;
};

// Processor time since the server started, all its threads together.
struct server_usage {
    int64_t cpu_ns;    // exact
    int64_t user_ns;   // in steps of the kernel's clock tick, usually 10 ms: good for shares
    int64_t kernel_ns; // over many windows, not for one
};

// Start the program `words[0]` with these words, on this processor (or -1), and wait up to five
// seconds until it can be connected to: with `port` 0, until it prints `listening on
// 127.0.0.1:PORT (VERSION)` or `listening on unix:PATH (VERSION)`, otherwise until this port takes
// connections. Its stderr is ours. 0; -ETIMEDOUT; -ECHILD: it ended by itself; -ENOPKG: it printed
// `not built: WHY` instead; or another -errno. `reason` then says what was seen, and nothing is
// left running.
int server_start(char *const words[], uint16_t port, int cpu, bool shared_cpu, char *reason,
                 size_t reason_bytes, struct server *ret_server);

// What the server has used up to now. 0, or -errno.
int server_usage(const struct server *server, struct server_usage *ret_usage);

// Ask it to end (SIGTERM), make it end after two seconds (SIGKILL), and wait for it. The file of
// its unix path is removed.
void server_stop(struct server *server);

#endif
