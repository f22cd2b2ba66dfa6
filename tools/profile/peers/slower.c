// SPDX-License-Identifier: MIT
//
// Makes a server slower by five percent: linked with the epoll loop in a way that the loop does not
// notice (`-Wl,--wrap=epoll_wait`), it spends processor time before it waits, a twentieth of what
// the server has used since it last did. How fast the machine is and how much there is to do make
// no difference to the share. `profile selfcheck` must find such a server to be the slower one,
// without being told.

#include <stdint.h>
#include <sys/epoll.h>
#include <time.h>

// Reading the clock costs more than a twentieth of a short wait's work; eight of them pay for it.
enum { PARTS_OF_WORK = 20, WAITS = 8 };

// Names that the linker gives; it gives them too late for an optimiser of the whole program, which
// must be told that the second one is used.
int __real_epoll_wait(int fd, struct epoll_event *events, int capacity, int timeout_ms);
int __wrap_epoll_wait(int fd, struct epoll_event *events, int capacity, int timeout_ms)
    __attribute__((used));

static int64_t processor_time_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

// What reading the clock costs is spent in here, so it is part of the burden.
int __wrap_epoll_wait(int fd, struct epoll_event *events, int capacity, int timeout_ms)
{
    static int64_t work_began_ns, owed_ns;
    static unsigned wait_count;
    if (wait_count++ % WAITS != 0)
        return __real_epoll_wait(fd, events, capacity, timeout_ms);
    int64_t now_ns = processor_time_ns();
    owed_ns += (now_ns - work_began_ns) / PARTS_OF_WORK;
    while (owed_ns > 0) {
        int64_t before_ns = now_ns;
        now_ns = processor_time_ns();
        owed_ns -= now_ns - before_ns;
    }
    work_began_ns = now_ns;
    return __real_epoll_wait(fd, events, capacity, timeout_ms);
}
