// SPDX-License-Identifier: MIT
//
// Makes the mistake that its argument names, for annotations_mistakes_test.sh, which expects a tool
// that watches memory to catch it. `tool` instead prints which one the program is built for. Ends
// with status 0 if nothing caught it.

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tasks/generator.h"
#include "tasks/sanitizer.h"
#include "tasks/stack.h"

static struct cede_stack_pool pool;

// Where a task leaves a pointer into its own stack. Volatile, so that the compiler cannot see where
// it came from.
static char *volatile left_behind;
static volatile char seen;

static void body_leaves_a_pointer(struct cede_generator *self, void *argument)
{
    (void)argument;
    char local[16] = "on the stack";
    left_behind = local;
    cede_generator_yield(self, NULL);
}

static void use_a_stack_given_back(struct cede_generator *generator)
{
    cede_generator_next(generator, NULL);
    // While the task lives the pointer is good.
    seen = left_behind[0];
    cede_generator_next(generator, NULL);
    cede_generator_destroy(generator);
    cede_stack_give_back(&pool, generator->stack);
    seen = left_behind[0];
}

static void body_leaves_a_scope(struct cede_generator *self, void *argument)
{
    (void)argument;
    {
        char local[16] = "in a scope";
        left_behind = local;
        cede_generator_yield(self, NULL);
    }
    cede_generator_yield(self, NULL);
    seen = left_behind[0];
}

static void body_steps_over_the_end(struct cede_generator *self, void *argument)
{
    (void)argument;
    char local[16] = "short";
    left_behind = local;
    cede_generator_yield(self, NULL);
    cede_generator_yield(self, NULL);
    seen = left_behind[sizeof(local)];
}

static void run_to_the_end(struct cede_generator *generator)
{
    while (!cede_generator_is_finished(generator))
        cede_generator_next(generator, NULL);
}

static int shared;

static void body_writes_what_is_shared(struct cede_generator *self, void *argument)
{
    (void)argument;
    for (int i = 0; i < 1000; i++) {
        shared++;
        cede_generator_yield(self, NULL);
    }
}

static void *run_in_thread(void *argument)
{
    run_to_the_end(argument);
    return NULL;
}

static void race_with_another_thread(struct cede_generator *generator)
{
    struct cede_stack *stack;
    struct cede_generator other;
    pthread_t thread;
    if (cede_stack_take(&pool, &stack) < 0)
        exit(EXIT_FAILURE);
    cede_generator_create(stack, body_writes_what_is_shared, NULL, &other);
    if (pthread_create(&thread, NULL, run_in_thread, &other) != 0)
        exit(EXIT_FAILURE);
    run_to_the_end(generator);
    pthread_join(thread, NULL);
}

static const struct mistake {
    const char *name;
    void (*body)(struct cede_generator *self, void *argument);
    void (*run)(struct cede_generator *generator);
} mistakes[] = {
    {"given_back", body_leaves_a_pointer, use_a_stack_given_back},
    {"scope", body_leaves_a_scope, run_to_the_end},
    {"end_of_array", body_steps_over_the_end, run_to_the_end},
    {"race", body_writes_what_is_shared, race_with_another_thread},
};

int main(int argc, char **argv)
{
    const char *name = argc == 2 ? argv[1] : "";
    if (strcmp(name, "tool") == 0) {
        puts(CEDE_ADDRESS_SANITIZER ? "address" : CEDE_THREAD_SANITIZER ? "thread" : "none");
        return EXIT_SUCCESS;
    }
    for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
        struct cede_stack *stack;
        struct cede_generator generator;
        if (strcmp(name, mistakes[i].name) != 0)
            continue;
        if (cede_stack_pool_open((size_t)64 << 10, 4, &pool) < 0 ||
            cede_stack_take(&pool, &stack) < 0)
            return EXIT_FAILURE;
        cede_generator_create(stack, mistakes[i].body, NULL, &generator);
        mistakes[i].run(&generator);
        return EXIT_SUCCESS;
    }
    fprintf(stderr, "annotations_mistakes: %s: No such mistake\n", name);
    return 2;
}
