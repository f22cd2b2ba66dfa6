// SPDX-License-Identifier: MIT
//
// The preconditions of tasks/generator.h: each mistake ends a child by a failed check, at once and
// with its place, where it would otherwise run on the wrong stack.

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tasks/generator.h"
#include "tasks/stack.h"
#include "tests/child.h"

static struct cede_stack_pool pool;

static void body_returns(struct cede_generator *self, void *argument)
{
    (void)self, (void)argument;
}

static void body_yields(struct cede_generator *self, void *argument)
{
    (void)argument;
    cede_generator_yield(self, NULL);
}

static void create(void (*body)(struct cede_generator *self, void *argument),
                   struct cede_generator *ret_generator)
{
    struct cede_stack *stack;
    assert_int_equal(cede_stack_pool_open(CEDE_STACK_BYTES_MIN, 0, &pool), 0);
    assert_int_equal(cede_stack_take(&pool, &stack), 0);
    cede_generator_create(stack, body, NULL, ret_generator);
}

static void body_resumes_itself(struct cede_generator *self, void *argument)
{
    (void)argument;
    cede_generator_next(self, NULL);
}

static void misuse_next_while_running(void *argument)
{
    (void)argument;
    struct cede_generator generator;
    create(body_resumes_itself, &generator);
    cede_generator_next(&generator, NULL);
}

static void misuse_next_when_finished(void *argument)
{
    (void)argument;
    struct cede_generator generator;
    create(body_returns, &generator);
    cede_generator_next(&generator, NULL);
    cede_generator_next(&generator, NULL);
}

static void misuse_first_next_that_sends(void *argument)
{
    (void)argument;
    struct cede_generator generator;
    create(body_yields, &generator);
    cede_generator_next(&generator, &generator);
}

static void misuse_yield_from_outside(void *argument)
{
    (void)argument;
    struct cede_generator generator;
    create(body_yields, &generator);
    cede_generator_next(&generator, NULL);
    cede_generator_yield(&generator, NULL);
}

static void misuse_destroy_while_parked(void *argument)
{
    (void)argument;
    struct cede_generator generator;
    create(body_yields, &generator);
    cede_generator_next(&generator, NULL);
    cede_generator_destroy(&generator);
}

static void body_gives_back_its_own_stack(struct cede_generator *self, void *argument)
{
    (void)argument;
    cede_stack_give_back(&pool, self->stack);
}

static void misuse_stack_given_back_by_who_stands_on_it(void *argument)
{
    (void)argument;
    struct cede_generator generator;
    create(body_gives_back_its_own_stack, &generator);
    cede_generator_next(&generator, NULL);
}

static void assert_fails_a_check(void (*misuse)(void *argument))
{
    struct child_end end;
    child_run(misuse, NULL, 0, &end);
    assert_int_equal(end.signal, SIGABRT);
    assert_non_null(strstr(end.text, "check failed"));
}

static void test_generator_refuses_next_while_it_runs(void **state)
{
    (void)state;
    assert_fails_a_check(misuse_next_while_running);
}

static void test_generator_refuses_next_when_it_is_finished(void **state)
{
    (void)state;
    assert_fails_a_check(misuse_next_when_finished);
}

static void test_generator_refuses_to_be_sent_something_at_first(void **state)
{
    (void)state;
    assert_fails_a_check(misuse_first_next_that_sends);
}

static void test_generator_refuses_a_yield_from_outside(void **state)
{
    (void)state;
    assert_fails_a_check(misuse_yield_from_outside);
}

static void test_generator_refuses_to_be_destroyed_while_parked(void **state)
{
    (void)state;
    assert_fails_a_check(misuse_destroy_while_parked);
}

static void test_generator_cannot_give_back_the_stack_it_stands_on(void **state)
{
    (void)state;
    assert_fails_a_check(misuse_stack_given_back_by_who_stands_on_it);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_generator_refuses_next_while_it_runs),
        cmocka_unit_test(test_generator_refuses_next_when_it_is_finished),
        cmocka_unit_test(test_generator_refuses_to_be_sent_something_at_first),
        cmocka_unit_test(test_generator_refuses_a_yield_from_outside),
        cmocka_unit_test(test_generator_refuses_to_be_destroyed_while_parked),
        cmocka_unit_test(test_generator_cannot_give_back_the_stack_it_stands_on),
    };
    return cmocka_run_group_tests_name("generator misuse", tests, NULL, NULL);
}
