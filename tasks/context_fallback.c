// SPDX-License-Identifier: MIT
//
// The plain names of tasks/context.h where no assembly stands behind them. Compiled only there.

#include "tasks/context.h"

void cede_context_make(void *stack_low, size_t stack_bytes, void (*entry)(void *value),
                       struct cede_context *ret_context)
{
    cede_context_ucontext_make(stack_low, stack_bytes, entry, ret_context);
}

void *cede_context_switch(struct cede_context *from, const struct cede_context *to, void *value)
{
    return cede_context_ucontext_switch(from, to, value);
}
