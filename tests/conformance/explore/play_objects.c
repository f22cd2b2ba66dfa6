// SPDX-License-Identifier: MIT
//
// The descriptors of a program, from set-up to the end.

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/conformance/explore/play_state.h"
#include "tests/conformance/explore/program_words.h"
#include "tests/conformance/explore/quiet.h"

// A connection that was closed in earnest keeps its port for a minute. So the listener is replaced
// long before all ports that lead to it are used up.
#define CONNECTIONS_OF_A_LISTENER 8192

static struct {
    int fd;
    unsigned connections;
    struct cede_address address;
} kept = {.fd = -1};

// Small pieces leave at once: one that waits for an acknowledgement comes by the real clock. What a
// listener accepts takes after it.
static void set_nodelay(int fd)
{
    const int on = 1;
    cede_sys_setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

// --- Listeners ----------------------------------------------------------------------------------

// Any port, but at an address of this process: what another process listens on a moment after a
// listener was closed is not to be where a connect finds it.
static struct cede_address any_port(void)
{
    uint32_t host = INADDR_LOOPBACK + (((uint32_t)getpid() & 0xffff) << 8);
    return (struct cede_address){
        .bytes = sizeof(struct sockaddr_in),
        .as.ipv4 = {.sin_family = AF_INET, .sin_addr = {htonl(host)}},
    };
}

// For the same reason a name that nobody had before, in the abstract name space.
static struct cede_address fresh_name(void)
{
    static unsigned count;
    struct cede_address address = {.as.unix_path.sun_family = AF_UNIX};
    int bytes = snprintf(address.as.unix_path.sun_path + 1, 32, "play.%d.%u", getpid(), count++);
    address.bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)bytes);
    return address;
}

// The descriptor, or -errno.
static int open_listener(int family, int backlog, struct cede_address *ret_address)
{
    struct cede_address address = family == AF_UNIX ? fresh_name() : any_port();
    int fd = cede_sys_socket(family, SOCK_STREAM, 0);
    if (fd < 0)
        return fd;
    if (family == AF_INET)
        set_nodelay(fd);
    int error = cede_sys_bind(fd, &address.as.any, address.bytes);
    if (error == 0)
        error = cede_sys_listen(fd, backlog);
    if (error == 0 && family == AF_INET)
        error = cede_sys_getsockname(fd, &address.as.any, &address.bytes);
    if (error < 0) {
        cede_sys_close(fd);
        return error;
    }
    *ret_address = address;
    return fd;
}

// The kept listener, of TCP, under the same number as the one before: 0, or -errno.
static int renew_listener(void)
{
    struct cede_address address;
    int fd = open_listener(AF_INET, 16, &address);
    if (fd < 0)
        return fd;
    if (kept.fd >= 0) {
        dup3(fd, kept.fd, O_CLOEXEC);
        cede_sys_close(fd);
    } else {
        kept.fd = fd;
    }
    kept.address = address;
    kept.connections = 0;
    return 0;
}

int play_objects_prepare(void)
{
    return renew_listener();
}

void play_objects_forget(void)
{
    if (kept.fd >= 0)
        cede_sys_close(kept.fd);
    kept.fd = -1;
}

// --- Set-up -------------------------------------------------------------------------------------

static int open_tcp(int ret_fds[2])
{
    int error = kept.connections++ < CONNECTIONS_OF_A_LISTENER ? 0 : renew_listener();
    int fd = error < 0 ? error : cede_sys_socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0)
        return fd;
    error = cede_sys_connect(fd, &kept.address.as.any, kept.address.bytes);
    quiet_wait();
    int other = error == -EINPROGRESS ? cede_sys_accept(kept.fd, NULL, NULL) : error;
    if (other < 0) {
        cede_sys_close(fd);
        return other;
    }
    set_nodelay(fd);
    ret_fds[0] = fd;
    ret_fds[1] = other;
    return 0;
}

static int open_small_pair(int ret_fds[2])
{
    int error = cede_sys_socketpair(AF_UNIX, SOCK_STREAM, ret_fds);
    const int least = 1;
    for (int i = 0; error == 0 && i < 2; i++)
        cede_sys_setsockopt(ret_fds[i], SOL_SOCKET, SO_SNDBUF, &least, sizeof least);
    return error;
}

static int open_double(enum object_kind kind, int ret_fds[2])
{
    switch (kind) {
    case OBJECT_PAIR:
        return cede_sys_socketpair(AF_UNIX, SOCK_STREAM, ret_fds);
    case OBJECT_SMALL_PAIR:
        return open_small_pair(ret_fds);
    case OBJECT_TCP:
        return open_tcp(ret_fds);
    case OBJECT_DATAGRAMS:
        return cede_sys_socketpair(AF_UNIX, SOCK_DGRAM, ret_fds);
    default:
        return pipe2(ret_fds, O_NONBLOCK | O_CLOEXEC) < 0 ? -errno : 0;
    }
}

