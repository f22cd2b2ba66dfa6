// SPDX-License-Identifier: MIT
//
// What the echo server does at its limits: of connections, of descriptors (S19), of patience.
// Nobody is sent away, and waiting costs no time of the processor.

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/echo_client.h"
#include "tests/echo_process.h"

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_SECOND INT64_C(1000000000)

static void stop_server(struct echo_process *server, const char *expected_output)
{
    echo_process_signal(server, SIGTERM);
    assert_int_equal(echo_process_wait(server, ECHO_PROCESS_LEAVE_MS), 0);
    assert_string_equal(server->output, expected_output);
}

static void ping(int fd)
{
    echo_client_send(fd, "ping");
    echo_client_expect(fd, "ping");
}

static void test_at_the_limit_of_connections_others_wait_for_their_turn(void **state)
{
    struct echo_process server;
    int clients[4];
    echo_process_serve(*state, "--max-connections", "2", &server);
    for (int i = 0; i < 4; i++) {
        clients[i] = echo_client_connect(server.port);
        echo_client_send(clients[i], "hello");
    }
    echo_client_expect(clients[0], "hello");
    echo_client_expect(clients[1], "hello");
    // Many turns of the server later the others are still waiting.
    for (int i = 0; i < 100; i++) {
        ping(clients[0]);
        ping(clients[1]);
    }
    echo_client_expect_nothing(clients[2]);
    echo_client_expect_nothing(clients[3]);

    close(clients[1]);
    echo_client_expect(clients[2], "hello");
    echo_client_expect_nothing(clients[3]);
    echo_client_reset(clients[0]);
    echo_client_expect(clients[3], "hello");
    ping(clients[2]);
    close(clients[2]);
    close(clients[3]);
    stop_server(&server, "4 connections, 824 bytes, 1 errors, 0 idle, 0 cut off\n");
}

// That the first client's time is over is what ends the measurement.
static void test_a_full_server_sleeps(void **state)
{
    struct echo_process server;
    const char *const arguments[] = {
        "--port", "0", "--backend", *state, "--idle-timeout", "500ms", "--max-connections",
        "1",      NULL};
    echo_process_listen("echo_server", arguments, ECHO_PROCESS_DESCRIPTORS, &server);
    int first = echo_client_connect(server.port);
    int second = echo_client_connect(server.port);
    ping(first);
    int64_t cpu_ns = echo_process_cpu_ns(&server);
    echo_client_expect_end(first);
    cpu_ns = echo_process_cpu_ns(&server) - cpu_ns;
    assert_in_range(cpu_ns, 0, 100 * NS_PER_MS);
    ping(second);
    close(second);
    stop_server(&server, "2 connections, 8 bytes, 0 errors, 1 idle, 0 cut off\n");
}

static void test_an_idle_connection_is_closed_and_not_early(void **state)
{
    struct echo_process server;
    echo_process_serve(*state, "--idle-timeout", "300ms", &server);
    int client = echo_client_connect(server.port);
    echo_client_send(client, "ping");
    // Before the answer is there, the server has not begun to wait again.
    int64_t begin_ns = echo_process_now_ns();
    echo_client_expect(client, "ping");
    echo_client_expect_end(client);
    assert_in_range(echo_process_now_ns() - begin_ns, 300 * NS_PER_MS, 20 * NS_PER_SECOND);
    stop_server(&server, "1 connections, 4 bytes, 0 errors, 1 idle, 0 cut off\n");
}

static void test_a_connection_on_which_something_moves_is_not_idle(void **state)
{
    struct echo_process server;
    uint64_t count = 0;
    echo_process_serve(*state, "--idle-timeout", "700ms", &server);
    int client = echo_client_connect(server.port);
    int64_t end_ns = echo_process_now_ns() + 1500 * NS_PER_MS;
    for (; echo_process_now_ns() < end_ns; count++)
        ping(client);
    close(client);
    char expected[128];
    snprintf(expected, sizeof expected, "1 connections, %llu bytes, 0 errors, 0 idle, 0 cut off\n",
             (unsigned long long)(4 * count));
    stop_server(&server, expected);
}

static void test_a_peer_that_does_not_read_is_idle_too(void **state)
{
    struct echo_process server;
    echo_process_serve(*state, "--idle-timeout", "500ms", &server);
    int deaf = echo_client_connect(server.port);
    // Sends until the server closes, which is a reset, since there are bytes that it has not read.
    static const char nothing[65536];
    while (send(deaf, nothing, sizeof nothing, MSG_NOSIGNAL) > 0)
        continue;
    assert_int_equal(errno, ECONNRESET);
    close(deaf);
    echo_process_signal(&server, SIGTERM);
    assert_int_equal(echo_process_wait(&server, ECHO_PROCESS_LEAVE_MS), 0);
    assert_non_null(strstr(server.output, " 0 errors, 1 idle, 0 cut off\n"));
}

#define SCARCE_DESCRIPTORS 24
#define MANY_CLIENTS 64

// More clients than the server may have descriptors: who was let in is served, the others are when
// those have left. In between the server warns, twice, which takes it more than a second.
static void test_without_descriptors_the_server_sleeps_and_serves_all_in_the_end(void **state)
{
    struct echo_process server;
    const char *const arguments[] = {"--port", "0", "--backend", *state, NULL};
    int clients[MANY_CLIENTS];
    char warning[256];
    echo_process_listen("echo_server", arguments, SCARCE_DESCRIPTORS, &server);
    for (int i = 0; i < MANY_CLIENTS; i++) {
        clients[i] = echo_client_connect(server.port);
        echo_client_send(clients[i], "hello");
    }
    echo_client_expect(clients[0], "hello");
    echo_process_read_message(&server, warning, sizeof warning);
    assert_non_null(strstr(warning, "Too many open files"));
    int64_t begin_ns = echo_process_now_ns();
    int64_t cpu_ns = echo_process_cpu_ns(&server);
    echo_process_read_message(&server, warning, sizeof warning);
    assert_non_null(strstr(warning, "Too many open files"));
    int64_t elapsed_ns = echo_process_now_ns() - begin_ns;
    cpu_ns = echo_process_cpu_ns(&server) - cpu_ns;
    // The first was read a moment after it was written.
    assert_in_range(elapsed_ns, 900 * NS_PER_MS, 60 * NS_PER_SECOND);
    assert_in_range(cpu_ns, 0, elapsed_ns / 10);

    close(clients[0]);
    for (int i = 1; i < MANY_CLIENTS; i++) {
        echo_client_expect(clients[i], "hello");
        close(clients[i]);
    }
    stop_server(&server, "64 connections, 320 bytes, 0 errors, 0 idle, 0 cut off\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ECHO_ON_EACH_BACKEND(test_at_the_limit_of_connections_others_wait_for_their_turn),
        ECHO_ON_EACH_BACKEND(test_a_full_server_sleeps),
        ECHO_ON_EACH_BACKEND(test_an_idle_connection_is_closed_and_not_early),
        ECHO_ON_EACH_BACKEND(test_a_connection_on_which_something_moves_is_not_idle),
        ECHO_ON_EACH_BACKEND(test_a_peer_that_does_not_read_is_idle_too),
        ECHO_ON_EACH_BACKEND(test_without_descriptors_the_server_sleeps_and_serves_all_in_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
