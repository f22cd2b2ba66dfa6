// SPDX-License-Identifier: MIT
//
// The claims of tools/profile/server.h, load.h and of the echo gate, against servers that are right
// and servers that are wrong. They are children of this process; nothing here asserts how long a
// thing took.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/profile/load.h"
#include "tools/profile/loopback.h"
#include "tools/profile/runfiles.h"
#include "tools/profile/server.h"

enum { CONNECTION_COUNT = 8, WINDOW_NS = 5000000 };

static struct server server;
static char reason[320];
static struct histogram latency;
static volatile sig_atomic_t stop;
static struct workload_choice choice;

static void choose(size_t message_bytes)
{
    assert_int_equal(workload_choose("echo", message_bytes, &choice, reason, sizeof(reason)), 0);
}

static int gate(uint64_t seed)
{
    const struct loopback_address address = {.port = server.port};
    choose(64);
    return choice.workload->gate(&choice, &address, seed, reason, sizeof(reason));
}

// Start a server of the tests' own; it listens where it likes.
static void start_faulty(const char *fault, const char *after_bytes)
{
    char path[4096];
    assert_int_equal(runfiles_find("tests/profile_faulty_server", path, sizeof(path)), 0);
    char *words[] = {path, (char *)(uintptr_t)fault, (char *)(uintptr_t)after_bytes, NULL};
    assert_int_equal(server_start(words, 0, -1, false, reason, sizeof(reason), &server), 0);
    assert_true(server.port > 0);
}

static int start_shell(const char *command, uint16_t port)
{
    char *words[] = {(char *)(uintptr_t) "/bin/sh", (char *)(uintptr_t) "-c",
                     (char *)(uintptr_t)command, NULL};
    return server_start(words, port, -1, false, reason, sizeof(reason), &server);
}

static void test_server_is_gone_after_stop(void **state)
{
    (void)state;
    start_faulty("none", "0");
    pid_t pid = server.pid;
    assert_int_equal(kill(pid, 0), 0);
    server_stop(&server);
    assert_int_equal(kill(pid, 0), -1);
    assert_int_equal(errno, ESRCH);
}

// A port on which nobody listens, and nobody else can meanwhile: bound, and kept so in
// `ret_holder`.
static uint16_t hold_port(int *ret_holder)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    socklen_t bytes = sizeof(address);
    *ret_holder = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(*ret_holder >= 0);
    assert_int_equal(bind(*ret_holder, (struct sockaddr *)&address, bytes), 0);
    assert_int_equal(getsockname(*ret_holder, (struct sockaddr *)&address, &bytes), 0);
    return ntohs(address.sin_port);
}

