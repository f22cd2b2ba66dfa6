// SPDX-License-Identifier: MIT
//
// The production side of engine/sys.h: the real kernel. It holds no state and takes no decision but
// three: EINTR stays here, SIGPIPE never happens, and every descriptor is made close-on-exec and
// non-blocking at birth, so that there is no moment in which it is not (S17, S21, S24).

#include "engine/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "engine/check.h"

// Returns from the function with the result of a call, made again if a signal interrupted it.
#define RETURN_REPEATED(type, call)                                                                \
    for (;;) {                                                                                     \
        type repeated_result = (call);                                                             \
        if (repeated_result >= 0)                                                                  \
            return repeated_result;                                                                \
        if (errno != EINTR)                                                                        \
            return -errno;                                                                         \
    }

// MADV_GUARD_INSTALL, which the C library's headers do not have yet.
#define GUARD_INSTALL 102

static int error_or(int result)
{
    return result < 0 ? -errno : result;
}

void cede_check_failed(const char *file, int line, const char *condition)
{
    fprintf(stderr, "cede: %s:%d: check failed: %s\n", file, line, condition);
    abort();
}

void *cede_sys_allocate(size_t bytes)
{
    return calloc(1, bytes);
}

void *cede_sys_reallocate(void *memory, size_t bytes)
{
    return realloc(memory, bytes);
}

void cede_sys_free(void *memory)
{
    free(memory);
}

int cede_sys_map(size_t bytes, int stack, void **ret_memory)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (stack ? MAP_STACK : 0);
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (memory == MAP_FAILED)
        return -errno;
    // One touch of a huge page would cost as much as hundreds of small stacks. Since Linux 6.7
    // MAP_STACK says as much; a kernel without huge pages refuses, and has none.
    if (stack)
        (void)madvise(memory, bytes, MADV_NOHUGEPAGE);
    *ret_memory = memory;
    return 0;
}

int cede_sys_unmap(void *memory, size_t bytes)
{
    int error = error_or(munmap(memory, bytes));
    cede_check(error == 0 || error == -ENOMEM);
    return error;
}

int cede_sys_guard(void *memory, size_t bytes)
{
    return error_or(madvise(memory, bytes, GUARD_INSTALL));
}

int cede_sys_protect(void *memory, size_t bytes)
{
    return error_or(mprotect(memory, bytes, PROT_NONE));
}

int cede_sys_discard(void *memory, size_t bytes)
{
    return error_or(madvise(memory, bytes, MADV_DONTNEED));
}

size_t cede_sys_page_bytes(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

unsigned cede_sys_mapping_limit(void)
{
    char digits[16] = "";
    int fd = open("/proc/sys/vm/max_map_count", O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        (void)cede_sys_read(fd, digits, sizeof(digits) - 1);
        close(fd);
    }
    unsigned long limit = strtoul(digits, NULL, 10);
    return limit > 0 && limit <= UINT32_MAX ? (unsigned)limit : 65530;
}

int64_t cede_sys_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * CEDE_NANOSECONDS_PER_SECOND + now.tv_nsec;
}

int cede_sys_random(void *buffer, size_t bytes)
{
    // Up to 256 bytes come whole and are not interrupted. The C library's getrandom may write them
    // itself (glibc since 2.41), and then a bad buffer is a fault and not -EFAULT.
    cede_check(bytes <= 256);
    return syscall(SYS_getrandom, buffer, bytes, 0) < 0 ? -errno : 0;
}

const char *cede_sys_environment(const char *name)
{
    return getenv(name);
}

uint64_t cede_sys_memlock_limit(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_MEMLOCK, &limit) < 0 ? 0 : limit.rlim_cur;
}

int cede_sys_io_uring_disabled(void)
{
    int fd = open("/proc/sys/kernel/io_uring_disabled", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    char digit;
    ssize_t count = read(fd, &digit, 1);
    close(fd);
    return count == 1 && digit >= '0' && digit <= '9' ? digit - '0' : -1;
}

int cede_sys_process(void)
{
    return getpid();
}

int cede_sys_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return -errno;
    return limit.rlim_cur > INT32_MAX ? INT32_MAX : (int)limit.rlim_cur;
}

int cede_sys_socket(int family, int type, int protocol)
{
    return error_or(socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol));
}

int cede_sys_socketpair(int family, int type, int ret_fds[2])
{
    return error_or(socketpair(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ret_fds));
}

int cede_sys_bind(int fd, const struct sockaddr *address, socklen_t bytes)
{
    return error_or(bind(fd, address, bytes));
}

int cede_sys_listen(int fd, int backlog)
{
    return error_or(listen(fd, backlog));
}

int cede_sys_accept(int fd, struct sockaddr *address, socklen_t *bytes)
{
    RETURN_REPEATED(int, accept4(fd, address, bytes, SOCK_NONBLOCK | SOCK_CLOEXEC))
}

int cede_sys_connect(int fd, const struct sockaddr *address, socklen_t bytes)
{
    RETURN_REPEATED(int, connect(fd, address, bytes))
}

int cede_sys_shutdown(int fd, int how)
{
    return error_or(shutdown(fd, how));
}

int cede_sys_setsockopt(int fd, int level, int option, const void *value, socklen_t bytes)
{
    return error_or(setsockopt(fd, level, option, value, bytes));
}

int cede_sys_getsockname(int fd, struct sockaddr *address, socklen_t *bytes)
{
    return error_or(getsockname(fd, address, bytes));
}

ssize_t cede_sys_recv(int fd, void *buffer, size_t bytes, int flags)
{
    RETURN_REPEATED(ssize_t, recv(fd, buffer, bytes, flags | MSG_DONTWAIT))
}

