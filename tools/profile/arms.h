// SPDX-License-Identifier: MIT
//
// What can be measured: the names that `--arms` accepts and how each of them is started. It starts
// nothing itself (server.h does) and knows nothing of load or time.

#ifndef CEDE_TOOLS_PROFILE_ARMS_H
#define CEDE_TOOLS_PROFILE_ARMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/profile/needs.h"

enum {
    ARMS_LIMIT = 16,
    ARM_NAME_BYTES = 40,
    ARM_COMMAND_BYTES = 1024,
    ARM_WORD_LIMIT = 16,
    ARM_WORD_BYTES = 24
};

// A server in the table: a program of this workspace, told to choose a port itself and to print
// `listening on 127.0.0.1:PORT (VERSION)`, or `listening on unix:PATH (VERSION)`.
struct arm_program {
    const char *name;
    const char *path;    // from the root of the workspace
    const char *backend; // the value of its option --backend, or NULL
    bool reference;      // what the others are compared with, if it is among them
    bool is_peer;        // somebody else's library: measured when asked for
    bool has_http;       // knows SERVER_HTTP; every program knows the other modes
};

// One thing to measure. Either `program` is set, or `command` is a simple command for the shell, in
// which {port} stands for the port on which it must listen.
struct arm {
    char name[ARM_NAME_BYTES];
    const struct arm_program *program;
    char command[ARM_COMMAND_BYTES];
    struct server_needs needs; // all zero after arms_parse: echo over TCP; the caller may set it
};

// How to start it now: the words for execve(2), and the port it was told, or 0 if it tells the
// port.
struct arm_start {
    char *words[ARM_WORD_LIMIT];
    uint16_t port;
    char text[ARM_COMMAND_BYTES + 64]; // what the words that are not constant point into,
    char numbers[3][ARM_WORD_BYTES];   // and these
    char reason[120];                  // when it cannot be started: why, in words
};

// Read a list such as "select,epoll,exec:'server --port {port}'"; NULL stands for our backends and
// the loops by hand, and the word "all" for the whole table. A name given twice is measured twice,
// the second one as "name#2". An exec: item ends at the next comma or, if its command stands in
// single quotes, at the closing one. 0, or -EINVAL and a sentence in `reason` that says what is
// wrong.
int arms_parse(const char *list, struct arm arms[ARMS_LIMIT], size_t *ret_count, char *reason,
               size_t reason_bytes);

// Find the program or a free port, and say how the arm is started so that it serves arm->needs. The
// words point into *ret_start, the arm and the table, and need no giving back. 0; or, with
// ret_start->reason set, -ENOENT: the program was not built; -ENOTSUP: it cannot do what is needed;
// or the error of finding a port.
int arms_prepare(const struct arm *arm, struct arm_start *ret_start);

// Every name of the table, separated by ", ", for help and messages.
void arms_list(char *text, size_t size);

#endif
