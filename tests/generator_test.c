// SPDX-License-Identifier: MIT
//
// The claims of tasks/generator.h. Bodies record what they do, mostly as (who, step) pairs in one
// timeline; the test's own stack asserts.

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tasks/generator.h"
#include "tasks/stack.h"

#define STACK_BYTES ((size_t)256 << 10)

static struct cede_stack_pool pool;

// What bodies write down: two characters an event, who and which of its steps.
static char timeline[256];

static void record(char who, int step)
{
    size_t length = strlen(timeline);
    snprintf(timeline + length, sizeof(timeline) - length, "%c%d ", who, step);
}

static int open_pool(void **state)
{
    (void)state;
    timeline[0] = '\0';
    return cede_stack_pool_open(STACK_BYTES, 16, &pool);
}

// Closing checks that every stack came back.
static int close_pool(void **state)
{
    (void)state;
    cede_stack_pool_close(&pool);
    return 0;
}

static void create(void (*body)(struct cede_generator *self, void *argument), void *argument,
                   struct cede_generator *ret_generator)
{
    struct cede_stack *stack;
    assert_int_equal(cede_stack_take(&pool, &stack), 0);
    cede_generator_create(stack, body, argument, ret_generator);
}

static void destroy(struct cede_generator *generator)
{
    struct cede_stack *stack = generator->stack;
    cede_generator_destroy(generator);
    cede_stack_give_back(&pool, stack);
}

static void body_counts(struct cede_generator *self, void *argument)
{
    for (uintptr_t i = 1; i <= (uintptr_t)argument; i++)
        cede_generator_yield(self, (void *)i);
}

static void test_generator_hands_out_what_its_body_yields_and_then_null(void **state)
{
    (void)state;
    struct cede_generator generator;
    create(body_counts, (void *)(uintptr_t)3, &generator);
    assert_int_equal((uintptr_t)cede_generator_next(&generator, NULL), 1);
    assert_int_equal((uintptr_t)cede_generator_next(&generator, NULL), 2);
    assert_int_equal((uintptr_t)cede_generator_next(&generator, NULL), 3);
    assert_false(cede_generator_is_finished(&generator));
    assert_null(cede_generator_next(&generator, NULL));
    assert_true(cede_generator_is_finished(&generator));
    destroy(&generator);
}

static void body_yields_null(struct cede_generator *self, void *argument)
{
    (void)argument;
    cede_generator_yield(self, NULL);
}

static void test_generator_that_yields_null_is_not_finished(void **state)
{
    (void)state;
    struct cede_generator generator;
    create(body_yields_null, NULL, &generator);
    assert_null(cede_generator_next(&generator, NULL));
    assert_false(cede_generator_is_finished(&generator));
    assert_null(cede_generator_next(&generator, NULL));
    assert_true(cede_generator_is_finished(&generator));
    destroy(&generator);
}

static void body_adds(struct cede_generator *self, void *argument)
{
    uintptr_t sum = (uintptr_t)argument;
    for (;;) {
        uintptr_t sent = (uintptr_t)cede_generator_yield(self, (void *)sum);
        if (sent == 0)
            return;
        sum += sent;
    }
}

static void test_generator_hands_in_what_is_sent(void **state)
{
    (void)state;
    struct cede_generator generator;
    create(body_adds, (void *)(uintptr_t)1000, &generator);
    assert_int_equal((uintptr_t)cede_generator_next(&generator, NULL), 1000);
    for (uintptr_t i = 1; i <= 10000; i++)
        assert_int_equal((uintptr_t)cede_generator_next(&generator, (void *)i),
                         1000 + i * (i + 1) / 2);
    cede_generator_next(&generator, NULL);
    assert_true(cede_generator_is_finished(&generator));
    destroy(&generator);
}

static void body_records_and_returns(struct cede_generator *self, void *argument)
{
    (void)self, (void)argument;
    record('a', 1);
}

static void test_generator_runs_nothing_before_the_first_next(void **state)
{
    (void)state;
    struct cede_generator generator;
    create(body_records_and_returns, NULL, &generator);
    assert_string_equal(timeline, "");
    cede_generator_next(&generator, NULL);
    assert_string_equal(timeline, "a1 ");
    destroy(&generator);
}

static void test_generator_never_started_is_destroyed(void **state)
{
    (void)state;
    struct cede_generator generator;
    create(body_records_and_returns, NULL, &generator);
    assert_false(cede_generator_is_finished(&generator));
    destroy(&generator);
    assert_string_equal(timeline, "");
}

static void body_records_three(struct cede_generator *self, void *argument)
{
    char who = *(const char *)argument;
    for (int step = 1; step <= 3; step++) {
        record(who, step);
        cede_generator_yield(self, NULL);
    }
    record(who, 4);
}

