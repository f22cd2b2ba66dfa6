// SPDX-License-Identifier: MIT
//
// System calls, counted by perf events on the kernel's tracepoints. An event only counts; what it
// counts is said by a filter. So the sum of what epoll_wait returned is counted bit by bit: one
// event for the results with bit 0 set, one for those with bit 1, and so on, weighted in the end.

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/perf_event.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tools/profile/costs.h"

// More events than 2^13 - 1 in one wait nobody asks for.
enum { RESULT_BITS = 13 };
enum { CALLS, WAITS, COMPLETIONS, RESULTS, COUNTER_COUNT = RESULTS + RESULT_BITS };

enum { THREAD_LIMIT = 64 };

struct costs_counting {
    size_t thread_count;
    int fds[THREAD_LIMIT][COUNTER_COUNT];
};

// The numbers of the tracepoints, which every kernel gives anew; -1 where there is none.
struct tracepoints {
    long enter, leave, complete;
};

static const int wait_calls[] = {
#ifdef __NR_epoll_wait
    __NR_epoll_wait,
#endif
#ifdef __NR_poll
    __NR_poll,
#endif
#ifdef __NR_select
    __NR_select,
#endif
    __NR_epoll_pwait, __NR_epoll_pwait2, __NR_ppoll, __NR_pselect6,
};

__attribute__((format(printf, 4, 5))) static int
refuse(int error, char *reason, size_t reason_bytes, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, reason_bytes, format, arguments);
    va_end(arguments);
    return error;
}

