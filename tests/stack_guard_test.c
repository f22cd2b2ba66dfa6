// SPDX-License-Identifier: MIT
//
// The claims of tasks/stack.h about guards, for each way to have one. Kernels that lack the better
// ways are made by refusing system calls, in children, as that cannot be taken back.

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
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "cede.h"
#include "engine/sys.h"
#include "tasks/stack.h"
#include "tests/child.h"
#include "tests/refusal.h"

#define STACK_BYTES ((size_t)64 << 10)

// The advice that installs a guard, and the two ways to refuse it.
#define ADVICE 102
#define OLD_KERNEL EINVAL
#define IGNORED 0

static void require(int condition, int exit_status)
{
    if (!condition)
        _exit(exit_status);
}

static void refuse(unsigned number, unsigned value, unsigned error)
{
    require(refusal_install(number, value, error) == 0, 90);
}

static void open_pool(enum cede_stack_guard guard, struct cede_stack_pool *ret_pool)
{
    require(cede_stack_pool_open(STACK_BYTES, 0, ret_pool) == 0, 92);
    if (guard != CEDE_STACK_GUARD_MADVISE)
        cede_stack_pool_weaken(ret_pool, guard, -EINVAL);
}

static struct cede_stack *take(struct cede_stack_pool *pool)
{
    struct cede_stack *stack;
    require(cede_stack_take(pool, &stack) == 0, 93);
    return stack;
}

// Whether a guard can be had by advice here.
static int has_advice(void)
{
    struct cede_stack_pool pool;
    open_pool(CEDE_STACK_GUARD_MADVISE, &pool);
    cede_stack_give_back(&pool, take(&pool));
    cede_stack_pool_close(&pool);
    return pool.guard == CEDE_STACK_GUARD_MADVISE;
}

static void touch(void *address)
{
    *(volatile char *)address = 1;
}

static void assert_fatal(char *address)
{
    struct child_end end;
    child_run(touch, address, 0, &end);
    assert_int_equal(end.signal, SIGSEGV);
}

static void assert_harmless(char *address)
{
    struct child_end end;
    child_run(touch, address, 0, &end);
    assert_int_equal(end.signal, 0);
    assert_int_equal(end.exit_status, 0);
}

// That the guard faults from end to end, before and after the memory below it was given back.
static void check_guard(enum cede_stack_guard guard, const char *name)
{
    struct cede_stack_pool pool;
    open_pool(guard, &pool);
    // Keeps the mapping meanwhile.
    struct cede_stack *other = take(&pool);
    for (int round = 0; round < 2; round++) {
        struct cede_stack *stack = take(&pool);
        assert_string_equal(cede_stack_guard_name(&pool), name);
        assert_true(stack->guard_bytes >= 4096);
        assert_int_equal(stack->canary_bytes, 0);
        assert_true(cede_stack_is_whole(stack));
        char *low = stack->low;
        assert_fatal(low - 1);
        assert_fatal(low - stack->guard_bytes);
        assert_harmless(low);
        cede_stack_give_back(&pool, stack);
    }
    cede_stack_give_back(&pool, other);
    assert_int_equal(pool.protected_count, 0);
    cede_stack_pool_close(&pool);
}

static void test_stack_guard_by_madvise_faults_over_its_whole_length(void **state)
{
    (void)state;
    if (!has_advice()) {
        print_message("skipped: the kernel has no MADV_GUARD_INSTALL (Linux 6.13)\n");
        skip();
    }
    check_guard(CEDE_STACK_GUARD_MADVISE, "madvise");
}

static void test_stack_guard_by_mprotect_faults_over_its_whole_length(void **state)
{
    (void)state;
    check_guard(CEDE_STACK_GUARD_MPROTECT, "mprotect");
}

static void test_stack_guards_by_mprotect_leave_the_process_mappings(void **state)
{
    (void)state;
    struct cede_stack_pool pool;
    open_pool(CEDE_STACK_GUARD_MPROTECT, &pool);
    assert_int_equal(pool.protected_limit, cede_sys_mapping_limit() / 8);
    cede_stack_pool_close(&pool);
}

#define LIMIT 5
#define MANY 200

static void test_stack_guards_by_mprotect_beyond_the_limit_are_canaries(void **state)
{
    (void)state;
    struct cede_stack_pool pool;
    static struct cede_stack *stacks[MANY];
    open_pool(CEDE_STACK_GUARD_MPROTECT, &pool);
    pool.protected_limit = LIMIT;
    for (int i = 0; i < MANY; i++) {
        assert_string_equal(cede_stack_guard_name(&pool), i < LIMIT ? "mprotect" : "canary");
        stacks[i] = take(&pool);
        assert_int_equal(stacks[i]->guard_bytes > 0, i < LIMIT);
        assert_int_equal(stacks[i]->canary_bytes > 0, i >= LIMIT);
    }
    assert_int_equal(pool.protected_count, LIMIT);
    for (int i = 0; i < MANY; i++)
        cede_stack_give_back(&pool, stacks[i]);
    // Unmapped guards are to be had again.
    assert_string_equal(cede_stack_guard_name(&pool), "mprotect");
    cede_stack_pool_close(&pool);
}