// What is in it is what the object would send.
static int open_file(const struct player *player, int number)
{
    int fd = memfd_create("file", MFD_CLOEXEC);
    if (fd < 0)
        return -errno;
    const void *data = play_bytes_to_send(player, number);
    bool is_ready = pwrite(fd, data, PROGRAM_FILE_BYTES, 0) == PROGRAM_FILE_BYTES &&
                    fcntl(fd, F_SETFL, O_NONBLOCK) == 0;
    int error = is_ready ? 0 : -errno;
    if (error < 0)
        cede_sys_close(fd);
    return error < 0 ? error : fd;
}

// Connected to a port where nobody is; the answer to its one datagram has come.
static int open_troubled_socket(void)
{
    struct sockaddr_in nobody = {
        .sin_family = AF_INET,
        .sin_addr = {htonl(INADDR_LOOPBACK)},
    };
    socklen_t bytes = sizeof nobody;
    const int on = 1;
    int taken = cede_sys_socket(AF_INET, SOCK_DGRAM, 0);
    int fd = cede_sys_socket(AF_INET, SOCK_DGRAM, 0);
    bool is_ready = taken >= 0 && fd >= 0 &&
                    cede_sys_bind(taken, (struct sockaddr *)&nobody, bytes) == 0 &&
                    cede_sys_getsockname(taken, (struct sockaddr *)&nobody, &bytes) == 0 &&
                    cede_sys_setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on) == 0 &&
                    cede_sys_connect(fd, (struct sockaddr *)&nobody, bytes) == 0 &&
                    cede_sys_close(taken) == 0 && cede_sys_send(fd, "x", 1, 0) == 1;
    struct pollfd answer = {.fd = fd};
    if (is_ready && poll(&answer, 1, -1) == 1)
        return fd;
    if (fd >= 0)
        cede_sys_close(fd);
    return -EIO;
}

static int open_single(struct player *player, int number)
{
    const struct object *object = &player->program->objects[number];
    struct play_object *played = &player->objects[number];
    switch ((enum object_kind)object->kind) {
    case OBJECT_UNIX_LISTENER:
        played->fd = open_listener(AF_UNIX, object->backlog, &played->address);
        break;
    case OBJECT_TCP_LISTENER:
        played->fd = open_listener(AF_INET, object->backlog, &played->address);
        break;
    case OBJECT_FILE:
        played->fd = open_file(player, number);
        break;
    case OBJECT_UDP_ERROR:
        played->fd = open_troubled_socket();
        break;
    default:
        return 0;
    }
    return played->fd < 0 ? played->fd : 0;
}

int play_objects_open(struct player *player)
{
    const struct program *program = player->program;
    int error = 0;
    for (int i = 0; i < program->object_count; i++)
        player->objects[i].fd = -1;
    for (int i = 0; error == 0 && i < program->object_count; i++) {
        const struct object *object = &program->objects[i];
        int fds[2] = {-1, -1};
        if (!program_is_double((enum object_kind)object->kind)) {
            error = open_single(player, i);
        } else if (!object->is_second) {
            error = open_double((enum object_kind)object->kind, fds);
            player->objects[i].fd = fds[0];
            player->objects[i + 1].fd = fds[1];
        }
    }
    return error;
}

// Without the minute that a connection closed in the usual way is remembered.
static void close_now(struct player *player, int fd)
{
    const struct linger none = {.l_onoff = 1, .l_linger = 0};
    if (player->has_tcp)
        cede_sys_setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    cede_sys_close(fd);
}

void play_objects_close(struct player *player)
{
    for (int i = 0; i < player->program->object_count; i++) {
        int fd = play_fd(player, i);
        player->objects[i].fd = -1;
        if (fd >= 0)
            close_now(player, fd);
    }
    while (player->orphan_count > 0)
        close_now(player, player->orphans[--player->orphan_count]);
}

// --- Objects while the program runs -------------------------------------------------------------

int play_fd(struct player *player, int number)
{
    struct play_object *object = &player->objects[number];
    if (object->is_closing && object->close_tick != player->tick) {
        object->is_closing = false;
        object->fd = -1;
    }
    return object->fd;
}

void play_fill(struct player *player, int object, int fd)
{
    player->objects[object].fd = fd;
    player->objects[object].is_closing = false;
}

bool play_begin_close(struct player *player, int number)
{
    struct play_object *object = &player->objects[number];
    if (play_fd(player, number) < 0 || object->is_closing)
        return false;
    object->is_closing = true;
    object->close_tick = player->tick;
    return true;
}

void play_let_arrive(const struct player *player, int object)
{
    uint8_t kind = player->program->objects[object].kind;
    if (kind == OBJECT_TCP || kind == OBJECT_TCP_LISTENER || kind == OBJECT_SLOT)
        quiet_wait();
}

int play_open_socket(struct player *player, int slot, int listener)
{
    if (play_fd(player, slot) >= 0)
        return -EEXIST;
    const struct cede_address *address = &player->objects[listener].address;
    if (address->bytes == 0)
        return -EINVAL;
    int fd = cede_sys_socket(address->as.any.sa_family, SOCK_STREAM, 0);
    if (fd < 0)
        return fd;
    if (address->as.any.sa_family == AF_INET)
        set_nodelay(fd);
    play_fill(player, slot, fd);
    return 0;
}
