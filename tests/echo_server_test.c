// SPDX-License-Identifier: MIT
//
// The echo server's command line, its addresses, and what it says: exit status 2 and one line for
// what it does not understand, 1 and one line for what it cannot have.

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/backend_here.h"
#include "tests/echo_client.h"
#include "tests/echo_process.h"

static void stop_server(struct echo_process *server)
{
    echo_process_signal(server, SIGTERM);
    assert_int_equal(echo_process_wait(server, ECHO_PROCESS_LEAVE_MS), 0);
}

static void expect_echo(const struct cede_address *address)
{
    int client = echo_client_connect_to(address);
    echo_client_send(client, "hi");
    assert_int_equal(shutdown(client, SHUT_WR), 0);
    echo_client_expect(client, "hi");
    echo_client_expect_end(client);
}

static void test_it_says_where_it_listens_and_on_which_backend(void **state)
{
    struct echo_process server;
    struct cede_address address;
    echo_process_serve(*state, NULL, NULL, &server);
    assert_int_not_equal(server.port, 0);
    assert_int_equal(cede_address_parse("127.0.0.1", server.port, &address), 0);
    expect_echo(&address);
    stop_server(&server);
    assert_string_equal(server.output, "1 connections, 2 bytes, 0 errors, 0 idle, 0 cut off\n");
    assert_string_equal(server.messages, "");
}

static void test_the_backend_of_the_environment_counts_unless_one_is_named(void **state)
{
    const char *const unnamed[] = {"--port", "0", NULL};
    const char *const named[] = {"--port", "0", "--backend", "epoll", NULL};
    struct echo_process server;
    (void)state;
    assert_int_equal(setenv("CEDE_BACKEND", "select", 1), 0);
    echo_process_listen("echo_server", unnamed, ECHO_PROCESS_DESCRIPTORS, &server);
    assert_string_equal(server.backend, "select");
    stop_server(&server);
    echo_process_listen("echo_server", named, ECHO_PROCESS_DESCRIPTORS, &server);
    assert_string_equal(server.backend, "epoll");
    stop_server(&server);
    assert_int_equal(setenv("CEDE_BACKEND", "poll", 1), 0);
    assert_int_equal(echo_process_run("echo_server", unnamed, &server), 2);
    assert_int_equal(unsetenv("CEDE_BACKEND"), 0);
}

static void test_it_listens_on_ipv6(void **state)
{
    const char *const arguments[] = {"--address", "::1", "--port", "0", "--backend", *state, NULL};
    struct echo_process server;
    struct cede_address address;
    assert_int_equal(cede_address_parse("::1", 0, &address), 0);
    int probe = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (probe < 0 || bind(probe, &address.as.any, address.bytes) < 0) {
        print_message("this machine has no ::1\n");
        close(probe);
        skip();
    }
    close(probe);
    echo_process_listen("echo_server", arguments, ECHO_PROCESS_DESCRIPTORS, &server);
    assert_int_equal(cede_address_parse("::1", server.port, &address), 0);
    expect_echo(&address);
    stop_server(&server);
}

// The kernel ends a ring a moment after its process, and with it the accept that holds the socket.
static void await_refusal(const struct cede_address *address)
{
    int64_t limit_ns = echo_process_now_ns() + INT64_C(10000000000);
    for (int error = 0; error != ECONNREFUSED;) {
        assert_true(echo_process_now_ns() < limit_ns);
        int fd = socket(address->as.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_true(fd >= 0);
        error = connect(fd, &address->as.any, address->bytes) < 0 ? errno : 0;
        close(fd);
    }
}

static void test_it_listens_on_a_unix_socket_and_removes_the_file(void **state)
{
    const char *const arguments[] = {"--address", "unix:echo.sock", "--backend", *state, NULL};
    struct echo_process server, second;
    struct cede_address address;
    assert_int_equal(cede_address_parse("unix:echo.sock", 0, &address), 0);
    echo_process_listen("echo_server", arguments, ECHO_PROCESS_DESCRIPTORS, &server);
    expect_echo(&address);

    assert_int_equal(echo_process_run("echo_server", arguments, &second), 1);
    assert_string_equal(second.messages,
                        "echo_server: listen unix:echo.sock: Address already in use\n");
    expect_echo(&address);
    stop_server(&server);
    assert_int_equal(access("echo.sock", F_OK), -1);

    // What a server leaves that was killed is in nobody's way.
    echo_process_listen("echo_server", arguments, ECHO_PROCESS_DESCRIPTORS, &server);
    echo_process_kill(&server);
    await_refusal(&address);
    assert_int_equal(access("echo.sock", F_OK), 0);
    echo_process_listen("echo_server", arguments, ECHO_PROCESS_DESCRIPTORS, &server);
    expect_echo(&address);
    stop_server(&server);
}

static void test_it_leaves_the_socket_of_its_successor_alone(void **state)
{
    const char *const arguments[] = {"--address", "unix:heir.sock", NULL};
    struct echo_process first, second;
    struct cede_address address;
    (void)state;
    assert_int_equal(cede_address_parse("unix:heir.sock", 0, &address), 0);
    echo_process_listen("echo_server", arguments, ECHO_PROCESS_DESCRIPTORS, &first);
    assert_int_equal(unlink("heir.sock"), 0);
    echo_process_listen("echo_server", arguments, ECHO_PROCESS_DESCRIPTORS, &second);
    stop_server(&first);
    expect_echo(&address);
    stop_server(&second);
    assert_int_equal(access("heir.sock", F_OK), -1);
}

static void test_a_file_that_is_no_socket_is_left_alone(void **state)
{
    static const char *const paths[] = {"precious", "link"};
    struct echo_process process;
    (void)state;
    unlink("precious");
    FILE *file = fopen("precious", "we");
    assert_non_null(file);
    fclose(file);
    // Nor is a link removed, to whatever.
    unlink("link");
    assert_int_equal(symlink("gone.sock", "link"), 0);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        char address[32], expected[128];
        snprintf(address, sizeof address, "unix:%s", paths[i]);
        const char *const arguments[] = {"--address", address, "--backend", "epoll", NULL};
        assert_int_equal(echo_process_run("echo_server", arguments, &process), 1);
        snprintf(expected, sizeof expected, "echo_server: listen %s: Address already in use\n",
                 address);
        assert_string_equal(process.messages, expected);
        struct stat status;
        assert_int_equal(lstat(paths[i], &status), 0);
        assert_false(S_ISSOCK(status.st_mode));
    }
}

