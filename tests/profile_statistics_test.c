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

enum { BLOCK_COUNT = 40, ARM_LIMIT = 9, TRIAL_COUNT = 2000 };

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
    assert_int_equal(statistics_ratio_among(logarithms, BLOCK_COUNT, 1, &ratio), 0);
    assert_near(ratio.estimate, 1.25, 1e-12);
    assert_near(ratio.low, 1.25, 1e-12);
    assert_near(ratio.high, 1.25, 1e-12);
    assert_near(ratio.detectable, 1, 1e-12);
    assert_true(statistics_differs(&ratio));
}

// The expected numbers of this and the next three were computed with exact integers, in Python.
static void test_statistics_interval_lies_between_order_statistics(void **state)
{
    (void)state;
    double logarithms[] = {3, 8, 1, 10, 5, 2, 9, 6, 4, 7}, untouched[10];
    struct statistics_ratio ratio;
    memcpy(untouched, logarithms, sizeof(logarithms));
    assert_int_equal(statistics_ratio_among(logarithms, 10, 1, &ratio), 0);
    assert_memory_equal(logarithms, untouched, sizeof(logarithms));
    assert_near(log(ratio.estimate), 5.5, 1e-9);
    assert_near(log(ratio.low), 2.657658, 1e-6);
    assert_near(log(ratio.high), 11 - 2.657658, 1e-6);
    // Half of the interval, and 0.8416 of its 1.95996 standard errors more.
    assert_near(log(ratio.detectable), (5.5 - 2.657658) * (1 + 0.8416 / 1.959964), 1e-5);
}

static void test_statistics_interval_is_wider_in_a_larger_family(void **state)
{
    (void)state;
    double logarithms[] = {3, 8, 1, 10, 5, 2, 9, 6, 4, 7};
    struct statistics_ratio ratio;
    assert_int_equal(statistics_ratio_among(logarithms, 10, 4, &ratio), 0);
    assert_near(log(ratio.low), 1.913534, 1e-6);
    assert_near(log(ratio.high), 11 - 1.913534, 1e-6);
}

static void test_statistics_interval_is_wider_when_neighbours_go_together(void **state)
{
    (void)state;
    double mixed[BLOCK_COUNT], together[BLOCK_COUNT];
    struct statistics_ratio apart, close;
    for (size_t index = 0; index < BLOCK_COUNT; index++) {
        // The same values: to and fro, and four on one side before four on the other.
        double size = (double)(index / 2 + 1) / 100;
        mixed[index] = index % 2 == 0 ? size : -size;
    }
    for (size_t index = 0; index < BLOCK_COUNT; index++)
        together[index] = mixed[index / 8 * 8 + index % 4 * 2 + index / 4 % 2];
    assert_int_equal(statistics_ratio_among(mixed, BLOCK_COUNT, 1, &apart), 0);
    assert_int_equal(statistics_ratio_among(together, BLOCK_COUNT, 1, &close), 0);
    assert_near(log(apart.high), 0.065892, 1e-6);
    assert_near(log(close.high), 0.095291, 1e-6);
}

static void test_statistics_few_blocks_tell_nothing_about_the_interval(void **state)
{
    (void)state;
    double logarithms[] = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8};
    struct statistics_ratio ratio = {.estimate = 3};
    assert_int_equal(statistics_ratio_among(logarithms, 0, 1, &ratio), -EINVAL);
    assert_near(ratio.estimate, 3, 0);
    for (size_t count = 1; count <= 5; count++) {
        assert_int_equal(statistics_ratio_among(logarithms, count, 1, &ratio), 0);
        assert_near(log(ratio.estimate), 0.05 + 0.05 * (double)count, 1e-12);
        assert_false(statistics_differs(&ratio));
        assert_true(isinf(ratio.high) && isinf(ratio.detectable));
    }
    // One in 32 samples of six lies on one side of its median; 5 % allow it, a quarter of 5 % does
    // not.
    assert_int_equal(statistics_ratio_among(logarithms, 6, 1, &ratio), 0);
    assert_true(statistics_differs(&ratio));
    assert_int_equal(statistics_ratio_among(logarithms, 6, 4, &ratio), 0);
    assert_false(statistics_differs(&ratio));
    assert_int_equal(statistics_ratio_among(logarithms, 8, 4, &ratio), 0);
    assert_true(statistics_differs(&ratio));
}

// How many of so many intervals hold the true ratio, 1.
static int count_covered(size_t comparison_count, double share)
{
    double logarithms[BLOCK_COUNT];
    struct statistics_ratio ratio;
    int covered = 0;
    for (uint64_t trial = 0; trial < TRIAL_COUNT; trial++) {
        scatter(1, share, 100 + trial, logarithms);
        assert_int_equal(statistics_ratio_among(logarithms, BLOCK_COUNT, comparison_count, &ratio),
                         0);
        assert_true(ratio.low <= ratio.estimate && ratio.estimate <= ratio.high);
        assert_true(statistics_differs(&ratio) == (ratio.low > 1 || ratio.high < 1));
        covered += !statistics_differs(&ratio);
    }
    return covered;
}

static void test_statistics_interval_covers_the_truth_about_as_often_as_it_says(void **state)
{
    (void)state;
    // Of 2000 intervals 1900 are expected, and with four in a family 1975. The lower bounds are
    // three standard deviations below. The correlation that chance puts into independent blocks
    // makes the intervals a little too wide; the upper bounds allow for it.
    assert_in_range(count_covered(1, 0.1), 1871, 1960);
    assert_in_range(count_covered(4, 0.1), 1960, 1995);
}

