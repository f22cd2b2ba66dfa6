// SPDX-License-Identifier: MIT
//
// The claims of tools/profile/html/band.h, on histograms whose percentiles are known.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "tools/profile/html/band.h"
#include "tools/profile/statistics.h"

enum { BLOCKS = 50, BUCKETS = 100 };

static struct band_bucket buckets[BLOCKS * BUCKETS];
static struct band_point points[BAND_POINT_LIMIT];

// Each block has each of the values 1 to 100 `count` times, its own ones multiplied by `scale`.
static void fill(uint64_t count, const uint64_t scale[BLOCKS])
{
    for (size_t block = 0; block < BLOCKS; block++) {
        for (size_t value = 0; value < BUCKETS; value++) {
            buckets[block * BUCKETS + value] = (struct band_bucket){
                .end_ns = (value + 1) * scale[block], .count = count, .block = block};
        }
    }
}

static const struct band_point *point_at(double one_in, size_t count)
{
    for (size_t index = 0; index < count; index++) {
        if (points[index].one_in == one_in)
            return &points[index];
    }
    fail_msg("there is no such point");
    return NULL;
}

static void test_band_of_equal_blocks_has_no_width(void **state)
{
    (void)state;
    uint64_t scale[BLOCKS];
    size_t count = 0;
    for (size_t block = 0; block < BLOCKS; block++)
        scale[block] = 1;
    fill(20, scale);
    assert_int_equal(band_make(buckets, BLOCKS * BUCKETS, BLOCKS, 1, points, &count), 0);
    assert_int_equal(points[0].value_ns, 1);
    assert_int_equal(point_at(2, count)->value_ns, 50);
    assert_int_equal(point_at(4, count)->value_ns, 75);
    assert_int_equal(point_at(10, count)->value_ns, 90);
    assert_int_equal(point_at(1000, count)->value_ns, 100);
    for (size_t index = 0; index < count; index++) {
        assert_int_equal(points[index].low_ns, points[index].value_ns);
        assert_int_equal(points[index].high_ns, points[index].value_ns);
    }
}

static void test_band_of_unequal_blocks_holds_the_percentile_and_is_the_same_again(void **state)
{
    (void)state;
    struct statistics_random random;
    uint64_t scale[BLOCKS], low = 0, high = 0;
    size_t count = 0;
    statistics_seed(&random, 3);
    for (size_t block = 0; block < BLOCKS; block++)
        scale[block] = 1000 + statistics_below(&random, 1000);
    for (size_t round = 0; round < 2; round++) {
        fill(20, scale);
        assert_int_equal(band_make(buckets, BLOCKS * BUCKETS, BLOCKS, 9, points, &count), 0);
        for (size_t index = 0; index < count; index++) {
            assert_true(points[index].low_ns <= points[index].value_ns);
            assert_true(points[index].value_ns <= points[index].high_ns);
        }
        const struct band_point *median = point_at(2, count);
        assert_true(median->low_ns < median->high_ns);
        // Fifty blocks that differ by a third of their mean tell it to a tenth.
        assert_true(median->high_ns - median->low_ns < median->value_ns / 5);
        assert_true(round == 0 || (median->low_ns == low && median->high_ns == high));
        low = median->low_ns;
        high = median->high_ns;
    }
}

static void test_band_ends_where_fewer_than_ten_values_are_beyond(void **state)
{
    (void)state;
    struct band_bucket many = {.end_ns = 7, .count = 100000};
    struct band_bucket few = {.end_ns = 7, .count = 1};
    size_t count = 0;
    assert_int_equal(band_make(&many, 1, 1, 1, points, &count), 0);
    assert_true(points[count - 1].one_in == 10000);
    assert_true(points[count - 1].low_ns == 0 && points[count - 1].high_ns == UINT64_MAX);
    assert_int_equal(band_make(&few, 1, 1, 1, points, &count), 0);
    assert_int_equal(count, 1);
    assert_int_equal(points[0].value_ns, 7);
}

static void test_band_of_nothing_is_refused(void **state)
{
    (void)state;
    size_t count = 77;
    assert_int_equal(band_make(buckets, 0, 0, 1, points, &count), -EINVAL);
    assert_int_equal(count, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_band_of_equal_blocks_has_no_width),
        cmocka_unit_test(test_band_of_unequal_blocks_holds_the_percentile_and_is_the_same_again),
        cmocka_unit_test(test_band_ends_where_fewer_than_ten_values_are_beyond),
        cmocka_unit_test(test_band_of_nothing_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
