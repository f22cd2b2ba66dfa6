// SPDX-License-Identifier: MIT
//
// The command line of the echo server, and the choice of its backend. The choice is made here and
// not left to cede_run, so that a backend that cannot be had is an error of the command line.

#include "tools/echo_options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/backends.h"
#include "tools/options.h"

#define PROGRAM_NAME "echo_server"

// What engine/options.h allows.
#define STACK_BYTES_MIN (UINT64_C(16) << 10)
#define STACK_BYTES_MAX (UINT64_C(1) << 30)

static const char closing[] =
    "SIGINT or SIGTERM: accepts no more, echoes what was received, closes and ends with status 0,\n"
    "within five seconds; who does not read what is sent back by then is cut off. A second signal\n"
    "cuts off at once, and the status is 128 and its number (130, 143).\n"
    "\n"
    "Try it:\n"
    "  echo_server &\n"
    "  printf hi | nc -N 127.0.0.1 9000";

// What the table below fills in. Read once, before there is anything else.
static struct echo_options options;

static const struct options_entry entries[] = {
    {.long_name = "backend",
     .short_name = 'b',
     .argument = "NAME",
     .text = &options.backend,
     .help = "how to wait for the kernel: auto, or a name that --list-backends shows\n"
             "(default: the environment's CEDE_BACKEND, else auto)"},
    {.long_name = "address",
     .short_name = 'a',
     .argument = "HOST",
     .text = &options.host,
     .initial = "127.0.0.1",
     .help = "a numeric IPv4 or IPv6 address, or unix:PATH"},
    {.long_name = "port",
     .short_name = 'p',
     .argument = "N",
     .count = &options.port,
     .initial = "9000",
     .maximum = UINT16_MAX,
     .help = "the port; 0 lets the kernel pick one"},
    {.long_name = "max-connections",
     .argument = "N",
     .count = &options.connection_limit,
     .initial = "10000",
     .minimum = 1,
     .maximum = 1000000,
     .help = "how many at a time; others wait in the kernel's queue until one is gone"},
    {.long_name = "idle-timeout",
     .argument = "TIME",
     .duration_ns = &options.idle_timeout_ns,
     .initial = "0",
     .maximum = INT64_C(86400000000000),
     .help = "closes a connection on which nothing moved for so long, such as 30s or 500ms;\n"
             "0 never does"},
    {.long_name = "buffer-bytes",
     .argument = "N",
     .bytes = &options.buffer_bytes,
     .initial = "16k",
     .minimum = 1,
     .maximum = UINT64_C(64) << 20,
     .help = "of each connection: the most that is received at once"},
    {.long_name = "stack-bytes",
     .argument = "N",
     .bytes = &options.stack_bytes,
     .initial = "64k",
     .minimum = STACK_BYTES_MIN,
     .maximum = STACK_BYTES_MAX,
     .help = "of each connection; only what is used of it takes memory"},
    {.long_name = "trace",
     .argument = "FILE",
     .text = &options.trace_path,
     .help = "write what happens to this file, which `trace` prints and compares"},
    {.long_name = "list-backends",
     .flag = &options.lists_backends,
     .help = "show which backends there are, try each, and end"},
    {.long_name = "quiet",
     .short_name = 'q',
     .flag = &options.is_quiet,
     .help = "print errors and warnings only"},
};

static const struct options_program program = {
    .name = PROGRAM_NAME,
    .summary = "Sends back whatever is sent to it, over as many connections as come.",
    .closing = closing,
    .entries = entries,
    .entry_count = sizeof entries / sizeof *entries,
};

// One line a backend, in order of preference. The first that answers is what auto picks.
static void list_backends(void)
{
    bool is_picked = false;
    const struct cede_backend *backend;
    for (int i = 0; (backend = cede_backends_at(i)); i++) {
        struct cede_trial trial;
        if (cede_backends_test(backend, &trial) < 0) {
            printf("%-8s  no: %s\n", backend->name, trial.text);
            continue;
        }
        printf("%-8s  yes%s", backend->name, is_picked ? "" : ", and what auto picks");
        printf(*trial.text ? ": %s\n" : "%s\n", trial.text);
        is_picked = true;
    }
}

// Whether the user wants this backend and no other.
static bool is_backend_named(void)
{
    const char *name = options.backend ? options.backend : getenv("CEDE_BACKEND");
    return name && *name && strcmp(name, "auto") != 0;
}

// Fills in the backend's name. False: there is none. What was named and cannot be had is a mistake
// of the command line; what auto passes by is told in any case.
static bool choose_backend(int *ret_exit_status)
{
    struct cede_backends_choice choice;
    int error = cede_backends_choose(options.backend, &choice);
    if (error < 0 && is_backend_named()) {
        const struct cede_trial *refusal = &choice.refusals[0];
        *ret_exit_status = options_refuse(&program, "backend", refusal->name, refusal->text);
        return false;
    }
    for (int i = 0; i < choice.refusal_count; i++)
        fprintf(stderr, PROGRAM_NAME ": backend %s: %s\n", choice.refusals[i].name,
                choice.refusals[i].text);
    *ret_exit_status = OPTIONS_EXIT_FAILED;
    if (error == 0)
        options.backend = choice.backend->name;
    return error == 0;
}

// Fills in the address. False: it is none.
static bool read_address(int *ret_exit_status)
{
    int error = cede_address_parse(options.host, (uint16_t)options.port, &options.address);
    if (error == 0)
        return true;
    *ret_exit_status =
        options_refuse(&program, "address", options.host,
                       error == -ENAMETOOLONG ? strerror(ENAMETOOLONG)
                                              : "Not an IPv4 or IPv6 address, nor unix:PATH");
    return false;
}

bool echo_options_read(int argc, char *const argv[], struct echo_options *ret_options,
                       int *ret_exit_status)
{
    if (!options_parse(&program, argc, argv, ret_exit_status))
        return false;
    if (options.lists_backends) {
        list_backends();
        *ret_exit_status = OPTIONS_EXIT_DONE;
        return false;
    }
    if (!read_address(ret_exit_status) || !choose_backend(ret_exit_status))
        return false;
    *ret_options = options;
    return true;
}
