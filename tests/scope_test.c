// SPDX-License-Identifier: MIT
//
// The claims of tasks/scope.h (S13, S14). In strict mode, where an hour is over at once.

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tasks/scope.h"
#include "tests/child.h"

static const struct cede_options strict = {.strict = true};

// Runs a body on a strict clock that begins at zero.
static void run(cede_body *body)
{
    assert_int_equal(cede_run(&strict, body, NULL), 0);
}

static int leave_at_once(struct cede_task *self, void *argument)
{
    struct cede_scope scope;
    (void)argument;
    cede_scope_enter(self, CEDE_NEVER, &scope);
    assert_int_equal(cede_sleep(self, 10), 0);
    assert_int_equal(cede_scope_leave(self, &scope), 0);
    return 0;
}

static void test_scope_that_stayed_whole_says_so(void **state)
{
    (void)state;
    run(leave_at_once);
}

static int sleep_past_the_deadline(struct cede_task *self, void *argument)
{
    struct cede_scope scope;
    (void)argument;
    cede_scope_enter(self, 100, &scope);
    assert_int_equal(cede_sleep(self, 60), 0);
    assert_int_equal(cede_sleep(self, 60), -ETIMEDOUT);
    assert_int_equal(cede_now_ns(self), 100);
    assert_int_equal(cede_pause(self), -ETIMEDOUT);
    assert_int_equal(cede_scope_leave(self, &scope), -ETIMEDOUT);
    assert_int_equal(cede_sleep(self, 60), 0);
    return 0;
}

static void test_scope_deadline_cuts_off_and_ends_with_the_scope(void **state)
{
    (void)state;
    run(sleep_past_the_deadline);
}

static int sleep_in_two(struct cede_task *self, void *argument)
{
    struct cede_scope outer;
    struct cede_scope inner;
    (void)argument;
    cede_scope_enter(self, 200, &outer);
    cede_scope_enter(self, 100, &inner);
    assert_int_equal(cede_sleep(self, 1000), -ETIMEDOUT);
    assert_int_equal(cede_now_ns(self), 100);
    assert_int_equal(cede_scope_leave(self, &inner), -ETIMEDOUT);
    assert_int_equal(cede_sleep(self, 50), 0);
    assert_int_equal(cede_sleep(self, 1000), -ETIMEDOUT);
    assert_int_equal(cede_now_ns(self), 200);
    assert_int_equal(cede_scope_leave(self, &outer), -ETIMEDOUT);
    return 0;
}

static void test_scope_inside_another_ends_before_it(void **state)
{
    (void)state;
    run(sleep_in_two);
}

static int move_deadlines(struct cede_task *self, void *argument)
{
    struct cede_scope scope;
    (void)argument;
    cede_scope_enter(self, 100, &scope);
    cede_scope_set_deadline(&scope, 300);
    assert_int_equal(cede_sleep(self, 200), 0);
    cede_scope_set_deadline(&scope, 250);
    assert_int_equal(cede_sleep(self, 200), -ETIMEDOUT);
    assert_int_equal(cede_now_ns(self), 250);
    // Moved on, it is in force no longer.
    cede_scope_set_deadline(&scope, CEDE_NEVER);
    assert_int_equal(cede_sleep(self, 200), 0);
    assert_int_equal(cede_scope_leave(self, &scope), 0);
    return 0;
}

static void test_scope_deadline_can_be_moved(void **state)
{
    (void)state;
    run(move_deadlines);
}

static int cancel_the_argument(struct cede_task *self, void *argument)
{
    (void)self;
    cede_scope_cancel(argument);
    return 0;
}

