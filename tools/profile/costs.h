// SPDX-License-Identifier: MIT
//
// What a server costs besides processor time (that is in server.h): memory, threads, context
// switches, system calls, instructions. What a machine does not let us see has a reason in words
// instead of a figure. It knows processes and arms, no load: who calls it decides what is done
// meanwhile.

#ifndef CEDE_TOOLS_PROFILE_COSTS_H
#define CEDE_TOOLS_PROFILE_COSTS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "tools/profile/arms.h"

// --- What /proc knows: free of charge, at any time ----------------------------------------------

struct costs_process {
    uint64_t rss_bytes;           // resident memory
    uint32_t thread_count;        // the program's own
    uint32_t kernel_worker_count; // threads that io_uring made in the process for its own work
    uint64_t voluntary_switches;  // of all threads that are there, since they began
    uint64_t involuntary_switches;
};

// Look at a process. 0, or -errno: it is gone.
int costs_process(pid_t pid, struct costs_process *ret_process);

// --- System calls: counted by the kernel, which slows them down, so never in a timed window ------

struct costs_calls {
    uint64_t call_count;  // of all threads
    uint64_t wait_count;  // among them those that wait for events: epoll, poll, select, io_uring
    uint64_t event_count; // what these waits returned; of io_uring its completions
};

struct costs_counting;

// Count the system calls of a process from now on, by the tracepoints of raw_syscalls through
// perf_event_open(2). 0; or -errno, and `reason` says why this machine or user cannot.
int costs_counting_start(pid_t pid, char *reason, size_t reason_bytes,
                         struct costs_counting **ret_counting);

// Stop, free it, and say what was counted.
void costs_counting_stop(struct costs_counting *counting, struct costs_calls *ret_calls);

// --- Instructions: the figure that has no noise -------------------------------------------------

// Start this arm under valgrind's callgrind twice, have it do `operation_count` operations the
// first time and twice as many the second, one after the other on one connection, and divide the
// difference in executed instructions (of the program; the kernel's are not seen). Takes seconds.
// `message_bytes` is the size where arm->needs names none. 0; -ENOPKG: valgrind is absent;
// -ENOTSUP: valgrind cannot run or end this arm (3.19: Go, and some users of io_uring), or this
// mode has no replay; or another -errno, each with a `reason`.
int costs_instructions(const struct arm *arm, size_t message_bytes, uint64_t operation_count,
                       char *reason, size_t reason_bytes, double *ret_per_operation);

#endif
