// SPDX-License-Identifier: MIT
//
// The claims of tasks/scheduler.h that the conformance suite does not check on every backend:
// names, handles, limits, sleeps.

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tasks/scheduler.h"

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

static int run(cede_body *body, void *argument)
{
    struct cede_options options = {.strict = true, .log = take_log};
    return cede_run(&options, body, argument);
}

static void spawn(struct cede_task *self, cede_body *body, void *argument,
                  struct cede_handle *ret_handle)
{
    assert_int_equal(cede_spawn(self, "task", body, argument, ret_handle), 0);
}

static int do_nothing(struct cede_task *self, void *argument)
{
    (void)self;
    (void)argument;
    return 0;
}

static int sleep_long(struct cede_task *self, void *argument)
{
    (void)argument;
    return cede_sleep(self, 3600 * CEDE_NANOSECONDS_PER_SECOND);
}

// --- Tasks and handles --------------------------------------------------------------------------

static int spawn_with_a_long_name(struct cede_task *self, void *argument)
{
    char name[] = "a name of more than twenty-three bytes";
    struct cede_handle handle;
    (void)argument;
    assert_string_equal(cede_name(self), "main");
    assert_int_equal(cede_spawn(self, name, do_nothing, NULL, &handle), 0);
    memset(name, 'x', sizeof name - 1);
    assert_string_equal(cede_name(handle.task), "a name of more than twe");
    return cede_join(self, handle, NULL);
}

static void test_scheduler_task_keeps_a_copy_of_its_name(void **state)
{
    (void)state;
    assert_int_equal(run(spawn_with_a_long_name, NULL), 0);
}

static int spawn_to_the_limit(struct cede_task *self, void *argument)
{
    struct cede_handle handles[4];
    (void)argument;
    for (int i = 0; i < 4; i++)
        spawn(self, do_nothing, NULL, &handles[i]);
    assert_int_equal(cede_spawn(self, "one", do_nothing, NULL, NULL), -EAGAIN);
    // Done is not gone: it has not been joined yet.
    assert_int_equal(cede_sleep(self, 1), 0);
    assert_int_equal(cede_spawn(self, "one", do_nothing, NULL, NULL), -EAGAIN);
    for (int i = 0; i < 4; i++)
        assert_int_equal(cede_join(self, handles[i], NULL), 0);
    return cede_spawn(self, "one", do_nothing, NULL, NULL);
}

static void test_scheduler_has_no_more_tasks_than_its_limit(void **state)
{
    struct cede_options options = {.strict = true, .limits.task_count = 5};
    (void)state;
    assert_int_equal(cede_run(&options, spawn_to_the_limit, NULL), 0);
}

static int spawn_without_handles(struct cede_task *self, void *argument)
{
    (void)argument;
    // Nobody wants a handle: each is gone when it is done, and makes room for the next.
    for (int i = 0; i < 1000; i++) {
        spawn(self, do_nothing, NULL, NULL);
        assert_int_equal(cede_pause(self), 0);
    }
    return 0;
}

// S12.
static void test_scheduler_forgets_a_task_that_nobody_can_join(void **state)
{
    struct cede_options options = {.strict = true, .limits.task_count = 2};
    (void)state;
    assert_int_equal(cede_run(&options, spawn_without_handles, NULL), 0);
}

static int add_one(struct cede_task *self, void *argument)
{
    int *sum = argument;
    int error = cede_sleep(self, 5);
    *sum += 1;
    return error;
}

static int spawn_a_crowd(struct cede_task *self, void *argument)
{
    static struct cede_handle handles[5000];
    int sum = 0;
    (void)argument;
    for (int i = 0; i < 5000; i++)
        spawn(self, add_one, &sum, &handles[i]);
    for (int i = 0; i < 5000; i++)
        assert_int_equal(cede_join(self, handles[i], NULL), 0);
    assert_int_equal(sum, 5000);
    return 0;
}

static void test_scheduler_runs_five_thousand_tasks(void **state)
{
    (void)state;
    assert_int_equal(run(spawn_a_crowd, NULL), 0);
}

static int join_the_argument(struct cede_task *self, void *argument)
{
    const struct cede_handle *other = argument;
    return cede_join(self, *other, NULL);
}

static int join_by_two(struct cede_task *self, void *argument)
{
    struct cede_handle sleeper;
    struct cede_handle joiner;
    int result = 0;
    (void)argument;
    spawn(self, sleep_long, NULL, &sleeper);
    spawn(self, join_the_argument, &sleeper, &joiner);
    assert_int_equal(cede_pause(self), 0);
    assert_int_equal(cede_join(self, sleeper, NULL), -EINVAL);
    assert_int_equal(cede_join(self, joiner, &result), 0);
    assert_int_equal(result, 0);
    return 0;
}