static void test_stack_canary_is_whole_until_a_byte_below_the_stack_changes(void **state)
{
    (void)state;
    struct cede_stack_pool pool;
    open_pool(CEDE_STACK_GUARD_CANARY, &pool);
    struct cede_stack *stack = take(&pool);
    char *low = stack->low;
    memset(low, 'x', stack->bytes);
    assert_true(cede_stack_is_whole(stack));
    for (size_t below = 1; below <= stack->canary_bytes; below++) {
        low[-(ptrdiff_t)below] ^= 1;
        assert_false(cede_stack_is_whole(stack));
        low[-(ptrdiff_t)below] ^= 1;
    }
    // The same wrong byte everywhere.
    memset(low - stack->canary_bytes, 0, stack->canary_bytes);
    assert_false(cede_stack_is_whole(stack));
    memset(low - stack->canary_bytes, 0xce, stack->canary_bytes);
    assert_true(cede_stack_is_whole(stack));
    cede_stack_give_back(&pool, stack);
    cede_stack_pool_close(&pool);
}

static void give_back_overflowed(void *argument)
{
    struct cede_stack_pool pool;
    open_pool(CEDE_STACK_GUARD_CANARY, &pool);
    struct cede_stack *stack = take(&pool);
    ((char *)stack->low)[-(ptrdiff_t)stack->canary_bytes] = 0;
    cede_stack_give_back(argument ? argument : &pool, stack);
}

static void test_stack_that_overflowed_is_not_given_back(void **state)
{
    (void)state;
    struct child_end end;
    child_run(give_back_overflowed, NULL, 0, &end);
    assert_int_equal(end.signal, SIGABRT);
    assert_non_null(strstr(end.text, "check failed: !has_overflowed"));
}

static void test_stack_canary_is_whole_again_with_new_memory(void **state)
{
    (void)state;
    struct cede_stack_pool pool;
    open_pool(CEDE_STACK_GUARD_CANARY, &pool);
    struct cede_stack *other = take(&pool);
    struct cede_stack *stack = take(&pool);
    char *low = stack->low;
    unsigned char resident;
    cede_stack_give_back(&pool, stack);
    assert_int_equal(mincore(low - 4096, 1, &resident), 0);
    assert_int_equal(resident & 1, 0);
    stack = take(&pool);
    assert_ptr_equal(stack->low, low);
    assert_true(cede_stack_is_whole(stack));
    cede_stack_give_back(&pool, stack);
    cede_stack_give_back(&pool, other);
    cede_stack_pool_close(&pool);
}

// Takes and gives back one stack of a kernel that refuses the advice with *error.
static void take_without_advice(void *argument)
{
    unsigned error = *(unsigned *)argument;
    struct cede_stack_pool pool;
    refuse(SYS_madvise, ADVICE, error);
    open_pool(CEDE_STACK_GUARD_MADVISE, &pool);
    struct cede_stack *stack = take(&pool);
    require(strcmp(cede_stack_guard_name(&pool), "mprotect") == 0, 1);
    require(stack->guard_bytes > 0, 2);
    require(pool.guard_error == (error == IGNORED ? -EOPNOTSUPP : -(int)error), 3);
    cede_stack_give_back(&pool, stack);
    cede_stack_pool_close(&pool);
}

static void test_stack_guard_is_by_mprotect_where_the_kernel_takes_no_advice(void **state)
{
    (void)state;
    unsigned errors[] = {OLD_KERNEL, EPERM, ENOSYS, IGNORED};
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        struct child_end end;
        child_run(take_without_advice, &errors[i], 0, &end);
        assert_int_equal(end.exit_status, 0);
    }
}

static void take_without_memory_for_guards(void *argument)
{
    struct cede_stack_pool pool;
    struct cede_stack *stack = argument;
    refuse(SYS_madvise, ADVICE, ENOMEM);
    open_pool(CEDE_STACK_GUARD_MADVISE, &pool);
    require(cede_stack_take(&pool, &stack) == -ENOMEM, 1);
    require(stack == argument && pool.taken_count == 0, 2);
    cede_stack_pool_close(&pool);
    require(pool.roomy == NULL, 3);
}

static void test_stack_take_without_memory_for_the_guard_is_enomem(void **state)
{
    (void)state;
    struct child_end end;
    child_run(take_without_memory_for_guards, NULL, 0, &end);
    assert_int_equal(end.exit_status, 0);
}

