// SPDX-License-Identifier: MIT
//
// The claims of tools/profile/costs.h, on servers whose costs are known from reading them: the
// epoll loop by hand makes three system calls for an exchange that comes alone. Where the machine
// shows no figures the reason is printed.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tools/profile/costs.h"
#include "tools/profile/loopback.h"
#include "tools/profile/server.h"

enum { OPERATION_COUNT = 500, MESSAGE_BYTES = 64 };

static struct arm arms[ARMS_LIMIT];
static struct server server;
static char reason[320];

static void parse(const char *name)
{
    size_t count;
    assert_int_equal(arms_parse(name, arms, &count, reason, sizeof(reason)), 0);
}

static void start(const char *name)
{
    struct arm_start how;
    parse(name);
    assert_int_equal(arms_prepare(&arms[0], &how), 0);
    if (server_start(how.words, how.port, -1, false, reason, sizeof(reason), &server) == 0)
        return;
    print_message("%s: %s\n", name, reason);
    skip();
}

// One message after the other on one connection, which stays open.
static void exchange(int fd)
{
    char message[MESSAGE_BYTES] = {0};
    for (int number = 0; number < OPERATION_COUNT; number++) {
        assert_int_equal(send(fd, message, sizeof(message), MSG_NOSIGNAL), sizeof(message));
        struct pollfd poller = {.fd = fd, .events = POLLIN};
        assert_int_equal(poll(&poller, 1, 10000), 1);
        assert_int_equal(recv(fd, message, sizeof(message), 0), sizeof(message));
    }
}

static int connect_and_exchange(void)
{
    int fd = loopback_connect(server.port);
    assert_true(fd >= 0);
    exchange(fd);
    return fd;
}

// What the server calls during OPERATION_COUNT exchanges. False: nobody can know here.
static bool count_calls(struct costs_calls *ret_calls)
{
    struct costs_counting *counting;
    int fd = connect_and_exchange();
    int result = costs_counting_start(server.pid, reason, sizeof(reason), &counting);
    if (result == 0) {
        exchange(fd);
        costs_counting_stop(counting, ret_calls);
    }
    close(fd);
    server_stop(&server);
    if (result < 0)
        print_message("system calls are not counted: %s\n", reason);
    return result == 0;
}

static void test_costs_see_memory_threads_and_switches(void **state)
{
    (void)state;
    struct costs_process before, after;
    start("raw-epoll");
    assert_int_equal(costs_process(server.pid, &before), 0);
    int fd = connect_and_exchange();
    assert_int_equal(costs_process(server.pid, &after), 0);
    close(fd);
    server_stop(&server);
    assert_true(after.rss_bytes > 100000 && after.rss_bytes < 100000000);
    assert_int_equal(after.thread_count, 1);
    assert_int_equal(after.kernel_worker_count, 0);
    // Each exchange lets it sleep, or takes the processor from it.
    uint64_t switches = after.voluntary_switches + after.involuntary_switches -
                        before.voluntary_switches - before.involuntary_switches;
    assert_true(switches > 0);
}

static void test_costs_of_a_process_that_is_gone_are_none(void **state)
{
    (void)state;
    struct costs_process process = {.thread_count = 77};
    start("raw-epoll");
    server_stop(&server);
    assert_true(costs_process(server.pid, &process) < 0);
    assert_int_equal(process.thread_count, 77);
}

static void test_costs_count_the_calls_of_the_epoll_loop(void **state)
{
    (void)state;
    struct costs_calls calls;
    start("raw-epoll");
    if (!count_calls(&calls))
        skip();
    print_message("%.2f calls and %.2f waits an operation\n",
                  (double)calls.call_count / OPERATION_COUNT,
                  (double)calls.wait_count / OPERATION_COUNT);
    // The last wait may not have ended, and the first may have begun before.
    assert_in_range(calls.call_count, 3 * OPERATION_COUNT - 3, 3 * OPERATION_COUNT + 3);
    assert_in_range(calls.wait_count, OPERATION_COUNT - 1, OPERATION_COUNT + 1);
    assert_in_range(calls.event_count, OPERATION_COUNT - 1, OPERATION_COUNT + 1);
}

static void test_costs_count_the_completions_of_a_ring(void **state)
{
    (void)state;
    struct costs_calls calls;
    start("raw-uring");
    if (!count_calls(&calls))
        skip();
    // A receive and a send each, in one or two calls.
    assert_in_range(calls.event_count, 2 * OPERATION_COUNT - 2, 2 * OPERATION_COUNT + 2);
    assert_in_range(calls.wait_count, OPERATION_COUNT - 2, 2 * OPERATION_COUNT + 2);
}

static double instructions_of(const char *name, size_t message_bytes)
{
    double count = 0;
    parse(name);
    int result = costs_instructions(&arms[0], message_bytes, OPERATION_COUNT, reason,
                                    sizeof(reason), &count);
    if (result == -ENOPKG) {
        print_message("instructions are not counted: %s\n", reason);
        skip();
    }
    if (result < 0)
        fail_msg("%s: %s", name, reason);
    return count;
}

static void test_costs_count_the_same_instructions_each_time(void **state)
{
    (void)state;
    double first = instructions_of("raw-epoll", MESSAGE_BYTES);
    double second = instructions_of("raw-epoll", MESSAGE_BYTES);
    print_message("%.2f and %.2f instructions an operation\n", first, second);
    assert_true(first > 30 && first < 3000);
    assert_true(second > first * 0.98 && second < first * 1.02);
}

static void test_costs_say_what_has_no_instructions_to_count(void **state)
{
    (void)state;
    double count = 77;
    parse("raw-epoll");
    arms[0].needs = (struct server_needs){.mode = SERVER_COMPUTE, .compute_us = 10};
    assert_int_equal(costs_instructions(&arms[0], 64, 10, reason, sizeof(reason), &count),
                     -ENOTSUP);
    assert_string_equal(reason, "no replay of this mode");
    assert_true(count == 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_costs_see_memory_threads_and_switches),
        cmocka_unit_test(test_costs_of_a_process_that_is_gone_are_none),
        cmocka_unit_test(test_costs_count_the_calls_of_the_epoll_loop),
        cmocka_unit_test(test_costs_count_the_completions_of_a_ring),
        cmocka_unit_test(test_costs_count_the_same_instructions_each_time),
        cmocka_unit_test(test_costs_say_what_has_no_instructions_to_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
