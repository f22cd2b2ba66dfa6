// SPDX-License-Identifier: MIT
//
// The claims of tasks/stack.h, but for those about guards (stack_guard_test.c).

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "tasks/sanitizer_memory.h"
#include "tasks/stack.h"
#include "tests/child.h"

#define STACK_BYTES ((size_t)64 << 10)

// A pool of STACK_BYTES that caches at most three. Closing it checks that nothing is still out.
static int open_pool(void **state)
{
    static struct cede_stack_pool pool;
    *state = &pool;
    return cede_stack_pool_open(STACK_BYTES, 3, &pool);
}

static int close_pool(void **state)
{
    cede_stack_pool_close(*state);
    return 0;
}

static struct cede_stack *take(struct cede_stack_pool *pool)
{
    struct cede_stack *stack;
    assert_int_equal(cede_stack_take(pool, &stack), 0);
    return stack;
}

// What mincore(2) says of the page at an address: -1 if it is not mapped, else whether it is in
// memory.
static int residence(const void *address)
{
    size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    unsigned char resident;
    void *page = (void *)((uintptr_t)address / page_bytes * page_bytes);
    return mincore(page, 1, &resident) == 0 ? resident & 1 : -1;
}

static int count_mappings(void)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    assert_non_null(maps);
    int count = 0, byte;
    while ((byte = getc(maps)) != EOF)
        count += byte == '\n';
    fclose(maps);
    return count;
}

static void test_stack_pool_rounds_up_to_pages_and_to_the_minimum(void **state)
{
    (void)state;
    size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    struct cede_stack_pool pool;
    assert_int_equal(cede_stack_pool_open(1, 0, &pool), 0);
    assert_int_equal(pool.stack_bytes, CEDE_STACK_BYTES_MIN);
    assert_int_equal(cede_stack_pool_open(STACK_BYTES + 1, 0, &pool), 0);
    assert_int_equal(pool.stack_bytes, STACK_BYTES + page_bytes);
    assert_int_equal(cede_stack_pool_open(STACK_BYTES, 0, &pool), 0);
    assert_int_equal(pool.stack_bytes, STACK_BYTES);
}

static void test_stack_pool_refuses_more_than_the_maximum(void **state)
{
    (void)state;
    struct cede_stack_pool pool = {.cached_limit = 77};
    assert_int_equal(cede_stack_pool_open(CEDE_STACK_BYTES_MAX + 1, 0, &pool), -EINVAL);
    assert_int_equal(cede_stack_pool_open(SIZE_MAX, 0, &pool), -EINVAL);
    assert_int_equal(pool.cached_limit, 77);
}

static void test_stack_is_usable_from_end_to_end(void **state)
{
    struct cede_stack *stack = take(*state);
    assert_in_range(stack->bytes, STACK_BYTES - 256, STACK_BYTES);
    assert_int_equal(stack->nominal_bytes, STACK_BYTES);
    assert_int_equal(((uintptr_t)stack->low + stack->bytes) % 16, 0);
    memset(stack->low, 'x', stack->bytes);
    assert_int_equal(stack->nominal_bytes, STACK_BYTES);
    cede_stack_give_back(*state, stack);
}

static void test_stack_given_back_last_is_taken_first(void **state)
{
    struct cede_stack *first = take(*state);
    struct cede_stack *second = take(*state);
    assert_ptr_not_equal(first, second);
    cede_stack_give_back(*state, first);
    cede_stack_give_back(*state, second);
    assert_ptr_equal(take(*state), second);
    assert_ptr_equal(take(*state), first);
    memset(first->low, 'x', first->bytes);
    cede_stack_give_back(*state, second);
    cede_stack_give_back(*state, first);
}

static void test_stack_pool_keeps_the_memory_of_no_more_than_its_limit(void **state)
{
    struct cede_stack_pool *pool = *state;
    struct cede_stack *stacks[5];
    char *lows[5];
    for (size_t i = 0; i < 5; i++) {
        stacks[i] = take(pool);
        lows[i] = stacks[i]->low;
        memset(lows[i], 'x', stacks[i]->bytes);
    }
    assert_int_equal(pool->taken_count, 5);
    assert_int_equal(pool->cached_count, 0);
    for (size_t i = 0; i < 5; i++)
        cede_stack_give_back(pool, stacks[i]);
    assert_int_equal(pool->taken_count, 0);
    assert_int_equal(pool->cached_count, 3);
    for (size_t i = 0; i < 5; i++)
        for (size_t offset = 0; offset < STACK_BYTES; offset += 4096)
            assert_int_equal(residence(lows[i] + offset), i < 3);
}

static void test_stack_without_memory_is_taken_again(void **state)
{
    (void)state;
    struct cede_stack_pool pool;
    assert_int_equal(cede_stack_pool_open(STACK_BYTES, 0, &pool), 0);
    struct cede_stack *other = take(&pool);
    struct cede_stack *stack = take(&pool);
    char *low = stack->low;
    cede_stack_give_back(&pool, stack);
    assert_int_equal(residence(low), 0);
    stack = take(&pool);
    assert_ptr_equal(stack->low, low);
    memset(low, 'x', stack->bytes);
    assert_int_equal(stack->nominal_bytes, STACK_BYTES);
    cede_stack_give_back(&pool, stack);
    cede_stack_give_back(&pool, other);
    cede_stack_pool_close(&pool);
}

