// SPDX-License-Identifier: MIT
//
// Single connections of the tests: blocking, with a limit for each call.

#include "tests/echo_client.h"

#include <errno.h>
#include <linux/sockios.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

// For what should come at once, on a machine that may be busy.
#define ANSWER_LIMIT_S 20

// So long without taking a byte, and a kernel will take none.
#define STUFFED_MS 200

// The descriptor, or -errno.
static int try_to_connect(const struct cede_address *address)
{
    const struct timeval limit = {.tv_sec = ANSWER_LIMIT_S};
    int fd = socket(address->as.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit), 0);
    if (connect(fd, &address->as.any, address->bytes) == 0)
        return fd;
    int error = -errno;
    close(fd);
    return error;
}

int echo_client_connect_to(const struct cede_address *address)
{
    int fd = try_to_connect(address);
    if (fd < 0)
        fail_msg("connect: %s", strerror(-fd));
    return fd;
}

static struct cede_address loopback(uint16_t port)
{
    struct cede_address address;
    assert_int_equal(cede_address_parse("127.0.0.1", port, &address), 0);
    return address;
}

int echo_client_connect(uint16_t port)
{
    const struct cede_address address = loopback(port);
    return echo_client_connect_to(&address);
}

bool echo_client_is_welcome(uint16_t port)
{
    const struct cede_address address = loopback(port);
    int fd = try_to_connect(&address);
    if (fd < 0)
        return false;
    close(fd);
    return true;
}

void echo_client_send(int fd, const char *text)
{
    size_t length = strlen(text);
    assert_int_equal(send(fd, text, length, MSG_NOSIGNAL), length);
}

void echo_client_expect(int fd, const char *text)
{
    char received[256];
    size_t length = strlen(text);
    assert_true(length < sizeof received);
    assert_int_equal(recv(fd, received, length, MSG_WAITALL), length);
    received[length] = '\0';
    assert_string_equal(received, text);
}

void echo_client_expect_end(int fd)
{
    char byte;
    assert_int_equal(recv(fd, &byte, 1, 0), 0);
    close(fd);
}

void echo_client_expect_nothing(int fd)
{
    char byte;
    assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), -1);
    assert_int_equal(errno, EAGAIN);
}

uint64_t echo_client_stuff(int fd)
{
    static const char nothing[65536];
    const struct timeval patience = {.tv_usec = STUFFED_MS * 1000};
    const struct timeval limit = {.tv_sec = ANSWER_LIMIT_S};
    uint64_t total = 0;
    ssize_t count;
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience), 0);
    while ((count = send(fd, nothing, sizeof nothing, MSG_NOSIGNAL)) > 0)
        total += (uint64_t)count;
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit), 0);
    return total;
}

int echo_client_unacknowledged(int fd)
{
    int bytes;
    assert_int_equal(ioctl(fd, SIOCOUTQ, &bytes), 0);
    return bytes;
}

void echo_client_reset(int fd)
{
    const struct linger at_once = {.l_onoff = 1};
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    close(fd);
}
