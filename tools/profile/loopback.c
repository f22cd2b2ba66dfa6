// SPDX-License-Identifier: MIT
//
// Connections are made while the descriptor still blocks: over loopback that takes microseconds,
// and a full queue of the server is waited for by the kernel instead of by a state of ours.

#include "tools/profile/loopback.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

static struct sockaddr_in address_of(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int connect_blocking(int fd, const struct sockaddr *address, socklen_t length)
{
    const struct timeval limit = {.tv_sec = 5};
    if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
        return -errno;
    // A unix socket says EAGAIN where TCP says EINPROGRESS.
    if (connect(fd, address, length) < 0)
        return errno == EINPROGRESS || errno == EAGAIN ? -ETIMEDOUT : -errno;
    return fcntl(fd, F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

static int connect_unix(int fd, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    strcpy(address.sun_path, path);
    return connect_blocking(fd, (struct sockaddr *)&address, sizeof(address));
}

static int connect_tcp(int fd, uint16_t port)
{
    const int on = 1;
    struct sockaddr_in address = address_of(port);
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0)
        return -errno;
    return connect_blocking(fd, (struct sockaddr *)&address, sizeof(address));
}

int loopback_connect_to(const struct loopback_address *address)
{
    bool is_unix = address->unix_path != NULL;
    int fd = socket(is_unix ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int result = is_unix ? connect_unix(fd, address->unix_path) : connect_tcp(fd, address->port);
    if (result < 0) {
        close(fd);
        return result;
    }
    return fd;
}

int loopback_connect(uint16_t port)
{
    return loopback_connect_to(&(struct loopback_address){.port = port});
}

static int begin_connect_tcp(int fd, uint16_t port, uint32_t number)
{
    enum { SOURCE_COUNT = 200 };
    const int on = 1;
    struct sockaddr_in address = address_of(port);
    struct sockaddr_in source = address_of(0);
    source.sin_addr.s_addr = htonl(INADDR_LOOPBACK + number % SOURCE_COUNT);
    // The port is chosen by connect(2), which knows the other end.
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0 ||
        setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)) < 0 ||
        bind(fd, (struct sockaddr *)&source, sizeof(source)) < 0)
        return -errno;
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 && errno != EINPROGRESS)
        return -errno;
    return 0;
}

int loopback_begin_connect(const struct loopback_address *address, uint32_t number)
{
    // On a unix socket there is no beginning: it is connected, or its queue is full.
    if (address->unix_path != NULL)
        return loopback_connect_to(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int result = begin_connect_tcp(fd, address->port, number);
    if (result < 0) {
        close(fd);
        return result;
    }
    return fd;
}

int loopback_free_port(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    struct sockaddr_in address = address_of(0);
    socklen_t length = sizeof(address);
    int result;
    if (bind(fd, (struct sockaddr *)&address, length) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) < 0)
        result = -errno;
    else
        result = ntohs(address.sin_port);
    close(fd);
    return result;
}
