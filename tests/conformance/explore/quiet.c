// SPDX-License-Identifier: MIT
//
// A packet that is processed may send another (the answer to a connection request), which then
// stands behind the datagram. So the wait is over only when a datagram arrives at once, which it
// does when the kernel works off the queue in the call that sent it; and, since the kernel may stop
// just behind that datagram, when the next one does so, too.

#include "tests/conformance/explore/quiet.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>

#include "engine/check.h"
#include "engine/sys_ring.h"
#include "engine/sys.h"
#include "tests/conformance/explore/opcodes.h"

static int datagrams = -1;
static bool is_needed;

int quiet_open(void)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_addr = {htonl(INADDR_LOOPBACK)},
    };
    socklen_t bytes = sizeof address;
    int fd = cede_sys_socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0)
        return fd;
    int error = cede_sys_bind(fd, (struct sockaddr *)&address, bytes);
    if (error == 0)
        error = cede_sys_getsockname(fd, (struct sockaddr *)&address, &bytes);
    if (error == 0)
        error = cede_sys_connect(fd, (struct sockaddr *)&address, bytes);
    if (error < 0)
        cede_sys_close(fd);
    else
        datagrams = fd;
    return error;
}

void quiet_close(void)
{
    if (datagrams >= 0)
        cede_sys_close(datagrams);
    datagrams = -1;
}

void quiet_begin(bool has_tcp)
{
    is_needed = has_tcp;
}

void quiet_end(void)
{
    is_needed = false;
}

// Whether a datagram arrived at once. Returns when it has arrived.
static bool passes_at_once(void)
{
    char byte = 0;
    cede_check(cede_sys_send(datagrams, &byte, 1, 0) == 1);
    bool at_once = true;
    while (cede_sys_recv(datagrams, &byte, 1, 0) != 1) {
        struct pollfd arrival = {.fd = datagrams, .events = POLLIN};
        at_once = false;
        (void)poll(&arrival, 1, -1);
    }
    return at_once;
}

void quiet_wait(void)
{
    int in_a_row = 0;
    while (is_needed && in_a_row < 2)
        in_a_row = passes_at_once() ? in_a_row + 1 : 0;
}

// --- In front of the pollers, behind the ring ---------------------------------------------------

int __real_cede_sys_epoll_wait(int epoll_fd, struct epoll_event *ret_events, int capacity,
                               int64_t timeout_ns);
int __wrap_cede_sys_epoll_wait(int epoll_fd, struct epoll_event *ret_events, int capacity,
                               int64_t timeout_ns);
int __real_cede_sys_select(int descriptor_count, unsigned long *recv_bits, unsigned long *send_bits,
                           int64_t timeout_ns);
int __wrap_cede_sys_select(int descriptor_count, unsigned long *recv_bits, unsigned long *send_bits,
                           int64_t timeout_ns);
int __real_cede_sys_ring_enter(struct io_uring *ring, unsigned submit_count, unsigned wait_count,
                               unsigned flags, int64_t timeout_ns);
int __wrap_cede_sys_ring_enter(struct io_uring *ring, unsigned submit_count, unsigned wait_count,
                               unsigned flags, int64_t timeout_ns);

int __wrap_cede_sys_epoll_wait(int epoll_fd, struct epoll_event *ret_events, int capacity,
                               int64_t timeout_ns)
{
    quiet_wait();
    return __real_cede_sys_epoll_wait(epoll_fd, ret_events, capacity, timeout_ns);
}

int __wrap_cede_sys_select(int descriptor_count, unsigned long *recv_bits, unsigned long *send_bits,
                           int64_t timeout_ns)
{
    quiet_wait();
    return __real_cede_sys_select(descriptor_count, recv_bits, send_bits, timeout_ns);
}

// What arrives only now is pending work, of which the ring's flags tell the engine.
int __wrap_cede_sys_ring_enter(struct io_uring *ring, unsigned submit_count, unsigned wait_count,
                               unsigned flags, int64_t timeout_ns)
{
    opcodes_count(ring, submit_count);
    int result = __real_cede_sys_ring_enter(ring, submit_count, wait_count, flags, timeout_ns);
    quiet_wait();
    return result;
}