//     resumed      a  b  c  b  a  c  a  a  b  b  c  c
//     step of a    1           2     3  4
//     step of b       1     2              3  4
//     step of c          1        2              3  4
static void test_generator_keeps_its_place_whatever_the_others_do(void **state)
{
    (void)state;
    static const char names[] = "abc";
    struct cede_generator generators[3];
    for (size_t i = 0; i < 3; i++)
        create(body_records_three, (void *)(uintptr_t)&names[i], &generators[i]);
    for (const char *order = "abcbacaabbcc"; *order != '\0'; order++)
        cede_generator_next(&generators[*order - 'a'], NULL);
    assert_string_equal(timeline, "a1 b1 c1 b2 a2 c2 a3 a4 b3 b4 c3 c4 ");
    for (size_t i = 0; i < 3; i++) {
        assert_true(cede_generator_is_finished(&generators[i]));
        destroy(&generators[i]);
    }
}

// Resumes the generator that it was given, once in each step of its own.
static void body_resumes_another(struct cede_generator *self, void *argument)
{
    struct cede_generator *inner = argument;
    for (int step = 1; !cede_generator_is_finished(inner); step++) {
        record('o', step);
        void *yielded = cede_generator_next(inner, NULL);
        record('o', step);
        cede_generator_yield(self, yielded);
    }
}

//     test     next        next        next        next          next
//     outer    o1    o1    o2    o2    o3    o3    o4    o4      returns
//     inner       i1          i2          i3          i4, returns
static void test_generator_resumes_another_generator(void **state)
{
    (void)state;
    static const char name = 'i';
    struct cede_generator inner, outer;
    create(body_records_three, (void *)(uintptr_t)&name, &inner);
    create(body_resumes_another, &inner, &outer);
    int nexts = 0;
    for (; !cede_generator_is_finished(&outer); nexts++)
        cede_generator_next(&outer, NULL);
    assert_int_equal(nexts, 5);
    assert_string_equal(timeline, "o1 i1 o1 o2 i2 o2 o3 i3 o3 o4 i4 o4 ");
    destroy(&outer);
    destroy(&inner);
}

// Each body makes the next one, to a depth at which ten stacks stand on each other.
static void body_nests(struct cede_generator *self, void *argument)
{
    uintptr_t depth = (uintptr_t)argument;
    struct cede_stack *stack;
    struct cede_generator inner;
    uintptr_t sum = depth;
    if (depth > 1 && cede_stack_take(&pool, &stack) == 0) {
        cede_generator_create(stack, body_nests, (void *)(depth - 1), &inner);
        sum += (uintptr_t)cede_generator_next(&inner, NULL);
        cede_generator_next(&inner, NULL);
        destroy(&inner);
    }
    cede_generator_yield(self, (void *)sum);
}

static void test_generator_nests_ten_deep(void **state)
{
    (void)state;
    struct cede_generator generator;
    create(body_nests, (void *)(uintptr_t)10, &generator);
    assert_int_equal((uintptr_t)cede_generator_next(&generator, NULL), 55);
    cede_generator_next(&generator, NULL);
    destroy(&generator);
}

// Yields from the bottom of a recursion and on the way back, with something to lose in each frame.
static uintptr_t descend(struct cede_generator *self, unsigned depth)
{
    volatile char filling[64];
    memset((char *)(uintptr_t)filling, (int)depth, sizeof(filling));
    uintptr_t sum = depth == 0 ? 0 : descend(self, depth - 1);
    cede_generator_yield(self, (void *)(uintptr_t)depth);
    for (size_t i = 0; i < sizeof(filling); i++)
        sum += (unsigned char)filling[i] == (depth & 0xff);
    return sum;
}

static void body_descends(struct cede_generator *self, void *argument)
{
    *(uintptr_t *)argument = descend(self, 200);
}

static void test_generator_yields_at_any_depth_of_recursion(void **state)
{
    (void)state;
    uintptr_t intact = 0;
    struct cede_generator generator;
    create(body_descends, &intact, &generator);
    for (uintptr_t depth = 0; depth <= 200; depth++)
        assert_int_equal((uintptr_t)cede_generator_next(&generator, NULL), depth);
    cede_generator_next(&generator, NULL);
    assert_true(cede_generator_is_finished(&generator));
    assert_int_equal(intact, 201 * 64);
    destroy(&generator);
}

static void body_formats(struct cede_generator *self, void *argument)
{
    char text[64];
    snprintf(text, sizeof(text), "%.3f %Lg", 2.5, 1.5L);
    cede_generator_yield(self, text);
    snprintf(argument, 16, "%.1f", strtod(text, NULL));
}

