// SPDX-License-Identifier: MIT
//
// What a task costs, in nanoseconds and bytes: the switch beside the cheapest thing it could be
// compared with, birth and death, and the memory of one that waits. It knows nothing of sockets;
// tools/profile measures servers.
//
// All rows are measured in each round, one after the other, so that a processor that changes its
// speed, or a neighbour that wakes up, strikes all of them. The ratio is the median of the rounds'
// own ratios for the same reason.

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cede.h"
#include "tasks/context.h"
#include "tasks/generator.h"
#include "tasks/stack.h"
#include "tools/options.h"

#define ROUNDS_MAX 1000
#define STACK_BYTES ((size_t)64 << 10)

static const char tool_name[] = "microbench";

_Noreturn static void fail(const char *what, int error)
{
    fprintf(stderr, "%s: %s: %s\n", tool_name, what, strerror(-error));
    exit(OPTIONS_EXIT_FAILED);
}

static double now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

// --- Calls --------------------------------------------------------------------------------------

typedef void *function(void *value);

__attribute__((noinline)) static void *return_at_once(void *value)
{
    __asm__ volatile("" : "+r"(value));
    return value;
}

__attribute__((noinline)) static void *return_at_once_too(void *value)
{
    __asm__ volatile("" : "+r"(value));
    return value;
}

static double measure_calls(uint64_t count)
{
    function *first = return_at_once, *second = return_at_once_too;
    void *value = NULL;
    double start_ns = now_ns();
    for (uint64_t i = 0; i < count; i++) {
        // The compiler forgets which functions these are.
        __asm__ volatile("" : "+r"(first), "+r"(second));
        value = second(first(value));
    }
    return now_ns() - start_ns;
}

// --- Switches -----------------------------------------------------------------------------------

static void echo_for_ever(struct cede_generator *self, void *argument)
{
    (void)argument;
    void *value = NULL;
    while ((value = cede_generator_yield(self, value)) != NULL)
        continue;
}

static double measure_generator(uint64_t count)
{
    struct cede_stack_pool pool;
    struct cede_stack *stack;
    struct cede_generator generator;
    int error = cede_stack_pool_open(STACK_BYTES, 0, &pool);
    if (error == 0)
        error = cede_stack_take(&pool, &stack);
    if (error < 0)
        fail("stack", error);
    cede_generator_create(stack, echo_for_ever, NULL, &generator);
    cede_generator_next(&generator, NULL);

    double start_ns = now_ns();
    for (uint64_t i = 0; i < count; i++)
        cede_generator_next(&generator, &generator);
    double duration_ns = now_ns() - start_ns;

    cede_generator_next(&generator, NULL);
    cede_generator_destroy(&generator);
    cede_stack_give_back(&pool, stack);
    cede_stack_pool_close(&pool);
    return duration_ns;
}

static struct cede_context ucontext_home, ucontext_away;

static void switch_for_ever(void *value)
{
    for (;;)
        value = cede_context_ucontext_switch(&ucontext_away, &ucontext_home, value);
}

static double measure_ucontext(uint64_t count)
{
    static char stack[STACK_BYTES];
    cede_context_ucontext_make(stack, sizeof(stack), switch_for_ever, &ucontext_away);
    double start_ns = now_ns();
    for (uint64_t i = 0; i < count; i++)
        cede_context_ucontext_switch(&ucontext_home, &ucontext_away, NULL);
    return now_ns() - start_ns;
}

// --- Tasks --------------------------------------------------------------------------------------

static int return_task(struct cede_task *self, void *argument)
{
    (void)self, (void)argument;
    return 0;
}

struct births {
    uint64_t count;
    double duration_ns;
};

static int spawn_and_join(struct cede_task *self, void *argument)
{
    struct births *births = argument;
    double start_ns = 0;
    // The first one, which maps the stack that the others take from the pool, is not counted.
    for (uint64_t i = 0; i <= births->count; i++) {
        struct cede_handle handle;
        int error = cede_spawn(self, "child", return_task, NULL, &handle);
        if (error == 0)
            error = cede_join(self, handle, NULL);
        if (error < 0)
            fail("task", error);
        if (i == 0)
            start_ns = now_ns();
    }
    births->duration_ns = now_ns() - start_ns;
    return 0;
}

static double measure_births(uint64_t count)
{
    struct births births = {.count = count};
    int error = cede_run(NULL, spawn_and_join, &births);
    if (error < 0)
        fail("run", error);
    return births.duration_ns;
}

