// SPDX-License-Identifier: MIT
//
// A program for annotations_gdb_test.sh to look into: it parks a task three calls deep, publishes
// where, and calls a function to stop at.

#include <stdio.h>
#include <stdlib.h>

#include "tasks/generator.h"
#include "tasks/stack.h"

// What the debugger reads: the same word that a tool would find in the task.
void *parked_stack_pointer;

#define NOINLINE __attribute__((noinline))

// Each call is followed by work, lest it become a jump and its frame vanish.
static volatile int work;

NOINLINE static void park_in_the_innermost(struct cede_generator *self)
{
    cede_generator_yield(self, self);
    work++;
}

NOINLINE static void call_the_innermost(struct cede_generator *self)
{
    park_in_the_innermost(self);
    work++;
}

static void body_of_the_task(struct cede_generator *self, void *argument)
{
    (void)argument;
    call_the_innermost(self);
    work++;
}

NOINLINE static void stop_here(void)
{
    work++;
}

int main(void)
{
    struct cede_stack_pool pool;
    struct cede_stack *stack;
    struct cede_generator generator;
    if (cede_stack_pool_open(CEDE_STACK_BYTES_MIN, 0, &pool) < 0 ||
        cede_stack_take(&pool, &stack) < 0) {
        fprintf(stderr, "annotations_parked: no stack\n");
        return EXIT_FAILURE;
    }
    cede_generator_create(stack, body_of_the_task, NULL, &generator);
    cede_generator_next(&generator, NULL);
    parked_stack_pointer = generator.context.stack_pointer;
    stop_here();
    cede_generator_next(&generator, NULL);
    cede_generator_destroy(&generator);
    cede_stack_give_back(&pool, stack);
    cede_stack_pool_close(&pool);
    return EXIT_SUCCESS;
}