static void take_without_mappings(void *argument)
{
    (void)argument;
    struct cede_stack_pool pool;
    open_pool(CEDE_STACK_GUARD_MPROTECT, &pool);
    struct cede_stack *guarded = take(&pool);
    refuse(SYS_mprotect, PROT_NONE, ENOMEM);
    struct cede_stack *stack = take(&pool);
    require(guarded->guard_bytes > 0 && stack->canary_bytes > 0, 1);
    require(strcmp(cede_stack_guard_name(&pool), "canary") == 0, 2);
    require(pool.protected_count == 1 && pool.protected_limit == 1, 3);
}

static void test_stack_guard_is_a_canary_where_no_mapping_is_left(void **state)
{
    (void)state;
    struct child_end end;
    child_run(take_without_mappings, NULL, 0, &end);
    assert_int_equal(end.exit_status, 0);
}

// --- What a run makes of it ---------------------------------------------------------------------

static void log_line(void *argument, const char *message)
{
    (void)argument;
    fprintf(stderr, "%s\n", message);
}

static const struct cede_options options = {.backend = "select", .log = log_line};

static int do_nothing(struct cede_task *self, void *argument)
{
    (void)self, (void)argument;
    return 0;
}

static void run_without_advice(void *argument)
{
    (void)argument;
    refuse(SYS_madvise, ADVICE, OLD_KERNEL);
    require(cede_run(&options, do_nothing, NULL) == 0, 1);
}

static void test_stack_guards_that_are_not_the_best_are_logged_with_the_reason(void **state)
{
    (void)state;
    struct child_end end;
    char expected[128];
    child_run(run_without_advice, NULL, 0, &end);
    assert_int_equal(end.exit_status, 0);
    snprintf(expected, sizeof expected,
             "stack guards: mprotect, canaries beyond %u tasks (madvise: Invalid argument)\n",
             cede_sys_mapping_limit() / 8);
    assert_string_equal(end.text, expected);
}

// Goes down by small frames until the stack that began at `first` is used up, and a little more.
static long use_up(uintptr_t first)
{
    volatile char filling[128];
    filling[0] = 1;
    if (first - (uintptr_t)filling > STACK_BYTES)
        return filling[0];
    return use_up(first) + filling[0];
}

static int overflow_and_park(struct cede_task *self, void *argument)
{
    *(volatile long *)argument = use_up((uintptr_t)__builtin_frame_address(0));
    cede_pause(self);
    return 0;
}

static int spawn_overflowing(struct cede_task *self, void *argument)
{
    return cede_spawn(self, "greedy", overflow_and_park, argument, NULL);
}

static void run_with_canaries(void *argument)
{
    volatile long result;
    (void)argument;
    refuse(SYS_madvise, ADVICE, OLD_KERNEL);
    refuse(SYS_mprotect, PROT_NONE, ENOMEM);
    cede_run(&(struct cede_options){.backend = "select"}, spawn_overflowing,
             (void *)(uintptr_t)&result);
}

static void test_stack_canary_names_the_task_when_it_parks(void **state)
{
    (void)state;
    struct child_end end;
    child_run(run_with_canaries, NULL, 0, &end);
    assert_int_equal(end.signal, SIGABRT);
    assert_int_equal(strncmp(end.text,
                             "cede: task \"greedy\" overflowed its stack of 65536 bytes "
                             "(options.limits.stack_bytes)\n", 83), 0);
    assert_non_null(strstr(end.text, "check failed: is_whole"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stack_guard_by_madvise_faults_over_its_whole_length),
        cmocka_unit_test(test_stack_guard_by_mprotect_faults_over_its_whole_length),
        cmocka_unit_test(test_stack_guards_by_mprotect_leave_the_process_mappings),
        cmocka_unit_test(test_stack_guards_by_mprotect_beyond_the_limit_are_canaries),
        cmocka_unit_test(test_stack_canary_is_whole_until_a_byte_below_the_stack_changes),
        cmocka_unit_test(test_stack_that_overflowed_is_not_given_back),
        cmocka_unit_test(test_stack_canary_is_whole_again_with_new_memory),
        cmocka_unit_test(test_stack_guard_is_by_mprotect_where_the_kernel_takes_no_advice),
        cmocka_unit_test(test_stack_take_without_memory_for_the_guard_is_enomem),
        cmocka_unit_test(test_stack_guard_is_a_canary_where_no_mapping_is_left),
        cmocka_unit_test(test_stack_guards_that_are_not_the_best_are_logged_with_the_reason),
        cmocka_unit_test(test_stack_canary_names_the_task_when_it_parks),
    };
    return cmocka_run_group_tests_name("stack guards", tests, NULL, NULL);
}
