// SPDX-License-Identifier: MIT
//
// Which backend the echo server takes where io_uring is denied, as containers, administrators and
// small limits do it: it serves on the next one and says why, but never in the place of one that
// was named. The sysctl is not written here, since it is the whole machine's; tests/backends_test.c
// holds what is said of it.

#include <errno.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/denial.h"
#include "tests/echo_client.h"
#include "tests/echo_process.h"

#define RING_REFUSED "echo_server: backend io_uring: "

// Numbers from here are nobody's; with its process number added, each process has its own.
#define UNUSED_USERS (1U << 20)

struct denials {
    struct denial list[2];
    int count;
};

static int deny(const void *argument)
{
    const struct denials *denials = argument;
    return denial_install(denials->list, denials->count);
}

static int become_another_user(void)
{
    uid_t user = UNUSED_USERS + (uid_t)getpid();
    return setresuid(user, user, user) < 0 ? -errno : 0;
}

// Root loses the capability to lock what it likes at the next exec; others do not have it. A user
// of its own, where there can be one, is not charged for the rings of others.
static int limit_locked_memory(const void *argument)
{
    rlim_t bytes = *(const rlim_t *)argument;
    const struct rlimit limit = {.rlim_cur = bytes, .rlim_max = bytes};
    if (geteuid() == 0 && prctl(PR_CAPBSET_DROP, CAP_IPC_LOCK, 0, 0, 0) < 0)
        return -errno;
    int error = become_another_user();
    if (error < 0 && error != -EINVAL && error != -EPERM)
        return error;
    // Changing the user has undone it.
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        return -errno;
    return setrlimit(RLIMIT_MEMLOCK, &limit);
}

