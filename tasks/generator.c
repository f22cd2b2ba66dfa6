// SPDX-License-Identifier: MIT
//
// The cold half of tasks/generator.h: birth and death. A generator is born parked before its first
// instruction, and dies by a switch to its caller from which nobody comes back; the frames left on
// its stack then are run_body's and the one below it, which own nothing.
//
// Invariant: of the two contexts exactly one is valid: `caller_context` in the state RUNNING,
// `context` in CREATED and PARKED; in FINISHED neither is.

#include "tasks/generator.h"

// The outermost function of the stack. It gets the generator by the first switch.
static void run_body(void *value)
{
    struct cede_generator *self = value;
    cede_fiber_arrive(&self->fiber, &self->caller_fiber);

    self->body(self, self->argument);

    cede_check(self->state == CEDE_GENERATOR_RUNNING);
    self->state = CEDE_GENERATOR_FINISHED;
    cede_fiber_leave_for_ever(&self->caller_fiber);
    cede_context_switch(&self->context, &self->caller_context, NULL);
    __builtin_unreachable();
}

void cede_generator_create(struct cede_stack *stack,
                           void (*body)(struct cede_generator *self, void *argument),
                           void *argument, struct cede_generator *ret_generator)
{
    cede_check(stack->bytes >= 4096);
    cede_check(body != NULL);
    *ret_generator = (struct cede_generator){
        .state = CEDE_GENERATOR_CREATED,
        .stack = stack,
        .body = body,
        .argument = argument,
    };
    cede_context_make(stack->low, stack->bytes, run_body, &ret_generator->context);
    cede_fiber_create(stack->low, stack->bytes, &ret_generator->fiber);
}

void cede_generator_destroy(struct cede_generator *generator)
{
    cede_check(generator->state == CEDE_GENERATOR_CREATED ||
               generator->state == CEDE_GENERATOR_FINISHED);
    cede_fiber_destroy(&generator->fiber);
}
