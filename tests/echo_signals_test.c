// SPDX-License-Identifier: MIT
//
// How the echo server ends: on a signal it echoes what it has received, whoever is slow in reading
// it, and goes; on a second one it goes at once.

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

// Fits in the kernel's buffers of a connection, with nobody reading at either end.
#define HELD_BYTES (UINT64_C(256) << 10)

static void expect_totals(const struct echo_process *server, const char *expected)
{
    assert_string_equal(server->output, expected);
    assert_string_equal(server->messages, "");
}

static void end_idle_server(const char *backend, int signal)
{
    struct echo_process server;
    echo_process_serve(backend, NULL, NULL, &server);
    int idle = echo_client_connect(server.port);
    echo_client_send(idle, "hi");
    echo_client_expect(idle, "hi");
    echo_process_signal(&server, signal);
    echo_client_expect_end(idle);
    assert_int_equal(echo_process_wait(&server, ECHO_PROCESS_LEAVE_MS), 0);
    expect_totals(&server, "1 connections, 2 bytes, 0 errors, 0 idle, 0 cut off\n");
}

static void test_either_signal_ends_it_with_status_0(void **state)
{
    end_idle_server(*state, SIGINT);
    end_idle_server(*state, SIGTERM);
}

static void test_a_signal_ends_a_server_without_connections(void **state)
{
    struct echo_process server;
    echo_process_serve(*state, NULL, NULL, &server);
    echo_process_signal(&server, SIGTERM);
    assert_int_equal(echo_process_wait(&server, ECHO_PROCESS_LEAVE_MS), 0);
    expect_totals(&server, "0 connections, 0 bytes, 0 errors, 0 idle, 0 cut off\n");
}

// Some clients read what comes back, some have not begun to; some of either go on sending.
static void test_what_was_received_before_the_signal_is_echoed(void **state)
{
    static const enum echo_manner manners[] = {ECHO_WAITS, ECHO_HOLDS, ECHO_STREAMS, ECHO_FLOODS};
    struct echo_process server;
    struct echo_crowd crowd;
    echo_process_serve(*state, NULL, NULL, &server);
    echo_crowd_connect(server.port, 40, manners, 4, HELD_BYTES, &crowd);
    echo_crowd_run(&crowd, echo_crowd_has_delivered);
    echo_crowd_release(&crowd);
    echo_process_signal(&server, SIGTERM);
    echo_crowd_run(&crowd, NULL);
    echo_crowd_close(&crowd);
    assert_int_equal(echo_process_wait(&server, ECHO_PROCESS_LEAVE_MS), 0);
    assert_non_null(strstr(server.output, " 0 errors, 0 idle, 0 cut off\n"));
    assert_string_equal(server.messages, "");
}

// The server is stopped while the clients send, so that it finds the signal together with more than
// it can receive at once.
static void test_what_is_in_the_kernel_at_the_signal_is_echoed(void **state)
{
    static const enum echo_manner manners[] = {ECHO_WAITS};
    struct echo_process server;
    struct echo_crowd crowd;
    echo_process_serve(*state, "--buffer-bytes", "1000", &server);
    echo_crowd_connect(server.port, 10, manners, 1, 30000, &crowd);
    echo_crowd_greet(&crowd);
    echo_process_signal(&server, SIGSTOP);
    echo_crowd_run(&crowd, echo_crowd_has_delivered);
    echo_process_signal(&server, SIGTERM);
    echo_process_signal(&server, SIGCONT);
    echo_crowd_run(&crowd, NULL);
    echo_crowd_close(&crowd);
    assert_int_equal(echo_process_wait(&server, ECHO_PROCESS_LEAVE_MS), 0);
    expect_totals(&server, "10 connections, 300000 bytes, 0 errors, 0 idle, 0 cut off\n");
}