// S12.
static void test_scheduler_task_has_one_joiner(void **state)
{
    (void)state;
    assert_int_equal(run(join_by_two, NULL), 0);
}

static int join_after_a_cancelled_join(struct cede_task *self, void *argument)
{
    struct cede_handle sleeper;
    struct cede_handle joiner;
    int result = 0;
    (void)argument;
    spawn(self, sleep_long, NULL, &sleeper);
    spawn(self, join_the_argument, &sleeper, &joiner);
    assert_int_equal(cede_pause(self), 0);
    cede_cancel(self, joiner);
    assert_int_equal(cede_join(self, joiner, &result), 0);
    assert_int_equal(result, -ECANCELED);
    cede_cancel(self, sleeper);
    assert_int_equal(cede_join(self, sleeper, &result), 0);
    assert_int_equal(result, -ECANCELED);
    return 0;
}

// S12.
static void test_scheduler_handle_survives_a_join_that_was_cut_off(void **state)
{
    (void)state;
    assert_int_equal(run(join_after_a_cancelled_join, NULL), 0);
}

static int cancel_the_gone(struct cede_task *self, void *argument)
{
    struct cede_handle gone;
    struct cede_handle done;
    struct cede_handle next;
    int result = 0;
    (void)argument;
    spawn(self, do_nothing, NULL, &gone);
    assert_int_equal(cede_join(self, gone, NULL), 0);
    spawn(self, do_nothing, NULL, &done);
    assert_int_equal(cede_sleep(self, 1), 0);
    spawn(self, sleep_long, NULL, &next);
    // The memory of the one that is gone may be that of the next.
    cede_cancel(self, gone);
    cede_cancel(self, done);
    cede_cancel(self, (struct cede_handle){0});
    assert_int_equal(cede_join(self, next, &result), 0);
    assert_int_equal(result, 0);
    assert_int_equal(cede_join(self, done, NULL), 0);
    return 0;
}

// S12, S14.
static void test_scheduler_cancels_nobody_by_the_handle_of_the_gone(void **state)
{
    (void)state;
    assert_int_equal(run(cancel_the_gone, NULL), 0);
}

static int join_nobody(struct cede_task *self, void *argument)
{
    (void)argument;
    assert_int_equal(cede_join(self, (struct cede_handle){0}, NULL), -EINVAL);
    return 0;
}

// S12.
static void test_scheduler_handle_of_nobody_cannot_be_joined(void **state)
{
    (void)state;
    assert_int_equal(run(join_nobody, NULL), 0);
}

// --- Sleeping (S13) ------------------------------------------------------------------------------

static int sleep_oddly(struct cede_task *self, void *argument)
{
    (void)argument;
    assert_int_equal(cede_sleep(self, 100), 0);
    assert_int_equal(cede_sleep(self, -50), 0);
    assert_int_equal(cede_sleep_until(self, 10), 0);
    assert_int_equal(cede_sleep(self, 0), 0);
    assert_int_equal(cede_now_ns(self), 100);
    return 0;
}

static void test_scheduler_sleep_that_is_over_before_it_begins_takes_no_time(void **state)
{
    (void)state;
    assert_int_equal(run(sleep_oddly, NULL), 0);
}

static int sleep_for_ever(struct cede_task *self, void *argument)
{
    (void)argument;
    assert_int_equal(cede_sleep(self, 1), 0);
    assert_int_equal(cede_sleep(self, CEDE_NEVER), -ECANCELED);
    return 0;
}

static void test_scheduler_sleep_for_ever_has_no_deadline(void **state)
{
    (void)state;
    assert_int_equal(run(sleep_for_ever, NULL), -EDEADLK);
    assert_non_null(strstr(log_text, "main is left in park"));
}

#define SCHEDULER_TEST(test) cmocka_unit_test_setup(test, forget_log)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCHEDULER_TEST(test_scheduler_task_keeps_a_copy_of_its_name),
        SCHEDULER_TEST(test_scheduler_has_no_more_tasks_than_its_limit),
        SCHEDULER_TEST(test_scheduler_forgets_a_task_that_nobody_can_join),
        SCHEDULER_TEST(test_scheduler_runs_five_thousand_tasks),
        SCHEDULER_TEST(test_scheduler_task_has_one_joiner),
        SCHEDULER_TEST(test_scheduler_handle_survives_a_join_that_was_cut_off),
        SCHEDULER_TEST(test_scheduler_cancels_nobody_by_the_handle_of_the_gone),
        SCHEDULER_TEST(test_scheduler_handle_of_nobody_cannot_be_joined),
        SCHEDULER_TEST(test_scheduler_sleep_that_is_over_before_it_begins_takes_no_time),
        SCHEDULER_TEST(test_scheduler_sleep_for_ever_has_no_deadline),
    };
    return cmocka_run_group_tests_name("scheduler", tests, NULL, NULL);
}
