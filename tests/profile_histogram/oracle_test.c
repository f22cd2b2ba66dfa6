// SPDX-License-Identifier: MIT
//
// Our histogram beside one that others wrote and read: of the same values the percentiles agree
// within one bucket, a 1/1024 of the value. expected.txt is what hdr-histogram-js says; expected.js
// made it and says how.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tools/profile/histogram.h"

enum { VALUE_COUNT = 100000 };

static const char *expected_path;
static struct histogram histogram;

// The generator mulberry32, as in expected.js.
static uint32_t next(uint32_t *state)
{
    *state += 0x6d2b79f5u;
    uint32_t bits = (*state ^ (*state >> 15)) * (1 | *state);
    bits = (bits + (bits ^ (bits >> 7)) * (61 | bits)) ^ bits;
    return bits ^ (bits >> 14);
}

static uint64_t draw_small(uint32_t *state)
{
    return next(state) % 2000;
}

static uint64_t draw_uniform(uint32_t *state)
{
    return next(state) % 1000000000;
}

static uint64_t draw_magnitudes(uint32_t *state)
{
    uint64_t value = next(state);
    uint32_t shift = next(state) % 37;
    return shift > 31 ? value << (shift - 31) : value >> (31 - shift);
}

static uint64_t draw_tail(uint32_t *state)
{
    uint64_t value = (UINT64_C(50000) << 32) / (UINT64_C(1) + next(state));
    return value < UINT64_C(1) << 36 ? value : UINT64_C(1) << 36;
}

static uint64_t draw_modes(uint32_t *state)
{
    uint64_t value = 60000;
    for (size_t part = 0; part < 4; part++)
        value += next(state) % 20000;
    return value + (next(state) % 10 == 0 ? 40000000 : 0);
}

static uint64_t draw_stall(uint32_t *state)
{
    if (next(state) % 50 == 0)
        return next(state) % 200000000;
    return 20000 + next(state) % 5000;
}

static uint64_t draw_constant(uint32_t *state)
{
    (void)state;
    return 123456789;
}

static const struct distribution {
    const char *name;
    uint64_t (*draw)(uint32_t *state);
} distributions[] = {
    {"small", draw_small}, {"uniform", draw_uniform}, {"magnitudes", draw_magnitudes},
    {"tail", draw_tail},   {"modes", draw_modes},     {"stall", draw_stall},
    {"constant", draw_constant},
};
enum { DISTRIBUTION_COUNT = sizeof(distributions) / sizeof(distributions[0]) };

static void fill(const char *name, uint32_t seed)
{
    for (size_t index = 0; index < DISTRIBUTION_COUNT; index++) {
        if (strcmp(distributions[index].name, name) != 0)
            continue;
        uint32_t state = seed;
        histogram_clear(&histogram);
        for (size_t count = 0; count < VALUE_COUNT; count++)
            histogram_record(&histogram, distributions[index].draw(&state));
        return;
    }
    fail_msg("there is no distribution %s", name);
}

static void test_histogram_agrees_with_another_one_within_a_bucket(void **state)
{
    (void)state;
    FILE *file = fopen(expected_path, "re");
    assert_non_null(file);
    char line[128], name[32], filled[64] = "", key[64];
    size_t compared = 0, equal = 0;
    while (fgets(line, sizeof(line), file) != NULL) {
        uint32_t seed;
        double percentile;
        uint64_t theirs;
        if (line[0] == '#')
            continue;
        assert_int_equal(sscanf(line, "%31s %" SCNu32 " %lf %" SCNu64, name, &seed, &percentile,
                                &theirs), 4);
        snprintf(key, sizeof(key), "%s %" PRIu32, name, seed);
        if (strcmp(key, filled) != 0)
            fill(name, seed);
        strcpy(filled, key);
        uint64_t ours = histogram_percentile(&histogram, percentile / 100);
        uint64_t distance = ours > theirs ? ours - theirs : theirs - ours;
        if (distance > theirs / 1024)
            fail_msg("%s p%g: %" PRIu64 ", not %" PRIu64, key, percentile, ours, theirs);
        compared++;
        equal += distance == 0;
    }
    fclose(file);
    print_message("%zu percentiles, %zu of them the same to the nanosecond\n", compared, equal);
    assert_true(compared >= 200);
}

int main(int argc, char *argv[])
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_histogram_agrees_with_another_one_within_a_bucket),
    };
    if (argc != 2)
        return 2;
    expected_path = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
