// SPDX-License-Identifier: MIT
//
// The claims of tools/profile/workload.h for every workload: a right server passes its gate and a
// window over TCP and unix sockets, and each fault of a server is found by the gate and by a
// window. Servers are children of this process; nothing here asserts how long a thing took.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/profile/load.h"
#include "tools/profile/runfiles.h"
#include "tools/profile/server.h"

enum { CONNECTION_COUNT = 5, WINDOW_NS = 5000000, PATIENCE_NS = 100000000 };

static struct server server;
static struct workload_choice choice;
static struct loopback_address address;
static char reason[320];
static struct histogram latency, service, lag;
static volatile sig_atomic_t stop;

static const char *const names[] = {"echo",          "rr:64:1000", "rr:1000:7",  "rr:1:1",
                                    "rr:1000:60000", "stream",     "churn",      "pipelined:16",
                                    "idle:20",       "fan-out",    "compute:10", "http",
                                    "few-active:20"};
enum { NAME_COUNT = sizeof(names) / sizeof(names[0]) };

static void choose(const char *name)
{
    if (workload_choose(name, 64, &choice, reason, sizeof(reason)) != 0)
        fail_msg("%s: %s", name, reason);
}

// Start this program for the choice, on a port of its own choosing or on the unix path. `fault` is
// NULL for a program without one.
static void start(const char *program, const char *fault, const char *after_bytes,
                  const char *unix_path)
{
    static const char *const modes[SERVER_MODE_COUNT] = {"echo", "rr", "fan-out", "compute",
                                                         "http"};
    char path[4096], command[5000];
    int length;
    assert_int_equal(runfiles_find(program, path, sizeof(path)), 0);
    length = fault != NULL
                 ? snprintf(command, sizeof(command), "exec '%s' %s %s", path, fault, after_bytes)
                 : snprintf(command, sizeof(command), "exec '%s'", path);
    char *rest = command + length;
    size_t room = sizeof(command) - (size_t)length;
    const struct server_needs *needs = &choice.needs;
    if (unix_path != NULL)
        length = snprintf(rest, room, " --unix '%s'", unix_path);
    else
        length = snprintf(rest, room, "%s", "");
    rest += length;
    room -= (size_t)length;
    if (needs->mode == SERVER_RR)
        snprintf(rest, room, " --mode rr --request %zu --reply %zu", needs->request_bytes,
                 needs->reply_bytes);
    else if (needs->mode == SERVER_FAN_OUT)
        snprintf(rest, room, " --mode fan-out --request %zu", needs->request_bytes);
    else if (needs->mode == SERVER_COMPUTE && fault == NULL)
        snprintf(rest, room, " --mode compute --compute-us %u", needs->compute_us);
    else if (needs->mode != SERVER_ECHO)
        snprintf(rest, room, " --mode %s", modes[needs->mode]);
    char *words[] = {(char *)(uintptr_t) "/bin/sh", (char *)(uintptr_t) "-c", command, NULL};
    if (server_start(words, 0, -1, false, reason, sizeof(reason), &server) != 0)
        fail_msg("%s: %s", command, reason);
    address = (struct loopback_address){.port = server.port, .unix_path = unix_path};
}

static int gate(uint64_t seed)
{
    reason[0] = '\0';
    return choice.workload->gate(&choice, &address, seed, reason, sizeof(reason));
}

// A window of the choice; its failure goes to `reason`.
static int run_window(size_t connection_count, enum load_loop loop, bool polls, int64_t duration_ns,
                      struct load_window *ret_window)
{
    const struct load_histograms histograms = {&latency, &service, &lag};
    struct load_plan plan = {
        .workload = &choice,
        .address = address,
        .connection_count = connection_count,
        .loop = loop,
        .rate_per_s = 20000,
        .polls = polls,
        .seed = 3,
        .stop = &stop,
    };
    struct load *load;
    histogram_clear(&latency);
    histogram_clear(&service);
    histogram_clear(&lag);
    assert_int_equal(choice.workload->open(&choice, 1, &plan.state), 0);
    assert_int_equal(load_open(&plan, &load), 0);
    int result = load_run(load, duration_ns, &histograms, ret_window);
    if (result == 0)
        result = load_finish(load);
    snprintf(reason, sizeof(reason), "%s", load_failure(load));
    load_close(load);
    choice.workload->close(plan.state);
    return result;
}

