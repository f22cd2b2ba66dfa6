// SPDX-License-Identifier: MIT
//
// The claims of engine/wakeup.h (T4), through tasks/scheduler.h.

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "tasks/scheduler.h"
#include "tests/backend_here.h"

static int run(cede_body *body)
{
    struct cede_options options = {.strict = true};
    return cede_run(&options, body, NULL);
}

static void spawn(struct cede_task *self, cede_body *body, void *argument,
                  struct cede_handle *ret_handle)
{
    assert_int_equal(cede_spawn(self, "task", body, argument, ret_handle), 0);
}

static int wait_for_signals(struct cede_task *self, void *argument)
{
    struct cede_wakeup *wakeup;
    (void)argument;
    assert_int_equal(cede_wakeup_open(self, &wakeup), 0);
    // Two signals before a wait are one.
    cede_wakeup_signal(wakeup);
    cede_wakeup_signal(wakeup);
    assert_int_equal(cede_sleep(self, 1), 0);
    assert_int_equal(cede_wakeup_wait(self, wakeup), 0);
    struct cede_operation op;
    cede_wakeup_wait_prepare(&op, wakeup);
    op.deadline_ns = cede_now_ns(self) + 10;
    assert_int_equal(cede_await(self, &op), -ETIMEDOUT);
    // One that nobody waited for any more is not lost.
    cede_wakeup_signal(wakeup);
    assert_int_equal(cede_wakeup_wait(self, wakeup), 0);
    cede_wakeup_close(self, wakeup);
    cede_wakeup_close(self, NULL);
    return 0;
}

static void test_wakeup_remembers_one_signal(void **state)
{
    (void)state;
    assert_int_equal(run(wait_for_signals), 0);
}

static int wait_for_the_argument(struct cede_task *self, void *argument)
{
    return cede_wakeup_wait(self, argument);
}

static int wait_by_two(struct cede_task *self, void *argument)
{
    struct cede_wakeup *wakeup;
    struct cede_handle handle;
    int result = 0;
    (void)argument;
    assert_int_equal(cede_wakeup_open(self, &wakeup), 0);
    spawn(self, wait_for_the_argument, wakeup, &handle);
    assert_int_equal(cede_pause(self), 0);
    assert_int_equal(cede_wakeup_wait(self, wakeup), -EBUSY);
    cede_wakeup_close(self, wakeup);
    assert_int_equal(cede_join(self, handle, &result), 0);
    assert_int_equal(result, -EBADF);
    return 0;
}

static void test_wakeup_has_one_waiter_whom_closing_ends(void **state)
{
    (void)state;
    assert_int_equal(run(wait_by_two), 0);
}

static int open_beyond_the_limit(struct cede_task *self, void *argument)
{
    struct cede_wakeup *wakeup = NULL;
    int lowest_free = dup(STDERR_FILENO);
    (void)argument;
    assert_int_equal(close(lowest_free), 0);
    assert_int_equal(cede_wakeup_open(self, &wakeup), -EMFILE);
    assert_null(wakeup);
    assert_int_equal(dup(STDERR_FILENO), lowest_free);
    assert_int_equal(close(lowest_free), 0);
    return cede_sleep(self, 1);
}

static void test_wakeup_beyond_the_limit_is_refused(void **state)
{
    struct cede_options options = {.strict = true, .limits.descriptor_count = 3};
    (void)state;
    assert_int_equal(cede_run(&options, open_beyond_the_limit, NULL), 0);
}

#define THREAD_COUNT 4
#define SIGNALS_PER_THREAD 500

// A thread signals and then waits until its task has seen it.
struct conversation {
    struct cede_wakeup *wakeup;
    int seen[2]; // A pipe.
};

static void *signal_again_and_again(void *argument)
{
    const struct conversation *conversation = argument;
    char byte;
    for (int i = 0; i < SIGNALS_PER_THREAD; i++) {
        cede_wakeup_signal(conversation->wakeup);
        if (read(conversation->seen[0], &byte, 1) != 1)
            return NULL;
    }
    return NULL;
}

static int see_signals(struct cede_task *self, void *argument)
{
    const struct conversation *conversation = argument;
    for (int i = 0; i < SIGNALS_PER_THREAD; i++) {
        assert_int_equal(cede_wakeup_wait(self, conversation->wakeup), 0);
        assert_int_equal(write(conversation->seen[1], "x", 1), 1);
    }
    return 0;
}

static int talk_to_threads(struct cede_task *self, void *argument)
{
    struct conversation conversations[THREAD_COUNT];
    struct cede_handle handles[THREAD_COUNT];
    pthread_t threads[THREAD_COUNT];
    (void)argument;
    for (int i = 0; i < THREAD_COUNT; i++) {
        assert_int_equal(pipe2(conversations[i].seen, O_CLOEXEC), 0);
        assert_int_equal(cede_wakeup_open(self, &conversations[i].wakeup), 0);
        spawn(self, see_signals, &conversations[i], &handles[i]);
    }
    for (int i = 0; i < THREAD_COUNT; i++)
        assert_int_equal(
            pthread_create(&threads[i], NULL, signal_again_and_again, &conversations[i]), 0);
    for (int i = 0; i < THREAD_COUNT; i++) {
        assert_int_equal(cede_join(self, handles[i], NULL), 0);
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        cede_wakeup_close(self, conversations[i].wakeup);
        close(conversations[i].seen[0]);
        close(conversations[i].seen[1]);
    }
    return 0;
}

static void test_wakeup_loses_no_signal_of_any_thread(void **state)
{
    static const char *const names[] = {"epoll", "io_uring", "select"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!backend_is_here(names[i]))
            continue;
        struct cede_options options = {.backend = names[i]};
        assert_int_equal(cede_run(&options, talk_to_threads, NULL), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wakeup_remembers_one_signal),
        cmocka_unit_test(test_wakeup_has_one_waiter_whom_closing_ends),
        cmocka_unit_test(test_wakeup_beyond_the_limit_is_refused),
        cmocka_unit_test(test_wakeup_loses_no_signal_of_any_thread),
    };
    return cmocka_run_group_tests_name("wakeup", tests, NULL, NULL);
}
