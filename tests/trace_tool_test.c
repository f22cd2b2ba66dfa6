// SPDX-License-Identifier: MIT
//
// `trace`, which prints and compares files, and `echo_server --trace`, which writes one. They work
// in the folder that the test is given for its files.

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/backend_here.h"
#include "tests/echo_client.h"
#include "tests/echo_process.h"

static int enter_folder(void **state)
{
    (void)state;
    const char *folder = getenv("TEST_TMPDIR");
    return folder ? chdir(folder) : 0;
}

static void write_file(const char *path, const char *bytes, size_t count)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    assert_int_equal(fclose(file), 0);
}

// Runs `trace` with up to three words: its exit status.
static int run_trace(const char *first, const char *second, const char *third,
                     struct echo_process *ret_process)
{
    const char *const arguments[] = {first, second, third, NULL};
    return echo_process_run("trace", arguments, ret_process);
}

// --- trace --------------------------------------------------------------------------------------

#define SPAWN_MAIN "\x02\x00\x01\x00\x04main"
#define PAUSE "\x05\x01\x00"
#define PAUSE_CANCELED "\x05\x01\xf9\x01"
#define OUTCOME "\x0b\x00"

// A literal and its length without the zero behind it.
#define BYTES(literal) literal, sizeof(literal) - 1

static void test_trace_prints_a_file(void **state)
{
    (void)state;
    struct echo_process trace;
    write_file("whole.trace", BYTES(SPAWN_MAIN PAUSE OUTCOME));
    assert_int_equal(run_trace("whole.trace", NULL, NULL, &trace), 0);
    assert_string_equal(trace.output, "    1  -                 spawn main(1) = 0\n"
                                      "    2  main(1)           pause = 0\n"
                                      "    3  -                 outcome = 0\n");
    assert_string_equal(trace.messages, "");
    write_file("empty.trace", "", 0);
    assert_int_equal(run_trace("empty.trace", NULL, NULL, &trace), 0);
    assert_string_equal(trace.output, "");
}

static void test_trace_prints_what_is_whole_of_a_file_that_is_not(void **state)
{
    (void)state;
    struct echo_process trace;
    write_file("cut.trace", BYTES(SPAWN_MAIN "\x05\x01"));
    assert_int_equal(run_trace("cut.trace", NULL, NULL, &trace), 1);
    assert_string_equal(trace.output, "    1  -                 spawn main(1) = 0\n");
    assert_string_equal(trace.messages,
                        "trace: cut.trace: event 2, byte 9: Cut off, or no event\n");
}

static void test_trace_says_what_it_cannot_read(void **state)
{
    (void)state;
    struct echo_process trace;
    assert_int_equal(run_trace("none.trace", NULL, NULL, &trace), 1);
    assert_string_equal(trace.messages, "trace: none.trace: No such file or directory\n");
    assert_int_equal(run_trace(".", NULL, NULL, &trace), 1);
    assert_string_equal(trace.messages, "trace: .: Is a directory\n");
    assert_int_equal(run_trace("diff", "none.trace", "none.trace", &trace), 2);
    assert_string_equal(trace.messages, "trace: none.trace: No such file or directory\n");
}

static void test_trace_diff_tells_equal_from_different(void **state)
{
    (void)state;
    struct echo_process trace;
    write_file("one.trace", BYTES(SPAWN_MAIN PAUSE OUTCOME));
    write_file("same.trace", BYTES(SPAWN_MAIN PAUSE OUTCOME));
    write_file("other.trace", BYTES(SPAWN_MAIN PAUSE_CANCELED OUTCOME));
    assert_int_equal(run_trace("diff", "one.trace", "same.trace", &trace), 0);
    assert_string_equal(trace.output, "");
    assert_int_equal(run_trace("diff", "one.trace", "other.trace", &trace), 1);
    assert_string_equal(trace.output, "      1  -                 spawn main(1) = 0\n"
                                      "-     2  main(1)           pause = 0\n"
                                      "+     2  main(1)           pause = -ECANCELED\n"
                                      "- one.trace\n"
                                      "+ other.trace\n"
                                      "first difference: event 2\n");
    assert_string_equal(trace.messages, "");
}

static void test_trace_refuses_what_it_does_not_understand(void **state)
{
    (void)state;
    struct echo_process trace;
    static const char usage[] =
        "trace: command line: Needs a file, or diff and two files; see --help\n";
    assert_int_equal(run_trace(NULL, NULL, NULL, &trace), 2);
    assert_string_equal(trace.messages, usage);
    assert_int_equal(run_trace("diff", "one.trace", NULL, &trace), 2);
    assert_string_equal(trace.messages, usage);
    assert_int_equal(run_trace("--wrong", NULL, NULL, &trace), 2);
    assert_string_equal(trace.messages, "trace: --wrong: Unknown option, see --help\n");
    assert_int_equal(run_trace("--help", NULL, NULL, &trace), 0);
    assert_non_null(strstr(trace.output, "usage: trace FILE\n       trace diff FILE FILE\n"));
}

