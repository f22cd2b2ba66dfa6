// SPDX-License-Identifier: MIT
//
// The claims of tasks/trace.h: the binary form, which others write and read as well, the log, and
// the digest. What is decoded lies before a page that must not be touched.

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/sys.h"
#include "tasks/trace.h"
#include "tests/child.h"
#include "tests/seed.h"

static uint64_t seed;

// How many more times memory may grow, or -1.
static int growths = -1;

void *__real_cede_sys_reallocate(void *memory, size_t bytes);
void *__wrap_cede_sys_reallocate(void *memory, size_t bytes);

void *__wrap_cede_sys_reallocate(void *memory, size_t bytes)
{
    if (growths == 0)
        return NULL;
    growths -= growths > 0;
    return __real_cede_sys_reallocate(memory, bytes);
}

// --- The binary form ----------------------------------------------------------------------------

// One of each kind with all its fields, small and large, and its bytes as they have to be.
static const struct example {
    struct cede_trace_event event;
    const char *bytes;
    size_t count;
} examples[] = {
#define EXAMPLE(literal, ...) {{__VA_ARGS__}, literal, sizeof(literal) - 1}
    EXAMPLE("\x01\x00", .kind = CEDE_TRACE_TICK),
    EXAMPLE("\x01\x90\x4e", .kind = CEDE_TRACE_TICK, .now_ns = 5000),
    EXAMPLE("\x02\x00\x01\x00\x04main", .kind = CEDE_TRACE_SPAWN, .other = 1, .name = "main"),
    EXAMPLE("\x02\x01\x00\x15\x00", .kind = CEDE_TRACE_SPAWN, .task = 1, .result = -11),
    EXAMPLE("\x03\x01\x02\x08\x10\x01", .kind = CEDE_TRACE_SUBMIT, .task = 1, .verb = 2,
            .object = 4, .bytes = 16, .deadline_ns = -1),
    EXAMPLE("\x03\x01\x0d\x01\x00\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01",
            .kind = CEDE_TRACE_SUBMIT, .task = 1, .verb = 13, .object = -1,
            .deadline_ns = INT64_MAX),
    EXAMPLE("\x04\x02\x08\x06\x08\x04\xff\xff\xff\xff\x0f", .kind = CEDE_TRACE_END, .task = 2,
            .verb = 8, .object = 3, .result = 4, .bytes = 4, .digest = UINT32_MAX),
    EXAMPLE("\x04\x02\xc8\x01\x06\x2b\x00\x00", .kind = CEDE_TRACE_END, .task = 2, .verb = 200,
            .object = 3, .result = -22),
    EXAMPLE("\x05\x80\x01\x00", .kind = CEDE_TRACE_PAUSE, .task = 128),
    EXAMPLE("\x06\x01\x02\x00\x0e", .kind = CEDE_TRACE_JOIN, .task = 1, .other = 2, .value = 7),
    EXAMPLE("\x07\x01\x02", .kind = CEDE_TRACE_CANCEL, .task = 1, .other = 2),
    EXAMPLE("\x08\x01\x02\x06\x00", .kind = CEDE_TRACE_SHUTDOWN, .task = 1, .verb = 2, .object = 3),
    EXAMPLE("\x09\x01\x00\x01", .kind = CEDE_TRACE_SCOPE, .task = 1, .value = -1),
    EXAMPLE("\x0a\xff\xff\xff\xff\x0f\x01", .kind = CEDE_TRACE_DONE, .task = UINT32_MAX,
            .result = -1),
    EXAMPLE("\x0b\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", .kind = CEDE_TRACE_OUTCOME,
            .result = INT64_MIN),
    EXAMPLE("\x0c\x00\x40\x02\x0c\x7f", .kind = CEDE_TRACE_NOTE, .verb = 64, .object = 1,
            .result = 6, .digest = 127),
};

#define EXAMPLE_COUNT (sizeof examples / sizeof *examples)

