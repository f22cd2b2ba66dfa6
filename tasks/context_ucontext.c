// SPDX-License-Identifier: MIT
//
// The contract of tasks/context.h by ucontext(3): slow, plain, on every processor. What a parked
// context needs lies on its own stack, as in the assembly: `stack_pointer` points to a record
// there, which for a running entry is a local variable of the switch that parked it.

#include "tasks/context.h"

#include <stdint.h>
#include <ucontext.h>

#include "engine/check.h"

struct parked {
    ucontext_t registers;
    void *value;                // what the switch back hands over
    void (*entry)(void *value); // of a context that was never entered
};

// makecontext(3) passes only ints on, so the address of the record comes in two halves.
static void begin(unsigned high, unsigned low)
{
    struct parked *parked = (struct parked *)((uintptr_t)high << 32 | low);
    parked->entry(parked->value);
    __builtin_trap();
}

void cede_context_ucontext_make(void *stack_low, size_t stack_bytes, void (*entry)(void *value),
                                struct cede_context *ret_context)
{
    // The record takes the upper end of the stack; what is below it is for the entry.
    uintptr_t top = (uintptr_t)stack_low + stack_bytes;
    struct parked *parked = (struct parked *)((top - sizeof(struct parked)) & ~(uintptr_t)63);
    cede_check((uintptr_t)parked > (uintptr_t)stack_low);

    cede_check(getcontext(&parked->registers) == 0);
    parked->registers.uc_stack.ss_sp = stack_low;
    parked->registers.uc_stack.ss_size = (size_t)((char *)parked - (char *)stack_low);
    parked->registers.uc_link = NULL;
    parked->entry = entry;

    uintptr_t address = (uintptr_t)parked;
    makecontext(&parked->registers, (void (*)(void))begin, 2, (unsigned)(address >> 32),
                (unsigned)address);
    ret_context->stack_pointer = parked;
}

void *cede_context_ucontext_switch(struct cede_context *from, const struct cede_context *to,
                                   void *value)
{
    struct parked here;
    struct parked *there = to->stack_pointer;
    there->value = value;
    from->stack_pointer = &here;
    cede_check(swapcontext(&here.registers, &there->registers) == 0);
    return here.value;
}