static void test_server_that_ends_before_it_listens_is_reported(void **state)
{
    (void)state;
    assert_int_equal(start_shell("exit 3", 0), -ECHILD);
    assert_string_equal(reason, "ended with status 3 before it listened");
    assert_int_equal(start_shell("kill -9 $$", 0), -ECHILD);
    assert_string_equal(reason, "ended with signal 9 before it listened");
    int holder;
    uint16_t port = hold_port(&holder);
    assert_int_equal(start_shell("exit 4", port), -ECHILD);
    assert_string_equal(reason, "ended with status 4 before it listened");
    close(holder);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static void test_server_that_is_told_its_port_is_awaited_there(void **state)
{
    (void)state;
    char path[4096], command[4200];
    int port = loopback_free_port();
    assert_true(port > 0);
    assert_int_equal(runfiles_find("tests/profile_faulty_server", path, sizeof(path)), 0);
    snprintf(command, sizeof(command), "exec '%s' none 0 %d", path, port);
    assert_int_equal(start_shell(command, (uint16_t)port), 0);
    assert_int_equal(server.port, port);
    assert_int_equal(gate(1), 0);
    server_stop(&server);
}

static void test_server_uses_time_when_it_works(void **state)
{
    (void)state;
    struct server_usage before, after;
    start_faulty("none", "0");
    assert_int_equal(server_usage(&server, &before), 0);
    assert_int_equal(gate(1), 0);
    assert_int_equal(server_usage(&server, &after), 0);
    assert_true(after.cpu_ns > before.cpu_ns);
    assert_true(after.user_ns + after.kernel_ns >= before.user_ns + before.kernel_ns);
    server_stop(&server);
}

static void test_server_dies_with_the_process_that_started_it(void **state)
{
    (void)state;
    int link[2];
    struct server grandchild;
    assert_int_equal(pipe(link), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        start_faulty("none", "0");
        _exit(write(link[1], &server, sizeof(server)) == sizeof(server) ? 0 : 1);
    }
    // The child waits for nobody, so the server may be gone already: then there is nothing to open.
    assert_int_equal(read(link[0], &grandchild, sizeof(grandchild)), sizeof(grandchild));
    int pid_fd = pidfd_open(grandchild.pid, 0);
    if (pid_fd >= 0) {
        struct pollfd poller = {.fd = pid_fd, .events = POLLIN};
        assert_int_equal(poll(&poller, 1, 10000), 1);
        close(pid_fd);
    }
    assert_int_equal(waitpid(child, NULL, 0), child);
    close(link[0]);
    close(link[1]);
}

static void test_gate_lets_right_servers_through(void **state)
{
    (void)state;
    char path[4096];
    start_faulty("none", "0");
    assert_int_equal(gate(1), 0);
    server_stop(&server);

    assert_int_equal(runfiles_find("tools/profile/peers/raw_epoll", path, sizeof(path)), 0);
    char *words[] = {path, NULL};
    assert_int_equal(server_start(words, 0, -1, false, reason, sizeof(reason), &server), 0);
    for (uint64_t seed = 1; seed <= 3; seed++)
        assert_int_equal(gate(seed), 0);
    server_stop(&server);
}

static void test_gate_refuses_wrong_servers_and_says_what_it_saw(void **state)
{
    (void)state;
    static const struct {
        const char *fault, *after_bytes, *what;
        int error;
    } cases[] = {
        {"wrong", "0", "a wrong byte", -EBADMSG},
        {"wrong", "10000000", "a wrong byte", -EBADMSG},
        {"extra", "0", "more bytes than were sent", -EBADMSG},
        {"extra", "10000000", "a wrong byte", -EBADMSG},
        {"hangup", "0", "end of stream", -EBADMSG},
        {"truncate", "0", "Connection reset by peer", -ECONNRESET},
    };
    for (size_t index = 0; index < sizeof(cases) / sizeof(cases[0]); index++) {
        start_faulty(cases[index].fault, cases[index].after_bytes);
        int result = gate(1);
        if (result != cases[index].error || strstr(reason, cases[index].what) != reason)
            fail_msg("%s: %d, %s", cases[index].fault, result, reason);
        server_stop(&server);
    }
}

static void *open_messages(size_t message_bytes)
{
    void *messages;
    choose(message_bytes);
    assert_int_equal(choice.workload->open(&choice, 1, &messages), 0);
    return messages;
}

static int open_load(void *messages, uint16_t port, size_t count, struct load **ret_load)
{
    const struct load_plan plan = {
        .workload = &choice,
        .state = messages,
        .address = {.port = port},
        .connection_count = count,
        .stop = &stop,
    };
    return load_open(&plan, ret_load);
}

static int run_load(struct load *load, int64_t duration_ns, struct load_window *ret_window)
{
    histogram_clear(&latency);
    return load_run(load, duration_ns, &(struct load_histograms){.latency = &latency}, ret_window);
}

static void test_echo_messages_differ_between_neighbours(void **state)
{
    (void)state;
    void *messages = open_messages(64);
    for (size_t connection = 0; connection < 100; connection++) {
        for (uint64_t number = 0; number < 100; number++) {
            struct exchange one, next, neighbour;
            choice.workload->prepare(messages, connection, number, &one);
            choice.workload->prepare(messages, connection, number + 1, &next);
            choice.workload->prepare(messages, connection + 1, number, &neighbour);
            assert_int_equal(one.request_bytes, 64);
            assert_int_equal(one.reply_bytes, 64);
            assert_memory_not_equal(one.request, next.request, 64);
            assert_memory_not_equal(one.request, neighbour.request, 64);
            assert_true(choice.workload->verify(messages, &one, 3, one.request + 3, 61));
            assert_false(choice.workload->verify(messages, &one, 0, next.request, 64));
        }
    }
    choice.workload->close(messages);
}

static void test_load_counts_each_verified_reply_in_every_window(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 64, 100001};
    start_faulty("none", "0");
    for (size_t index = 0; index < sizeof(sizes) / sizeof(sizes[0]); index++) {
        struct load *load;
        void *messages = open_messages(sizes[index]);
        assert_int_equal(open_load(messages, server.port, CONNECTION_COUNT, &load), 0);
        for (int round = 0; round < 3; round++) {
            struct load_window window = {0};
            assert_int_equal(run_load(load, WINDOW_NS, &window), 0);
            assert_true(window.operation_count >= CONNECTION_COUNT);
            assert_int_equal(window.reply_bytes, window.operation_count * sizes[index]);
            assert_int_equal(latency.total, window.operation_count);
            assert_true(window.elapsed_ns >= WINDOW_NS);
        }
        assert_int_equal(load_finish(load), 0);
        load_close(load);
        choice.workload->close(messages);
    }
    server_stop(&server);
}

