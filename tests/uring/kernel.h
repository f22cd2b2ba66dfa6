// SPDX-License-Identifier: MIT
//
// An engine on the kernel's own ring, ticked by hand, and sockets for it. Where the kernel or a
// sandbox refuses io_uring each test skips itself, and the reason is printed.

#ifndef CEDE_TESTS_URING_KERNEL_H
#define CEDE_TESTS_URING_KERNEL_H

#include "engine/engine.h"

// Skips the test when there is no io_uring here.
void kernel_require_uring(void);

// Opens an engine on io_uring, or skips the test.
struct cede_engine *kernel_open(bool strict);
void kernel_close(struct cede_engine *engine);

// Submits an operation; `bytes` of `data` where it moves some, else NULL and 0.
void kernel_submit(struct cede_engine *engine, enum cede_verb verb, int fd, void *data,
                   size_t bytes, struct cede_operation *ret_op);

// One tick that does not sleep: how many operations ended.
int kernel_tick(struct cede_engine *engine);

// Ticks until the operation has ended: its result. Fails after a hundred ticks, each of which
// sleeps until something happens.
int64_t kernel_finish(struct cede_engine *engine, const struct cede_operation *op);

// Cancels, and asserts that this is what the operation ends with.
void kernel_cancel(struct cede_engine *engine, struct cede_operation *op, int64_t result);

// Sleeps in the engine for 20 ms: how often it asked the kernel meanwhile. One that spins asks
// thousands of times.
uint64_t kernel_count_answers(struct cede_engine *engine);

// How many threads of this process the kernel made for its own work.
int kernel_count_workers(void);

// Pairs of connected sockets, non-blocking: unix, and TCP with small buffers.
void kernel_open_pair(int ret_fds[2]);
void kernel_open_tcp_pair(int ret_fds[2]);

// Sends until nothing more fits; receives all there is: how many bytes.
size_t kernel_fill(int fd);
size_t kernel_drain(int fd);

#endif