static void assert_window_is_whole(const char *name, size_t connection_count, enum load_loop loop,
                                   bool polls)
{
    struct load_window window;
    struct exchange exchange;
    void *messages;
    int result = run_window(connection_count, loop, polls, WINDOW_NS, &window);
    if (result != 0)
        fail_msg("%s: %d, %s", name, result, reason);
    assert_int_equal(choice.workload->open(&choice, 1, &messages), 0);
    choice.workload->prepare(messages, 0, 0, &exchange);
    choice.workload->close(messages);
    size_t receiver_count = choice.workload->is_broadcast ? connection_count : 1;
    assert_true(window.operation_count > 0);
    assert_int_equal(window.reply_bytes,
                     window.operation_count * exchange.reply_bytes * receiver_count);
    assert_int_equal(latency.total, window.operation_count);
    assert_int_equal(service.total, window.operation_count);
    assert_int_equal(lag.total, window.operation_count);
    assert_true(window.busy_ns > 0 && window.cpu_ns > 0 && window.work_ns > 0);
    if (loop == LOAD_OPEN)
        assert_int_equal(window.operation_count, window.planned_count - window.unsent_count);
}

static void assert_right_server_passes(const char *program, const char *fault,
                                       const char *unix_path)
{
    for (size_t index = 0; index < NAME_COUNT; index++) {
        choose(names[index]);
        start(program, fault, "0", unix_path);
        if (gate(index + 1) != 0)
            fail_msg("%s: %s", names[index], reason);
        assert_window_is_whole(names[index], 1, LOAD_CLOSED, false);
        assert_window_is_whole(names[index], CONNECTION_COUNT, LOAD_CLOSED, true);
        assert_window_is_whole(names[index], CONNECTION_COUNT, LOAD_OPEN, false);
        assert_window_is_whole(names[index], CONNECTION_COUNT, LOAD_OPEN, true);
        server_stop(&server);
    }
}

static void test_workload_passes_a_right_server(void **state)
{
    (void)state;
    assert_right_server_passes("tests/profile_faulty_server", "none", NULL);
}

static void test_workload_passes_the_loop_by_hand(void **state)
{
    (void)state;
    assert_right_server_passes("tools/profile/peers/raw_epoll", NULL, NULL);
}

static void test_workload_passes_a_right_server_on_a_unix_socket(void **state)
{
    (void)state;
    char directory[] = "/tmp/profile-XXXXXX", path[64];
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/socket", directory);
    assert_right_server_passes("tests/profile_faulty_server", "none", path);
    unlink(path);
    assert_int_equal(rmdir(directory), 0);
}

struct fault_case {
    const char *workload, *fault, *after_bytes, *what;
    int error; // 0: it depends on what comes first, a byte, an end or nothing
};

// Only where silence is the fault it is waited for; a busy machine must not pass for a fault.
static void choose_for(const struct fault_case *fault)
{
    choose(fault->workload);
    if (fault->error == -ETIMEDOUT || fault->error == 0)
        choice.patience_ns = PATIENCE_NS;
}

static void assert_found(const struct fault_case *fault, int result)
{
    bool is_right = fault->error == 0 ? result < 0 : result == fault->error;
    if (!is_right || strstr(reason, fault->what) == NULL)
        fail_msg("%s, %s: %d, %s", fault->workload, fault->fault, result, reason);
}

static void assert_gate_finds(const struct fault_case *fault)
{
    choose_for(fault);
    start("tests/profile_faulty_server", fault->fault, fault->after_bytes, NULL);
    assert_found(fault, gate(1));
    server_stop(&server);
}

