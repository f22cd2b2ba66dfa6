// SPDX-License-Identifier: MIT
//
// The claims of tools/profile/compare.h, on results that were made up.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "tests/profile_made.h"
#include "tools/profile/compare.h"

enum { BLOCKS = 60 };

static struct result old, new;
static struct compare_outcome outcome;

// Two runs of a reference and one server, whose costs are given; the machine of the second run is
// `slowness` times as slow as that of the first one.
static void make(double old_cpu_ns, double new_cpu_ns, double slowness)
{
    const struct made_arm before[] = {{"base", 2000, 2500, 0.05}, {"ours", old_cpu_ns, 2500, 0.05}};
    const struct made_arm after[] = {
        {"base", slowness * 2000, slowness * 2500, 0.05},
        {"ours", slowness * new_cpu_ns, slowness * 2500, 0.05},
        {"other", 2000, 2500, 0.05},
    };
    assert_true(made_result(before, 2, BLOCKS, 1, &old));
    assert_true(made_result(after, 3, BLOCKS, 2, &new));
}

static void drop(void)
{
    result_destroy(&old);
    result_destroy(&new);
}

static void test_compare_sees_no_regression_between_equal_runs(void **state)
{
    (void)state;
    make(2400, 2400, 1);
    assert_int_equal(compare_results(&old, &new, 0.0, &outcome), 0);
    assert_int_equal(outcome.arm_count, 2);
    assert_int_equal(outcome.regression_count, 0);
    assert_string_equal(outcome.difference, "");
    drop();
}

static void test_compare_finds_a_server_that_has_become_slower(void **state)
{
    (void)state;
    make(2400, 2640, 1);
    assert_int_equal(compare_results(&old, &new, 0.03, &outcome), 0);
    assert_int_equal(outcome.regression_count, 1);
    assert_string_equal(outcome.arms[1].name, "ours");
    assert_true(outcome.arms[1].is_regression && outcome.arms[1].is_relative);
    assert_true(outcome.arms[1].cpu_ratio.low < 1.10 && outcome.arms[1].cpu_ratio.high > 1.10);
    // Within the tolerance it is none, and neither is the way back.
    assert_int_equal(compare_results(&old, &new, 0.15, &outcome), 0);
    assert_int_equal(outcome.regression_count, 0);
    assert_int_equal(compare_results(&new, &old, 0.03, &outcome), 0);
    assert_int_equal(outcome.regression_count, 0);
    drop();
}

static void test_compare_does_not_take_a_slower_machine_for_a_slower_server(void **state)
{
    (void)state;
    make(2400, 2400, 1.5);
    assert_int_equal(compare_results(&old, &new, 0.03, &outcome), 0);
    assert_string_equal(outcome.reference, "base");
    assert_int_equal(outcome.regression_count, 0);
    // What the machine did shows in the reference.
    assert_true(outcome.arms[0].cpu_ratio.low > 1.4);
    // Without one in common, it cannot be told.
    new.reference = 2;
    assert_int_equal(compare_results(&old, &new, 0.03, &outcome), 0);
    assert_string_equal(outcome.reference, "");
    assert_int_equal(outcome.regression_count, 2);
    drop();
}

static void test_compare_says_when_the_questions_were_not_the_same(void **state)
{
    (void)state;
    make(2400, 2400, 1);
    new.plan.connections = 1;
    assert_int_equal(compare_results(&old, &new, 0.03, &outcome), 0);
    assert_string_equal(outcome.difference, "number of connections");
    drop();
}

static void test_compare_needs_a_server_that_is_ranked_in_both(void **state)
{
    (void)state;
    make(2400, 2400, 1);
    strcpy(old.arms[0].failure, "gate: a wrong byte");
    new.arms[1].reason_count = 1;
    assert_int_equal(compare_results(&old, &new, 0.03, &outcome), -ENOENT);
    drop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compare_sees_no_regression_between_equal_runs),
        cmocka_unit_test(test_compare_finds_a_server_that_has_become_slower),
        cmocka_unit_test(test_compare_does_not_take_a_slower_machine_for_a_slower_server),
        cmocka_unit_test(test_compare_says_when_the_questions_were_not_the_same),
        cmocka_unit_test(test_compare_needs_a_server_that_is_ranked_in_both),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