// A directory with the tracepoints. Where nobody has mounted them we do, but nowhere: what
// fsmount(2) gives is in no directory, so that the machine stays as it was.
static int open_tracefs(void)
{
    int fd = open("/sys/kernel/tracing/events", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        return fd;
    int context = (int)syscall(SYS_fsopen, "tracefs", FSOPEN_CLOEXEC);
    if (context < 0)
        return -errno;
    int mount = -1;
    if (syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
        mount = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, 0);
    fd = mount < 0 ? -errno : openat(mount, "events", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    close(context);
    if (mount >= 0)
        close(mount);
    return fd;
}

static long read_id(int directory, const char *path)
{
    char text[32] = "";
    int fd = openat(directory, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t count = read(fd, text, sizeof(text) - 1);
    close(fd);
    return count > 0 ? strtol(text, NULL, 10) : -1;
}

static int find_tracepoints(struct tracepoints *ret_points, char *reason, size_t reason_bytes)
{
    int directory = open_tracefs();
    if (directory < 0)
        return refuse(directory, reason, reason_bytes, "no tracepoints: %s", strerror(-directory));
    ret_points->enter = read_id(directory, "raw_syscalls/sys_enter/id");
    ret_points->leave = read_id(directory, "raw_syscalls/sys_exit/id");
    ret_points->complete = read_id(directory, "io_uring/io_uring_complete/id");
    close(directory);
    if (ret_points->enter < 0 || ret_points->leave < 0)
        return refuse(-ENOENT, reason, reason_bytes, "no tracepoints of raw_syscalls");
    return 0;
}

// Writes "(id == 1 || id == 2) && ret >= 0".
static void write_filter(char *text, size_t size, bool with_ring, const char *condition)
{
    size_t used = (size_t)snprintf(text, size, "(");
    for (size_t index = 0; index < sizeof(wait_calls) / sizeof(wait_calls[0]); index++)
        used += (size_t)snprintf(text + used, size - used, "%sid == %d", index > 0 ? " || " : "",
                                 wait_calls[index]);
    if (with_ring)
        used += (size_t)snprintf(text + used, size - used, " || id == %d", __NR_io_uring_enter);
    snprintf(text + used, size - used, ") && %s", condition);
}

// One counter for one thread and for those that it starts. The descriptor, or -errno.
static int open_counter(pid_t thread, long tracepoint, const char *filter)
{
    struct perf_event_attr attributes = {
        .type = PERF_TYPE_TRACEPOINT,
        .size = sizeof(attributes),
        .config = (uint64_t)tracepoint,
        .inherit = 1,
        .disabled = 1,
    };
    int fd = (int)syscall(SYS_perf_event_open, &attributes, thread, -1, -1, PERF_FLAG_FD_CLOEXEC);
    if (fd < 0)
        return -errno;
    if ((filter != NULL && ioctl(fd, PERF_EVENT_IOC_SET_FILTER, filter) < 0) ||
        ioctl(fd, PERF_EVENT_IOC_ENABLE, 0) < 0) {
        int error = -errno;
        close(fd);
        return error;
    }
    return fd;
}

static int open_thread(const struct tracepoints *points, pid_t thread, int fds[COUNTER_COUNT])
{
    char filter[300], condition[40];
    write_filter(filter, sizeof(filter), true, "ret >= 0");
    fds[CALLS] = open_counter(thread, points->enter, NULL);
    fds[WAITS] = open_counter(thread, points->leave, filter);
    fds[COMPLETIONS] = -1;
    if (points->complete >= 0)
        fds[COMPLETIONS] = open_counter(thread, points->complete, NULL);
    for (int bit = 0; bit < RESULT_BITS; bit++) {
        snprintf(condition, sizeof(condition), "ret > 0 && ret & %d", 1 << bit);
        write_filter(filter, sizeof(filter), false, condition);
        fds[RESULTS + bit] = open_counter(thread, points->leave, filter);
    }
    for (int index = 0; index < COUNTER_COUNT; index++) {
        // A thread that has ended meanwhile calls nothing any more.
        if (fds[index] < 0 && fds[index] != -ESRCH && index != COMPLETIONS)
            return fds[index];
    }
    return 0;
}

static void close_all(struct costs_counting *counting)
{
    for (size_t thread = 0; thread < counting->thread_count; thread++) {
        for (int index = 0; index < COUNTER_COUNT; index++) {
            if (counting->fds[thread][index] >= 0)
                close(counting->fds[thread][index]);
        }
    }
    free(counting);
}

static int open_threads(const struct tracepoints *points, pid_t pid,
                        struct costs_counting *counting)
{
    char path[64];
    int result = 0;
    snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    DIR *threads = opendir(path);
    if (threads == NULL)
        return -errno;
    for (const struct dirent *entry; result == 0 && (entry = readdir(threads)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        if (counting->thread_count == THREAD_LIMIT)
            result = -E2BIG;
        else
            result =
                open_thread(points, atoi(entry->d_name), counting->fds[counting->thread_count++]);
    }
    closedir(threads);
    return result;
}

int costs_counting_start(pid_t pid, char *reason, size_t reason_bytes,
                         struct costs_counting **ret_counting)
{
    struct tracepoints points;
    int result = find_tracepoints(&points, reason, reason_bytes);
    if (result < 0)
        return result;
    struct costs_counting *counting = calloc(1, sizeof(*counting));
    if (counting == NULL)
        return refuse(-ENOMEM, reason, reason_bytes, "%s", strerror(ENOMEM));
    result = open_threads(&points, pid, counting);
    if (result < 0) {
        close_all(counting);
        return refuse(result, reason, reason_bytes, "perf_event_open: %s", strerror(-result));
    }
    *ret_counting = counting;
    return 0;
}

static uint64_t read_counter(int fd)
{
    uint64_t count = 0;
    return fd >= 0 && read(fd, &count, sizeof(count)) == sizeof(count) ? count : 0;
}

void costs_counting_stop(struct costs_counting *counting, struct costs_calls *ret_calls)
{
    struct costs_calls calls = {.call_count = 0};
    for (size_t thread = 0; thread < counting->thread_count; thread++) {
        const int *fds = counting->fds[thread];
        calls.call_count += read_counter(fds[CALLS]);
        calls.wait_count += read_counter(fds[WAITS]);
        calls.event_count += read_counter(fds[COMPLETIONS]);
        for (int bit = 0; bit < RESULT_BITS; bit++)
            calls.event_count += read_counter(fds[RESULTS + bit]) << bit;
    }
    close_all(counting);
    *ret_calls = calls;
}
