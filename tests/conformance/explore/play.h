// SPDX-License-Identifier: MIT
//
// Plays programs: opens what a program declares, runs its tasks by cede_run on one backend, makes
// its stimuli whenever everybody waits, and leaves a trace in which descriptors are the numbers of
// objects. Whether the trace is right is for others to say. Called by the runner.
//
// One program at a time in a process: what is behind these functions is plain global state.

#ifndef CEDE_TESTS_CONFORMANCE_EXPLORE_PLAY_H
#define CEDE_TESTS_CONFORMANCE_EXPLORE_PLAY_H

#include "engine/engine.h"
#include "tasks/trace.h"
#include "tests/conformance/explore/program.h"

// The backends in the order in which they are compared: the first is the specification.
#define PLAY_BACKEND_COUNT 3
extern const char *const play_backends[PLAY_BACKEND_COUNT];

struct play_result {
    int outcome; // Of cede_run.
    // What is wrong with it, whatever its trace: "spin", when it asked the kernel over and over and
    // nothing came of it (S2); "leak" and what it left behind; NULL for nothing.
    const char *complaint;
    struct cede_engine_counters counters;
};

// Opens what is kept from program to program, and pins the thread to the processor it is on:
// loopback is an orderly queue only within one. 0, or -errno.
int play_open(void);
void play_close(void);

// Plays a program; what was in the trace before is gone, and its memory is used again. 0, whatever
// the outcome of the run, or -errno when the program's objects or the backend could not be had.
int play(const struct program *program, const char *backend, bool is_strict,
         struct cede_trace_log *trace, struct play_result *ret_result);

#endif
