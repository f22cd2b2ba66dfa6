// SPDX-License-Identifier: MIT
//
// Waits until what was sent over loopback has arrived. The kernel delivers it inside the call that
// sends, nearly always; when it is busy it leaves that to a thread of its own, and then a backend
// that asks a moment later sees another world. So before an answer of the kernel is believed a
// datagram follows what was sent, through the same queue: when it is there, so is all before it.
//
// The linker puts this between the pollers and the kernel, and behind the ring (see BUILD.bazel).

#ifndef CEDE_TESTS_CONFORMANCE_EXPLORE_QUIET_H
#define CEDE_TESTS_CONFORMANCE_EXPLORE_QUIET_H

#include <stdbool.h>

// The datagram's socket: 0, or -errno.
int quiet_open(void);
void quiet_close(void);

// From now on it is waited for, if there is TCP in the program; and no longer.
void quiet_begin(bool has_tcp);
void quiet_end(void);

// Returns when everything has arrived.
void quiet_wait(void);

#endif
