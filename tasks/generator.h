// SPDX-License-Identifier: MIT
//
// Generators, in Python's words: a function with a stack of its own that hands out a value whenever
// it likes, stops there, and goes on from there when it is asked for the next. What is handed over
// is a pointer this unit never looks at; it knows no tasks, no queue and no engine. The scheduler
// makes a task of it; a generator may also be used by itself, and one may resume another.
//
// A generator stays in the thread that first resumed it: compilers may keep the address of a
// thread-local variable, errno's say, across a call. errno itself does not survive a switch.
//
// The two functions on the hot path stand here, to be inlined: a round trip through next and yield
// must stay within three times the cost of two empty indirect calls (tools/microbench).

#ifndef CEDE_TASKS_GENERATOR_H
#define CEDE_TASKS_GENERATOR_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/check.h"
#include "tasks/context.h"
#include "tasks/sanitizer.h"
#include "tasks/stack.h"

enum cede_generator_state {
    CEDE_GENERATOR_CREATED,  // never resumed
    CEDE_GENERATOR_PARKED,   // in a yield
    CEDE_GENERATOR_RUNNING,  // from next until yield; also while it has itself resumed another one
    CEDE_GENERATOR_FINISHED, // its body has returned
};

// To be embedded; no member is for others to read or write.
struct cede_generator {
    struct cede_context context;        // where it stands; valid while not running
    struct cede_context caller_context; // where its caller waits in next; valid while running
    enum cede_generator_state state;
    struct cede_stack *stack;
    void (*body)(struct cede_generator *self, void *argument);
    void *argument;
    struct cede_fiber fiber;
    struct cede_fiber caller_fiber;
};

// Makes a generator that will run body(generator, argument) on the stack. Nothing runs yet. The
// stack is lent until cede_generator_destroy, and the structure may not move meanwhile.
void cede_generator_create(struct cede_stack *stack,
                           void (*body)(struct cede_generator *self, void *argument),
                           void *argument, struct cede_generator *ret_generator);

// The generator must be finished or never have been resumed: frames that stand on a stack are never
// thrown away, they return. The stack is the lender's again.
void cede_generator_destroy(struct cede_generator *generator);

// Whether the body has returned.
static inline bool cede_generator_is_finished(const struct cede_generator *generator)
{
    return generator->state == CEDE_GENERATOR_FINISHED;
}

// Runs the generator until it yields: the yield in which it stands returns `sent`. The first call
// finds no such yield, and as in Python must send nothing: NULL. Returns what was yielded, or NULL
// if the body returned, which cede_generator_is_finished tells from a NULL that was yielded. The
// generator must not be running, nor finished.
static inline void *cede_generator_next(struct cede_generator *generator, void *sent)
{
    enum cede_generator_state state = generator->state;
    cede_check(state == CEDE_GENERATOR_PARKED ||
               (state == CEDE_GENERATOR_CREATED && sent == NULL));

    // The very first switch tells the new stack whose it is.
    void *value = state == CEDE_GENERATOR_PARKED ? sent : generator;
    generator->state = CEDE_GENERATOR_RUNNING;

    cede_fiber_current(&generator->caller_fiber);
    cede_fiber_leave(&generator->caller_fiber, &generator->fiber);
    void *yielded = cede_context_switch(&generator->caller_context, &generator->context, value);
    cede_fiber_arrive(&generator->caller_fiber, &generator->fiber);
    return yielded;
}

// Hands `value` to the caller of next, and stops until it calls again; returns what it sends then.
// Called on the generator's own stack only. This is the one place where a task suspends.
static inline void *cede_generator_yield(struct cede_generator *self, void *value)
{
    cede_check(self->state == CEDE_GENERATOR_RUNNING);
    self->state = CEDE_GENERATOR_PARKED;

    cede_fiber_leave(&self->fiber, &self->caller_fiber);
    void *sent = cede_context_switch(&self->context, &self->caller_context, value);
    cede_fiber_arrive(&self->fiber, &self->caller_fiber);
    return sent;
}

#endif
