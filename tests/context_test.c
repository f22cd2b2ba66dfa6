// SPDX-License-Identifier: MIT
//
// The claims of tasks/context.h, but for the one about each register (context_registers_test.c),
// held against both implementations: ucontext is the oracle, since it is plain, and what it passes
// the assembly must pass as well. Bodies record, the test's own stack asserts: a failed assertion
// jumps out of the test, which no other stack survives.

#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tasks/context.h"
#include "tasks/sanitizer_memory.h"

#define STACK_BYTES ((size_t)256 << 10)

struct implementation {
    void (*make)(void *stack_low, size_t stack_bytes, void (*entry)(void *value),
                 struct cede_context *ret_context);
    void *(*switch_to)(struct cede_context *from, const struct cede_context *to, void *value);
};

static const struct implementation native = {cede_context_make, cede_context_switch};
static const struct implementation ucontext = {cede_context_ucontext_make,
                                               cede_context_ucontext_switch};

// One other flow of control, beside the test's own.
struct other {
    const struct implementation *implementation;
    struct cede_context home;
    struct cede_context away;
    char *stack;
    unsigned announcement;
    char text[64];
    uintptr_t addresses[4];
    long total;
    struct other *nested;
};

static struct other *other_create(const struct implementation *implementation,
                                  void (*entry)(void *value))
{
    struct other *other = calloc(1, sizeof(*other));
    assert_non_null(other);
    other->implementation = implementation;
    other->stack = malloc(STACK_BYTES);
    assert_non_null(other->stack);
    other->announcement = cede_sanitizer_announce(other->stack, STACK_BYTES);
    implementation->make(other->stack, STACK_BYTES, entry, &other->away);
    return other;
}

static void other_destroy(struct other *other)
{
    cede_sanitizer_withdraw(other->announcement);
    free(other->stack);
    free(other);
}

static void *go(struct other *other, void *value)
{
    return other->implementation->switch_to(&other->home, &other->away, value);
}

static void *back(struct other *other, void *value)
{
    return other->implementation->switch_to(&other->away, &other->home, value);
}

static void entry_answers_one_more(void *value)
{
    struct other *other = value;
    uintptr_t sent = (uintptr_t)back(other, NULL);
    for (;;)
        sent = (uintptr_t)back(other, (void *)(sent + 1));
}

static void test_context_hands_the_first_value_to_the_entry(void **state)
{
    struct other *other = other_create(*state, entry_answers_one_more);
    assert_null(go(other, other));
    other_destroy(other);
}

static void test_context_hands_every_value_across_a_hundred_thousand_switches(void **state)
{
    struct other *other = other_create(*state, entry_answers_one_more);
    go(other, other);
    for (uintptr_t sent = 0; sent < 50000; sent++)
        assert_int_equal((uintptr_t)go(other, (void *)sent), sent + 1);
    other_destroy(other);
}

static void entry_formats(void *value)
{
    struct other *other = value;
    // Aligned moves of vector registers, here and in printf(3) with doubles, fault on a stack that
    // is off by eight.
    alignas(16) volatile char aligned[16];
    other->addresses[0] = (uintptr_t)&aligned;
    other->addresses[1] = (uintptr_t)__builtin_frame_address(0);
    snprintf(other->text, sizeof(other->text), "%.2f %.1e %d", 3.25, 1e100, 7);
    back(other, NULL);
}

static void test_context_gives_the_entry_an_aligned_stack(void **state)
{
    struct other *other = other_create(*state, entry_formats);
    go(other, other);
    assert_string_equal(other->text, "3.25 1.0e+100 7");
    assert_int_equal(other->addresses[0] % 16, 0);
    assert_int_equal(other->addresses[1] % 16, 0);
    other_destroy(other);
}

static void test_context_aligns_a_stack_that_is_not(void **state)
{
    for (size_t offset = 0; offset < 64; offset++) {
        struct other *other = other_create(*state, entry_formats);
        other->implementation->make(other->stack + offset, STACK_BYTES - 2 * offset,
                                    entry_formats, &other->away);
        go(other, other);
        assert_string_equal(other->text, "3.25 1.0e+100 7");
        assert_int_equal(other->addresses[0] % 16, 0);
        other_destroy(other);
    }
}

static void test_context_stays_within_the_stack_it_was_given(void **state)
{
    struct other *other = other_create(*state, entry_formats);
    memset(other->stack, 'x', STACK_BYTES);
    char *low = other->stack + 64;
    size_t bytes = STACK_BYTES - 128;
    other->implementation->make(low, bytes, entry_formats, &other->away);
    go(other, other);
    assert_in_range(other->addresses[1], (uintptr_t)low, (uintptr_t)low + bytes);
    for (size_t i = 0; i < 64; i++) {
        assert_int_equal(other->stack[i], 'x');
        assert_int_equal(other->stack[STACK_BYTES - 1 - i], 'x');
    }
    other_destroy(other);
}

