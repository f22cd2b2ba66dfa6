// SPDX-License-Identifier: MIT
//
// A server that is compared with ours must be right before it can be fast: one arm of the table,
// named by the only argument, passes the gate of every workload, on TCP and on a unix path; says
// which version it is; and ends when it is asked to. Where its library was not there when it was
// built, or the kernel denies it what it is made of, the reason is printed and nothing is claimed.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/profile/arms.h"
#include "tools/profile/server.h"
#include "tools/profile/workload.h"

static const char *const workloads[] = {"echo",         "stream",    "pipelined:8", "churn",
                                        "idle:5",       "rr:64:900", "rr:900:7",    "rr:40000:3",
                                        "few-active:5", "fan-out",   "compute:20",  "http"};
enum { WORKLOAD_COUNT = sizeof(workloads) / sizeof(workloads[0]) };

static struct arm arms[ARMS_LIMIT];
static struct server server;
static char reason[320];

// 0, or the error of what could not be prepared or started, which `reason` then explains.
static int start(const struct server_needs *needs, const char *unix_path)
{
    struct arm_start how;
    arms[0].needs = *needs;
    arms[0].needs.unix_path = unix_path;
    int result = arms_prepare(&arms[0], &how);
    if (result < 0) {
        snprintf(reason, sizeof(reason), "%s", how.reason);
        return result;
    }
    return server_start(how.words, how.port, -1, false, reason, sizeof(reason), &server);
}

// Printed once by whoever comes first, then by each claim that is not made.
static int find_out_whether_it_runs(void **state)
{
    (void)state;
    const struct server_needs echo = {.mode = SERVER_ECHO};
    int result = start(&echo, NULL);
    if (result == 0)
        server_stop(&server);
    // A ring that is refused ends its server; all others have to run.
    bool is_ring = strstr(arms[0].name, "uring") != NULL;
    if (result == 0 || result == -ENOPKG || (result == -ECHILD && is_ring))
        return 0;
    print_error("%s: %s\n", arms[0].name, reason);
    return -1;
}

static void start_or_skip(const struct server_needs *needs, const char *unix_path)
{
    int result = start(needs, unix_path);
    if (result == 0)
        return;
    print_message("%s: %s\n", arms[0].name, reason);
    skip();
}

static void pass_gates(const char *unix_path)
{
    for (size_t index = 0; index < WORKLOAD_COUNT; index++) {
        struct workload_choice choice;
        assert_int_equal(workload_choose(workloads[index], 64, &choice, reason, sizeof(reason)), 0);
        bool cannot = choice.needs.mode == SERVER_HTTP && !arms[0].program->has_http;
        if (cannot) {
            assert_int_equal(start(&choice.needs, unix_path), -ENOTSUP);
            continue;
        }
        start_or_skip(&choice.needs, unix_path);
        const struct loopback_address address = {.port = server.port, .unix_path = unix_path};
        int result = choice.workload->gate(&choice, &address, 7, reason, sizeof(reason));
        server_stop(&server);
        if (result < 0)
            fail_msg("%s, %s: %s", arms[0].name, workloads[index], reason);
    }
}

static void test_peers_pass_every_gate_over_tcp(void **state)
{
    (void)state;
    pass_gates(NULL);
}

static void test_peers_pass_every_gate_over_unix_sockets(void **state)
{
    (void)state;
    // Tests in sandboxes have equal process numbers and one /tmp.
    char directory[] = "/tmp/profile-peers-XXXXXX", path[80];
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/socket", directory);
    pass_gates(path);
    // Fails where a server left something there.
    assert_int_equal(rmdir(directory), 0);
}

static void test_peers_say_which_version_they_are(void **state)
{
    (void)state;
    const struct server_needs echo = {.mode = SERVER_ECHO};
    start_or_skip(&echo, NULL);
    server_stop(&server);
    print_message("%s: %s\n", arms[0].name, server.version);
    assert_true(server.version[0] != '\0');
    if (arms[0].program->backend != NULL)
        assert_non_null(strstr(server.version, arms[0].program->backend));
    // The runtime calls itself go1.19; the others write their name first.
    if (arms[0].program->is_peer)
        assert_int_equal(strncmp(server.version, arms[0].name, strlen(arms[0].name)), 0);
}

static void test_peers_end_when_they_are_asked_to(void **state)
{
    (void)state;
    siginfo_t info;
    const struct server_needs echo = {.mode = SERVER_ECHO};
    start_or_skip(&echo, NULL);
    assert_int_equal(kill(server.pid, SIGTERM), 0);
    assert_int_equal(waitid(P_PID, (id_t)server.pid, &info, WEXITED | WNOWAIT), 0);
    server_stop(&server);
    assert_true(info.si_code == CLD_EXITED || info.si_status == SIGTERM);
}

int main(int argc, char *argv[])
{
    size_t count;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_peers_pass_every_gate_over_tcp),
        cmocka_unit_test(test_peers_pass_every_gate_over_unix_sockets),
        cmocka_unit_test(test_peers_say_which_version_they_are),
        cmocka_unit_test(test_peers_end_when_they_are_asked_to),
    };
    if (argc != 2 || arms_parse(argv[1], arms, &count, reason, sizeof(reason)) < 0 || count != 1)
        return 2;
    return cmocka_run_group_tests(tests, find_out_whether_it_runs, NULL);
}