ssize_t cede_sys_send(int fd, const void *buffer, size_t bytes, int flags)
{
    RETURN_REPEATED(ssize_t, send(fd, buffer, bytes, flags | MSG_DONTWAIT | MSG_NOSIGNAL))
}

ssize_t cede_sys_recvmsg(int fd, struct msghdr *message, int flags)
{
    RETURN_REPEATED(ssize_t, recvmsg(fd, message, flags | MSG_DONTWAIT | MSG_CMSG_CLOEXEC))
}

ssize_t cede_sys_sendmsg(int fd, const struct msghdr *message, int flags)
{
    RETURN_REPEATED(ssize_t, sendmsg(fd, message, flags | MSG_DONTWAIT | MSG_NOSIGNAL))
}

ssize_t cede_sys_read(int fd, void *buffer, size_t bytes)
{
    RETURN_REPEATED(ssize_t, read(fd, buffer, bytes))
}

ssize_t cede_sys_write(int fd, const void *buffer, size_t bytes)
{
    RETURN_REPEATED(ssize_t, write(fd, buffer, bytes))
}

int cede_sys_close(int fd)
{
    return close(fd) < 0 && errno != EINTR ? -errno : 0;
}

int cede_sys_unlink(const char *path)
{
    return error_or(unlink(path));
}

int cede_sys_is_socket(const char *path)
{
    struct stat status;
    return lstat(path, &status) < 0 ? -errno : S_ISSOCK(status.st_mode);
}

int cede_sys_get_flags(int fd)
{
    return error_or(fcntl(fd, F_GETFL));
}

int cede_sys_identity(int fd, uint64_t *ret_device, uint64_t *ret_inode)
{
    struct stat status;
    if (fstat(fd, &status) < 0)
        return -errno;
    *ret_device = status.st_dev;
    *ret_inode = status.st_ino;
    return 0;
}

int cede_sys_eventfd(void)
{
    return error_or(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
}

int cede_sys_signalfd(const sigset_t *signals)
{
    return error_or(signalfd(-1, signals, SFD_NONBLOCK | SFD_CLOEXEC));
}

int cede_sys_signal_mask(int how, const sigset_t *signals, sigset_t *ret_old)
{
    return -pthread_sigmask(how, signals, ret_old);
}

int cede_sys_signal_action(int signal, const struct sigaction *action, struct sigaction *ret_old)
{
    return error_or(sigaction(signal, action, ret_old));
}

int cede_sys_signal_stack(const stack_t *stack, stack_t *ret_old)
{
    return error_or(sigaltstack(stack, ret_old));
}

int cede_sys_raise(int signal)
{
    return error_or(raise(signal));
}

int cede_sys_epoll_create(void)
{
    return error_or(epoll_create1(EPOLL_CLOEXEC));
}

int cede_sys_epoll_control(int epoll_fd, int change, int fd, struct epoll_event *event)
{
    return error_or(epoll_ctl(epoll_fd, change, fd, event));
}

// The kernel's form of a timeout, or NULL for CEDE_NEVER.
static const struct timespec *to_timespec(int64_t timeout_ns, struct timespec *storage)
{
    if (timeout_ns == CEDE_NEVER)
        return NULL;
    storage->tv_sec = timeout_ns / CEDE_NANOSECONDS_PER_SECOND;
    storage->tv_nsec = timeout_ns % CEDE_NANOSECONDS_PER_SECOND;
    return storage;
}

// Rounded up: to sleep a little long is a delay, to wake early is a spin.
static int to_milliseconds(int64_t timeout_ns)
{
    if (timeout_ns == CEDE_NEVER)
        return -1;
    int64_t milliseconds = timeout_ns / CEDE_NANOSECONDS_PER_MILLISECOND +
                           (timeout_ns % CEDE_NANOSECONDS_PER_MILLISECOND != 0);
    return milliseconds > INT32_MAX ? INT32_MAX : (int)milliseconds;
}

int cede_sys_epoll_wait(int epoll_fd, struct epoll_event *ret_events, int capacity,
                        int64_t timeout_ns)
{
    // A sleep of no length or without end needs no nanoseconds, and the older call is the cheaper.
    int count;
    if (timeout_ns == 0 || timeout_ns == CEDE_NEVER) {
        count = epoll_wait(epoll_fd, ret_events, capacity, timeout_ns == 0 ? 0 : -1);
    } else {
        struct timespec storage;
        count = epoll_pwait2(epoll_fd, ret_events, capacity, to_timespec(timeout_ns, &storage),
                             NULL);
        if (count < 0 && errno == ENOSYS)
            count = epoll_wait(epoll_fd, ret_events, capacity, to_milliseconds(timeout_ns));
    }
    if (count < 0)
        return errno == EINTR ? 0 : -errno;
    return count;
}

int cede_sys_select(int descriptor_count, unsigned long *recv_bits, unsigned long *send_bits,
                    int64_t timeout_ns)
{
    // The C library's wrapper insists on fd_set; the system call takes bit maps of any length.
    struct timespec storage;
    to_timespec(timeout_ns, &storage);
    long count = syscall(SYS_pselect6, descriptor_count, recv_bits, send_bits, NULL,
                         timeout_ns == CEDE_NEVER ? NULL : &storage, NULL);
    if (count < 0)
        return errno == EINTR ? 0 : -errno;
    return (int)count;
}

int cede_sys_poll(struct pollfd *descriptors, unsigned count)
{
    RETURN_REPEATED(int, poll(descriptors, count, 0))
}