// --- echo_server --trace ------------------------------------------------------------------------

static void stop_server(struct echo_process *server, int exit_status)
{
    echo_process_signal(server, SIGTERM);
    assert_int_equal(echo_process_wait(server, ECHO_PROCESS_LEAVE_MS), exit_status);
}

// One client, that sends two bytes so many times and has them back.
static void echo(const struct echo_process *server, int times)
{
    struct cede_address address;
    assert_int_equal(cede_address_parse("127.0.0.1", server->port, &address), 0);
    int client = echo_client_connect_to(&address);
    for (int i = 0; i < times; i++) {
        echo_client_send(client, "hi");
        echo_client_expect(client, "hi");
    }
    assert_int_equal(shutdown(client, SHUT_WR), 0);
    echo_client_expect_end(client);
}

static void test_server_writes_a_trace(void **state)
{
    if (!backend_is_here(*state))
        skip();
    struct echo_process server, trace;
    echo_process_serve(*state, "--trace", "server.trace", &server);
    echo(&server, 1);
    stop_server(&server, 0);
    assert_string_equal(server.messages, "");
    assert_int_equal(run_trace("server.trace", NULL, NULL, &trace), 0);
    assert_non_null(strstr(trace.output, "    1  -                 spawn main(1) = 0\n"));
    assert_non_null(strstr(trace.output, "acceptor(2)       spawn connection(3) = 0\n"));
    assert_non_null(strstr(trace.output, " = 2, 2 bytes d8932aac\n"));
    assert_non_null(strstr(trace.output, "-                 outcome = 0\n"));
}

static void test_server_writes_long_traces_whole(void **state)
{
    if (!backend_is_here(*state))
        skip();
    struct echo_process server, trace;
    struct stat status;
    echo_process_serve(*state, "--trace", "long.trace", &server);
    echo(&server, 5000);
    stop_server(&server, 0);
    assert_int_equal(stat("long.trace", &status), 0);
    assert_true(status.st_size > 2 * 65536);
    // It compares equal to itself, and an empty one is shorter than it.
    assert_int_equal(run_trace("diff", "long.trace", "long.trace", &trace), 0);
    write_file("empty.trace", "", 0);
    assert_int_equal(run_trace("diff", "long.trace", "empty.trace", &trace), 1);
    assert_non_null(strstr(trace.output, "+     1  (the trace is over)\n"));
    assert_int_equal(unlink("long.trace"), 0);
}

static void test_server_says_at_once_that_the_disk_is_full(void **state)
{
    if (!backend_is_here(*state))
        skip();
    struct echo_process server;
    char line[256];
    echo_process_serve(*state, "--trace", "/dev/full", &server);
    echo(&server, 5000);
    echo_process_read_message(&server, line, sizeof line);
    assert_string_equal(line, "echo_server: trace /dev/full: No space left on device");
    echo(&server, 1);
    stop_server(&server, 1);
    assert_string_equal(server.output, "2 connections, 10002 bytes, 0 errors, 0 idle, 0 cut off\n");
}

static void test_server_fails_if_the_end_of_its_trace_is_missing(void **state)
{
    if (!backend_is_here(*state))
        skip();
    struct echo_process server;
    echo_process_serve(*state, "--trace", "/dev/full", &server);
    stop_server(&server, 1);
    assert_string_equal(server.messages, "echo_server: trace /dev/full: No space left on device\n");
}

static void test_server_does_not_start_without_its_trace(void **state)
{
    (void)state;
    const char *const arguments[] = {"--port", "0", "--trace", "none/server.trace", NULL};
    struct echo_process server;
    assert_int_equal(echo_process_run("echo_server", arguments, &server), 1);
    assert_string_equal(server.output, "");
    assert_string_equal(server.messages,
                        "echo_server: trace none/server.trace: No such file or directory\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trace_prints_a_file),
        cmocka_unit_test(test_trace_prints_what_is_whole_of_a_file_that_is_not),
        cmocka_unit_test(test_trace_says_what_it_cannot_read),
        cmocka_unit_test(test_trace_diff_tells_equal_from_different),
        cmocka_unit_test(test_trace_refuses_what_it_does_not_understand),
        ECHO_ON_EACH_BACKEND(test_server_writes_a_trace),
        ECHO_ON_EACH_BACKEND(test_server_writes_long_traces_whole),
        ECHO_ON_EACH_BACKEND(test_server_says_at_once_that_the_disk_is_full),
        ECHO_ON_EACH_BACKEND(test_server_fails_if_the_end_of_its_trace_is_missing),
        cmocka_unit_test(test_server_does_not_start_without_its_trace),
    };
    return cmocka_run_group_tests(tests, enter_folder, NULL);
}