static void assert_same(const struct cede_trace_event *a, const struct cede_trace_event *b)
{
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->task, b->task);
    assert_int_equal(a->other, b->other);
    assert_int_equal(a->verb, b->verb);
    assert_true(a->object == b->object && a->result == b->result && a->value == b->value);
    assert_true(a->bytes == b->bytes && a->digest == b->digest);
    assert_true(a->now_ns == b->now_ns && a->deadline_ns == b->deadline_ns);
    assert_string_equal(a->name, b->name);
}

static void test_trace_has_the_binary_form_that_others_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < EXAMPLE_COUNT; i++) {
        uint8_t data[CEDE_TRACE_EVENT_BYTES];
        struct cede_trace_event event;
        assert_int_equal(cede_trace_encode(&examples[i].event, data), examples[i].count);
        assert_memory_equal(data, examples[i].bytes, examples[i].count);
        assert_int_equal(cede_trace_decode(data, sizeof data, &event), examples[i].count);
        assert_same(&event, &examples[i].event);
    }
}

// Numbers of every length, and the ends of their ranges.
static uint64_t pick(unsigned bits)
{
    uint64_t number = seed_next(&seed);
    number >>= 64 - bits + seed_next(&seed) % bits;
    return seed_next(&seed) % 8 == 0 ? UINT64_MAX >> (64 - bits) : number;
}

static struct cede_trace_event random_event(void)
{
    struct cede_trace_event event = {
        .kind = (enum cede_trace_kind)(1 + seed_next(&seed) % (CEDE_TRACE_KIND_COUNT - 1)),
        .task = (uint32_t)pick(32),
        .other = (uint32_t)pick(32),
        .verb = (uint32_t)pick(32),
        .object = (int64_t)pick(64),
        .result = (int64_t)pick(64),
        .bytes = pick(64),
        .digest = pick(64),
        .now_ns = (int64_t)pick(64),
        .deadline_ns = (int64_t)pick(64),
        .value = (int64_t)pick(64),
    };
    size_t length = seed_next(&seed) % sizeof event.name;
    for (size_t i = 0; i < length; i++)
        event.name[i] = (char)(1 + seed_next(&seed) % 255);
    return event;
}

static void test_trace_event_comes_back_as_it_was(void **state)
{
    (void)state;
    for (int i = 0; i < 20000; i++) {
        struct cede_trace_event event = random_event(), first, second;
        uint8_t data[CEDE_TRACE_EVENT_BYTES], again[CEDE_TRACE_EVENT_BYTES];
        size_t bytes = cede_trace_encode(&event, data);
        // The first decoding forgets the fields that its kind does not have.
        assert_int_equal(cede_trace_decode(data, bytes, &first), bytes);
        assert_int_equal(cede_trace_encode(&first, again), bytes);
        assert_memory_equal(data, again, bytes);
        assert_int_equal(cede_trace_decode(again, bytes, &second), bytes);
        assert_same(&first, &second);
        assert_int_equal(first.kind, event.kind);
    }
}

static void encode(void *event)
{
    uint8_t data[CEDE_TRACE_EVENT_BYTES];
    cede_trace_encode(event, data);
}

static void test_trace_encodes_no_event_that_could_not_be_decoded(void **state)
{
    (void)state;
    struct cede_trace_event wrong[] = {
        {.kind = (enum cede_trace_kind)0},
        {.kind = CEDE_TRACE_KIND_COUNT},
        {.kind = CEDE_TRACE_SPAWN},
    };
    memset(wrong[2].name, 'x', sizeof wrong[2].name);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct child_end end;
        child_run(encode, &wrong[i], 0, &end);
        assert_int_equal(end.signal, SIGABRT);
    }
}

// --- What is no event ---------------------------------------------------------------------------

// Two pages, of which the second must not be touched.
static uint8_t *fence;
static size_t page_bytes;