// The resident memory of this process: the second number of proc(5)'s statm, in pages.
static double resident_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    unsigned long pages = 0;
    if (file == NULL || fscanf(file, "%*u %lu", &pages) != 1)
        fail("/proc/self/statm", -EIO);
    fclose(file);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static int sleep_until_cancelled(struct cede_task *self, void *argument)
{
    ++*(size_t *)argument;
    return cede_sleep(self, INT64_MAX);
}

struct parking {
    struct cede_handle *handles;
    size_t count;
    double bytes; // the growth for each task
};

// Parks tasks, looks, and lets them go.
static int park_many(struct cede_task *self, void *argument)
{
    struct parking *parking = argument;
    size_t parked_count = 0;
    double before_bytes = resident_bytes();
    for (size_t i = 0; i < parking->count; i++) {
        int error = cede_spawn(self, "parked", sleep_until_cancelled, &parked_count,
                               &parking->handles[i]);
        if (error < 0)
            fail("task", error);
    }
    while (parked_count < parking->count)
        cede_pause(self);
    parking->bytes = (resident_bytes() - before_bytes) / (double)parking->count;
    for (size_t i = 0; i < parking->count; i++) {
        cede_cancel(self, parking->handles[i]);
        cede_join(self, parking->handles[i], NULL);
    }
    return 0;
}

static double measure_parking(size_t count)
{
    struct parking parking = {.handles = malloc(count * sizeof(*parking.handles)), .count = count};
    if (parking.handles == NULL)
        fail("handles", -ENOMEM);
    // Touched now, so that it is not taken for memory of the tasks.
    memset(parking.handles, 1, count * sizeof(*parking.handles));
    int error = cede_run(NULL, park_many, &parking);
    if (error < 0)
        fail("run", error);
    free(parking.handles);
    return parking.bytes;
}

// --- The table ----------------------------------------------------------------------------------

static const struct row {
    const char *name;
    double (*measure)(uint64_t count);
    uint64_t count; // of operations in a round: about a millisecond or more
} rows[] = {
    {"empty indirect call pair", measure_calls, 1000000},
    {"generator round trip", measure_generator, 1000000},
    {"ucontext round trip", measure_ucontext, 10000},
    {"task spawn and join", measure_births, 5000},
};

#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

static double durations_ns[ROW_COUNT][ROUNDS_MAX];
static double ratios[ROW_COUNT][ROUNDS_MAX];

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static void measure_rounds(size_t rounds)
{
    // Round 0 warms up and is written over.
    for (size_t round = 0; round <= rounds; round++) {
        size_t at = round == 0 ? 0 : round - 1;
        for (size_t i = 0; i < ROW_COUNT; i++) {
            durations_ns[i][at] = rows[i].measure(rows[i].count) / (double)rows[i].count;
            ratios[i][at] = durations_ns[i][at] / durations_ns[0][at];
        }
    }
}

static void print_table(size_t rounds)
{
    printf("%-26s %10s %10s %10s\n", "", "ns median", "ns min", "ratio");
    for (size_t i = 0; i < ROW_COUNT; i++) {
        qsort(durations_ns[i], rounds, sizeof(double), compare_doubles);
        qsort(ratios[i], rounds, sizeof(double), compare_doubles);
        printf("%-26s %10.2f %10.2f %10.2f\n", rows[i].name, durations_ns[i][rounds / 2],
               durations_ns[i][0], ratios[i][rounds / 2]);
    }
}

int main(int argc, char **argv)
{
    uint64_t rounds, parked_count;
    const struct options_entry entries[] = {
        {.long_name = "rounds",
         .argument = "N",
         .help = "how often each row is measured",
         .initial = "51",
         .count = &rounds,
         .minimum = 1,
         .maximum = ROUNDS_MAX},
        {.long_name = "parked",
         .argument = "N",
         .help = "how many tasks are parked to see what memory they take",
         .initial = "10000",
         .count = &parked_count,
         .minimum = 1,
         .maximum = 30000},
    };
    const struct options_program program = {
        .name = tool_name,
        .summary = "Measure what a task costs: switch, spawn and join, memory while it waits.",
        .closing = "The ratio is that to the empty indirect call pair, in the same round.\n"
                   "Build it with `-c opt`.",
        .entries = entries,
        .entry_count = sizeof(entries) / sizeof(entries[0]),
    };
    int exit_status;
    if (!options_parse(&program, argc, argv, &exit_status))
        return exit_status;

    // First of all, while no memory lies about that was freed and could be used again unseen.
    double parked_bytes = measure_parking(parked_count);
    measure_rounds(rounds);
    print_table(rounds);
    printf("\nmemory of a parked task: %.0f bytes (resident, mean of %" PRIu64 ")\n", parked_bytes,
           parked_count);
    return OPTIONS_EXIT_DONE;
}