// The same for connections that the server has not accepted yet.
static void test_who_is_in_the_queue_at_the_signal_is_served(void **state)
{
    static const enum echo_manner manners[] = {ECHO_WAITS, ECHO_HOLDS};
    struct echo_process server;
    struct echo_crowd crowd;
    echo_process_serve(*state, NULL, NULL, &server);
    echo_process_signal(&server, SIGSTOP);
    echo_crowd_connect(server.port, 30, manners, 2, 1000, &crowd);
    echo_crowd_run(&crowd, echo_crowd_has_delivered);
    echo_process_signal(&server, SIGTERM);
    echo_process_signal(&server, SIGCONT);
    echo_crowd_release(&crowd);
    echo_crowd_run(&crowd, NULL);
    echo_crowd_close(&crowd);
    assert_int_equal(echo_process_wait(&server, ECHO_PROCESS_LEAVE_MS), 0);
    expect_totals(&server, "30 connections, 30000 bytes, 0 errors, 0 idle, 0 cut off\n");
}

static void test_a_peer_that_does_not_read_is_cut_off_in_time(void **state)
{
    struct echo_process server;
    echo_process_serve(*state, NULL, NULL, &server);
    int deaf = echo_client_connect(server.port);
    int idle = echo_client_connect(server.port);
    echo_client_stuff(deaf);
    echo_process_signal(&server, SIGTERM);
    echo_client_expect_end(idle);
    assert_int_equal(echo_process_wait(&server, ECHO_PROCESS_LEAVE_MS), 0);
    assert_non_null(strstr(server.output, "2 connections, "));
    assert_non_null(strstr(server.output, " 0 errors, 0 idle, 1 cut off\n"));
    close(deaf);
}

static void end_twice(const char *backend, int first, int second)
{
    struct echo_process server;
    echo_process_serve(backend, NULL, NULL, &server);
    int deaf = echo_client_connect(server.port);
    echo_client_stuff(deaf);
    echo_process_signal(&server, first);
    // It has seen the signal when nobody is let in any more. Two at once might come in either
    // order.
    while (echo_client_is_welcome(server.port))
        continue;
    echo_process_signal(&server, second);
    assert_int_equal(echo_process_wait(&server, ECHO_PROCESS_LEAVE_MS), 128 + second);
    assert_non_null(strstr(server.output, " 1 cut off\n"));
    close(deaf);
}

static void test_a_second_signal_ends_it_at_once(void **state)
{
    end_twice(*state, SIGINT, SIGTERM);
    end_twice(*state, SIGTERM, SIGINT);
}

// The signal finds the acceptor waiting for room.
static void test_a_signal_ends_a_full_server(void **state)
{
    struct echo_process server;
    echo_process_serve(*state, "--max-connections", "1", &server);
    int served = echo_client_connect(server.port);
    echo_client_send(served, "hi");
    echo_client_expect(served, "hi");
    echo_process_signal(&server, SIGTERM);
    echo_client_expect_end(served);
    assert_int_equal(echo_process_wait(&server, ECHO_PROCESS_LEAVE_MS), 0);
    expect_totals(&server, "1 connections, 2 bytes, 0 errors, 0 idle, 0 cut off\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ECHO_ON_EACH_BACKEND(test_either_signal_ends_it_with_status_0),
        ECHO_ON_EACH_BACKEND(test_a_signal_ends_a_server_without_connections),
        ECHO_ON_EACH_BACKEND(test_what_was_received_before_the_signal_is_echoed),
        ECHO_ON_EACH_BACKEND(test_what_is_in_the_kernel_at_the_signal_is_echoed),
        ECHO_ON_EACH_BACKEND(test_who_is_in_the_queue_at_the_signal_is_served),
        ECHO_ON_EACH_BACKEND(test_a_peer_that_does_not_read_is_cut_off_in_time),
        ECHO_ON_EACH_BACKEND(test_a_second_signal_ends_it_at_once),
        ECHO_ON_EACH_BACKEND(test_a_signal_ends_a_full_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
