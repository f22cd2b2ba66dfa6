// SPDX-License-Identifier: MIT
//
// socket, setsockopt, bind, listen; and the file that a unix socket leaves behind.

#include "net/listener.h"

#include <errno.h>

#include "engine/sys.h"

static int set_options(int fd, int family, const struct cede_listen_options *options)
{
    int on = 1;
    int error = 0;
    if (family != AF_UNIX && !options->keep_port)
        error = cede_sys_setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (error == 0 && options->reuse_port)
        error = cede_sys_setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    return error;
}

// Whether the file is a socket that nobody listens on any more. An abstract name has no file; and
// to connect to a file of another kind is refused, too.
static bool is_left_behind(const struct cede_address *address)
{
    const char *path = address->as.unix_path.sun_path;
    if (*path == '\0' || cede_sys_is_socket(path) <= 0)
        return false;
    int fd = cede_sys_socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0)
        return false;
    int error = cede_sys_connect(fd, &address->as.any, address->bytes);
    cede_sys_close(fd);
    return error == -ECONNREFUSED;
}

static int bind_to(int fd, const struct cede_address *address)
{
    int error = cede_sys_bind(fd, &address->as.any, address->bytes);
    if (error != -EADDRINUSE || address->as.any.sa_family != AF_UNIX || !is_left_behind(address))
        return error;
    error = cede_sys_unlink(address->as.unix_path.sun_path);
    return error < 0 ? error : cede_sys_bind(fd, &address->as.any, address->bytes);
}

int cede_listen_at(const struct cede_address *address, const struct cede_listen_options *options)
{
    static const struct cede_listen_options defaults;
    if (!options)
        options = &defaults;
    int family = address->as.any.sa_family;
    int fd = cede_sys_socket(family, SOCK_STREAM, 0);
    if (fd < 0)
        return fd;
    int error = set_options(fd, family, options);
    if (error == 0)
        error = bind_to(fd, address);
    if (error == 0)
        error = cede_sys_listen(fd, options->backlog > 0 ? options->backlog : SOMAXCONN);
    if (error < 0) {
        cede_sys_close(fd);
        return error;
    }
    return fd;
}

int cede_listen(const char *host, uint16_t port)
{
    struct cede_address address;
    int error = cede_address_parse(host, port, &address);
    return error < 0 ? error : cede_listen_at(&address, NULL);
}

int cede_listen_address(int listener, struct cede_address *ret_address)
{
    struct cede_address address = {.bytes = sizeof address.as};
    int error = cede_sys_getsockname(listener, &address.as.any, &address.bytes);
    if (error < 0)
        return error;
    *ret_address = address;
    return 0;
}
