// SPDX-License-Identifier: MIT
//
// Connections are made while the descriptor still blocks: over loopback that takes microseconds,
// and a full queue of the server is waited for by the kernel instead of by a state of ours.

#include "tools/profile/loopback.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static struct sockaddr_in address_of(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int prepare_and_connect(int fd, uint16_t port)
{
    const int on = 1;
    const struct timeval limit = {.tv_sec = 5};
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
        return -errno;
    struct sockaddr_in address = address_of(port);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return errno == EINPROGRESS ? -ETIMEDOUT : -errno;
    return fcntl(fd, F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

int loopback_connect(uint16_t port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int result = prepare_and_connect(fd, port);
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