static void test_statistics_detectable_ratio_is_seen_by_four_of_five_runs(void **state)
{
    (void)state;
    double logarithms[BLOCK_COUNT], detectable[TRIAL_COUNT];
    struct statistics_ratio ratio;
    for (uint64_t trial = 0; trial < TRIAL_COUNT; trial++) {
        scatter(1, 0.1, 5000 + trial, logarithms);
        assert_int_equal(statistics_ratio_among(logarithms, BLOCK_COUNT, 1, &ratio), 0);
        detectable[trial] = ratio.detectable;
    }
    double typical = statistics_median(detectable, TRIAL_COUNT);
    int seen = 0;
    for (uint64_t trial = 0; trial < TRIAL_COUNT; trial++) {
        scatter(typical, 0.1, 9000 + trial, logarithms);
        assert_int_equal(statistics_ratio_among(logarithms, BLOCK_COUNT, 1, &ratio), 0);
        seen += ratio.low > 1;
    }
    // 1600 are expected.
    assert_in_range(seen, 1500, 1750);
}

static void test_statistics_blocks_for_a_precision_are_enough_for_it(void **state)
{
    (void)state;
    double logarithms[1000] = {0};
    size_t count;
    // A family of one needs six blocks, one of four eight, whatever the spread.
    assert_int_equal(statistics_blocks_for(logarithms, 0, 1, 0.02, &count), 0);
    assert_int_equal(count, 6);
    assert_int_equal(statistics_blocks_for(logarithms, 6, 4, 0.02, &count), 0);
    assert_int_equal(count, 8);
    // {1 2 3 4 5 6} %: the deviations' median is 1.5 %, the spread 1.4826 * 1.5 % * 6/5.
    for (size_t index = 0; index < 6; index++)
        logarithms[index] = (double)(index + 1) / 100;
    assert_int_equal(statistics_blocks_for(logarithms, 6, 1, 0.01, &count), 0);
    assert_int_equal(count, 44);
    assert_int_equal(statistics_blocks_for(logarithms, 6, 1, 1e-9, &count), 0);
    assert_int_equal(count, 1000000);
}

static void test_statistics_slope_is_the_median_of_pairs(void **state)
{
    (void)state;
    double seconds[20], values[20];
    struct statistics_slope slope;
    for (size_t index = 0; index < 20; index++) {
        seconds[index] = (double)index / 10;
        values[index] = 200 + 3 * seconds[index];
    }
    values[4] = 900;
    values[11] = 1;
    assert_int_equal(statistics_slope_of(seconds, values, 20, &slope), 0);
    // The line's value in the middle is 202.85; two wild values leave its slope alone.
    assert_near(slope.estimate, 300 / 202.85, 1e-9);
    assert_near(slope.low, 300 / 202.85, 1e-9);
    assert_near(slope.high, 300 / 202.85, 1e-9);
    // The pairs' slopes are -10, 5, 20 / 3, 10, 15, 20; the interval of four values is everything.
    double few[] = {10, 11, 13, 12};
    assert_int_equal(statistics_slope_of(seconds, few, 4, &slope), 0);
    assert_near(slope.estimate, 100 / 11.5 * 25 / 3, 1e-9);
    assert_true(isinf(slope.low) && isinf(slope.high));
    assert_int_equal(statistics_slope_of(seconds, few, 1, &slope), -EINVAL);
}

static void test_statistics_slope_of_noise_is_not_told_from_none(void **state)
{
    (void)state;
    double seconds[BLOCK_COUNT], values[BLOCK_COUNT];
    int flat = 0, rising = 0;
    for (uint64_t trial = 0; trial < 200; trial++) {
        struct statistics_slope slope;
        scatter(1, 0.1, trial, values);
        for (size_t index = 0; index < BLOCK_COUNT; index++) {
            seconds[index] = (double)index / 10;
            values[index] = exp(values[index]);
        }
        assert_int_equal(statistics_slope_of(seconds, values, BLOCK_COUNT, &slope), 0);
        flat += slope.low <= 0 && slope.high >= 0;
        for (size_t index = 0; index < BLOCK_COUNT; index++)
            values[index] *= 1 + 0.05 * seconds[index];
        assert_int_equal(statistics_slope_of(seconds, values, BLOCK_COUNT, &slope), 0);
        rising += slope.low > 0;
    }
    assert_in_range(flat, 180, 199);
    assert_in_range(rising, 190, 200);
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
        cmocka_unit_test(test_statistics_interval_lies_between_order_statistics),
        cmocka_unit_test(test_statistics_interval_is_wider_in_a_larger_family),
        cmocka_unit_test(test_statistics_interval_is_wider_when_neighbours_go_together),
        cmocka_unit_test(test_statistics_few_blocks_tell_nothing_about_the_interval),
        cmocka_unit_test(test_statistics_interval_covers_the_truth_about_as_often_as_it_says),
        cmocka_unit_test(test_statistics_detectable_ratio_is_seen_by_four_of_five_runs),
        cmocka_unit_test(test_statistics_blocks_for_a_precision_are_enough_for_it),
        cmocka_unit_test(test_statistics_slope_is_the_median_of_pairs),
        cmocka_unit_test(test_statistics_slope_of_noise_is_not_told_from_none),
        cmocka_unit_test(
            test_order_has_every_arm_in_every_place_and_after_every_other_equally_often),
        cmocka_unit_test(test_order_depends_on_the_seed_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
