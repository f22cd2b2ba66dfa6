// SPDX-License-Identifier: MIT
//
// The production side of engine/sys_ring.h.

#include "engine/sys_ring.h"

#include <errno.h>

#include "engine/sys.h"

// liburing maps rings by system calls that the thread sanitizer does not see. When two threads get
// the same addresses one after the other, it must be told that the kernel has come in between.
#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
static char mapped_by_kernel;
#define AFTER_MAPPING() __tsan_acquire(&mapped_by_kernel)
#define BEFORE_UNMAPPING() __tsan_release(&mapped_by_kernel)
#else
#define AFTER_MAPPING() ((void)0)
#define BEFORE_UNMAPPING() ((void)0)
#endif

int cede_sys_ring_open(unsigned entries, struct io_uring_params *params, struct io_uring *ret_ring)
{
    int error = io_uring_queue_init_params(entries, ret_ring, params);
    AFTER_MAPPING();
    return error;
}

void cede_sys_ring_close(struct io_uring *ring)
{
    BEFORE_UNMAPPING();
    io_uring_queue_exit(ring);
}

int cede_sys_ring_enter(struct io_uring *ring, unsigned submit_count, unsigned wait_count,
                        unsigned flags, int64_t timeout_ns)
{
    struct __kernel_timespec timeout = {
        .tv_sec = timeout_ns / CEDE_NANOSECONDS_PER_SECOND,
        .tv_nsec = timeout_ns % CEDE_NANOSECONDS_PER_SECOND,
    };
    struct io_uring_getevents_arg argument = {
        .ts = timeout_ns == CEDE_NEVER ? 0 : (uintptr_t)&timeout,
    };
    flags |= IORING_ENTER_EXT_ARG;
    if (ring->enter_ring_fd != ring->ring_fd)
        flags |= IORING_ENTER_REGISTERED_RING;
    int result = io_uring_enter2((unsigned)ring->enter_ring_fd, submit_count, wait_count, flags,
                                 (sigset_t *)&argument, sizeof argument);
    return result == -ETIME || result == -EINTR ? 0 : result;
}

int cede_sys_ring_register(struct io_uring *ring, unsigned operation, const void *argument,
                           unsigned count)
{
    return io_uring_register((unsigned)ring->ring_fd, operation, argument, count);
}

int cede_sys_ring_register_itself(struct io_uring *ring)
{
    return io_uring_register_ring_fd(ring);
}
