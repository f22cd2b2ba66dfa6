// SPDX-License-Identifier: MIT
//
// The claims of tasks/overflow.h. What kills is done in a forked child, whose last words and whose
// end are asserted. Under a sanitizer the old handler is the sanitizer's own where a test keeps it.

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tasks/generator.h"
#include "tasks/overflow.h"
#include "tasks/stack.h"
#include "tests/child.h"

#define STACK_BYTES ((size_t)64 << 10)

static const char message[] =
    "cede: task \"echo\" overflowed its stack of 65536 bytes (options.limits.stack_bytes)\n";

// Recursion that the compiler cannot turn into a loop, with a frame smaller than a guard.
static long recurse(long depth)
{
    volatile char filling[256];
    filling[depth % 256] = (char)depth;
    if (depth == 0)
        return filling[0];
    return recurse(depth - 1) + filling[depth % 256];
}

static void body_overflows(struct cede_generator *self, void *argument)
{
    (void)self;
    *(volatile long *)argument = recurse(1000000);
}

// An address that no stack is near to, and that the compiler does not see through.
static volatile char *volatile nowhere = (volatile char *)8;

static void body_touches_nowhere(struct cede_generator *self, void *argument)
{
    (void)self, (void)argument;
    *nowhere = 1;
}

// Runs a body as the scheduler would.
static void run_watched(const char *name,
                        void (*body)(struct cede_generator *self, void *argument))
{
    struct cede_stack_pool pool;
    struct cede_stack *stack;
    struct cede_generator generator;
    volatile long result;
    if (cede_stack_pool_open(STACK_BYTES, 0, &pool) < 0 || cede_stack_take(&pool, &stack) < 0)
        _exit(100);
    const struct cede_overflow_watch watch = {.task_name = name, .stack = stack};
    cede_generator_create(stack, body, (void *)(uintptr_t)&result, &generator);
    cede_overflow_watch(&watch);
    cede_generator_next(&generator, NULL);
    cede_overflow_watch(NULL);
}

static void install(struct cede_overflow *ret_overflow)
{
    if (cede_overflow_install(ret_overflow) < 0)
        _exit(101);
}

static void overflow_installed(void *argument)
{
    (void)argument;
    struct cede_overflow overflow;
    install(&overflow);
    run_watched("echo", body_overflows);
}

static void test_overflow_names_the_task_and_the_size_and_dies_of_the_fault(void **state)
{
    (void)state;
    struct child_end end;
    child_run(overflow_installed, NULL, 0, &end);
    assert_int_equal(end.signal, SIGSEGV);
    assert_string_equal(end.text, message);
}

static void *run_overflow_in_thread(void *argument)
{
    overflow_installed(argument);
    return NULL;
}

static void overflow_in_thread(void *argument)
{
    struct cede_overflow overflow;
    pthread_t thread;
    install(&overflow);
    if (pthread_create(&thread, NULL, run_overflow_in_thread, argument) != 0)
        _exit(102);
    pthread_join(thread, NULL);
}

static void test_overflow_is_reported_in_any_thread_that_installed(void **state)
{
    (void)state;
    struct child_end end;
    child_run(overflow_in_thread, NULL, 0, &end);
    assert_int_equal(end.signal, SIGSEGV);
    assert_string_equal(end.text, message);
}

static void *install_and_remove(void *argument)
{
    struct cede_overflow overflow;
    install(&overflow);
    cede_overflow_remove(&overflow);
    return argument;
}

static void overflow_after_another_removed(void *argument)
{
    struct cede_overflow overflow;
    pthread_t thread;
    install(&overflow);
    if (pthread_create(&thread, NULL, install_and_remove, argument) != 0)
        _exit(102);
    pthread_join(thread, NULL);
    run_watched("echo", body_overflows);
}

static void test_overflow_stays_installed_when_another_thread_removes(void **state)
{
    (void)state;
    struct child_end end;
    child_run(overflow_after_another_removed, NULL, 0, &end);
    assert_int_equal(end.signal, SIGSEGV);
    assert_string_equal(end.text, message);
}

static void other_fault(void *argument)
{
    (void)argument;
    struct cede_overflow overflow;
    install(&overflow);
    run_watched("echo", body_touches_nowhere);
}

static void test_overflow_is_silent_about_other_faults(void **state)
{
    (void)state;
    struct child_end end;
    child_run(other_fault, NULL, 0, &end);
    assert_int_equal(end.signal, SIGSEGV);
    assert_string_equal(end.text, "");
}