static int be_cancelled_from_outside(struct cede_task *self, void *argument)
{
    struct cede_scope outer;
    struct cede_scope inner;
    (void)argument;
    cede_scope_enter(self, CEDE_NEVER, &outer);
    cede_scope_enter(self, CEDE_NEVER, &inner);
    assert_int_equal(cede_spawn(self, "canceller", cancel_the_argument, &outer, NULL), 0);
    assert_int_equal(cede_sleep(self, 1000), -ECANCELED);
    assert_int_equal(cede_now_ns(self), 0);
    // The inner scope itself was not cancelled, but what is asked for in it is.
    assert_int_equal(cede_pause(self), -ECANCELED);
    assert_int_equal(cede_scope_leave(self, &inner), 0);
    assert_int_equal(cede_pause(self), -ECANCELED);
    assert_int_equal(cede_scope_leave(self, &outer), -ECANCELED);
    assert_int_equal(cede_sleep(self, 1000), 0);
    return 0;
}

static void test_scope_cancelled_by_another_task_cancels_those_inside(void **state)
{
    (void)state;
    run(be_cancelled_from_outside);
}

static int cancel_only_the_inner(struct cede_task *self, void *argument)
{
    struct cede_scope outer;
    struct cede_scope inner;
    (void)argument;
    cede_scope_enter(self, CEDE_NEVER, &outer);
    cede_scope_enter(self, CEDE_NEVER, &inner);
    cede_scope_cancel(&inner);
    assert_int_equal(cede_sleep(self, 10), -ECANCELED);
    assert_int_equal(cede_scope_leave(self, &inner), -ECANCELED);
    assert_int_equal(cede_sleep(self, 10), 0);
    assert_int_equal(cede_scope_leave(self, &outer), 0);
    return 0;
}

static void test_scope_cancelled_leaves_those_around_it_whole(void **state)
{
    (void)state;
    run(cancel_only_the_inner);
}

static int cancel_when_late(struct cede_task *self, void *argument)
{
    struct cede_scope scope;
    (void)argument;
    assert_int_equal(cede_sleep(self, 100), 0);
    cede_scope_enter(self, 50, &scope);
    cede_scope_cancel(&scope);
    assert_int_equal(cede_sleep(self, 10), -ECANCELED);
    assert_int_equal(cede_scope_leave(self, &scope), -ECANCELED);
    return 0;
}

static void test_scope_both_cancelled_and_late_is_cancelled(void **state)
{
    (void)state;
    run(cancel_when_late);
}

static int leave_the_outer_first(struct cede_task *self, void *argument)
{
    struct cede_scope outer;
    struct cede_scope inner;
    (void)argument;
    cede_scope_enter(self, CEDE_NEVER, &outer);
    cede_scope_enter(self, CEDE_NEVER, &inner);
    return cede_scope_leave(self, &outer);
}

static int return_inside(struct cede_task *self, void *argument)
{
    static struct cede_scope scope;
    (void)argument;
    cede_scope_enter(self, CEDE_NEVER, &scope);
    return 0;
}

static void run_argument(void *argument)
{
    cede_body *const *body = argument;
    cede_run(&strict, *body, NULL);
}

static void test_scope_is_left_in_order_and_before_its_task_ends(void **state)
{
    cede_body *bodies[] = {leave_the_outer_first, return_inside};
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct child_end end;
        child_run(run_argument, &bodies[i], 0, &end);
        assert_int_equal(end.signal, SIGABRT);
        assert_non_null(strstr(end.text, "check failed"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scope_that_stayed_whole_says_so),
        cmocka_unit_test(test_scope_deadline_cuts_off_and_ends_with_the_scope),
        cmocka_unit_test(test_scope_inside_another_ends_before_it),
        cmocka_unit_test(test_scope_deadline_can_be_moved),
        cmocka_unit_test(test_scope_cancelled_by_another_task_cancels_those_inside),
        cmocka_unit_test(test_scope_cancelled_leaves_those_around_it_whole),
        cmocka_unit_test(test_scope_both_cancelled_and_late_is_cancelled),
        cmocka_unit_test(test_scope_is_left_in_order_and_before_its_task_ends),
    };
    return cmocka_run_group_tests_name("scope", tests, NULL, NULL);
}
