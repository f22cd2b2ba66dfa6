// SPDX-License-Identifier: MIT
//
// The brief's program: it answers GOT: and what it received, to each of its clients in turn.

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/backend_here.h"
#include "tests/echo_client.h"
#include "tests/echo_process.h"

static const char *const on_any_port[] = {"--port", "0", NULL};

static void start(const char *backend, struct echo_process *ret_server)
{
    if (!backend_is_here(backend))
        skip();
    assert_int_equal(setenv("CEDE_BACKEND", backend, 1), 0);
    echo_process_listen("brief", on_any_port, ECHO_PROCESS_DESCRIPTORS, ret_server);
    assert_int_equal(unsetenv("CEDE_BACKEND"), 0);
}

// It has no way to end but by a signal.
static void stop_server(struct echo_process *server)
{
    echo_process_signal(server, SIGINT);
    assert_int_equal(echo_process_wait(server, ECHO_PROCESS_LEAVE_MS), -SIGINT);
    assert_string_equal(server->messages, "");
}

static void test_the_answer_is_got_and_the_message(void **state)
{
    struct echo_process server;
    start(*state, &server);
    int client = echo_client_connect(server.port);
    echo_client_send(client, "hello");
    echo_client_expect(client, "GOT:hello");
    assert_int_equal(shutdown(client, SHUT_WR), 0);
    echo_client_expect_end(client);
    stop_server(&server);
    assert_string_equal(server.output, "task done\n");
}

static void test_two_clients_are_answered_in_turn(void **state)
{
    struct echo_process server;
    start(*state, &server);
    int first = echo_client_connect(server.port);
    int second = echo_client_connect(server.port);
    echo_client_send(second, "b1");
    echo_client_expect(second, "GOT:b1");
    echo_client_send(first, "a1");
    echo_client_send(second, "b2");
    echo_client_expect(first, "GOT:a1");
    echo_client_expect(second, "GOT:b2");
    // One that goes away, however, does not disturb the other.
    echo_client_reset(first);
    echo_client_send(second, "b3");
    echo_client_expect(second, "GOT:b3");
    close(second);
    stop_server(&server);
}

// More than its buffer and the kernel's hold: it has to wait for the direction send.
static void test_a_slow_reader_gets_everything(void **state)
{
    struct echo_process server;
    start(*state, &server);
    int client = echo_client_connect(server.port);
    uint64_t left = echo_client_stuff(client);
    assert_int_equal(shutdown(client, SHUT_WR), 0);
    char received[65536];
    ssize_t count;
    uint64_t zeros = 0;
    while ((count = recv(client, received, sizeof received, 0)) > 0)
        for (ssize_t i = 0; i < count; i++)
            zeros += received[i] == '\0';
    assert_int_equal(count, 0);
    assert_int_equal(zeros, left);
    close(client);
    stop_server(&server);
}

static void test_a_port_that_is_taken_is_a_failure_of_one_line(void **state)
{
    struct echo_process server, second;
    char port[8], expected[128];
    start(*state, &server);
    snprintf(port, sizeof port, "%u", server.port);
    const char *const arguments[] = {"--port", port, NULL};
    assert_int_equal(echo_process_run("brief", arguments, &second), 1);
    snprintf(expected, sizeof expected, "brief: listen 127.0.0.1:%s: Address already in use\n",
             port);
    assert_string_equal(second.messages, expected);
    stop_server(&server);
}

static void test_the_help_names_the_port(void **state)
{
    const char *const arguments[] = {"--help", NULL};
    struct echo_process process;
    (void)state;
    assert_int_equal(echo_process_run("brief", arguments, &process), 0);
    assert_non_null(strstr(process.output, "--port N"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ECHO_ON_EACH_BACKEND(test_the_answer_is_got_and_the_message),
        ECHO_ON_EACH_BACKEND(test_two_clients_are_answered_in_turn),
        ECHO_ON_EACH_BACKEND(test_a_slow_reader_gets_everything),
        ECHO_ON_EACH_BACKEND(test_a_port_that_is_taken_is_a_failure_of_one_line),
        cmocka_unit_test(test_the_help_names_the_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