static void test_a_port_that_is_taken_is_a_failure_of_one_line(void **state)
{
    struct echo_process server, second;
    char port[8], expected[128];
    (void)state;
    echo_process_serve("epoll", NULL, NULL, &server);
    snprintf(port, sizeof port, "%u", server.port);
    const char *const arguments[] = {"--port", port, "--backend", "epoll", NULL};
    assert_int_equal(echo_process_run("echo_server", arguments, &second), 1);
    snprintf(expected, sizeof expected,
             "echo_server: listen 127.0.0.1:%s: Address already in use\n", port);
    assert_string_equal(second.messages, expected);
    assert_string_equal(second.output, "");
    stop_server(&server);
}

static void test_a_port_can_be_taken_again_at_once(void **state)
{
    struct echo_process server;
    char port[8];
    echo_process_serve(*state, NULL, NULL, &server);
    snprintf(port, sizeof port, "%u", server.port);
    // The server closes first, so its side of the connection lingers in the kernel.
    int client = echo_client_connect(server.port);
    echo_process_signal(&server, SIGTERM);
    echo_client_expect_end(client);
    assert_int_equal(echo_process_wait(&server, ECHO_PROCESS_LEAVE_MS), 0);
    const char *const arguments[] = {"--port", port, "--backend", *state, NULL};
    echo_process_listen("echo_server", arguments, ECHO_PROCESS_DESCRIPTORS, &server);
    stop_server(&server);
}