static void test_workload_gate_finds_each_fault(void **state)
{
    (void)state;
    static const struct fault_case cases[] = {
        {"echo", "short", "0", "no more bytes", -ETIMEDOUT},
        {"echo", "twice", "10000000", "a wrong byte", -EBADMSG},
        {"echo", "hang", "0", "no more bytes", -ETIMEDOUT},
        {"echo", "hang", "10000000", "end of stream", -EBADMSG},
        {"echo", "linger", "0", "no end of stream", -ETIMEDOUT},
        {"compute:10", "wrong", "500000", "a wrong byte", -EBADMSG},
        {"churn", "hangup", "16983800", "end of stream", -EBADMSG},
        {"churn", "linger", "0", "no end of stream", -ETIMEDOUT},
        {"rr:64:1000", "wrong", "0", "a wrong byte", -EBADMSG},
        {"rr:64:1000", "wrong", "100000", "a wrong byte", -EBADMSG},
        {"rr:64:1000", "extra", "0", "", -EBADMSG},
        {"rr:64:1000", "twice", "50000", "", -EBADMSG},
        {"rr:64:1000", "short", "50000", "", 0},
        {"rr:64:1000", "hang", "50000", "", 0},
        {"rr:64:1000", "hang", "0", "no more bytes", -ETIMEDOUT},
        {"rr:64:1000", "hangup", "50000", "", 0},
        {"rr:64:1000", "linger", "0", "no end of stream", -ETIMEDOUT},
        {"http", "wrong", "0", "a wrong byte", -EBADMSG},
        {"http", "twice", "0", "", -EBADMSG},
        {"http", "short", "5000", "", 0},
        {"http", "hang", "5000", "no more bytes", -ETIMEDOUT},
        {"fan-out", "wrong", "1000", "a wrong byte", -EBADMSG},
        {"fan-out", "twice", "1000", "", -EBADMSG},
        {"fan-out", "short", "1000", "", 0},
        {"fan-out", "hang", "1000", "no more bytes", -ETIMEDOUT},
        {"fan-out", "hangup", "1000", "", 0},
        {"fan-out", "drop", "1000", "no more bytes", -ETIMEDOUT},
        {"fan-out", "swap", "0", "a wrong byte", -EBADMSG},
    };
    for (size_t index = 0; index < sizeof(cases) / sizeof(cases[0]); index++)
        assert_gate_finds(&cases[index]);
}

static void assert_window_finds(const struct fault_case *fault, enum load_loop loop)
{
    struct load_window window = {.operation_count = 12345};
    choose_for(fault);
    if (choice.workload->is_broadcast)
        choice.depth = 4;
    start("tests/profile_faulty_server", fault->fault, fault->after_bytes, NULL);
    assert_found(fault,
                 run_window(CONNECTION_COUNT, loop, false, INT64_C(60) * 1000000000, &window));
    assert_int_equal(window.operation_count, 12345);
    server_stop(&server);
}