static int build_fence(void **state)
{
    (void)state;
    page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    fence = mmap(NULL, 2 * page_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return fence == MAP_FAILED || mprotect(fence + page_bytes, page_bytes, PROT_NONE) < 0;
}

static int remove_fence(void **state)
{
    (void)state;
    return munmap(fence, 2 * page_bytes);
}

// Decodes what lies right before the fence.
static size_t decode(const void *data, size_t bytes, struct cede_trace_event *ret_event)
{
    uint8_t *place = fence + page_bytes - bytes;
    memcpy(place, data, bytes);
    return cede_trace_decode(place, bytes, ret_event);
}

static void test_trace_that_is_cut_off_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < EXAMPLE_COUNT; i++) {
        struct cede_trace_event event = {.task = 77};
        for (size_t bytes = 0; bytes < examples[i].count; bytes++)
            assert_int_equal(decode(examples[i].bytes, bytes, &event), 0);
        assert_int_equal(event.task, 77);
        assert_int_equal(decode(examples[i].bytes, examples[i].count, &event), examples[i].count);
    }
}

static void test_trace_that_is_corrupt_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t count;
    } wrong[] = {
#define WRONG(literal) {literal, sizeof(literal) - 1}
        WRONG("\x00\x01"),                                             // No kind.
        WRONG("\x0d\x01"),                                             // No kind that we know.
        WRONG("\xff\x01"),
        WRONG("\x01\x80\x00"),                                         // Longer than it need be.
        WRONG("\x01\x80\x80\x80\x80\x80\x80\x80\x80\x80\x02"),         // 65 bits,
        WRONG("\x01\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"),     // and 71.
        WRONG("\x07\xff\xff\xff\xff\x1f\x01"),                         // A task of 33 bits.
        WRONG("\x02\x00\x01\x00\x05main"),                             // A name that is cut off,
        WRONG("\x02\x00\x01\x00\x18" "123456789012345678901234"),      // too long,
        WRONG("\x02\x00\x01\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01main"),
        WRONG("\x02\x00\x01\x00\x04" "m\0in"),                         // or that ends in itself.
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct cede_trace_event event = {.task = 77};
        assert_int_equal(decode(wrong[i].bytes, wrong[i].count, &event), 0);
        assert_int_equal(event.task, 77);
    }
}

static void test_trace_of_any_bytes_is_refused_or_means_them(void **state)
{
    (void)state;
    unsigned read_count = 0;
    for (int i = 0; i < 200000; i++) {
        uint8_t data[24], again[CEDE_TRACE_EVENT_BYTES];
        struct cede_trace_event event;
        size_t bytes = seed_next(&seed) % (sizeof data + 1);
        for (size_t at = 0; at < bytes; at++)
            data[at] = (uint8_t)(seed_next(&seed) % 4 ? seed_next(&seed) % 16 : seed_next(&seed));
        size_t count = decode(data, bytes, &event);
        assert_true(count <= bytes);
        if (count == 0)
            continue;
        assert_int_equal(cede_trace_encode(&event, again), count);
        assert_memory_equal(again, data, count);
        read_count++;
    }
    assert_true(read_count > 10000);
}

// --- The log ------------------------------------------------------------------------------------

static void test_trace_log_keeps_events_in_their_order(void **state)
{
    (void)state;
    struct cede_trace_log log = {0};
    struct cede_trace_event event;
    for (uint32_t i = 0; i < 10000; i++) {
        event = (struct cede_trace_event){.kind = CEDE_TRACE_CANCEL, .task = i, .other = i / 2};
        cede_trace_record(&log, &event);
    }
    assert_int_equal(log.error, 0);
    size_t offset = 0, bytes;
    for (uint32_t i = 0; i < 10000; i++, offset += bytes) {
        bytes = cede_trace_decode(log.data + offset, log.bytes - offset, &event);
        assert_true(bytes > 0 && event.task == i && event.other == i / 2);
    }
    assert_int_equal(offset, log.bytes);
    cede_trace_clear(&log);
    assert_null(log.data);
    assert_int_equal(log.bytes, 0);
}

