// SPDX-License-Identifier: MIT
//
// The claims of tools/profile/histogram.h, judged by a sorted array of the same values.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "tools/profile/histogram.h"
#include "tools/profile/statistics.h"

enum { VALUE_COUNT = 20000 };

static struct histogram histogram;
static uint64_t values[VALUE_COUNT];

static int compare(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

// Values of every magnitude below 2^bits.
static void fill(unsigned bits, uint64_t seed)
{
    struct statistics_random random;
    statistics_seed(&random, seed);
    histogram_clear(&histogram);
    for (size_t index = 0; index < VALUE_COUNT; index++) {
        unsigned width = 1 + (unsigned)statistics_below(&random, bits);
        values[index] = statistics_below(&random, UINT64_C(1) << width);
        histogram_record(&histogram, values[index]);
    }
    qsort(values, VALUE_COUNT, sizeof(values[0]), compare);
}

// What the rounding of the share adds to a whole rank is no reason for the next one.
static uint64_t exact_percentile(double share)
{
    size_t rank = (size_t)ceil(share * VALUE_COUNT - 1e-9);
    return values[rank > 0 ? rank - 1 : 0];
}

static void test_histogram_percentiles_are_at_most_a_thousandth_above_the_sorted_array(void **state)
{
    (void)state;
    static const double shares[] = {0.0001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 1};
    for (uint64_t seed = 1; seed <= 20; seed++) {
        fill(HISTOGRAM_VALUE_BITS, seed);
        for (size_t index = 0; index < sizeof(shares) / sizeof(shares[0]); index++) {
            uint64_t exact = exact_percentile(shares[index]);
            uint64_t found = histogram_percentile(&histogram, shares[index]);
            assert_true(found >= exact);
            assert_true(found <= exact + exact / 1024);
        }
        assert_int_equal(histogram.total, VALUE_COUNT);
        assert_true(histogram.maximum == values[VALUE_COUNT - 1]);
    }
}

static void test_histogram_is_exact_for_small_values(void **state)
{
    (void)state;
    fill(HISTOGRAM_LINEAR_BITS, 7);
    for (int percent = 1; percent < 100; percent++) {
        double share = percent / 100.0;
        assert_int_equal(histogram_percentile(&histogram, share), exact_percentile(share));
    }
}

static void test_histogram_puts_each_bucket_end_into_its_bucket(void **state)
{
    (void)state;
    for (size_t index = 0; index < HISTOGRAM_BUCKET_COUNT; index++) {
        uint64_t end = histogram_bucket_end(index);
        uint64_t begin = index > 0 ? histogram_bucket_end(index - 1) + 1 : 0;
        histogram.counts[index] = 0;
        histogram_record(&histogram, begin);
        histogram_record(&histogram, end);
        assert_int_equal(histogram.counts[index], 2);
    }
    assert_true(histogram_bucket_end(HISTOGRAM_BUCKET_COUNT - 1) ==
                (UINT64_C(1) << HISTOGRAM_VALUE_BITS) - 1);
}

static void test_histogram_keeps_the_maximum_of_values_beyond_its_range(void **state)
{
    (void)state;
    histogram_clear(&histogram);
    histogram_record(&histogram, 5);
    histogram_record(&histogram, UINT64_MAX);
    assert_int_equal(histogram.total, 2);
    assert_int_equal(histogram_percentile(&histogram, 0.5), 5);
    assert_true(histogram_percentile(&histogram, 1) == UINT64_MAX);
}

static void test_histogram_merged_is_the_histogram_of_all_values(void **state)
{
    (void)state;
    static struct histogram parts[3], whole;
    struct statistics_random random;
    statistics_seed(&random, 11);
    for (size_t index = 0; index < VALUE_COUNT; index++) {
        uint64_t value = statistics_below(&random, 1000000000);
        histogram_record(&parts[index % 2], value);
        histogram_record(&whole, value);
    }
    histogram_merge(&parts[2], &parts[0]);
    histogram_merge(&parts[2], &parts[1]);
    assert_memory_equal(&parts[2], &whole, sizeof(whole));
}

static void test_histogram_without_values_answers_zero(void **state)
{
    (void)state;
    histogram_clear(&histogram);
    assert_int_equal(histogram_percentile(&histogram, 0.5), 0);
    assert_int_equal(histogram_percentile(&histogram, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            test_histogram_percentiles_are_at_most_a_thousandth_above_the_sorted_array),
        cmocka_unit_test(test_histogram_is_exact_for_small_values),
        cmocka_unit_test(test_histogram_puts_each_bucket_end_into_its_bucket),
        cmocka_unit_test(test_histogram_keeps_the_maximum_of_values_beyond_its_range),
        cmocka_unit_test(test_histogram_merged_is_the_histogram_of_all_values),
        cmocka_unit_test(test_histogram_without_values_answers_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
