// SPDX-License-Identifier: MIT
//
// The runner: the one process that plays programs, for people, for the long runs and for the tools
// that judge and shrink. One function a verb, each in a file of its own; runner.c reads the command
// line. Results go to stdout, the rest to stderr.

#ifndef CEDE_TESTS_CONFORMANCE_EXPLORE_RUNNER_H
#define CEDE_TESTS_CONFORMANCE_EXPLORE_RUNNER_H

#include <stdio.h>

#include "tests/conformance/explore/generate.h"
#include "tests/conformance/explore/play.h"

// How the process ends: all was well; something was found; it was called in a wrong way; or a
// program put an end to it.
#define RUNNER_CLEAN 0
#define RUNNER_FOUND 1
#define RUNNER_USAGE 2
#define RUNNER_BROKEN 3

struct runner_options {
    uint64_t first;
    uint64_t count;
    uint64_t seed;
    uint64_t stop_after;
    uint64_t watchdog_s; // How long a program may take.
    enum program_class class;
    bool is_strict;
    bool is_binary;
    int backend_count;
    const char *backends[PLAY_BACKEND_COUNT];
    const char *file;    // NULL, like those below: none was named.
    const char *emit;    // "-" is stdout.
    const char *digests;
    const char *expect;
    const char *stats;
    const char *hashes;
};

// Each returns one of the statuses above.
int runner_run(const struct runner_options *options);
int runner_generate(const struct runner_options *options);
int runner_play(const struct runner_options *options);
int runner_compare(const struct runner_options *options);
int runner_serve(void);

// One line to stderr, `runner: WHAT OBJECT: the words for -error`: RUNNER_BROKEN.
int runner_complain(const char *what, const char *object, int error);

// --- Comparing ----------------------------------------------------------------------------------

// What a program came to on each backend that it was played on.
struct runner_plays {
    const struct program *program;
    int count;
    const char *backends[PLAY_BACKEND_COUNT];
    struct cede_trace_log traces[PLAY_BACKEND_COUNT];
    struct play_result results[PLAY_BACKEND_COUNT];
};

// The first backend whose trace is not that of the first one, as an index; -1 when all are equal.
int runner_differs(const struct runner_plays *plays);

// Writes where that trace leaves the first one, with some lines before, to `file`: the number of
// the event, from 1.
int64_t runner_print_difference(const struct runner_plays *plays, int index, FILE *file);

// Writes a trace, a line an event, with the program's names.
void runner_print_trace(const struct program *program, const struct cede_trace_log *trace,
                        FILE *file);

#endif
