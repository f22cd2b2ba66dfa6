// SPDX-License-Identifier: MIT
//
// The claims of tools/profile/trials.h, on recordings that are made up.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <string.h>

#include "tools/profile/statistics.h"
#include "tools/profile/trials.h"

enum { BLOCK_COUNT = 200, TRIAL_COUNT = 500 };

// A number between -1 and 1.
static double draw(struct statistics_random *random)
{
    return (double)statistics_below(random, 2000001) / 1000000 - 1;
}

// Two arms of 3 us for an operation. Each window is disturbed by up to `noise`, of which `lasting`
// goes on in the next block; arm 1 takes `bias` times as long throughout.
static void record(double noise, double lasting, double bias, struct result *ret_recording)
{
    struct statistics_random random;
    double disturbance[2] = {0, 0};
    statistics_seed(&random, 7);
    result_init(ret_recording);
    ret_recording->arm_count = 2;
    ret_recording->reference = 0;
    for (size_t block = 0; block < BLOCK_COUNT; block++) {
        assert_int_equal(result_add_block(ret_recording), 0);
        for (size_t arm = 0; arm < 2; arm++) {
            struct result_window *window = result_window_at(ret_recording, block, arm);
            disturbance[arm] = lasting * disturbance[arm] + noise * draw(&random);
            window->is_complete = true;
            window->is_valid = true;
            window->operation_count = 10000;
            window->elapsed_ns = llround(5e7 * exp(noise * draw(&random)));
            window->cpu_ns = llround(3e7 * exp(disturbance[arm]) * (arm == 1 ? bias : 1));
        }
    }
}

static struct trials_outcome run(double noise, double lasting, double bias, double burden)
{
    const struct trials_plan plan = {
        .trial_count = TRIAL_COUNT,
        .block_count = BLOCK_COUNT,
        .run_blocks = 10,
        .burden = burden,
        .seed = 1,
    };
    struct result recording;
    struct trials_outcome outcome;
    record(noise, lasting, bias, &recording);
    assert_int_equal(trials_run(&recording, &plan, &outcome), 0);
    result_destroy(&recording);
    return outcome;
}

static void test_trials_of_equal_arms_see_a_difference_in_one_of_twenty(void **state)
{
    (void)state;
    struct trials_outcome outcome = run(0.1, 0, 1, 1);
    // 25 are expected of each, and half of those of processor time on this side.
    assert_in_range(outcome.cpu_seen, 5, 40);
    assert_in_range(outcome.rate_seen, 5, 40);
    assert_in_range(outcome.slower_seen, 1, outcome.cpu_seen - 1);
}

static void test_trials_survive_disturbances_that_last(void **state)
{
    (void)state;
    struct trials_outcome outcome = run(0.1, 0.5, 1, 1);
    assert_in_range(outcome.cpu_seen, 5, 50);
}

static void test_trials_exchange_the_arms_so_that_a_real_difference_is_none(void **state)
{
    (void)state;
    struct trials_outcome outcome = run(0.1, 0, 1.02, 1);
    assert_in_range(outcome.slower_seen, 1, 25);
    assert_in_range(outcome.cpu_seen - outcome.slower_seen, 1, 25);
}

static void test_trials_find_what_is_planted(void **state)
{
    (void)state;
    struct trials_outcome outcome = run(0.1, 0, 1, 1.05);
    assert_in_range(outcome.slower_seen, TRIAL_COUNT * 95 / 100, TRIAL_COUNT);
    assert_in_range(outcome.rate_seen, 5, 40);
    // What a run could have seen is smaller, and near it the finds become fewer.
    assert_true(outcome.detectable > 1.005 && outcome.detectable < 1.05);
    outcome = run(0.1, 0, 1, outcome.detectable);
    assert_in_range(outcome.slower_seen, TRIAL_COUNT * 65 / 100, TRIAL_COUNT * 95 / 100);
}

static void test_trials_are_the_same_for_the_same_seed(void **state)
{
    (void)state;
    struct trials_outcome first = run(0.1, 0.2, 1, 1.01), second = run(0.1, 0.2, 1, 1.01);
    assert_memory_equal(&first, &second, sizeof(first));
}

static void test_trials_need_two_arms_that_were_timed(void **state)
{
    (void)state;
    const struct trials_plan plan = {
        .trial_count = 1, .block_count = 10, .run_blocks = 1, .burden = 1};
    struct result recording;
    struct trials_outcome outcome;
    record(0.1, 0, 1, &recording);
    strcpy(recording.arms[1].failure, "window: Connection reset by peer");
    assert_int_equal(trials_run(&recording, &plan, &outcome), -EINVAL);
    result_destroy(&recording);
    assert_int_equal(trials_run(&recording, &plan, &outcome), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trials_of_equal_arms_see_a_difference_in_one_of_twenty),
        cmocka_unit_test(test_trials_survive_disturbances_that_last),
        cmocka_unit_test(test_trials_exchange_the_arms_so_that_a_real_difference_is_none),
        cmocka_unit_test(test_trials_find_what_is_planted),
        cmocka_unit_test(test_trials_are_the_same_for_the_same_seed),
        cmocka_unit_test(test_trials_need_two_arms_that_were_timed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
