// SPDX-License-Identifier: MIT
//
// The claims of tools/profile/arrivals.h. Nothing here takes time or asks for it.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "tools/profile/arrivals.h"
#include "tools/profile/clock.h"

enum { SEED = 7 };

static const enum load_arrivals kinds[] = {LOAD_POISSON, LOAD_UNIFORM};

static struct arrivals arrivals_of(enum load_arrivals kind, double rate_per_s, int64_t duration_ns,
                                   uint64_t seed)
{
    struct statistics_random random;
    struct arrivals arrivals;
    statistics_seed(&random, seed);
    assert_int_equal(arrivals_plan(kind, rate_per_s, duration_ns, &random, &arrivals), 0);
    return arrivals;
}

static void test_arrivals_are_the_same_for_the_same_seed(void **state)
{
    (void)state;
    for (size_t index = 0; index < 2; index++) {
        enum load_arrivals kind = kinds[index];
        struct arrivals one = arrivals_of(kind, 5000, CLOCK_NS_PER_SECOND, 1);
        struct arrivals same = arrivals_of(kind, 5000, CLOCK_NS_PER_SECOND, 1);
        struct arrivals other = arrivals_of(kind, 5000, CLOCK_NS_PER_SECOND, 2);
        assert_int_equal(one.count, same.count);
        assert_memory_equal(one.times_ns, same.times_ns, one.count * sizeof(int64_t));
        assert_int_not_equal(one.times_ns[0], other.times_ns[0]);
        arrivals_clear(&one);
        arrivals_clear(&same);
        arrivals_clear(&other);
    }
}

static void test_arrivals_ascend_within_the_duration(void **state)
{
    (void)state;
    for (size_t round = 0; round < 2; round++) {
        struct arrivals arrivals = arrivals_of(kinds[round], 100000, CLOCK_NS_PER_SECOND, SEED);
        assert_true(arrivals.times_ns[0] >= 0);
        for (size_t index = 1; index < arrivals.count; index++)
            assert_true(arrivals.times_ns[index] >= arrivals.times_ns[index - 1]);
        assert_true(arrivals.times_ns[arrivals.count - 1] < CLOCK_NS_PER_SECOND);
        arrivals_clear(&arrivals);
    }
}

static void test_arrivals_at_a_low_rate_may_be_none(void **state)
{
    (void)state;
    struct arrivals arrivals = arrivals_of(LOAD_POISSON, 1e-6, CLOCK_NS_PER_SECOND, SEED);
    assert_int_equal(arrivals.count, 0);
    arrivals_clear(&arrivals);
}

// The mean of exponential gaps is their standard deviation; of n of them both are known within a
// few parts of the root of n, here 0.3 %.
static void test_arrivals_of_poisson_have_the_gaps_of_chance(void **state)
{
    (void)state;
    const double rate_per_s = 100000;
    struct arrivals arrivals = arrivals_of(LOAD_POISSON, rate_per_s, CLOCK_NS_PER_SECOND, SEED);
    double sum = 0, square_sum = 0;
    for (size_t index = 1; index < arrivals.count; index++) {
        double gap = (double)(arrivals.times_ns[index] - arrivals.times_ns[index - 1]) / 1e9;
        sum += gap;
        square_sum += gap * gap;
    }
    double mean = sum / (double)(arrivals.count - 1);
    double deviation = sqrt(square_sum / (double)(arrivals.count - 1) - mean * mean);
    assert_true(fabs(mean * rate_per_s - 1) < 0.02);
    assert_true(fabs(deviation * rate_per_s - 1) < 0.02);
    assert_true(fabs((double)arrivals.count / rate_per_s - 1) < 0.02);
    arrivals_clear(&arrivals);
}

static void test_arrivals_of_uniform_have_equal_gaps(void **state)
{
    (void)state;
    struct arrivals arrivals = arrivals_of(LOAD_UNIFORM, 4000, CLOCK_NS_PER_SECOND, SEED);
    assert_int_equal(arrivals.count, 4000);
    for (size_t index = 1; index < arrivals.count; index++) {
        int64_t gap_ns = arrivals.times_ns[index] - arrivals.times_ns[index - 1];
        assert_true(gap_ns >= 249999 && gap_ns <= 250001);
    }
    arrivals_clear(&arrivals);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arrivals_are_the_same_for_the_same_seed),
        cmocka_unit_test(test_arrivals_ascend_within_the_duration),
        cmocka_unit_test(test_arrivals_at_a_low_rate_may_be_none),
        cmocka_unit_test(test_arrivals_of_poisson_have_the_gaps_of_chance),
        cmocka_unit_test(test_arrivals_of_uniform_have_equal_gaps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
