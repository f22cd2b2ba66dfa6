// SPDX-License-Identifier: MIT
//
// Unix sockets for everything that needs exact sizes, TCP for what only TCP does.

#include "tests/conformance/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/conformance/support.h"

#define KEPT_LIMIT 256

struct kept {
    int fd;
    dev_t device;
    ino_t inode;
};

static struct kept kept[KEPT_LIMIT];
static int kept_count;

static struct rlimit former_limit;

int keep(int fd)
{
    struct stat status;
    require(fd >= 0 && fstat(fd, &status) == 0);
    require(kept_count < KEPT_LIMIT);
    kept[kept_count++] = (struct kept){fd, status.st_dev, status.st_ino};
    return fd;
}

void close_kept(void)
{
    for (int i = 0; i < kept_count; i++) {
        struct stat status;
        bool is_the_same = fstat(kept[i].fd, &status) == 0 && status.st_dev == kept[i].device &&
                           status.st_ino == kept[i].inode;
        if (is_the_same)
            close(kept[i].fd);
    }
    kept_count = 0;
}

void open_pair(int ret_fds[2])
{
    require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ret_fds) == 0);
    keep(ret_fds[0]);
    keep(ret_fds[1]);
}

void open_pipe(int ret_fds[2])
{
    require(pipe2(ret_fds, O_NONBLOCK | O_CLOEXEC) == 0);
    keep(ret_fds[0]);
    keep(ret_fds[1]);
}

int open_socket(int family)
{
    return keep(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

static int listen_on(int family, const struct sockaddr *address, socklen_t bytes, int backlog,
                     struct cede_address *ret_address)
{
    int fd = open_socket(family);
    require(bind(fd, address, bytes) == 0 && listen(fd, backlog) == 0);
    ret_address->bytes = sizeof ret_address->as;
    require(getsockname(fd, &ret_address->as.any, &ret_address->bytes) == 0);
    return fd;
}

int open_unix_listener(int backlog, struct cede_address *ret_address)
{
    // Bound with the family alone, the kernel picks an abstract name that is free.
    struct sockaddr_un any = {.sun_family = AF_UNIX};
    return listen_on(AF_UNIX, (struct sockaddr *)&any, sizeof any.sun_family, backlog, ret_address);
}

int open_tcp_listener(struct cede_address *ret_address)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    return listen_on(AF_INET, (struct sockaddr *)&any, sizeof any, 16, ret_address);
}

int open_connection(const struct cede_address *address)
{
    int fd = open_socket(address->as.any.sa_family);
    int error = connect(fd, &address->as.any, address->bytes);
    require(error == 0 || errno == EINPROGRESS);
    return fd;
}

void open_tcp_pair(int ret_fds[2])
{
    struct cede_address address;
    int listener = open_tcp_listener(&address);
    // Blocking until the handshake is over, so that both ends are connected on return.
    ret_fds[0] = keep(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    require(connect(ret_fds[0], &address.as.any, address.bytes) == 0);
    require(fcntl(ret_fds[0], F_SETFL, O_NONBLOCK) == 0);
    ret_fds[1] = keep(accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC));
    close(listener);
}

size_t fill(int fd)
{
    static const char zeros[4096];
    size_t sum = 0;
    // Smaller and smaller pieces, until not even a byte fits.
    for (size_t bytes = sizeof zeros; bytes > 0; bytes /= 2) {
        ssize_t count;
        while ((count = send(fd, zeros, bytes, MSG_DONTWAIT | MSG_NOSIGNAL)) > 0)
            sum += (size_t)count;
        require(count < 0 && errno == EAGAIN);
    }
    return sum;
}

size_t drain(int fd)
{
    static char buffer[1 << 16];
    size_t sum = 0;
    ssize_t count;
    while ((count = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT)) > 0)
        sum += (size_t)count;
    require(count == 0 || errno == EAGAIN);
    return sum;
}

void put(int fd, const char *text)
{
    require_number(write(fd, text, strlen(text)), strlen(text));
}

void put_a_byte(void *argument)
{
    put(*(int *)argument, "x");
}

void drain_it(void *argument)
{
    drain(*(int *)argument);
}

void close_it(void *argument)
{
    require(close(*(int *)argument) == 0);
}

void shut_sending_down(void *argument)
{
    require(shutdown(*(int *)argument, SHUT_WR) == 0);
}

void forbid_descriptors(void)
{
    require(getrlimit(RLIMIT_NOFILE, &former_limit) == 0);
    int lowest_free = dup(0);
    require(lowest_free > 0 && close(lowest_free) == 0);
    struct rlimit limit = {.rlim_cur = (rlim_t)lowest_free, .rlim_max = former_limit.rlim_max};
    require(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

void allow_descriptors(void)
{
    require(setrlimit(RLIMIT_NOFILE, &former_limit) == 0);
}