static void test_trace_log_with_a_limit_has_no_gap(void **state)
{
    (void)state;
    const struct cede_trace_event large = {.kind = CEDE_TRACE_TICK, .now_ns = INT64_MAX};
    const struct cede_trace_event small = {.kind = CEDE_TRACE_TICK};
    struct cede_trace_log log = {.limit_bytes = 22 + 10};
    assert_int_equal(cede_trace_append(&log, &large), 0);
    assert_int_equal(cede_trace_append(&log, &large), 0);
    assert_int_equal(cede_trace_append(&log, &large), -EFBIG);
    // This one would fit, but something is missing before it.
    assert_int_equal(cede_trace_append(&log, &small), -EFBIG);
    assert_int_equal(log.bytes, 22);
    assert_int_equal(log.error, -EFBIG);
    cede_trace_clear(&log);
    log.limit_bytes = 2 + 11;
    assert_int_equal(cede_trace_append(&log, &small), 0);
    assert_int_equal(cede_trace_append(&log, &large), 0);
    assert_int_equal(log.bytes, log.limit_bytes);
    assert_int_equal(cede_trace_append(&log, &small), -EFBIG);
    cede_trace_clear(&log);
    assert_int_equal(log.limit_bytes, 2 + 11);
}

static void test_trace_log_without_memory_keeps_what_it_has(void **state)
{
    (void)state;
    const struct cede_trace_event event = {.kind = CEDE_TRACE_TICK, .now_ns = 5000};
    struct cede_trace_log log = {0};
    growths = 1;
    while (cede_trace_append(&log, &event) == 0)
        continue;
    growths = -1;
    assert_int_equal(log.error, -ENOMEM);
    assert_int_equal(cede_trace_append(&log, &event), -ENOMEM);
    assert_true(log.bytes > 3 && log.bytes <= log.capacity && log.bytes + 3 > log.capacity);
    for (size_t offset = 0; offset + 3 <= log.bytes; offset += 3)
        assert_memory_equal(log.data + offset, "\x01\x90\x4e", 3);
    cede_trace_clear(&log);
}

// --- The digest ---------------------------------------------------------------------------------

static void test_trace_digest_is_the_crc_of_ieee(void **state)
{
    (void)state;
    assert_int_equal(cede_trace_digest(0, NULL, 0), 0);
    assert_int_equal(cede_trace_digest(0, "a", 1), 0xe8b7be43);
    assert_int_equal(cede_trace_digest(0, "abc", 3), 0x352441c2);
    assert_int_equal(cede_trace_digest(0, "123456789", 9), 0xcbf43926);
    assert_int_equal(cede_trace_digest(0, "\0\0\0\0", 4), 0x2144df1c);
    assert_int_equal(
        cede_trace_digest(0, "The quick brown fox jumps over the lazy dog", 43), 0x414fa339);
}

static void test_trace_digest_can_be_taken_in_pieces(void **state)
{
    (void)state;
    uint8_t data[300];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)seed_next(&seed);
    uint32_t whole = cede_trace_digest(0, data, sizeof data);
    for (size_t i = 0; i <= sizeof data; i++) {
        uint32_t part = cede_trace_digest(0, data, i);
        assert_int_equal(cede_trace_digest(part, data + i, sizeof data - i), whole);
    }
}

int main(int count, char **words)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trace_has_the_binary_form_that_others_read),
        cmocka_unit_test(test_trace_encodes_no_event_that_could_not_be_decoded),
        cmocka_unit_test(test_trace_event_comes_back_as_it_was),
        cmocka_unit_test(test_trace_that_is_cut_off_is_refused),
        cmocka_unit_test(test_trace_that_is_corrupt_is_refused),
        cmocka_unit_test(test_trace_of_any_bytes_is_refused_or_means_them),
        cmocka_unit_test(test_trace_log_keeps_events_in_their_order),
        cmocka_unit_test(test_trace_log_with_a_limit_has_no_gap),
        cmocka_unit_test(test_trace_log_without_memory_keeps_what_it_has),
        cmocka_unit_test(test_trace_digest_is_the_crc_of_ieee),
        cmocka_unit_test(test_trace_digest_can_be_taken_in_pieces),
    };
    seed = seed_take(count, words);
    return cmocka_run_group_tests(tests, build_fence, remove_fence);
}
