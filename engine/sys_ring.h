// SPDX-License-Identifier: MIT
//
// The part of engine/sys.h that io_uring needs. liburing gives the types and the inline functions
// on mapped rings; whatever makes a system call is here, bound at link time like the rest of the
// door, so that a simulation can define a ring in ordinary memory.

#ifndef CEDE_ENGINE_SYS_RING_H
#define CEDE_ENGINE_SYS_RING_H

#include <liburing.h>
#include <stdint.h>

// io_uring_setup(2) and its maps: 0, or -errno. `params` is filled in by the kernel.
int cede_sys_ring_open(unsigned entries, struct io_uring_params *params, struct io_uring *ret_ring);
void cede_sys_ring_close(struct io_uring *ring);

// io_uring_enter(2): hands over `submit_count` entries, and waits for `wait_count` completions no
// longer than `timeout_ns`. Without IORING_ENTER_GETEVENTS in `flags` it does not wait, and nothing
// that was waiting in the kernel goes on. The number handed over, or -errno; a timeout or a signal
// is no error.
int cede_sys_ring_enter(struct io_uring *ring, unsigned submit_count, unsigned wait_count,
                        unsigned flags, int64_t timeout_ns);

// io_uring_register(2).
int cede_sys_ring_register(struct io_uring *ring, unsigned operation, const void *argument,
                           unsigned count);

// Registers the ring's own descriptor with the thread, which makes entering cheaper.
int cede_sys_ring_register_itself(struct io_uring *ring);

#endif