// A user namespace that knows root alone has none, as a sandbox may be.
static bool can_become_another_user(void)
{
    int status;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(become_another_user() < 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status == 0;
}

static int restore(void **state)
{
    (void)state;
    echo_process_deprive(NULL, NULL);
    return 0;
}

// Starts it with nothing said about the backend (NULL) or with this word.
static void listen_with(const char *backend, struct echo_process *ret_server)
{
    const char *const arguments[] = {"--port", "0", backend ? "--backend" : NULL, backend, NULL};
    echo_process_listen("echo_server", arguments, ECHO_PROCESS_DESCRIPTORS, ret_server);
}

// It echoes and ends, and has no more to say.
static void assert_serves(struct echo_process *server)
{
    int client = echo_client_connect(server->port);
    echo_client_send(client, "some bytes");
    assert_int_equal(shutdown(client, SHUT_WR), 0);
    echo_client_expect(client, "some bytes");
    echo_client_expect_end(client);
    echo_process_signal(server, SIGTERM);
    assert_int_equal(echo_process_wait(server, ECHO_PROCESS_LEAVE_MS), 0);
    assert_string_equal(server->messages, "");
}

static void expect_message(struct echo_process *server, const char *expected)
{
    char line[256];
    echo_process_read_message(server, line, sizeof line);
    assert_string_equal(line, expected);
}

// Why the list says that io_uring is not to be had; false: it is to be had.
static bool read_refusal(char *ret_reason, size_t bytes)
{
    static const char refused[] = "io_uring  no: ";
    const char *const arguments[] = {"--list-backends", NULL};
    struct echo_process process;
    assert_int_equal(echo_process_run("echo_server", arguments, &process), 0);
    assert_string_equal(process.messages, "");
    char *reason = strstr(process.output, refused);
    if (!reason) {
        assert_non_null(strstr(process.output, "io_uring  yes, and what auto picks: "));
        return false;
    }
    reason += strlen(refused);
    reason[strcspn(reason, "\n")] = '\0';
    snprintf(ret_reason, bytes, "%s", reason);
    return true;
}

// With what is denied now: this backend serves, and this reason is told everywhere.
static void assert_replaced(const char *substitute, const char *reason)
{
    const char *const named[] = {"--port", "0", "--backend", "io_uring", NULL};
    char listed[128], line[256];
    struct echo_process process;
    snprintf(line, sizeof line, RING_REFUSED "%s", reason);
    for (int is_named = 0; is_named < 2; is_named++) {
        listen_with(is_named ? "auto" : NULL, &process);
        assert_string_equal(process.backend, substitute);
        expect_message(&process, line);
        assert_serves(&process);
    }

    assert_true(read_refusal(listed, sizeof listed));
    assert_string_equal(listed, reason);

    snprintf(line, sizeof line, "echo_server: --backend io_uring: %s\n", reason);
    assert_int_equal(echo_process_run("echo_server", named, &process), 2);
    assert_string_equal(process.messages, line);
    assert_string_equal(process.output, "");
}

// Whether the administrator denies it besides, which is what EPERM is then taken for.
static bool is_denied_by_sysctl(void)
{
    FILE *file = fopen("/proc/sys/kernel/io_uring_disabled", "re");
    int value = file ? fgetc(file) : '0';
    if (file)
        fclose(file);
    return value != '0';
}

static void test_a_filter_that_denies_io_uring_leaves_epoll_and_a_reason(void **state)
{
    static const struct {
        int error;
        const char *reason;
    } answers[] = {
        {EPERM, "Operation not permitted: a seccomp filter denies it"},
        {ENOSYS, "Function not implemented: the kernel lacks some of it, or a filter hides it"},
        {EACCES, "Permission denied: a security policy or a filter denies it"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        if (answers[i].error == EPERM && is_denied_by_sysctl()) {
            print_message("EPERM is the administrator's here\n");
            continue;
        }
        const struct denials denials = {{{__NR_io_uring_setup, answers[i].error}}, 1};
        echo_process_deprive(deny, &denials);
        assert_replaced("epoll", answers[i].reason);
    }
}

static void test_a_filter_that_feigns_a_lack_of_memory_is_told_with_the_limit(void **state)
{
    const struct denials denials = {{{__NR_io_uring_setup, ENOMEM}}, 1};
    struct rlimit limit;
    char reason[128];
    (void)state;
    assert_int_equal(getrlimit(RLIMIT_MEMLOCK, &limit), 0);
    snprintf(reason, sizeof reason, "Cannot allocate memory: RLIMIT_MEMLOCK is %llu bytes",
             (unsigned long long)limit.rlim_cur);
    echo_process_deprive(deny, &denials);
    assert_replaced("epoll", reason);
}

static void test_without_epoll_too_it_serves_on_select(void **state)
{
    const struct denials denials = {{{__NR_io_uring_setup, ENOSYS}, {__NR_epoll_create1, EPERM}},
                                    2};
    struct echo_process server;
    (void)state;
    echo_process_deprive(deny, &denials);
    listen_with("auto", &server);
    assert_string_equal(server.backend, "select");
    expect_message(&server, RING_REFUSED "Function not implemented: the kernel lacks some of it, "
                                         "or a filter hides it");
    expect_message(&server, "echo_server: backend epoll: passing a byte through it failed: "
                            "Operation not permitted");
    assert_serves(&server);
}

static void skip_without_io_uring(void)
{
    char reason[128];
    if (!read_refusal(reason, sizeof reason))
        return;
    print_message("io_uring is refused here: %s\n", reason);
    skip();
}

static void test_without_locked_memory_it_serves_on_epoll(void **state)
{
    const rlim_t bytes = 0;
    (void)state;
    skip_without_io_uring();
    echo_process_deprive(limit_locked_memory, &bytes);
    assert_replaced("epoll", "Cannot allocate memory: RLIMIT_MEMLOCK is 0 bytes");
}

static void test_with_little_locked_memory_it_serves_on_a_smaller_ring(void **state)
{
    const rlim_t bytes = 64 << 10;
    struct echo_process server;
    (void)state;
    skip_without_io_uring();
    if (!can_become_another_user()) {
        print_message("needs root: this user is charged for the rings of others, too\n");
        skip();
    }
    echo_process_deprive(limit_locked_memory, &bytes);
    for (int is_named = 0; is_named < 2; is_named++) {
        listen_with(is_named ? "io_uring" : "auto", &server);
        assert_string_equal(server.backend, "io_uring");
        assert_serves(&server);
    }
}

static void test_the_list_shows_the_size_and_the_flags_of_the_ring(void **state)
{
    const char *const arguments[] = {"--list-backends", NULL};
    struct echo_process process;
    (void)state;
    skip_without_io_uring();
    assert_int_equal(echo_process_run("echo_server", arguments, &process), 0);
    const char *line = strstr(process.output, "io_uring  yes, and what auto picks: ");
    assert_non_null(line);
    unsigned submissions, completions;
    assert_int_equal(sscanf(line, "io_uring  yes, and what auto picks: %u and %u entries, ",
                            &submissions, &completions),
                     2);
    assert_in_range(submissions, 64, completions);
    print_message("%.*s\n", (int)strcspn(line, "\n"), line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_a_filter_that_denies_io_uring_leaves_epoll_and_a_reason,
                                  restore),
        cmocka_unit_test_teardown(test_a_filter_that_feigns_a_lack_of_memory_is_told_with_the_limit,
                                  restore),
        cmocka_unit_test_teardown(test_without_epoll_too_it_serves_on_select, restore),
        cmocka_unit_test_teardown(test_without_locked_memory_it_serves_on_epoll, restore),
        cmocka_unit_test_teardown(test_with_little_locked_memory_it_serves_on_a_smaller_ring,
                                  restore),
        cmocka_unit_test(test_the_list_shows_the_size_and_the_flags_of_the_ring),
    };
    // What the caller prefers is not to be preferred here.
    unsetenv("CEDE_BACKEND");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