static void test_workload_window_finds_each_fault(void **state)
{
    (void)state;
    static const struct fault_case cases[] = {
        {"echo", "short", "6400", "no reply for 0.1 seconds", -ETIMEDOUT},
        {"echo", "hang", "6400", "no reply for 0.1 seconds", -ETIMEDOUT},
        {"pipelined:16", "wrong", "6400", "wrong bytes", -EBADMSG},
        {"pipelined:16", "twice", "6400", "", -EBADMSG},
        {"pipelined:16", "short", "6400", "", 0},
        {"pipelined:16", "hangup", "6400", "", 0},
        {"stream", "wrong", "2000000", "wrong bytes", -EBADMSG},
        {"stream", "extra", "2000000", "wrong bytes", -EBADMSG},
        {"churn", "wrong", "6400", "wrong bytes", -EBADMSG},
        {"churn", "twice", "6400", "", -EBADMSG},
        {"churn", "hangup", "6400", "", 0},
        {"churn", "linger", "0", "no reply", -ETIMEDOUT},
        {"idle:20", "wrong", "0", "wrong bytes", -EBADMSG},
        {"idle:20", "twice", "6400", "", -EBADMSG},
        {"few-active:20", "twice", "6400", "", -EBADMSG},
        {"few-active:20", "hang", "6400", "no reply", -ETIMEDOUT},
        {"compute:10", "wrong", "6400", "wrong bytes", -EBADMSG},
        {"rr:64:1000", "wrong", "64000", "wrong bytes", -EBADMSG},
        {"rr:64:1000", "twice", "64000", "", -EBADMSG},
        {"rr:64:1000", "short", "64000", "no reply", -ETIMEDOUT},
        {"rr:64:1000", "hangup", "64000", "", 0},
        {"http", "wrong", "6400", "wrong bytes", -EBADMSG},
        {"http", "twice", "6400", "", -EBADMSG},
        {"http", "short", "6400", "no reply", -ETIMEDOUT},
        {"fan-out", "wrong", "6400", "wrong bytes", -EBADMSG},
        {"fan-out", "drop", "6400", "", 0},
        {"fan-out", "drop", "0", "no reply", -ETIMEDOUT},
        {"fan-out", "swap", "6400", "wrong bytes", -EBADMSG},
        {"fan-out", "twice", "6400", "", -EBADMSG},
        {"fan-out", "hangup", "6400", "", 0},
    };
    for (size_t index = 0; index < sizeof(cases) / sizeof(cases[0]); index++) {
        assert_window_finds(&cases[index], LOAD_CLOSED);
        assert_window_finds(&cases[index], LOAD_OPEN);
    }
}

static void test_workload_is_chosen_by_name_and_parameters(void **state)
{
    (void)state;
    choose("rr:64:2k");
    assert_int_equal(choice.needs.mode, SERVER_RR);
    assert_int_equal(choice.message_bytes, 64);
    assert_int_equal(choice.needs.request_bytes, 64);
    assert_int_equal(choice.needs.reply_bytes, 2000);
    choose("pipelined:16");
    assert_int_equal(choice.depth, 16);
    assert_int_equal(choice.message_bytes, 64);
    choose("idle:1k");
    assert_int_equal(workload_open_count(&choice, 10), 1010);
    choose("few-active:1000");
    assert_int_equal(workload_open_count(&choice, 10), 1000);
    assert_int_equal(workload_open_count(&choice, 2000), 2000);
    choose("compute:100");
    assert_int_equal(choice.needs.mode, SERVER_COMPUTE);
    assert_int_equal(choice.needs.compute_us, 100);
    assert_string_equal(choice.name, "compute:100");
}

static void test_workload_refuses_what_makes_no_sense(void **state)
{
    (void)state;
    static const struct {
        const char *text, *reason;
    } cases[] = {
        {"", "There is no such workload"},         {"echos", "There is no such workload"},
        {"ech", "There is no such workload"},      {"echo:1", "Must be echo"},
        {"rr", "Must be rr:REQUEST:REPLY"},        {"rr:1", "Must be rr:REQUEST:REPLY"},
        {"rr:1:", "Must be rr:REQUEST:REPLY"},     {"rr:1:0", "Must be rr:REQUEST:REPLY"},
        {"rr:1:2:3", "Must be rr:REQUEST:REPLY"},  {"rr:1:2g", "Must be rr:REQUEST:REPLY"},
        {"idle:9999999999", "Must be idle:COUNT"}, {"pipelined:-1", "Must be pipelined:DEPTH"},
    };
    for (size_t index = 0; index < sizeof(cases) / sizeof(cases[0]); index++) {
        assert_int_equal(workload_choose(cases[index].text, 64, &choice, reason, sizeof(reason)),
                         -EINVAL);
        assert_string_equal(reason, cases[index].reason);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_workload_is_chosen_by_name_and_parameters),
        cmocka_unit_test(test_workload_refuses_what_makes_no_sense),
        cmocka_unit_test(test_workload_passes_a_right_server),
        cmocka_unit_test(test_workload_passes_the_loop_by_hand),
        cmocka_unit_test(test_workload_passes_a_right_server_on_a_unix_socket),
        cmocka_unit_test(test_workload_gate_finds_each_fault),
        cmocka_unit_test(test_workload_window_finds_each_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
