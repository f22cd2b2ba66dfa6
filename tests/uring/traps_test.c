// SPDX-License-Identifier: MIT
//
// The traps of io_uring, each on the real kernel: what an engine meets that hands operations to the
// ring without knowing them.

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/uring/kernel.h"

#define PEER_COUNT 40
#define SEND_BYTES ((size_t)256 << 10)
#define FEW_ANSWERS 20

static char to_send[SEND_BYTES];

static void close_both(const int fds[2])
{
    close(fds[0]);
    close(fds[1]);
}

static void put(int fd, const char *text)
{
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

// --- Peers that half-close ----------------------------------------------------------------------

// S23.
static void test_uring_half_closed_silent_peers_make_no_kernel_threads(void **state)
{
    struct cede_engine *engine = kernel_open(false);
    struct cede_operation ops[PEER_COUNT];
    int pairs[PEER_COUNT][2];
    size_t sums[PEER_COUNT] = {0};
    (void)state;
    for (int i = 0; i < PEER_COUNT; i++) {
        kernel_open_tcp_pair(pairs[i]);
        assert_return_code(shutdown(pairs[i][1], SHUT_WR), errno);
        kernel_submit(engine, CEDE_VERB_SEND_ALL, pairs[i][0], to_send, SEND_BYTES, &ops[i]);
    }
    assert_int_equal(kernel_tick(engine), 0);
    assert_in_range(kernel_count_answers(engine), 1, FEW_ANSWERS);
    assert_int_equal(kernel_count_workers(), 0);

    // And they all go on when their peers do.
    for (int i = 0; i < PEER_COUNT; i++) {
        while (ops[i].state != CEDE_ENDED) {
            sums[i] += kernel_drain(pairs[i][1]);
            kernel_tick(engine);
        }
        assert_int_equal(ops[i].result, SEND_BYTES);
        assert_int_equal(sums[i] + kernel_drain(pairs[i][1]), SEND_BYTES);
    }
    assert_int_equal(kernel_count_workers(), 0);
    kernel_close(engine);
    for (int i = 0; i < PEER_COUNT; i++)
        close_both(pairs[i]);
}

// S2.
static void test_uring_a_wait_for_a_full_half_closed_socket_does_not_spin(void **state)
{
    struct cede_engine *engine = kernel_open(false);
    struct cede_operation wait;
    int fds[2];
    (void)state;
    kernel_open_tcp_pair(fds);
    kernel_fill(fds[0]);
    assert_return_code(shutdown(fds[1], SHUT_WR), errno);
    kernel_submit(engine, CEDE_VERB_WAIT_SEND, fds[0], NULL, 0, &wait);
    assert_int_equal(kernel_tick(engine), 0);
    assert_in_range(kernel_count_answers(engine), 1, FEW_ANSWERS);
    assert_int_not_equal(wait.state, CEDE_ENDED);
    while (wait.state != CEDE_ENDED) {
        kernel_drain(fds[1]);
        kernel_tick(engine);
    }
    assert_int_equal(wait.result, 0);
    kernel_close(engine);
    close_both(fds);
}

// S2, S23.
static void test_uring_connects_to_a_full_backlog_make_no_kernel_threads(void **state)
{
    struct cede_engine *engine = kernel_open(false);
    struct cede_operation ops[PEER_COUNT];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t bytes = sizeof address;
    int fds[PEER_COUNT];
    (void)state;
    // Bound with the family alone, the kernel picks an abstract name that is free.
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_return_code(bind(listener, (struct sockaddr *)&address, sizeof address.sun_family),
                       errno);
    assert_return_code(listen(listener, 0), errno);
    assert_return_code(getsockname(listener, (struct sockaddr *)&address, &bytes), errno);
    for (int i = 0; i < PEER_COUNT; i++) {
        fds[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        cede_operation_prepare(&ops[i], CEDE_VERB_CONNECT, fds[i]);
        ops[i].as.connect.address = (struct sockaddr *)&address;
        ops[i].as.connect.bytes = bytes;
        cede_engine_submit(engine, &ops[i]);
    }
    // One fits.
    assert_int_equal(kernel_tick(engine), 1);
    kernel_count_answers(engine);
    assert_int_equal(kernel_count_workers(), 0);
    for (int i = 0; i < PEER_COUNT; i++) {
        if (ops[i].state != CEDE_ENDED)
            kernel_cancel(engine, &ops[i], -ECANCELED);
        close(fds[i]);
    }
    kernel_close(engine);
    close(listener);
}

// --- Descriptors that go away -------------------------------------------------------------------

// S6, S16.
static void test_uring_a_close_with_a_receive_in_flight_ends_both_at_once(void **state)
{
    struct cede_engine *engine = kernel_open(false);
    struct cede_operation receive;
    struct cede_operation end;
    char buffer[8] = "before";
    int fds[2];
    (void)state;
    kernel_open_pair(fds);
    kernel_submit(engine, CEDE_VERB_RECV, fds[0], buffer, sizeof buffer, &receive);
    assert_int_equal(kernel_tick(engine), 0);
    kernel_submit(engine, CEDE_VERB_CLOSE, fds[0], NULL, 0, &end);
    assert_int_equal(kernel_tick(engine), 2);
    assert_int_equal(receive.result, -EBADF);
    assert_int_equal(end.result, 0);

    // The peer sees the end of the stream, and its bytes go nowhere.
    char byte;
    assert_int_equal(recv(fds[1], &byte, 1, 0), 0);
    assert_int_equal(send(fds[1], "after", 5, MSG_NOSIGNAL), -1);
    assert_int_equal(errno, EPIPE);
    assert_int_equal(kernel_tick(engine), 0);
    assert_string_equal(buffer, "before");
    kernel_close(engine);
    close(fds[1]);
}

// S7.
static void test_uring_a_number_that_is_used_again_at_once_is_another_socket(void **state)
{
    struct cede_engine *engine = kernel_open(false);
    struct cede_operation former;
    struct cede_operation later;
    struct cede_operation end;
    char former_buffer[8] = "";
    char later_buffer[8] = "";
    int fds[2];
    int others[2];
    (void)state;
    kernel_open_pair(fds);
    kernel_submit(engine, CEDE_VERB_RECV, fds[0], former_buffer, 7, &former);
    assert_int_equal(kernel_tick(engine), 0);
    kernel_submit(engine, CEDE_VERB_CLOSE, fds[0], NULL, 0, &end);
    assert_int_equal(kernel_tick(engine), 2);
    assert_int_equal(former.result, -EBADF);

    kernel_open_pair(others);
    if (others[0] != fds[0]) {
        assert_int_equal(dup3(others[0], fds[0], O_CLOEXEC), fds[0]);
        close(others[0]);
    }
    kernel_submit(engine, CEDE_VERB_RECV, fds[0], later_buffer, 7, &later);
    assert_int_equal(kernel_tick(engine), 0);
    put(others[1], "new");
    assert_int_equal(kernel_finish(engine, &later), 3);
    assert_string_equal(later_buffer, "new");
    assert_string_equal(former_buffer, "");
    kernel_close(engine);
    close_both(fds);
    close(others[1]);
}

// --- Data that is there -------------------------------------------------------------------------

// S15.
static void test_uring_data_that_is_there_wins_over_a_cancel(void **state)
{
    (void)state;
    for (int strict = 0; strict < 2; strict++) {
        struct cede_engine *engine = kernel_open(strict);
        struct cede_operation receive;
        char buffer[8] = "";
        int fds[2];
        kernel_open_pair(fds);
        kernel_submit(engine, CEDE_VERB_RECV, fds[0], buffer, 7, &receive);
        assert_int_equal(kernel_tick(engine), 0);
        put(fds[1], "data");
        kernel_cancel(engine, &receive, 4);
        assert_string_equal(buffer, "data");
        // And without data it is cancelled.
        kernel_submit(engine, CEDE_VERB_RECV, fds[0], buffer, 7, &receive);
        assert_int_equal(kernel_tick(engine), 0);
        kernel_cancel(engine, &receive, -ECANCELED);
        kernel_close(engine);
        close_both(fds);
    }
}

// S1.
static void test_uring_a_poll_that_others_have_made_stale_is_a_hint(void **state)
{
    struct cede_engine *engine = kernel_open(false);
    struct cede_operation reading;
    char buffer[8] = "";
    int fds[2];
    (void)state;
    assert_return_code(pipe2(fds, O_NONBLOCK | O_CLOEXEC), errno);
    kernel_submit(engine, CEDE_VERB_READ, fds[0], buffer, 7, &reading);
    assert_int_equal(kernel_tick(engine), 0);
    put(fds[1], "gone");
    char taken[4];
    assert_int_equal(read(fds[0], taken, 4), 4);
    // The kernel has noted that the pipe was ready, and it is not any more.
    for (int i = 0; i < 3; i++)
        assert_int_equal(kernel_tick(engine), 0);
    put(fds[1], "here");
    assert_int_equal(kernel_finish(engine, &reading), 4);
    assert_string_equal(buffer, "here");
    kernel_close(engine);
    close_both(fds);
}

// --- Many at once -------------------------------------------------------------------------------

#define CROWD 100

// T3.
static void test_uring_more_than_twenty_completions_come_with_one_enter(void **state)
{
    (void)state;
    for (int strict = 0; strict < 2; strict++) {
        struct cede_engine *engine = kernel_open(strict);
        struct cede_operation ops[CROWD];
        char bytes[CROWD];
        int pairs[CROWD][2];
        for (int i = 0; i < CROWD; i++) {
            kernel_open_pair(pairs[i]);
            kernel_submit(engine, CEDE_VERB_RECV, pairs[i][0], &bytes[i], 1, &ops[i]);
        }
        assert_int_equal(kernel_tick(engine), 0);
        for (int i = 0; i < CROWD; i++)
            put(pairs[i][1], "x");
        // Strict mode asks until all are there; in normal mode the next ticks bring the others.
        int count = kernel_tick(engine);
        assert_in_range(count, strict ? CROWD : 1, CROWD);
        for (int i = 0; count < CROWD; i++) {
            assert_in_range(i, 0, CROWD / 20);
            count += kernel_tick(engine);
        }
        kernel_close(engine);
        for (int i = 0; i < CROWD; i++)
            close_both(pairs[i]);
    }
}

// More than the completion queue holds.
#define FLOOD 6000

static struct cede_operation flood[FLOOD];
static int flood_fds[FLOOD];

// T3.
static void test_uring_no_completion_is_lost_when_their_queue_overflows(void **state)
{
    struct rlimit limit;
    (void)state;
    kernel_require_uring();
    assert_return_code(getrlimit(RLIMIT_NOFILE, &limit), errno);
    if (limit.rlim_max < FLOOD + 100) {
        printf("skipped: no more than %llu descriptors\n", (unsigned long long)limit.rlim_max);
        skip();
    }
    limit.rlim_cur = limit.rlim_cur < FLOOD + 100 ? FLOOD + 100 : limit.rlim_cur;
    assert_return_code(setrlimit(RLIMIT_NOFILE, &limit), errno);
    struct cede_engine *engine = kernel_open(false);
    // All are ready, so each completes while it is handed over, and nobody takes completions then.
    for (int i = 0; i < FLOOD; i++) {
        flood_fds[i] = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);
        assert_return_code(flood_fds[i], errno);
        kernel_submit(engine, CEDE_VERB_WAIT_RECV, flood_fds[i], NULL, 0, &flood[i]);
    }
    int count = 0;
    for (int i = 0; count < FLOOD; i++) {
        assert_in_range(i, 0, 100);
        count += kernel_tick(engine);
    }
    assert_int_equal(count, FLOOD);
    for (int i = 0; i < FLOOD; i++)
        assert_int_equal(flood[i].result, 0);
    assert_int_equal(kernel_tick(engine), 0);
    kernel_close(engine);
    for (int i = 0; i < FLOOD; i++)
        close(flood_fds[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_uring_half_closed_silent_peers_make_no_kernel_threads),
        cmocka_unit_test(test_uring_a_wait_for_a_full_half_closed_socket_does_not_spin),
        cmocka_unit_test(test_uring_connects_to_a_full_backlog_make_no_kernel_threads),
        cmocka_unit_test(test_uring_a_close_with_a_receive_in_flight_ends_both_at_once),
        cmocka_unit_test(test_uring_a_number_that_is_used_again_at_once_is_another_socket),
        cmocka_unit_test(test_uring_data_that_is_there_wins_over_a_cancel),
        cmocka_unit_test(test_uring_a_poll_that_others_have_made_stale_is_a_hint),
        cmocka_unit_test(test_uring_more_than_twenty_completions_come_with_one_enter),
        cmocka_unit_test(test_uring_no_completion_is_lost_when_their_queue_overflows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
