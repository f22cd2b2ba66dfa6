// SPDX-License-Identifier: MIT
//
// The one door to the outside: every system call, clock reading, random number and allocation of
// the library goes through these functions. They are bound at link time: sys.c in production,
// another definition of the same names in a simulation, with no indirection either way.
// tests/tree/door fails when an object of the library imports such a symbol from anywhere else.
//
// Conventions for all of them: the result is that of the system call of the same name, or -errno.
// EINTR is never returned: calls that can be repeated are, calls that sleep report nothing ready.
// No call suspends a task; those named `wait` and `select` may put the thread to sleep.

#ifndef CEDE_ENGINE_SYS_H
#define CEDE_ENGINE_SYS_H

#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

struct epoll_event;
struct pollfd;
struct signalfd_siginfo;

// A time that never comes, and the timeout that waits for ever.
#define CEDE_NEVER INT64_MAX

#define CEDE_NANOSECONDS_PER_SECOND INT64_C(1000000000)
#define CEDE_NANOSECONDS_PER_MILLISECOND INT64_C(1000000)

// --- Memory -------------------------------------------------------------------------------------

// Zeroed memory, or NULL. Given back with cede_sys_free, which accepts NULL.
void *cede_sys_allocate(size_t bytes);
void cede_sys_free(void *memory);

// Grows an array made by cede_sys_allocate; what is new is not zeroed. NULL leaves the old one
// whole.
void *cede_sys_reallocate(void *memory, size_t bytes);

// Private zeroed pages that cost no memory before they are touched: 0, or -errno. `stack` is for
// stacks: the pages are small ones on every kernel. Given back with cede_sys_unmap, which fails
// with -ENOMEM where it would leave a hole in a merged mapping and the process has no mapping left.
int cede_sys_map(size_t bytes, int stack, void **ret_memory);
int cede_sys_unmap(void *memory, size_t bytes);

// Two ways to make pages fault at every touch. MADV_GUARD_INSTALL (madvise(2), Linux 6.13) takes no
// mapping; -EINVAL from an older kernel, or on locked memory. mprotect(2) makes a mapping of its
// own of the pages, and so at least two out of one.
int cede_sys_guard(void *memory, size_t bytes);
int cede_sys_protect(void *memory, size_t bytes);

// MADV_DONTNEED (madvise(2)): the pages' memory goes back, and they are zeroed when touched again.
// -EINVAL on locked memory.
int cede_sys_discard(void *memory, size_t bytes);

size_t cede_sys_page_bytes(void);

// The most mappings that the process may have: vm.max_map_count, or the kernel's default for it
// where it cannot be read.
unsigned cede_sys_mapping_limit(void);

// --- Clock, randomness, environment -------------------------------------------------------------

// CLOCK_MONOTONIC in nanoseconds.
int64_t cede_sys_now_ns(void);

// getrandom(2) of at most 256 bytes; 0, or -errno. The kernel itself writes them: what may not be
// written is -EFAULT, and tasks/stack.c asks for that on purpose.
int cede_sys_random(void *buffer, size_t bytes);

// getenv(3).
const char *cede_sys_environment(const char *name);

// The soft RLIMIT_MEMLOCK in bytes, and the sysctl kernel.io_uring_disabled, -1 where there is
// none: for messages.
uint64_t cede_sys_memlock_limit(void);
int cede_sys_io_uring_disabled(void);

// getpid(2).
int cede_sys_process(void);

// The soft RLIMIT_NOFILE: one more than the largest descriptor number the process can get.
int cede_sys_descriptor_limit(void);

// --- Sockets ------------------------------------------------------------------------------------

// socket(2) and socketpair(2), non-blocking and close-on-exec.
int cede_sys_socket(int family, int type, int protocol);
int cede_sys_socketpair(int family, int type, int ret_fds[2]);

int cede_sys_bind(int fd, const struct sockaddr *address, socklen_t bytes);
int cede_sys_listen(int fd, int backlog);

// accept4(2): the new descriptor is non-blocking and close-on-exec. The address may be NULL.
int cede_sys_accept(int fd, struct sockaddr *address, socklen_t *bytes);

int cede_sys_connect(int fd, const struct sockaddr *address, socklen_t bytes);
int cede_sys_shutdown(int fd, int how);
int cede_sys_setsockopt(int fd, int level, int option, const void *value, socklen_t bytes);
int cede_sys_getsockname(int fd, struct sockaddr *address, socklen_t *bytes);

// recv(2), send(2) and their message forms with MSG_DONTWAIT, the senders with MSG_NOSIGNAL.
ssize_t cede_sys_recv(int fd, void *buffer, size_t bytes, int flags);
ssize_t cede_sys_send(int fd, const void *buffer, size_t bytes, int flags);
ssize_t cede_sys_recvmsg(int fd, struct msghdr *message, int flags);
ssize_t cede_sys_sendmsg(int fd, const struct msghdr *message, int flags);

// --- Descriptors --------------------------------------------------------------------------------

ssize_t cede_sys_read(int fd, void *buffer, size_t bytes);
ssize_t cede_sys_write(int fd, const void *buffer, size_t bytes);

// close(2). EINTR counts as closed, as it is on Linux.
int cede_sys_close(int fd);

int cede_sys_unlink(const char *path);

// lstat(2) reduced to whether the file is a socket: 1 or 0, or -errno.
int cede_sys_is_socket(const char *path);

// fcntl(F_GETFL).
int cede_sys_get_flags(int fd);

// fstat(2) reduced to what tells two files apart.
int cede_sys_identity(int fd, uint64_t *ret_device, uint64_t *ret_inode);

// eventfd(2) and signalfd(2), non-blocking and close-on-exec.
int cede_sys_eventfd(void);
int cede_sys_signalfd(const sigset_t *signals);

// pthread_sigmask(3), sigaction(2), sigaltstack(2); raise(3), which signals the calling thread.
int cede_sys_signal_mask(int how, const sigset_t *signals, sigset_t *ret_old);
int cede_sys_signal_action(int signal, const struct sigaction *action, struct sigaction *ret_old);
int cede_sys_signal_stack(const stack_t *stack, stack_t *ret_old);
int cede_sys_raise(int signal);

// --- Asking the kernel what is ready ------------------------------------------------------------

int cede_sys_epoll_create(void);
int cede_sys_epoll_control(int epoll_fd, int change, int fd, struct epoll_event *event);

// epoll_pwait2(2), or where the kernel lacks it epoll_wait(2) with the timeout rounded up, so that
// a deadline is never early. CEDE_NEVER sleeps until an event; a signal gives 0.
int cede_sys_epoll_wait(int epoll_fd, struct epoll_event *ret_events, int capacity,
                        int64_t timeout_ns);

// pselect6(2) on bit maps of `descriptor_count` bits, larger than FD_SETSIZE where need be (S20).
int cede_sys_select(int descriptor_count, unsigned long *recv_bits, unsigned long *send_bits,
                    int64_t timeout_ns);

// poll(2) that never sleeps.
int cede_sys_poll(struct pollfd *descriptors, unsigned count);

#endif