// More values alive across the switch than there are registers to keep them in, so that the
// compiler uses every register that a call keeps.
static long mix(struct other *other, void *(*step)(struct other *, void *), long seed)
{
    long a = seed + 1, b = seed * 3, c = seed ^ 5, d = seed << 2, e = seed - 7, f = seed * seed;
    for (int round = 0; round < 1000; round++) {
        step(other, other);
        a += b ^ round;
        b += c & 0xffff;
        c ^= d + round;
        d += e & 0xff;
        e ^= f + a;
        f = (f + b) & 0xfffff;
        a &= 0xffffff, b &= 0xffffff, c &= 0xffffff, d &= 0xffffff, e &= 0xffffff;
    }
    return a ^ b ^ c ^ d ^ e ^ f;
}

static void *do_not_switch(struct other *other, void *value)
{
    (void)other;
    return value;
}

static void entry_mixes(void *value)
{
    struct other *other = value;
    other->total = mix(other, back, 11);
    back(other, NULL);
}

static void test_context_keeps_what_lives_in_registers_on_both_sides(void **state)
{
    struct other *other = other_create(*state, entry_mixes);
    go(other, other);
    long here = mix(other, go, 77);
    assert_int_equal(here, mix(other, do_not_switch, 77));
    assert_int_equal(other->total, mix(other, do_not_switch, 11));
    other_destroy(other);
}

// Stands on its stack at each depth, so that a switch must find the frames of all of them again.
static long descend(struct other *other, long depth)
{
    volatile long here = depth;
    back(other, NULL);
    long below = depth == 0 ? 0 : descend(other, depth - 1);
    back(other, NULL);
    return below + here;
}

static void entry_descends(void *value)
{
    struct other *other = value;
    other->total = descend(other, 300);
    back(other, NULL);
}

static void test_context_parks_at_any_depth_of_recursion(void **state)
{
    struct other *other = other_create(*state, entry_descends);
    for (int i = 0; i < 2 * 301 + 1; i++)
        go(other, other);
    assert_int_equal(other->total, 300 * 301 / 2);
    other_destroy(other);
}

static void entry_visits_another(void *value)
{
    struct other *other = value;
    other->nested = other_create(other->implementation, entry_answers_one_more);
    go(other->nested, other->nested);
    for (uintptr_t i = 0; i < 10; i++) {
        other->total += (long)(uintptr_t)go(other->nested, (void *)i);
        back(other, NULL);
    }
    back(other, NULL);
}

static void test_context_nests(void **state)
{
    struct other *other = other_create(*state, entry_visits_another);
    for (int i = 0; i < 11; i++)
        go(other, other);
    assert_int_equal(other->total, 1 + 2 + 3 + 4 + 5 + 6 + 7 + 8 + 9 + 10);
    other_destroy(other->nested);
    other_destroy(other);
}

// A ring: each switches to the next, not back to whoever came.
struct ring {
    const struct implementation *implementation;
    struct cede_context contexts[3];
    char timeline[16];
    size_t length;
};

static void entry_goes_round(void *value)
{
    struct ring *ring = value;
    size_t self = ring->length % 3;
    for (;;) {
        ring->timeline[ring->length++] = (char)('a' + self);
        ring->implementation->switch_to(&ring->contexts[self], &ring->contexts[(self + 1) % 3],
                                        ring);
    }
}

static void test_context_switches_to_whom_it_is_told(void **state)
{
    const struct implementation *implementation = *state;
    struct ring ring = {.implementation = implementation, .length = 1, .timeline = "a"};
    struct other *others[3] = {NULL};
    for (size_t i = 1; i < 3; i++) {
        others[i] = other_create(implementation, entry_goes_round);
        ring.contexts[i] = others[i]->away;
    }
    for (int round = 0; round < 4; round++) {
        assert_ptr_equal(
            implementation->switch_to(&ring.contexts[0], &ring.contexts[1], &ring), &ring);
        ring.timeline[ring.length++] = 'a';
    }
    assert_string_equal(ring.timeline, "abcabcabcabca");
    other_destroy(others[1]);
    other_destroy(others[2]);
}

static int use_native(void **state)
{
    *state = (void *)(uintptr_t)&native;
    return 0;
}

static int use_ucontext(void **state)
{
    *state = (void *)(uintptr_t)&ucontext;
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_context_hands_the_first_value_to_the_entry),
        cmocka_unit_test(test_context_hands_every_value_across_a_hundred_thousand_switches),
        cmocka_unit_test(test_context_gives_the_entry_an_aligned_stack),
        cmocka_unit_test(test_context_aligns_a_stack_that_is_not),
        cmocka_unit_test(test_context_stays_within_the_stack_it_was_given),
        cmocka_unit_test(test_context_keeps_what_lives_in_registers_on_both_sides),
        cmocka_unit_test(test_context_parks_at_any_depth_of_recursion),
        cmocka_unit_test(test_context_nests),
        cmocka_unit_test(test_context_switches_to_whom_it_is_told),
    };
    int failed = cmocka_run_group_tests_name("context of this processor", tests, use_native, NULL);
    return failed + cmocka_run_group_tests_name("context by ucontext", tests, use_ucontext, NULL);
}
