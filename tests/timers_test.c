// SPDX-License-Identifier: MIT
//
// The claims of engine/timers.h (S13). The oracle of the heap is an array that is searched.

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/timers.h"
#include "tests/child.h"
#include "tests/seed.h"

#define TIMER_COUNT 200

static uint64_t random_state;

static struct cede_timer timers[TIMER_COUNT];

static int open_heap(void **state)
{
    static struct cede_timers heap;
    heap = (struct cede_timers){0};
    *state = &heap;
    for (int i = 0; i < TIMER_COUNT; i++)
        timers[i] = (struct cede_timer){.index = CEDE_TIMER_NOT_SET};
    return cede_timers_reserve(&heap, TIMER_COUNT);
}

static int close_heap(void **state)
{
    cede_timers_close(*state);
    return 0;
}

static void test_timers_hand_out_what_is_due_the_earliest_first(void **state)
{
    static const int64_t due_ns[] = {50, 10, 40, INT64_MIN, 30, 20};
    static const int order[] = {3, 1, 5, 4, 2};
    for (int i = 0; i < 6; i++)
        cede_timers_set(*state, &timers[i], due_ns[i]);
    for (int i = 0; i < 5; i++)
        assert_ptr_equal(cede_timers_take_due(*state, 40), &timers[order[i]]);
    assert_null(cede_timers_take_due(*state, 40));
    assert_int_equal(cede_timers_next_ns(*state), 50);
}

static void test_timers_hand_out_nothing_before_it_is_due(void **state)
{
    assert_int_equal(cede_timers_next_ns(*state), INT64_MAX);
    cede_timers_set(*state, &timers[0], 10);
    assert_null(cede_timers_take_due(*state, 9));
    assert_ptr_equal(cede_timers_take_due(*state, 10), &timers[0]);
    assert_int_equal(timers[0].index, CEDE_TIMER_NOT_SET);
}

static void test_timers_that_were_cleared_are_not_handed_out(void **state)
{
    cede_timers_set(*state, &timers[0], 10);
    cede_timers_set(*state, &timers[1], 20);
    cede_timers_clear(*state, &timers[0]);
    cede_timers_clear(*state, &timers[0]);
    assert_ptr_equal(cede_timers_take_due(*state, 30), &timers[1]);
    assert_null(cede_timers_take_due(*state, 30));
}

static void test_timers_can_be_moved_both_ways(void **state)
{
    for (int i = 0; i < 3; i++)
        cede_timers_set(*state, &timers[i], 10 * (i + 1));
    cede_timers_set(*state, &timers[0], 40);
    cede_timers_set(*state, &timers[2], 5);
    assert_ptr_equal(cede_timers_take_due(*state, 100), &timers[2]);
    assert_ptr_equal(cede_timers_take_due(*state, 100), &timers[1]);
    assert_ptr_equal(cede_timers_take_due(*state, 100), &timers[0]);
}

// Which timer is due first, by searching all; -1 for none.
static int find_earliest(const bool is_set[TIMER_COUNT], int64_t now_ns)
{
    int earliest = -1;
    for (int i = 0; i < TIMER_COUNT; i++)
        if (is_set[i] && timers[i].due_ns <= now_ns &&
            (earliest < 0 || timers[i].due_ns < timers[earliest].due_ns))
            earliest = i;
    return earliest;
}

static void test_timers_agree_with_a_search_through_all(void **state)
{
    bool is_set[TIMER_COUNT] = {false};
    for (int step = 0; step < 20000; step++) {
        uint64_t random = seed_next(&random_state);
        int i = (int)(random % TIMER_COUNT);
        int64_t value_ns = (int64_t)(random >> 32) % 1000;
        if (random >> 16 & 1) {
            cede_timers_set(*state, &timers[i], value_ns);
            is_set[i] = true;
        } else if (random >> 17 & 1) {
            cede_timers_clear(*state, &timers[i]);
            is_set[i] = false;
        } else {
            int earliest = find_earliest(is_set, value_ns);
            struct cede_timer *taken = cede_timers_take_due(*state, value_ns);
            assert_int_equal(taken != NULL, earliest >= 0);
            if (!taken)
                continue;
            assert_int_equal(taken->due_ns, timers[earliest].due_ns);
            assert_true(is_set[taken - timers]);
            is_set[taken - timers] = false;
        }
    }
}

static void test_timers_keep_what_is_set_when_they_grow(void **state)
{
    struct cede_timers heap = {0};
    (void)state;
    for (uint32_t i = 0; i < TIMER_COUNT; i++) {
        assert_int_equal(cede_timers_reserve(&heap, i + 1), 0);
        cede_timers_set(&heap, &timers[i], TIMER_COUNT - i);
    }
    for (int i = TIMER_COUNT - 1; i >= 0; i--)
        assert_ptr_equal(cede_timers_take_due(&heap, TIMER_COUNT), &timers[i]);
    cede_timers_close(&heap);
}

static void set_without_room(void *argument)
{
    struct cede_timers heap = {0};
    (void)argument;
    cede_timers_set(&heap, &timers[0], 1);
}

static void test_timers_are_not_set_without_room(void **state)
{
    struct child_end end;
    (void)state;
    child_run(set_without_room, NULL, 0, &end);
    assert_int_equal(end.signal, SIGABRT);
    assert_non_null(strstr(end.text, "check failed"));
}

#define HEAP_TEST(test) cmocka_unit_test_setup_teardown(test, open_heap, close_heap)

int main(int count, char **words)
{
    const struct CMUnitTest tests[] = {
        HEAP_TEST(test_timers_hand_out_what_is_due_the_earliest_first),
        HEAP_TEST(test_timers_hand_out_nothing_before_it_is_due),
        HEAP_TEST(test_timers_that_were_cleared_are_not_handed_out),
        HEAP_TEST(test_timers_can_be_moved_both_ways),
        HEAP_TEST(test_timers_agree_with_a_search_through_all),
        HEAP_TEST(test_timers_keep_what_is_set_when_they_grow),
        HEAP_TEST(test_timers_are_not_set_without_room),
    };
    random_state = seed_take(count, words);
    return cmocka_run_group_tests_name("timers", tests, NULL, NULL);
}
