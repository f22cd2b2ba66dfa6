// SPDX-License-Identifier: MIT
//
// The claims of tasks/stack.h.

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
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

static int is_mapped(const void *address)
{
    size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    unsigned char resident;
    void *page = (void *)((uintptr_t)address / page_bytes * page_bytes);
    return mincore(page, 1, &resident) == 0;
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

static void touch(void *address)
{
    *(volatile char *)address = 1;
}

static void test_stack_guard_faults_over_its_whole_length(void **state)
{
    struct cede_stack *stack = take(*state);
    assert_true(stack->guard_bytes >= 4096);
    char *low = stack->low;
    struct child_end end;
    child_run(touch, low - 1, 0, &end);
    assert_int_equal(end.signal, SIGSEGV);
    child_run(touch, low - stack->guard_bytes, 0, &end);
    assert_int_equal(end.signal, SIGSEGV);
    child_run(touch, low, 0, &end);
    assert_int_equal(end.exit_status, 0);
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

static void test_stack_pool_caches_no_more_than_its_limit(void **state)
{
    struct cede_stack_pool *pool = *state;
    struct cede_stack *stacks[5];
    void *lows[5];
    for (size_t i = 0; i < 5; i++) {
        stacks[i] = take(pool);
        lows[i] = stacks[i]->low;
    }
    assert_int_equal(pool->taken_count, 5);
    assert_int_equal(pool->cached_count, 0);
    for (size_t i = 0; i < 5; i++)
        cede_stack_give_back(pool, stacks[i]);
    assert_int_equal(pool->taken_count, 0);
    assert_int_equal(pool->cached_count, 3);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(is_mapped(lows[i]), i < 3);
}

static void test_stack_pool_unmaps_what_it_cached_when_closed(void **state)
{
    (void)state;
    struct cede_stack_pool pool;
    assert_int_equal(cede_stack_pool_open(STACK_BYTES, 1, &pool), 0);
    struct cede_stack *stack = take(&pool);
    char *low = stack->low;
    cede_stack_give_back(&pool, stack);
    assert_true(is_mapped(low));
    cede_stack_pool_close(&pool);
    assert_false(is_mapped(low));
    assert_false(is_mapped(low - 1));
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

// Takes stacks until the process has no mapping left; all must be good, and go back.
static void take_all_mappings(void *argument)
{
    struct cede_stack_pool *pool = argument;
    struct cede_stack *taken = NULL;
    int error;
    for (;;) {
        struct cede_stack *stack = NULL;
        error = cede_stack_take(pool, &stack);
        if (error < 0)
            break;
        stack->next = taken;
        taken = stack;
    }
    if (pool->taken_count < 1000)
        _exit(101);
    while (taken != NULL) {
        struct cede_stack *stack = taken;
        taken = stack->next;
        cede_stack_give_back(pool, stack);
    }
    cede_stack_pool_close(pool);
    _exit(-error);
}

static void test_stack_take_without_mappings_is_enomem(void **state)
{
    long limit = 0;
    FILE *file = fopen("/proc/sys/vm/max_map_count", "r");
    if (file != NULL) {
        if (fscanf(file, "%ld", &limit) != 1)
            limit = 0;
        fclose(file);
    }
    if (limit == 0 || limit > 100000) {
        print_message("skipped: vm.max_map_count is %ld, too many mappings to use up\n", limit);
        skip();
    }
#if CEDE_THREAD_SANITIZER
    print_message("skipped: the thread sanitizer needs mappings of its own to go on\n");
    skip();
#endif
#if CEDE_VALGRIND
    if (RUNNING_ON_VALGRIND) {
        print_message("skipped: valgrind gives up at 30,000 mappings\n");
        skip();
    }
#endif
    struct child_end end;
    child_run(take_all_mappings, *state, 0, &end);
    assert_int_equal(end.exit_status, ENOMEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stack_pool_rounds_up_to_pages_and_to_the_minimum),
        cmocka_unit_test(test_stack_pool_refuses_more_than_the_maximum),
        cmocka_unit_test_setup_teardown(test_stack_is_usable_from_end_to_end, open_pool,
                                        close_pool),
        cmocka_unit_test_setup_teardown(test_stack_guard_faults_over_its_whole_length, open_pool,
                                        close_pool),
        cmocka_unit_test_setup_teardown(test_stack_given_back_last_is_taken_first, open_pool,
                                        close_pool),
        cmocka_unit_test_setup_teardown(test_stack_pool_caches_no_more_than_its_limit, open_pool,
                                        close_pool),
        cmocka_unit_test(test_stack_pool_unmaps_what_it_cached_when_closed),
        cmocka_unit_test_setup_teardown(test_stack_pool_is_not_closed_while_a_stack_is_out,
                                        open_pool, close_pool),
        cmocka_unit_test_setup_teardown(test_stack_take_without_memory_is_enomem, open_pool,
                                        close_pool),
        cmocka_unit_test_setup_teardown(test_stack_take_without_mappings_is_enomem, open_pool,
                                        close_pool),
    };
    return cmocka_run_group_tests_name("stack", tests, NULL, NULL);
}
