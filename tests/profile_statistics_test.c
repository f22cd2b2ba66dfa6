// SPDX-License-Identifier: MIT
//
// The claims of tools/profile/statistics.h and order.h.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <string.h>

#include "tools/profile/order.h"
#include "tools/profile/statistics.h"

enum { BLOCK_COUNT = 40, ARM_LIMIT = 9 };

static void assert_near(double value, double wanted, double tolerance)
{
    if (!(fabs(value - wanted) <= tolerance))
        fail_msg("%.9g is not within %g of %.9g", value, tolerance, wanted);
}

static void test_statistics_median_of_odd_even_and_no_values(void **state)
{
    (void)state;
    double odd[] = {5, 1, 4, 2, 3}, even[] = {4, 1, 3, 2}, one[] = {7};
    assert_near(statistics_median(odd, 5), 3, 0);
    assert_near(statistics_median(even, 4), 2.5, 0);
    assert_near(statistics_median(one, 1), 7, 0);
    assert_true(isnan(statistics_median(one, 0)));
}

static void test_statistics_random_numbers_are_those_of_splitmix64(void **state)
{
    (void)state;
    // The published sequence for the seed 1234567.
    static const uint64_t published[] = {
        UINT64_C(6457827717110365317),  UINT64_C(3203168211198807973),
        UINT64_C(9817491932198370423),  UINT64_C(4593380528125082431),
        UINT64_C(16408922859458223821),
    };
    struct statistics_random random;
    statistics_seed(&random, 1234567);
    for (size_t index = 0; index < sizeof(published) / sizeof(published[0]); index++)
        assert_true(statistics_next(&random) == published[index]);
}

// Blocks that scatter around a true ratio, each disturbed by up to this share.
static void scatter(double ratio, double share, uint64_t seed, double *logarithms)
{
    struct statistics_random random;
    statistics_seed(&random, seed);
    for (size_t index = 0; index < BLOCK_COUNT; index++) {
        double unit = (double)statistics_below(&random, 1000001) / 1000000;
        logarithms[index] = log(ratio) + share * (2 * unit - 1);
    }
}

static void test_statistics_ratio_of_equal_blocks_is_that_ratio_exactly(void **state)
{
    (void)state;
    double logarithms[BLOCK_COUNT];
    struct statistics_ratio ratio;
    scatter(1.25, 0, 1, logarithms);
    assert_int_equal(statistics_ratio_of_blocks(logarithms, BLOCK_COUNT, 1, &ratio), 0);
    assert_near(ratio.estimate, 1.25, 1e-12);
    assert_near(ratio.low, 1.25, 1e-12);
    assert_near(ratio.high, 1.25, 1e-12);
    assert_true(statistics_differs(&ratio));
}

static void test_statistics_interval_is_the_same_for_the_same_seed(void **state)
{
    (void)state;
    double logarithms[BLOCK_COUNT], untouched[BLOCK_COUNT];
    struct statistics_ratio first, second, other;
    scatter(1, 0.1, 3, logarithms);
    memcpy(untouched, logarithms, sizeof(logarithms));
    assert_int_equal(statistics_ratio_of_blocks(logarithms, BLOCK_COUNT, 5, &first), 0);
    assert_int_equal(statistics_ratio_of_blocks(logarithms, BLOCK_COUNT, 5, &second), 0);
    assert_int_equal(statistics_ratio_of_blocks(logarithms, BLOCK_COUNT, 6, &other), 0);
    assert_memory_equal(logarithms, untouched, sizeof(logarithms));
    assert_memory_equal(&first, &second, sizeof(first));
    assert_near(other.low, first.low, 0.02);
    assert_near(other.high, first.high, 0.02);
}

static void test_statistics_interval_covers_the_truth_about_as_often_as_it_says(void **state)
{
    (void)state;
    double logarithms[BLOCK_COUNT];
    struct statistics_ratio ratio;
    int covered = 0, wrong_alarms = 0;
    enum { TRIAL_COUNT = 200 };
    for (uint64_t trial = 0; trial < TRIAL_COUNT; trial++) {
        scatter(1, 0.1, 100 + trial, logarithms);
        assert_int_equal(statistics_ratio_of_blocks(logarithms, BLOCK_COUNT, trial, &ratio), 0);
        assert_true(ratio.low <= ratio.estimate && ratio.estimate <= ratio.high);
        covered += ratio.low <= 1 && ratio.high >= 1;
        wrong_alarms += statistics_differs(&ratio);
    }
    // Of 200 intervals 190 are expected; fewer than 176 or all would be wrong for good.
    assert_in_range(covered, 176, 199);
    assert_int_equal(covered + wrong_alarms, TRIAL_COUNT);
}

static void test_statistics_one_block_tells_nothing_about_the_interval(void **state)
{
    (void)state;
    double logarithm = log(2);
    struct statistics_ratio ratio = {.estimate = 3};
    assert_int_equal(statistics_ratio_of_blocks(&logarithm, 0, 1, &ratio), -EINVAL);
    assert_near(ratio.estimate, 3, 0);
    assert_int_equal(statistics_ratio_of_blocks(&logarithm, 1, 1, &ratio), 0);
    assert_near(ratio.estimate, 2, 1e-12);
    assert_false(statistics_differs(&ratio));
}

static void
test_order_has_every_arm_in_every_place_and_after_every_other_equally_often(void **state)
{
    (void)state;
    for (size_t count = 1; count <= ARM_LIMIT; count++) {
        size_t in_place[ARM_LIMIT][ARM_LIMIT] = {0}, after[ARM_LIMIT][ARM_LIMIT] = {0};
        size_t order[ARM_LIMIT], cycle = order_cycle(count);
        for (size_t block = 0; block < 3 * cycle; block++) {
            order_of_block(count, block, 42, order);
            for (size_t place = 0; place < count; place++) {
                in_place[order[place]][place]++;
                if (place > 0)
                    after[order[place - 1]][order[place]]++;
            }
        }
        for (size_t arm = 0; arm < count; arm++) {
            for (size_t other = 0; other < count; other++) {
                assert_int_equal(in_place[arm][other], 3 * cycle / count);
                assert_int_equal(after[arm][other], arm == other ? 0 : 3 * cycle / count);
            }
        }
    }
}

static void test_order_depends_on_the_seed_alone(void **state)
{
    (void)state;
    size_t first[5], second[5], differences = 0;
    for (size_t block = 0; block < 20; block++) {
        order_of_block(5, block, 1, first);
        order_of_block(5, block, 1, second);
        assert_memory_equal(first, second, sizeof(first));
        order_of_block(5, block, 2, second);
        differences += memcmp(first, second, sizeof(first)) != 0;
    }
    assert_true(differences > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statistics_median_of_odd_even_and_no_values),
        cmocka_unit_test(test_statistics_random_numbers_are_those_of_splitmix64),
        cmocka_unit_test(test_statistics_ratio_of_equal_blocks_is_that_ratio_exactly),
        cmocka_unit_test(test_statistics_interval_is_the_same_for_the_same_seed),
        cmocka_unit_test(test_statistics_interval_covers_the_truth_about_as_often_as_it_says),
        cmocka_unit_test(test_statistics_one_block_tells_nothing_about_the_interval),
        cmocka_unit_test(
            test_order_has_every_arm_in_every_place_and_after_every_other_equally_often),
        cmocka_unit_test(test_order_depends_on_the_seed_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