static void test_load_ends_a_window_early_when_told_to(void **state)
{
    (void)state;
    struct load *load;
    struct load_window window;
    void *messages = open_messages(64);
    start_faulty("none", "0");
    assert_int_equal(open_load(messages, server.port, CONNECTION_COUNT, &load), 0);
    stop = 1;
    assert_int_equal(run_load(load, INT64_C(3600) * 1000000000, &window), 0);
    stop = 0;
    assert_int_equal(window.operation_count, CONNECTION_COUNT);
    load_close(load);
    choice.workload->close(messages);
    server_stop(&server);
}

static void test_load_finds_each_fault_of_a_server(void **state)
{
    (void)state;
    static const struct {
        const char *fault, *what;
        int error;
    } cases[] = {
        {"wrong", "wrong bytes", -EBADMSG},
        {"extra", "bytes too many", -EBADMSG},
        {"hangup", "the server hung up", -ECONNRESET},
    };
    for (size_t index = 0; index < sizeof(cases) / sizeof(cases[0]); index++) {
        struct load *load;
        struct load_window window = {.operation_count = 12345};
        void *messages = open_messages(64);
        start_faulty(cases[index].fault, "6400");
        assert_int_equal(open_load(messages, server.port, CONNECTION_COUNT, &load), 0);
        int result = run_load(load, INT64_C(60) * 1000000000, &window);
        if (result != cases[index].error || !strstr(load_failure(load), cases[index].what))
            fail_msg("%s: %d, %s", cases[index].fault, result, load_failure(load));
        assert_int_equal(window.operation_count, 12345);
        load_close(load);
        choice.workload->close(messages);
        server_stop(&server);
    }
}

static void test_load_refuses_a_port_where_nobody_listens(void **state)
{
    (void)state;
    struct load *load = NULL;
    void *messages = open_messages(64);
    int holder;
    uint16_t port = hold_port(&holder);
    assert_int_equal(open_load(messages, port, 1, &load), -ECONNREFUSED);
    assert_null(load);
    close(holder);
    choice.workload->close(messages);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_server_is_gone_after_stop),
        cmocka_unit_test(test_server_that_ends_before_it_listens_is_reported),
        cmocka_unit_test(test_server_that_is_told_its_port_is_awaited_there),
        cmocka_unit_test(test_server_uses_time_when_it_works),
        cmocka_unit_test(test_server_dies_with_the_process_that_started_it),
        cmocka_unit_test(test_gate_lets_right_servers_through),
        cmocka_unit_test(test_gate_refuses_wrong_servers_and_says_what_it_saw),
        cmocka_unit_test(test_echo_messages_differ_between_neighbours),
        cmocka_unit_test(test_load_counts_each_verified_reply_in_every_window),
        cmocka_unit_test(test_load_ends_a_window_early_when_told_to),
        cmocka_unit_test(test_load_finds_each_fault_of_a_server),
        cmocka_unit_test(test_load_refuses_a_port_where_nobody_listens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