static void fault_outside_tasks(void *argument)
{
    struct cede_overflow overflow;
    install(&overflow);
    body_touches_nowhere(NULL, argument);
}

static void test_overflow_is_silent_when_no_task_runs(void **state)
{
    (void)state;
    struct child_end end;
    child_run(fault_outside_tasks, NULL, 0, &end);
    assert_int_equal(end.signal, SIGSEGV);
    assert_string_equal(end.text, "");
}

static void sent_signal(void *argument)
{
    struct cede_overflow overflow;
    install(&overflow);
    raise(*(int *)argument);
}

static void test_overflow_passes_on_a_signal_that_was_sent(void **state)
{
    (void)state;
    int signals[] = {SIGSEGV, SIGBUS};
    for (size_t i = 0; i < 2; i++) {
        struct child_end end;
        child_run(sent_signal, &signals[i], 0, &end);
        assert_int_equal(end.signal, signals[i]);
        assert_string_equal(end.text, "");
    }
}

static void exit_77(int signal)
{
    (void)signal;
    _exit(77);
}

static void overflow_with_old_handler(void *argument)
{
    const struct sigaction old = {.sa_handler = exit_77, .sa_flags = SA_ONSTACK};
    if (sigaction(SIGSEGV, &old, NULL) < 0)
        _exit(103);
    overflow_installed(argument);
}

static void test_overflow_hands_over_to_the_old_handler(void **state)
{
    (void)state;
    struct child_end end;
    child_run(overflow_with_old_handler, NULL, 0, &end);
    assert_int_equal(end.exit_status, 77);
    assert_string_equal(end.text, message);
}

static void test_overflow_removed_leaves_handlers_and_alternate_stack_as_they_were(void **state)
{
    (void)state;
    struct sigaction before[2], after[2];
    stack_t stack_before, stack_after;
    sigaction(SIGSEGV, NULL, &before[0]);
    sigaction(SIGBUS, NULL, &before[1]);
    sigaltstack(NULL, &stack_before);

    struct cede_overflow outer, inner;
    assert_int_equal(cede_overflow_install(&outer), 0);
    assert_int_equal(cede_overflow_install(&inner), 0);
    cede_overflow_remove(&inner);
    cede_overflow_remove(&outer);

    sigaction(SIGSEGV, NULL, &after[0]);
    sigaction(SIGBUS, NULL, &after[1]);
    sigaltstack(NULL, &stack_after);
    for (size_t i = 0; i < 2; i++) {
        assert_true(before[i].sa_handler == after[i].sa_handler);
        assert_int_equal(before[i].sa_flags, after[i].sa_flags);
    }
    assert_int_equal(stack_before.ss_flags, stack_after.ss_flags);
    if ((stack_before.ss_flags & SS_DISABLE) == 0)
        assert_ptr_equal(stack_before.ss_sp, stack_after.ss_sp);
}

static void overflow_with_name(void *argument)
{
    struct cede_overflow overflow;
    install(&overflow);
    run_watched(argument, body_overflows);
}

static void test_overflow_cuts_a_long_name(void **state)
{
    (void)state;
    char name[1000];
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    struct child_end end;
    child_run(overflow_with_name, name, 0, &end);
    assert_int_equal(end.signal, SIGSEGV);
    assert_int_equal(strspn(end.text + strlen("cede: task \""), "n"), 64);
    assert_non_null(strstr(end.text, "n\" overflowed its stack of 65536 bytes"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_overflow_names_the_task_and_the_size_and_dies_of_the_fault),
        cmocka_unit_test(test_overflow_is_reported_in_any_thread_that_installed),
        cmocka_unit_test(test_overflow_stays_installed_when_another_thread_removes),
        cmocka_unit_test(test_overflow_is_silent_about_other_faults),
        cmocka_unit_test(test_overflow_is_silent_when_no_task_runs),
        cmocka_unit_test(test_overflow_passes_on_a_signal_that_was_sent),
        cmocka_unit_test(test_overflow_hands_over_to_the_old_handler),
        cmocka_unit_test(test_overflow_removed_leaves_handlers_and_alternate_stack_as_they_were),
        cmocka_unit_test(test_overflow_cuts_a_long_name),
    };
    return cmocka_run_group_tests_name("overflow", tests, NULL, NULL);
}