static void test_what_it_does_not_understand_costs_one_line_and_status_2(void **state)
{
    static const struct {
        const char *option, *value, *line;
    } mistakes[] = {
        {"--port", "70000", "echo_server: --port 70000: Must be from 0 to 65535\n"},
        {"--address", "nonsense",
         "echo_server: --address nonsense: Not an IPv4 or IPv6 address, nor unix:PATH\n"},
        {"--address",
         "unix:", "echo_server: --address unix:: Not an IPv4 or IPv6 address, nor unix:PATH\n"},
        {"--backend", "poll",
         "echo_server: --backend poll: no backend of this name\n"},
        {"--max-connections", "0", "echo_server: --max-connections 0: Must be from 1 to 1000000\n"},
        {"--stack-bytes", "1k",
         "echo_server: --stack-bytes 1k: Must be from 16384 to 1073741824\n"},
        {"--buffer-bytes", "0", "echo_server: --buffer-bytes 0: Must be from 1 to 67108864\n"},
        {"--idle-timeout", "soon",
         "echo_server: --idle-timeout soon: Not a duration such as 500ms, 2s or 1.5m\n"},
        {"--prot", "1", "echo_server: --prot: Unknown option, see --help\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        const char *const arguments[] = {mistakes[i].option, mistakes[i].value, NULL};
        struct echo_process process;
        assert_int_equal(echo_process_run("echo_server", arguments, &process), 2);
        assert_string_equal(process.messages, mistakes[i].line);
        assert_string_equal(process.output, "");
    }
}

// Neither backend can be tried with so few descriptors; that is no mistake of the command line.
static void test_without_any_backend_it_fails_and_says_why(void **state)
{
    const char *const arguments[] = {"--port", "0", NULL};
    struct echo_process process;
    (void)state;
    echo_process_start("echo_server", arguments, 4, &process);
    assert_int_equal(echo_process_wait(&process, ECHO_PROCESS_LEAVE_MS), 1);
    assert_non_null(strstr(process.messages, "echo_server: backend epoll: "));
    assert_non_null(strstr(process.messages, "echo_server: backend select: "));
    assert_string_equal(process.output, "");
}

static void run_with(const char *option, struct echo_process *ret_process)
{
    const char *const arguments[] = {option, NULL};
    assert_int_equal(echo_process_run("echo_server", arguments, ret_process), 0);
    assert_string_equal(ret_process->messages, "");
}

static void test_a_named_backend_that_is_not_here_is_not_replaced(void **state)
{
    const char *const arguments[] = {"--port", "0", "--backend", "io_uring", NULL};
    struct echo_process process;
    (void)state;
    run_with("--list-backends", &process);
    if (strstr(process.output, "io_uring  yes")) {
        print_message("io_uring is here\n");
        skip();
    }
    assert_int_equal(echo_process_run("echo_server", arguments, &process), 2);
    assert_memory_equal(process.messages, "echo_server: --backend io_uring: ", 33);
    // The first line is the last.
    assert_ptr_equal(strchr(process.messages, '\n') + 1,
                     process.messages + strlen(process.messages));
    assert_string_equal(process.output, "");
}

static void test_the_list_of_backends_says_which_one_auto_picks(void **state)
{
    struct echo_process process;
    const char *picked;
    (void)state;
    run_with("--list-backends", &process);
    assert_non_null(strstr(process.output, "epoll     yes"));
    assert_non_null(strstr(process.output, "select    yes\n"));
    picked = strstr(process.output, "yes, and what auto picks");
    assert_non_null(picked);
    assert_null(strstr(strchr(picked, '\n'), "auto picks"));

    const char *const arguments[] = {"--port", "0", "--backend", "auto", NULL};
    struct echo_process server;
    echo_process_listen("echo_server", arguments, ECHO_PROCESS_DESCRIPTORS, &server);
    const char *line = picked;
    while (line > process.output && line[-1] != '\n')
        line--;
    assert_memory_equal(line, server.backend, strlen(server.backend));
    stop_server(&server);
}

static void test_the_help_names_every_option(void **state)
{
    static const char *const options[] = {
        "--backend",       "--address",      "--port",        "--max-connections",
        "--idle-timeout",  "--buffer-bytes", "--stack-bytes", "--quiet",
        "--list-backends", "--help",         "--version",
    };
    struct echo_process process;
    (void)state;
    run_with("--help", &process);
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (!strstr(process.output, options[i]))
            fail_msg("no %s", options[i]);
    // What is promised of signals, too.
    assert_non_null(strstr(process.output, "130, 143"));
    run_with("--version", &process);
    assert_memory_equal(process.output, "echo_server (cede) ", 19);
}

static void test_quiet_prints_nothing(void **state)
{
    const char *const arguments[] = {"--quiet",   "--address", "unix:quiet.sock",
                                     "--backend", *state,      NULL};
    struct echo_process server;
    if (!backend_is_here(*state))
        skip();
    unlink("quiet.sock");
    echo_process_start("echo_server", arguments, ECHO_PROCESS_DESCRIPTORS, &server);
    while (access("quiet.sock", F_OK) < 0)
        continue;
    stop_server(&server);
    assert_string_equal(server.output, "");
    assert_string_equal(server.messages, "");
}

// A relative path is short enough for a unix socket wherever the tests run.
static int enter_scratch(void **state)
{
    const char *scratch = getenv("TEST_TMPDIR");
    (void)state;
    return chdir(scratch ? scratch : "/tmp");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ECHO_ON_EACH_BACKEND(test_it_says_where_it_listens_and_on_which_backend),
        cmocka_unit_test(test_the_backend_of_the_environment_counts_unless_one_is_named),
        ECHO_ON_EACH_BACKEND(test_it_listens_on_ipv6),
        ECHO_ON_EACH_BACKEND(test_it_listens_on_a_unix_socket_and_removes_the_file),
        cmocka_unit_test(test_it_leaves_the_socket_of_its_successor_alone),
        cmocka_unit_test(test_a_file_that_is_no_socket_is_left_alone),
        cmocka_unit_test(test_a_port_that_is_taken_is_a_failure_of_one_line),
        ECHO_ON_EACH_BACKEND(test_a_port_can_be_taken_again_at_once),
        cmocka_unit_test(test_what_it_does_not_understand_costs_one_line_and_status_2),
        cmocka_unit_test(test_a_named_backend_that_is_not_here_is_not_replaced),
        cmocka_unit_test(test_without_any_backend_it_fails_and_says_why),
        cmocka_unit_test(test_the_list_of_backends_says_which_one_auto_picks),
        cmocka_unit_test(test_the_help_names_every_option),
        ECHO_ON_EACH_BACKEND(test_quiet_prints_nothing),
    };
    return cmocka_run_group_tests(tests, enter_scratch, NULL);
}
