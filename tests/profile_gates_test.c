// SPDX-License-Identifier: MIT
//
// The claims of tools/profile/gates.h, summary.h and pilot.h, on results that were made up.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "tests/profile_made.h"
#include "tools/profile/gates.h"
#include "tools/profile/pilot.h"
#include "tools/profile/summary.h"

enum { BLOCKS = 40 };

static const struct made_arm arms[] = {{"base", 2000, 2500, 0.05}, {"slow", 2400, 2500, 0.05}};

static struct result made;

static int make(void **state)
{
    (void)state;
    assert_true(made_result(arms, 2, BLOCKS, 7, &made));
    return 0;
}

static int destroy(void **state)
{
    (void)state;
    result_destroy(&made);
    return 0;
}

static void assert_window(struct result_window *window, const char *objection)
{
    gates_judge_window(&made, window);
    assert_int_equal(window->is_valid, *objection == '\0');
    if (strstr(window->invalid, objection) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", objection, window->invalid);
}

static void test_gates_pass_a_window_with_nothing_to_object_to(void **state)
{
    (void)state;
    assert_window(result_window_at(&made, 0, 0), "");
}

static void test_gates_reject_a_window_whose_time_was_stolen(void **state)
{
    (void)state;
    struct result_window *window = result_window_at(&made, 0, 0);
    // A tick of 10 ms is rounding; 5 % of two processors for a tenth of a second are 10 ms more.
    window->steal_ns = 20000000;
    assert_window(window, "");
    window->steal_ns = 30000000;
    assert_window(window, "other guests took 15 % of the processors");
    window->steal_ns = RESULT_UNKNOWN;
    assert_window(window, "");
}

static void test_gates_reject_a_window_that_breaks_littles_law(void **state)
{
    (void)state;
    struct result_window *window = result_window_at(&made, 0, 0);
    window->service_ns = window->busy_ns / 100 * 101;
    assert_window(window, "");
    window->service_ns = window->busy_ns / 100 * 97;
    assert_window(window, "Little's law is off by -3.0 %");
}

static void test_gates_reject_a_late_client_where_it_goes_by_the_clock(void **state)
{
    (void)state;
    struct result_window *window = result_window_at(&made, 0, 0);
    window->lag_p50_ns = window->p50_ns / 10;
    assert_window(window, "");
    made.plan.is_open_loop = true;
    assert_window(window, "the client was late by 30.0 us (median), of a latency of 300.0 us");
    window->lag_p50_ns--;
    assert_window(window, "");
    window->lag_p99_ns = window->p99_ns / 10;
    assert_window(window, "the client was late by 90.0 us (p99), of a latency of 900.0 us");
    window->lag_p99_ns--;
    assert_window(window, "");
    window->unsent_count = 3;
    assert_window(window, "3 planned operations were given up");
}

static void test_gates_rank_arms_that_pass_and_say_what_limits_them(void **state)
{
    (void)state;
    for (size_t index = 0; index < 2; index++) {
        gates_judge_arm(&made, index);
        assert_int_equal(made.arms[index].reason_count, 0);
        assert_string_equal(made.arms[index].limited_by, "the core that server and client share");
    }
    assert_true(gates_hold(&made));
}

static void assert_not_ranked(const char *reason)
{
    struct summary summary;
    gates_judge_arm(&made, 1);
    assert_int_equal(made.arms[1].reason_count, 1);
    if (strstr(made.arms[1].reasons[0], reason) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", reason, made.arms[1].reasons[0]);
    assert_false(gates_hold(&made));
    assert_int_equal(summary_of(&made, 1, &summary), 0);
    assert_false(summary.is_compared);
}

static void test_gates_do_not_rank_an_arm_with_few_valid_windows(void **state)
{
    (void)state;
    for (size_t block = 0; block < BLOCKS / 2; block++)
        result_window_at(&made, block, 1)->is_valid = false;
    gates_judge_arm(&made, 1);
    assert_int_equal(made.arms[1].reason_count, 0);
    result_window_at(&made, BLOCKS / 2, 1)->is_valid = false;
    strcpy(result_window_at(&made, BLOCKS / 2, 1)->invalid, "the reason");
    assert_not_ranked("21 of 40 windows failed a gate, the last one: the reason");
    // Its values are those of all windows then.
    struct summary summary;
    assert_int_equal(summary_of(&made, 1, &summary), 0);
    assert_int_equal(summary.window_count, BLOCKS);
}

static void test_gates_do_not_rank_an_arm_that_does_not_rest(void **state)
{
    (void)state;
    made.arms[1].rest_ns = 1000000000;
    made.arms[1].rest_cpu_ns = 20000000;
    gates_judge_arm(&made, 1);
    assert_int_equal(made.arms[1].reason_count, 0);
    made.arms[1].rest_cpu_ns = 30000000;
    assert_not_ranked("it used 3 % of a processor while others were measured");
}

static void test_gates_do_not_rank_an_arm_that_waits_for_the_client(void **state)
{
    (void)state;
    made.plan.server_cpu = 0;
    for (size_t block = 0; block < BLOCKS; block++) {
        struct result_window *window = result_window_at(&made, block, 1);
        window->client_work_ns = window->elapsed_ns / 100 * 95;
        window->cpu_ns = window->elapsed_ns / 2;
    }
    assert_not_ranked("the client set the pace: it was 95 % busy, the server 50 %");
    assert_string_equal(made.arms[1].limited_by, "generator");
}

static void test_summary_leaves_out_invalid_windows_and_their_pairs(void **state)
{
    (void)state;
    struct summary before, after;
    double logarithms[BLOCKS];
    assert_int_equal(summary_of(&made, 1, &before), 0);
    // A window that is a hundred times slower, and known to be wrong.
    result_window_at(&made, 3, 1)->is_valid = false;
    result_window_at(&made, 3, 1)->cpu_ns *= 100;
    result_window_at(&made, 4, 0)->is_valid = false;
    assert_int_equal(summary_of(&made, 1, &after), 0);
    assert_int_equal(before.window_count, BLOCKS);
    assert_int_equal(after.window_count, BLOCKS - 1);
    assert_int_equal(summary_logarithms(&made, 1, SUMMARY_CPU, logarithms), BLOCKS - 2);
    assert_true(fabs(after.cpu_ratio.estimate - 1.2) < 0.03);
    assert_true(statistics_differs(&after.cpu_ratio));
}

static void test_pilot_wants_more_blocks_for_more_precision_and_keeps_the_budget(void **state)
{
    (void)state;
    size_t coarse, fine, bounded;
    assert_int_equal(pilot_plan(&made, 0.02, INT64_MAX / 2, 1000, 2, &coarse), 0);
    assert_int_equal(pilot_plan(&made, 0.005, INT64_MAX / 2, 1000, 2, &fine), 0);
    assert_true(coarse >= BLOCKS);
    assert_true(fine > coarse);
    assert_int_equal(fine % 2, 0);
    assert_int_equal(pilot_plan(&made, 0.005, 5999, 1000, 2, &bounded), 0);
    assert_int_equal(bounded, BLOCKS + 5);
    assert_int_equal(pilot_plan(&made, 0.005, -1, 1000, 2, &bounded), 0);
    assert_int_equal(bounded, BLOCKS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_gates_pass_a_window_with_nothing_to_object_to, make,
                                        destroy),
        cmocka_unit_test_setup_teardown(test_gates_reject_a_window_whose_time_was_stolen, make,
                                        destroy),
        cmocka_unit_test_setup_teardown(test_gates_reject_a_window_that_breaks_littles_law, make,
                                        destroy),
        cmocka_unit_test_setup_teardown(test_gates_reject_a_late_client_where_it_goes_by_the_clock,
                                        make, destroy),
        cmocka_unit_test_setup_teardown(test_gates_rank_arms_that_pass_and_say_what_limits_them,
                                        make, destroy),
        cmocka_unit_test_setup_teardown(test_gates_do_not_rank_an_arm_with_few_valid_windows, make,
                                        destroy),
        cmocka_unit_test_setup_teardown(test_gates_do_not_rank_an_arm_that_does_not_rest, make,
                                        destroy),
        cmocka_unit_test_setup_teardown(test_gates_do_not_rank_an_arm_that_waits_for_the_client,
                                        make, destroy),
        cmocka_unit_test_setup_teardown(test_summary_leaves_out_invalid_windows_and_their_pairs,
                                        make, destroy),
        cmocka_unit_test_setup_teardown(
            test_pilot_wants_more_blocks_for_more_precision_and_keeps_the_budget, make, destroy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
