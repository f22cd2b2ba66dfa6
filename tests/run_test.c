// SPDX-License-Identifier: MIT
//
// The claims of tasks/scheduler.h about cede_run: its options, its backend, and a backend that
// dies.

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "net/socket.h"
#include "tasks/scheduler.h"
#include "tests/backend_here.h"

static char log_text[1024];

static void take_log(void *argument, const char *message)
{
    size_t length = strlen(log_text);
    (void)argument;
    snprintf(log_text + length, sizeof log_text - length, "%s\n", message);
}

static int forget_log(void **state)
{
    (void)state;
    log_text[0] = '\0';
    return 0;
}

static int do_nothing(struct cede_task *self, void *argument)
{
    (void)self;
    (void)argument;
    return 0;
}

static int note_backend(struct cede_task *self, void *argument)
{
    const char **ret_name = argument;
    *ret_name = cede_backend_name(self);
    return 7;
}

static void test_run_takes_the_backend_that_was_named(void **state)
{
    static const char *const names[] = {"epoll", "io_uring", "select"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!backend_is_here(names[i]))
            continue;
        struct cede_options options = {.backend = names[i]};
        const char *name = NULL;
        // What the first task returns is nobody's.
        assert_int_equal(cede_run(&options, note_backend, &name), 0);
        assert_string_equal(name, names[i]);
    }
}

static void test_run_without_options_takes_some_backend(void **state)
{
    const char *name = NULL;
    (void)state;
    assert_int_equal(cede_run(NULL, note_backend, &name), 0);
    assert_non_null(name);
}

static void test_run_on_an_unknown_backend_says_which(void **state)
{
    struct cede_options options = {.backend = "kqueue", .log = take_log};
    (void)state;
    assert_int_equal(cede_run(&options, do_nothing, NULL), -EINVAL);
    assert_non_null(strstr(log_text, "kqueue"));
}

static void test_run_can_follow_a_run(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(cede_run(NULL, do_nothing, NULL), 0);
}

// --- A backend that dies: the linker's --wrap ---------------------------------------------------

struct epoll_event;
int __real_cede_sys_epoll_wait(int epoll_fd, struct epoll_event *ret_events, int capacity,
                               int64_t timeout_ns);
int __wrap_cede_sys_epoll_wait(int epoll_fd, struct epoll_event *ret_events, int capacity,
                               int64_t timeout_ns);

static bool is_epoll_dead;

int __wrap_cede_sys_epoll_wait(int epoll_fd, struct epoll_event *ret_events, int capacity,
                               int64_t timeout_ns)
{
    if (is_epoll_dead)
        return -EIO;
    return __real_cede_sys_epoll_wait(epoll_fd, ret_events, capacity, timeout_ns);
}

static int recv_and_close(struct cede_task *self, void *argument)
{
    const int *fds = argument;
    char byte;
    assert_int_equal(cede_recv(self, fds[0], &byte, 1), -EIO);
    // What follows is refused, but for closes.
    assert_int_equal(cede_recv(self, fds[0], &byte, 1), -ECANCELED);
    assert_int_equal(cede_close(self, fds[0]), 0);
    assert_int_equal(cede_close(self, fds[1]), 0);
    return 0;
}

static int outlive_the_backend(struct cede_task *self, void *argument)
{
    int pairs[2][2];
    struct cede_wakeup *wakeup;
    (void)argument;
    assert_int_equal(cede_wakeup_open(self, &wakeup), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pairs[i]), 0);
        assert_int_equal(cede_spawn(self, i ? "juliet" : "romeo", recv_and_close, pairs[i], NULL),
                         0);
    }
    assert_int_equal(cede_sleep(self, 0), 0);
    is_epoll_dead = true;
    assert_int_equal(cede_wakeup_wait(self, wakeup), -ECANCELED);
    cede_wakeup_close(self, wakeup);
    // Until the others are done with their descriptors.
    for (int i = 0; i < 10; i++)
        assert_int_equal(cede_sleep(self, 0), -ECANCELED);
    return 0;
}

static int count_in_log(const char *word)
{
    int count = 0;
    for (const char *found = log_text; (found = strstr(found, word)); found++)
        count++;
    return count;
}

static void test_run_whose_backend_dies_unwinds_and_names_each_task_once(void **state)
{
    struct cede_options options = {.backend = "epoll", .strict = true, .log = take_log};
    (void)state;
    int error = cede_run(&options, outlive_the_backend, NULL);
    is_epoll_dead = false;
    assert_int_equal(error, -EIO);
    assert_int_equal(count_in_log("task main is left"), 1);
    assert_int_equal(count_in_log("the run is given up"), 1);
    assert_int_equal(count_in_log("task romeo is left"), 0);
}

#define RUN_TEST(test) cmocka_unit_test_setup(test, forget_log)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN_TEST(test_run_takes_the_backend_that_was_named),
        RUN_TEST(test_run_without_options_takes_some_backend),
        RUN_TEST(test_run_on_an_unknown_backend_says_which),
        RUN_TEST(test_run_can_follow_a_run),
        RUN_TEST(test_run_whose_backend_dies_unwinds_and_names_each_task_once),
    };
    return cmocka_run_group_tests_name("run", tests, NULL, NULL);
}
