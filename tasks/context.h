// SPDX-License-Identifier: MIT
//
// Contexts: leave one stack, go on with another. Two functions and no policy; they do not know who
// runs next, who owns a stack, or that there are tasks. Called by tasks/generator only.
//
// Two implementations stand behind the same contract. The one under the plain names is the
// processor's own: context_x86_64.S, and on a processor that has no such file the other one, bound
// by context_fallback.c. The other one rests on ucontext(3): it needs two system calls a switch,
// runs everywhere, and is always linked under its own names, because it is the oracle of the fast
// one.
//
// What a switch keeps: the registers that a called function must keep, the stack pointer, and
// nothing else. In particular not the floating point environment (rounding mode, exception masks):
// a task that changes it puts it back before it parks. ucontext keeps that as well, and the signal
// mask.

#ifndef CEDE_TASKS_CONTEXT_H
#define CEDE_TASKS_CONTEXT_H

#include <stddef.h>

// A flow of control that is not running: everything it needs to go on lies on its own stack, at
// this address. Valid from the switch that left it (or its make) to the switch that goes back to
// it.
struct cede_context {
    void *stack_pointer;
};

// Prepares a context that will run `entry` on the given stack, whose address need not be aligned.
// Nothing runs yet. `entry` gets the value of the first switch to it, and must never return: it
// ends by a switch from which nobody comes back. 4096 bytes are enough for the preparation itself.
// Nothing is owned, so nothing is given back: once parked for good, the stack may simply go.
void cede_context_make(void *stack_low, size_t stack_bytes, void (*entry)(void *value),
                       struct cede_context *ret_context);

// Parks the caller in `from` and goes on where `to` was parked. There, the switch returns `value`,
// or the entry begins with it. Returns the value of the switch that comes back, in whichever thread
// that one is made; `from` must outlive it. The two may not be one.
void *cede_context_switch(struct cede_context *from, const struct cede_context *to, void *value);

// The same by ucontext(3). A context made by one pair of functions is not for the other.
void cede_context_ucontext_make(void *stack_low, size_t stack_bytes, void (*entry)(void *value),
                                struct cede_context *ret_context);
void *cede_context_ucontext_switch(struct cede_context *from, const struct cede_context *to,
                                   void *value);

#endif