static void test_stack_pool_unmaps_what_it_cached_when_closed(void **state)
{
    (void)state;
    struct cede_stack_pool pool;
    assert_int_equal(cede_stack_pool_open(STACK_BYTES, 1, &pool), 0);
    struct cede_stack *stack = take(&pool);
    char *low = stack->low;
    cede_stack_give_back(&pool, stack);
    assert_int_not_equal(residence(low), -1);
    cede_stack_pool_close(&pool);
    assert_int_equal(residence(low), -1);
    assert_int_equal(residence(low - 1), -1);
}

#define MANY 1000
#define FEW (MANY / 5) // A checker of threads keeps shadows of each mapping in mappings of its own.

static void test_stack_pool_takes_few_mappings_whatever_was_given_back(void **state)
{
    (void)state;
    struct cede_stack_pool pool;
    static struct cede_stack *stacks[MANY];
    static char *lows[MANY];
    int before = count_mappings();
    assert_int_equal(cede_stack_pool_open(STACK_BYTES, 0, &pool), 0);
    // So that it is the same on every kernel: canaries take no mapping, as the best guards do.
    cede_stack_pool_weaken(&pool, CEDE_STACK_GUARD_CANARY, -EINVAL);
    for (size_t i = 0; i < MANY; i++) {
        stacks[i] = take(&pool);
        lows[i] = stacks[i]->low;
    }
    assert_in_range(count_mappings(), 0, before + FEW);
    for (size_t i = 0; i < MANY; i += 2)
        cede_stack_give_back(&pool, stacks[i]);
    assert_in_range(count_mappings(), 0, before + FEW);
    // The addresses of those that are left are what keeps the mappings.
    for (size_t i = 1; i < MANY; i += 2)
        cede_stack_give_back(&pool, stacks[i]);
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(residence(lows[i]), -1);
    cede_stack_pool_close(&pool);
}

static void test_stack_pool_hands_out_no_byte_twice(void **state)
{
    (void)state;
    struct cede_stack_pool pool;
    static struct cede_stack *stacks[MANY];
    static unsigned marks[MANY];
    unsigned seed = 20240607;
    assert_int_equal(cede_stack_pool_open(CEDE_STACK_BYTES_MIN, 7, &pool), 0);
    print_message("seed %u\n", seed);
    for (unsigned step = 1; step <= 20 * MANY; step++) {
        // Mostly taken in the first half of the steps, mostly given back in the second.
        size_t i = (size_t)rand_r(&seed) % MANY;
        bool takes = rand_r(&seed) % 4 != 0;
        takes = step <= 10 * MANY ? takes : !takes;
        if (takes && stacks[i] == NULL) {
            stacks[i] = take(&pool);
            marks[i] = step;
            memcpy(stacks[i]->low, &step, sizeof(step));
            memcpy((char *)stacks[i]->low + stacks[i]->bytes - sizeof(step), &step, sizeof(step));
        } else if (!takes && stacks[i] != NULL) {
            assert_memory_equal(stacks[i]->low, &marks[i], sizeof(step));
            assert_memory_equal((char *)stacks[i]->low + stacks[i]->bytes - sizeof(step),
                                &marks[i], sizeof(step));
            cede_stack_give_back(&pool, stacks[i]);
            stacks[i] = NULL;
        }
    }
    for (size_t i = 0; i < MANY; i++)
        if (stacks[i] != NULL)
            cede_stack_give_back(&pool, stacks[i]);
    cede_stack_pool_close(&pool);
}

static void close_with_one_taken(void *argument)
{
    struct cede_stack_pool *pool = argument;
    take(pool);
    cede_stack_pool_close(pool);
}

static void test_stack_pool_is_not_closed_while_a_stack_is_out(void **state)
{
    struct child_end end;
    child_run(close_with_one_taken, *state, 0, &end);
    assert_int_equal(end.signal, SIGABRT);
    assert_non_null(strstr(end.text, "taken_count == 0"));
}

// Ends with the error of a take that finds no address space, and untouched results.
static void take_without_memory(void *argument)
{
    const struct rlimit none = {1 << 20, RLIM_INFINITY};
    struct cede_stack *stack = argument;
    if (setrlimit(RLIMIT_AS, &none) < 0)
        _exit(100);
    int error = cede_stack_take(argument, &stack);
    _exit(stack == argument ? -error : 101);
}

static void test_stack_take_without_memory_is_enomem(void **state)
{
    struct child_end end;
    child_run(take_without_memory, *state, 0, &end);
    assert_int_equal(end.exit_status, ENOMEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stack_pool_rounds_up_to_pages_and_to_the_minimum),
        cmocka_unit_test(test_stack_pool_refuses_more_than_the_maximum),
        cmocka_unit_test_setup_teardown(test_stack_is_usable_from_end_to_end, open_pool,
                                        close_pool),
        cmocka_unit_test_setup_teardown(test_stack_given_back_last_is_taken_first, open_pool,
                                        close_pool),
        cmocka_unit_test_setup_teardown(
            test_stack_pool_keeps_the_memory_of_no_more_than_its_limit, open_pool, close_pool),
        cmocka_unit_test(test_stack_without_memory_is_taken_again),
        cmocka_unit_test(test_stack_pool_unmaps_what_it_cached_when_closed),
        cmocka_unit_test(test_stack_pool_takes_few_mappings_whatever_was_given_back),
        cmocka_unit_test(test_stack_pool_hands_out_no_byte_twice),
        cmocka_unit_test_setup_teardown(test_stack_pool_is_not_closed_while_a_stack_is_out,
                                        open_pool, close_pool),
        cmocka_unit_test_setup_teardown(test_stack_take_without_memory_is_enomem, open_pool,
                                        close_pool),
    };
    return cmocka_run_group_tests_name("stack", tests, NULL, NULL);
}
