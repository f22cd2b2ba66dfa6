// SPDX-License-Identifier: MIT
//
// A hundred thousand tasks parked at once in a process with the system's default limits: what each
// costs in memory, that its guard works, and that the memory goes back.

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "cede.h"
#include "tasks/sanitizer.h"
#include "tests/child.h"

// The sanitizers keep much more beside each stack, or have fewer of them to give.
#define IS_SANITIZED (CEDE_ADDRESS_SANITIZER || CEDE_THREAD_SANITIZER)
#if IS_SANITIZED
#define TASKS 500
#else
#define TASKS 100000
#endif

#define HOUR_NS (3600 * CEDE_NANOSECONDS_PER_SECOND)

static const char message[] =
    "cede: task \"sleeper\" overflowed its stack of 65536 bytes (options.limits.stack_bytes)\n";

static struct cede_handle handles[TASKS];
static uint32_t parked_count;
static bool overflows; // Set in the children that are to die of it.
static char log_line[256];

static long count_resident_bytes(void)
{
    long pages = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    assert_non_null(statm);
    assert_int_equal(fscanf(statm, "%*d %ld", &pages), 1);
    fclose(statm);
    return pages * sysconf(_SC_PAGESIZE);
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

// Recursion that the compiler cannot turn into a loop, with a frame smaller than a guard.
static long recurse(long depth)
{
    volatile char filling[256];
    filling[depth % 256] = (char)depth;
    if (depth == 0)
        return filling[0];
    return recurse(depth - 1) + filling[depth % 256];
}

static int sleep_long(struct cede_task *self, void *argument)
{
    (void)argument;
    parked_count++;
    int error = cede_sleep(self, HOUR_NS);
    return overflows ? (int)recurse(1000000) : error;
}

struct choice {
    struct cede_task *main_task;
    uint32_t index;
};

// In a child: lets one of the parked tasks run into its guard.
static void wake_and_overflow(void *argument)
{
    const struct choice *choice = argument;
    overflows = true;
    cede_cancel(choice->main_task, handles[choice->index]);
    cede_sleep(choice->main_task, HOUR_NS);
}

static void check_guard_of(struct cede_task *self, uint32_t index)
{
    static struct child_end end;
    struct choice choice = {.main_task = self, .index = index};
    child_run(wake_and_overflow, &choice, 1, &end);
    assert_string_equal(end.text, message);
    assert_int_equal(end.signal, SIGSEGV);
}

static void end_all(struct cede_task *self)
{
    int result;
    for (uint32_t i = 0; i < TASKS; i++)
        cede_cancel(self, handles[i]);
    for (uint32_t i = 0; i < TASKS; i++) {
        assert_int_equal(cede_join(self, handles[i], &result), 0);
        assert_int_equal(result, -ECANCELED);
    }
}

static int park_all(struct cede_task *self, void *argument)
{
    bool *are_best = argument;
    *are_best = log_line[0] == '\0';
    if (!*are_best)
        return 0;
    long before = count_resident_bytes();
    for (uint32_t i = 0; i < TASKS; i++)
        assert_int_equal(cede_spawn(self, "sleeper", sleep_long, NULL, &handles[i]), 0);
    while (parked_count < TASKS)
        assert_int_equal(cede_pause(self), 0);
    assert_int_equal(cede_pause(self), 0);

    long parked = count_resident_bytes() - before;
    int mappings = count_mappings();
    print_message("%d tasks parked at once: %ld bytes of user memory each, %d mappings\n", TASKS,
                  parked / TASKS, mappings);
    check_guard_of(self, 0);
    check_guard_of(self, 1);
    check_guard_of(self, TASKS / 2);
    check_guard_of(self, TASKS - 1);

    end_all(self);
    long left = count_resident_bytes() - before;
    print_message("after they have ended: %ld KiB, of %ld KiB\n", left >> 10, parked >> 10);
#if !IS_SANITIZED
    // A page for the stack, and the task itself; what is left are the tasks, and a few stacks.
    assert_in_range(parked / TASKS, 4096, 6144);
    assert_in_range(left, 0, parked / 4);
    assert_in_range(mappings, 1, 1000);
#endif
    return 0;
}

static void keep_line(void *argument, const char *line)
{
    (void)argument;
    snprintf(log_line, sizeof log_line, "%s", line);
}

static void test_stacks_of_a_hundred_thousand_tasks_fit_and_are_guarded(void **state)
{
    (void)state;
    bool are_best;
    const struct cede_options options = {
        .backend = "epoll",
        .limits = {.cached_stacks = 64},
        .reports_overflow = true,
        .log = keep_line,
    };
    // So that an overflow ends as it would without a sanitizer, and without a core file.
    const struct rlimit no_core = {0, 0};
    assert_int_equal(setrlimit(RLIMIT_CORE, &no_core), 0);
    signal(SIGSEGV, SIG_DFL);
    assert_int_equal(cede_run(&options, park_all, &are_best), 0);
    if (!are_best) {
        print_message("skipped: the guards are not the best ones: %s\n", log_line);
        skip();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stacks_of_a_hundred_thousand_tasks_fit_and_are_guarded),
    };
    return cmocka_run_group_tests_name("many stacks", tests, NULL, NULL);
}
