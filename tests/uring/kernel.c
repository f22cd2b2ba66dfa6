// SPDX-License-Identifier: MIT
//
// Plain system calls around the engine, so that nothing of what is being tested is taken for
// granted.

#include "tests/uring/kernel.h"

#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/uring.h"
#include "engine/uring_ring.h"

#define TICK_LIMIT 100

// Strict mode asks for more than normal mode, which an older kernel may lack.
static void require_uring(bool strict)
{
    struct cede_uring_ring ring;
    int error = cede_uring_ring_open(strict, &ring);
    if (error == 0) {
        cede_uring_ring_close(&ring);
        return;
    }
    char reason[128];
    cede_uring_ring_explain(error, reason, sizeof reason);
    printf("skipped: io_uring: %s\n", reason);
    assert_true(error == -ENOSYS || error == -EPERM || error == -EACCES || error == -ENOMEM);
    skip();
}

void kernel_require_uring(void)
{
    require_uring(false);
}

struct cede_engine *kernel_open(bool strict)
{
    require_uring(strict);
    struct cede_options options = {.strict = strict};
    options = cede_options_fill(&options);
    struct cede_engine *engine;
    assert_int_equal(cede_engine_open(&cede_uring_backend, &options, &engine), 0);
    return engine;
}

void kernel_close(struct cede_engine *engine)
{
    cede_engine_close(engine);
}

void kernel_submit(struct cede_engine *engine, enum cede_verb verb, int fd, void *data,
                   size_t bytes, struct cede_operation *ret_op)
{
    cede_operation_prepare(ret_op, verb, fd);
    if (data) {
        ret_op->as.buffer.data = data;
        ret_op->as.buffer.bytes = bytes;
    }
    cede_engine_submit(engine, ret_op);
}

static int tick(struct cede_engine *engine, bool is_runnable)
{
    struct cede_operation_list ended = {.first = NULL};
    int count = 0;
    assert_int_equal(cede_engine_tick(engine, is_runnable, 1, &ended), 0);
    while (cede_operation_take_first(&ended))
        count++;
    return count;
}

int kernel_tick(struct cede_engine *engine)
{
    return tick(engine, true);
}

int64_t kernel_finish(struct cede_engine *engine, const struct cede_operation *op)
{
    for (int i = 0; op->state != CEDE_ENDED; i++) {
        assert_in_range(i, 0, TICK_LIMIT);
        tick(engine, false);
    }
    return op->result;
}

void kernel_cancel(struct cede_engine *engine, struct cede_operation *op, int64_t result)
{
    cede_engine_cancel(engine, op);
    kernel_tick(engine);
    assert_int_equal(op->state, CEDE_ENDED);
    assert_int_equal(op->result, result);
}

uint64_t kernel_count_answers(struct cede_engine *engine)
{
    struct cede_operation sleep;
    uint64_t before = cede_engine_counters(engine)->answers;
    cede_operation_prepare(&sleep, CEDE_VERB_PARK, -1);
    sleep.deadline_ns = sleep.limit_ns =
        cede_engine_now_ns(engine) + 20 * CEDE_NANOSECONDS_PER_MILLISECOND;
    cede_engine_submit(engine, &sleep);
    while (sleep.state != CEDE_ENDED)
        tick(engine, false);
    return cede_engine_counters(engine)->answers - before;
}

int kernel_count_workers(void)
{
    DIR *threads = opendir("/proc/self/task");
    struct dirent *entry;
    int count = 0;
    assert_non_null(threads);
    while ((entry = readdir(threads))) {
        char path[300];
        char name[64] = "";
        snprintf(path, sizeof path, "/proc/self/task/%s/comm", entry->d_name);
        FILE *file = fopen(path, "re");
        if (!file)
            continue;
        if (fgets(name, sizeof name, file))
            count += strncmp(name, "iou-", 4) == 0;
        fclose(file);
    }
    closedir(threads);
    return count;
}

void kernel_open_pair(int ret_fds[2])
{
    assert_return_code(
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ret_fds), errno);
}

void kernel_open_tcp_pair(int ret_fds[2])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof address;
    const int small = 16 << 10;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_return_code(bind(listener, (struct sockaddr *)&address, bytes), errno);
    assert_return_code(listen(listener, 1), errno);
    assert_return_code(getsockname(listener, (struct sockaddr *)&address, &bytes), errno);
    setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    assert_return_code(connect(fd, (struct sockaddr *)&address, bytes), errno);
    int connected = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    assert_return_code(connected, errno);
    close(listener);
    // The accepting end is the peer, with a small window to receive in.
    ret_fds[0] = fd;
    ret_fds[1] = connected;
}

size_t kernel_fill(int fd)
{
    static const char zeros[4096];
    size_t sum = 0;
    for (size_t bytes = sizeof zeros; bytes > 0; bytes /= 2) {
        ssize_t count;
        while ((count = send(fd, zeros, bytes, MSG_DONTWAIT | MSG_NOSIGNAL)) > 0)
            sum += (size_t)count;
    }
    return sum;
}

size_t kernel_drain(int fd)
{
    static char buffer[1 << 16];
    size_t sum = 0;
    ssize_t count;
    while ((count = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT)) > 0)
        sum += (size_t)count;
    return sum;
}
