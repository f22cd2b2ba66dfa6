// SPDX-License-Identifier: MIT
//
// Percentiles come from the histograms of the arm's windows where all of these have one, and then
// with a band. Otherwise they come from the arm's own histogram, without. Invalid windows count
// only if the result says so.

#include "tools/profile/html/digest.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tools/profile/html/band.h"

// Windows keep these members; what a page shows of the others is in the arms.
static const char *const columns[] = {
    "place", "start_ns", "elapsed_ns", "operations", "cpu_ns",  "user_ns",
    "kernel_ns", "steal_ns", "p50_ns", "p99_ns",     "invalid",
};
enum { COLUMN_COUNT = sizeof(columns) / sizeof(columns[0]) };

struct buckets {
    struct band_bucket *items;
    size_t count;
    size_t space;
};

static int add_bucket(struct buckets *buckets, const json_t *end, const json_t *count, size_t block)
{
    if (json_integer_value(end) < 0 || json_integer_value(count) <= 0)
        return 0;
    if (buckets->count == buckets->space) {
        size_t space = buckets->space * 2 + 1024;
        struct band_bucket *items = reallocarray(buckets->items, space, sizeof(*items));
        if (items == NULL)
            return -ENOMEM;
        buckets->items = items;
        buckets->space = space;
    }
    buckets->items[buckets->count++] = (struct band_bucket){
        .end_ns = (uint64_t)json_integer_value(end),
        .count = (uint64_t)json_integer_value(count),
        .block = block,
    };
    return 0;
}

static int add_flat_pairs(struct buckets *buckets, const json_t *pairs, size_t block)
{
    int status = 0;
    for (size_t at = 0; at + 1 < json_array_size(pairs) && status == 0; at += 2)
        status = add_bucket(buckets, json_array_get(pairs, at), json_array_get(pairs, at + 1),
                            block);
    return status;
}

static int add_pairs(struct buckets *buckets, const json_t *pairs)
{
    int status = 0;
    for (size_t at = 0; at < json_array_size(pairs) && status == 0; at++) {
        const json_t *pair = json_array_get(pairs, at);
        status = add_bucket(buckets, json_array_get(pair, 0), json_array_get(pair, 1), 0);
    }
    return status;
}

static bool is_window_of(const json_t *window, const json_t *arm)
{
    const char *name = json_string_value(json_object_get(arm, "name"));
    const char *other = json_string_value(json_object_get(window, "arm"));
    return name != NULL && other != NULL && strcmp(name, other) == 0;
}

// The buckets of all windows of an arm that count; *ret_block_count is 0 if one has none.
static int collect_windows(const json_t *blocks, const json_t *arm, struct buckets *buckets,
                           size_t *ret_block_count)
{
    size_t block_count = 0;
    bool uses_invalid = json_is_true(json_object_get(arm, "uses_invalid_windows"));
    for (size_t block = 0; block < json_array_size(blocks); block++) {
        const json_t *windows = json_array_get(blocks, block);
        for (size_t at = 0; at < json_array_size(windows); at++) {
            const json_t *window = json_array_get(windows, at);
            bool is_invalid = json_is_false(json_object_get(window, "valid"));
            if (!is_window_of(window, arm) || (is_invalid && !uses_invalid))
                continue;
            const json_t *pairs = json_object_get(window, "latency");
            if (json_array_size(pairs) == 0) {
                *ret_block_count = 0;
                return 0;
            }
            int status = add_flat_pairs(buckets, pairs, block_count++);
            if (status < 0)
                return status;
        }
    }
    *ret_block_count = block_count;
    return 0;
}

static json_t *point_row(const struct band_point *point)
{
    json_t *row = json_array();
    json_array_append_new(row, json_real(point->one_in));
    json_array_append_new(row, json_integer((json_int_t)point->value_ns));
    bool has_band = point->high_ns != UINT64_MAX;
    json_array_append_new(row, has_band ? json_integer((json_int_t)point->low_ns) : json_null());
    json_array_append_new(row, has_band ? json_integer((json_int_t)point->high_ns) : json_null());
    return row;
}

