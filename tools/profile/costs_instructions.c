// SPDX-License-Identifier: MIT
//
// A server under callgrind, and a client that does the same thing each time: one connection, one
// operation after the other. Starting and ending cost the same in both runs, and drop out of the
// difference.

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tools/profile/costs.h"
#include "tools/profile/loopback.h"
#include "tools/profile/server.h"

enum { PATH_BYTES = 512, OPTION_COUNT = 5, REPLY_LIMIT_MS = 10000 };

struct replay {
    const struct arm *arm;
    size_t request_bytes;
    size_t reply_bytes;
    char valgrind[PATH_BYTES];
    char out_path[64];
    char *reason;
    size_t reason_bytes;
};

__attribute__((format(printf, 3, 4))) static int refuse(const struct replay *replay, int error,
                                                        const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(replay->reason, replay->reason_bytes, format, arguments);
    va_end(arguments);
    return error;
}

static int find_valgrind(struct replay *replay)
{
    const char *directories = getenv("PATH");
    for (const char *at = directories != NULL ? directories : "/usr/bin"; *at != '\0';) {
        size_t length = strcspn(at, ":");
        snprintf(replay->valgrind, sizeof(replay->valgrind), "%.*s/valgrind", (int)length, at);
        if (access(replay->valgrind, X_OK) == 0)
            return 0;
        at += length + (at[length] == ':');
    }
    return refuse(replay, -ENOPKG, "needs the package valgrind");
}

static int receive_all(int fd, unsigned char *buffer, size_t count)
{
    while (count > 0) {
        struct pollfd poller = {.fd = fd, .events = POLLIN};
        int ready = poll(&poller, 1, REPLY_LIMIT_MS);
        if (ready <= 0)
            return ready < 0 ? -errno : -ETIMEDOUT;
        ssize_t received = recv(fd, buffer, count, 0);
        if (received == 0)
            return -ECONNRESET;
        if (received < 0 && errno != EAGAIN)
            return -errno;
        count -= received > 0 ? (size_t)received : 0;
    }
    return 0;
}

// Messages are small enough for a socket's buffer, so that a send is never short.
static int exchange(const struct replay *replay, int fd, uint64_t operation_count)
{
    unsigned char *buffer = calloc(1, replay->request_bytes + replay->reply_bytes);
    int result = buffer == NULL ? -ENOMEM : 0;
    for (uint64_t number = 0; number < operation_count && result == 0; number++) {
        ssize_t sent = send(fd, buffer, replay->request_bytes, MSG_NOSIGNAL);
        if (sent < 0)
            result = -errno;
        else if ((size_t)sent < replay->request_bytes)
            result = -EMSGSIZE;
        else
            result = receive_all(fd, buffer, replay->reply_bytes);
    }
    free(buffer);
    return result;
}

static int talk(const struct replay *replay, const struct loopback_address *address,
                uint64_t operation_count)
{
    int fd = loopback_connect_to(address);
    int result = fd < 0 ? fd : exchange(replay, fd, operation_count);
    if (fd >= 0)
        close(fd);
    return result < 0 ? refuse(replay, result, "under valgrind: %s", strerror(-result)) : 0;
}

// valgrind does not pass a signal on to a program that waits in io_uring_enter(2), but may do so
// when that returns, as it does when somebody connects. Whoever has ended by then refuses.
static void end(struct server *server, const struct loopback_address *address)
{
    kill(server->pid, SIGTERM);
    int fd = loopback_connect_to(address);
    server_stop(server);
    if (fd >= 0)
        close(fd);
}

// The last line of callgrind's file is "totals: N". Without it the server had to be killed.
static int read_totals(const struct replay *replay, uint64_t *ret_count)
{
    char line[256];
    unsigned long long count = 0;
    FILE *file = fopen(replay->out_path, "re");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL)
        sscanf(line, "totals: %llu", &count);
    if (file != NULL)
        fclose(file);
    *ret_count = count;
    return count > 0 ? 0 : refuse(replay, -ENOTSUP, "under valgrind: does not end by a signal");
}

// One run of the server, from its start to its end.
static int run(struct replay *replay, uint64_t operation_count, uint64_t *ret_count)
{
    static char tool[] = "--tool=callgrind", quiet[] = "--quiet", log[] = "--log-file=/dev/null";
    struct arm_start start;
    struct server server;
    char out_option[96], why[96];
    char *words[ARM_WORD_LIMIT + OPTION_COUNT] = {replay->valgrind, tool, quiet, log, out_option};
    snprintf(out_option, sizeof(out_option), "--callgrind-out-file=%s", replay->out_path);
    int result = arms_prepare(replay->arm, &start);
    if (result < 0)
        return refuse(replay, result, "%s", start.reason);
    memcpy(words + OPTION_COUNT, start.words, sizeof(start.words));
    result = server_start(words, start.port, -1, false, why, sizeof(why), &server);
    if (result < 0)
        return refuse(replay, -ENOTSUP, "under valgrind: %s", why);
    const struct loopback_address address = {
        .port = server.port,
        .unix_path = server.unix_path[0] != '\0' ? server.unix_path : NULL,
    };
    result = talk(replay, &address, operation_count);
    end(&server, &address);
    return result < 0 ? result : read_totals(replay, ret_count);
}

// What goes out and comes back in one operation of this mode.
static int choose_sizes(struct replay *replay, size_t message_bytes)
{
    const struct server_needs *needs = &replay->arm->needs;
    replay->request_bytes = needs->request_bytes > 0 ? needs->request_bytes : message_bytes;
    replay->reply_bytes = needs->mode == SERVER_RR ? needs->reply_bytes : replay->request_bytes;
    return needs->mode == SERVER_HTTP || needs->mode == SERVER_COMPUTE
               ? refuse(replay, -ENOTSUP, "no replay of this mode")
               : 0;
}

int costs_instructions(const struct arm *arm, size_t message_bytes, uint64_t operation_count,
                       char *reason, size_t reason_bytes, double *ret_per_operation)
{
    struct replay replay = {.arm = arm,
                            .out_path = "/tmp/profile-callgrind.XXXXXX",
                            .reason = reason,
                            .reason_bytes = reason_bytes};
    uint64_t once = 0, twice = 0;
    int result = choose_sizes(&replay, message_bytes);
    if (result == 0)
        result = find_valgrind(&replay);
    if (result < 0)
        return result;
    int fd = mkstemp(replay.out_path);
    if (fd < 0)
        return refuse(&replay, -errno, "%s: %s", replay.out_path, strerror(errno));
    close(fd);
    result = run(&replay, operation_count, &once);
    if (result == 0)
        result = run(&replay, 2 * operation_count, &twice);
    unlink(replay.out_path);
    if (result == 0)
        *ret_per_operation = (double)(twice - once) / (double)operation_count;
    return result;
}