static void test_generator_may_print_doubles_and_yield_pointers_to_its_locals(void **state)
{
    (void)state;
    char result[16] = "";
    struct cede_generator generator;
    create(body_formats, result, &generator);
    assert_string_equal(cede_generator_next(&generator, NULL), "2.500 1.5");
    cede_generator_next(&generator, NULL);
    assert_string_equal(result, "2.5");
    destroy(&generator);
}

static void test_generator_follows_another_on_one_stack(void **state)
{
    (void)state;
    for (int round = 0; round < 2000; round++) {
        uintptr_t intact = 0;
        struct cede_generator generator;
        create(round % 2 == 0 ? body_descends : body_counts,
               round % 2 == 0 ? (void *)&intact : (void *)(uintptr_t)1, &generator);
        while (!cede_generator_is_finished(&generator))
            cede_generator_next(&generator, NULL);
        destroy(&generator);
    }
    assert_int_equal(pool.cached_count, 1);
}

static void test_generator_takes_turns_with_a_thousand_others(void **state)
{
    (void)state;
    static struct cede_generator generators[1000];
    for (size_t i = 0; i < 1000; i++)
        create(body_adds, (void *)i, &generators[i]);
    for (size_t i = 0; i < 1000; i++)
        cede_generator_next(&generators[i], NULL);
    for (int turn = 0; turn < 100; turn++)
        for (size_t i = 0; i < 1000; i++)
            cede_generator_next(&generators[i], (void *)(uintptr_t)1);
    for (size_t i = 0; i < 1000; i++) {
        assert_int_equal((uintptr_t)cede_generator_next(&generators[i], (void *)(uintptr_t)7),
                         i + 107);
        cede_generator_next(&generators[i], NULL);
        destroy(&generators[i]);
    }
}

static pthread_barrier_t both_threads_run;

// One thread's work: a pool and generators of its own. The result is the sum of what they yielded.
static void *use_generators(void *argument)
{
    struct cede_stack_pool own_pool;
    struct cede_generator generators[8];
    uintptr_t *sum = argument;
    // They are to be at it at once. And where glibc makes the guard of a thread's stack by advice,
    // valgrind takes the mappings next to it for a part of it when the thread begins.
    pthread_barrier_wait(&both_threads_run);
    if (cede_stack_pool_open(STACK_BYTES, 8, &own_pool) < 0)
        return NULL;
    for (int round = 0; round < 50; round++) {
        for (size_t i = 0; i < 8; i++) {
            struct cede_stack *stack;
            if (cede_stack_take(&own_pool, &stack) < 0)
                return NULL;
            cede_generator_create(stack, body_counts, (void *)(uintptr_t)100, &generators[i]);
        }
        for (int turn = 0; turn < 101; turn++)
            for (size_t i = 0; i < 8; i++)
                *sum += (uintptr_t)cede_generator_next(&generators[i], NULL);
        for (size_t i = 0; i < 8; i++) {
            cede_generator_destroy(&generators[i]);
            cede_stack_give_back(&own_pool, generators[i].stack);
        }
    }
    cede_stack_pool_close(&own_pool);
    return argument;
}

static void test_generator_of_one_thread_knows_nothing_of_another_thread(void **state)
{
    (void)state;
    uintptr_t sums[2] = {0, 0};
    pthread_t threads[2];
    assert_int_equal(pthread_barrier_init(&both_threads_run, NULL, 2), 0);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, use_generators, &sums[i]), 0);
    for (size_t i = 0; i < 2; i++) {
        void *result;
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_ptr_equal(result, &sums[i]);
        assert_int_equal(sums[i], 50 * 8 * 100 * 101 / 2);
    }
    pthread_barrier_destroy(&both_threads_run);
}

int main(void)
{
#define WITH_POOL(test) cmocka_unit_test_setup_teardown(test, open_pool, close_pool)
    const struct CMUnitTest tests[] = {
        WITH_POOL(test_generator_hands_out_what_its_body_yields_and_then_null),
        WITH_POOL(test_generator_that_yields_null_is_not_finished),
        WITH_POOL(test_generator_hands_in_what_is_sent),
        WITH_POOL(test_generator_runs_nothing_before_the_first_next),
        WITH_POOL(test_generator_never_started_is_destroyed),
        WITH_POOL(test_generator_keeps_its_place_whatever_the_others_do),
        WITH_POOL(test_generator_resumes_another_generator),
        WITH_POOL(test_generator_nests_ten_deep),
        WITH_POOL(test_generator_yields_at_any_depth_of_recursion),
        WITH_POOL(test_generator_may_print_doubles_and_yield_pointers_to_its_locals),
        WITH_POOL(test_generator_follows_another_on_one_stack),
        WITH_POOL(test_generator_takes_turns_with_a_thousand_others),
        WITH_POOL(test_generator_of_one_thread_knows_nothing_of_another_thread),
    };
    return cmocka_run_group_tests_name("generator", tests, NULL, NULL);
}