// Put the digest of a histogram into the place of the histogram. No buckets: null.
static int replace_histogram(json_t *arm, const char *name, struct buckets *buckets,
                             size_t block_count, uint64_t seed)
{
    struct band_point points[BAND_POINT_LIMIT];
    size_t point_count = 0;
    uint64_t operations = 0;
    for (size_t at = 0; at < buckets->count; at++)
        operations += buckets->items[at].count;
    int status =
        band_make(buckets->items, buckets->count, block_count, seed, points, &point_count);
    if (status == -EINVAL)
        return json_object_set_new(arm, name, json_null()) < 0 ? -ENOMEM : 0;
    if (status < 0)
        return status;
    json_t *rows = json_array();
    for (size_t at = 0; at < point_count; at++)
        json_array_append_new(rows, point_row(&points[at]));
    json_t *maximum = json_object_get(json_object_get(arm, name), "maximum_ns");
    json_t *digest = json_pack("{s:O?, s:I, s:o}", "maximum_ns", maximum, "operations",
                               (json_int_t)operations, "percentiles", rows);
    return json_object_set_new(arm, name, digest) < 0 ? -ENOMEM : 0;
}

// `blocks` is NULL for a histogram that windows do not have.
static int digest_histogram(json_t *arm, const char *name, const json_t *blocks, uint64_t seed)
{
    struct buckets buckets = {.items = NULL};
    size_t block_count = 0;
    int status = collect_windows(blocks, arm, &buckets, &block_count);
    if (status == 0 && block_count == 0) {
        block_count = 1;
        buckets.count = 0;
        status = add_pairs(&buckets,
                           json_object_get(json_object_get(arm, name), "buckets_ns"));
    }
    if (status == 0)
        status = replace_histogram(arm, name, &buckets, block_count, seed);
    free(buckets.items);
    return status;
}

static json_t *window_row(const json_t *window, size_t block, size_t arm)
{
    json_t *row = json_array();
    json_array_append_new(row, json_integer((json_int_t)block));
    json_array_append_new(row, json_integer((json_int_t)arm));
    json_array_append_new(row, json_boolean(!json_is_false(json_object_get(window, "valid"))));
    for (size_t column = 0; column < COLUMN_COUNT; column++) {
        json_t *value = json_object_get(window, columns[column]);
        json_array_append(row, value != NULL ? value : json_null());
    }
    return row;
}

static int replace_blocks(json_t *document, const json_t *arms, const json_t *blocks)
{
    json_t *names = json_pack("[s, s, s]", "block", "arm", "valid");
    for (size_t column = 0; column < COLUMN_COUNT; column++)
        json_array_append_new(names, json_string(columns[column]));
    json_t *rows = json_array();
    for (size_t block = 0; block < json_array_size(blocks); block++) {
        const json_t *windows = json_array_get(blocks, block);
        for (size_t at = 0; at < json_array_size(windows); at++) {
            const json_t *window = json_array_get(windows, at);
            for (size_t arm = 0; arm < json_array_size(arms); arm++) {
                if (is_window_of(window, json_array_get(arms, arm)))
                    json_array_append_new(rows, window_row(window, block, arm));
            }
        }
    }
    json_t *table = json_pack("{s:o, s:o}", "columns", names, "rows", rows);
    return json_object_set_new(document, "blocks", table) < 0 ? -ENOMEM : 0;
}

int digest_make(json_t *document)
{
    json_t *arms = json_object_get(document, "arms");
    json_t *blocks = json_object_get(document, "blocks");
    uint64_t seed = (uint64_t)json_integer_value(json_object_get(document, "seed"));
    int status = 0;
    for (size_t index = 0; index < json_array_size(arms) && status == 0; index++) {
        json_t *arm = json_array_get(arms, index);
        if (!json_is_object(arm))
            continue;
        status = digest_histogram(arm, "latency", blocks, seed);
        if (status == 0)
            status = digest_histogram(arm, "service", NULL, seed);
    }
    return status == 0 ? replace_blocks(document, arms, blocks) : status;
}
