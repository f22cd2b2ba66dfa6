// SPDX-License-Identifier: MIT
//
// What the address sanitizer and valgrind must be told about the memory of stacks: which of it is
// one, and which nobody may touch at present. Without the sanitizer and without valgrind's header
// every function here is empty; with the header each costs a few instructions, hence they stand
// apart from the path of a switch. Called by tasks/stack, which it does not know.

#ifndef CEDE_TASKS_SANITIZER_MEMORY_H
#define CEDE_TASKS_SANITIZER_MEMORY_H

#include <stddef.h>

#include "tasks/sanitizer.h"

#if CEDE_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#endif

#if __has_include(<valgrind/memcheck.h>)
#define CEDE_VALGRIND 1
#include <valgrind/memcheck.h>
#else
#define CEDE_VALGRIND 0
#endif

// A stack's memory that nobody may touch until it is handed out again: a pointer into it that a
// dead task left behind is caught at its first use.
CEDE_SANITIZER_INLINE void cede_sanitizer_forbid(void *memory, size_t bytes)
{
    (void)memory, (void)bytes;
#if CEDE_ADDRESS_SANITIZER
    __asan_poison_memory_region(memory, bytes);
#endif
#if CEDE_VALGRIND
    (void)VALGRIND_MAKE_MEM_NOACCESS(memory, bytes);
#endif
}

// Memory that may be used afresh. It also wipes the marks of frames that never returned, as the
// outermost ones of a task do not.
CEDE_SANITIZER_INLINE void cede_sanitizer_allow(void *memory, size_t bytes)
{
    (void)memory, (void)bytes;
#if CEDE_ADDRESS_SANITIZER
    __asan_unpoison_memory_region(memory, bytes);
#endif
#if CEDE_VALGRIND
    (void)VALGRIND_MAKE_MEM_UNDEFINED(memory, bytes);
#endif
}

// Tells valgrind that this memory is a stack, until it is told otherwise with the number it gave.
CEDE_SANITIZER_INLINE unsigned cede_sanitizer_announce(void *stack_low, size_t stack_bytes)
{
    (void)stack_low, (void)stack_bytes;
#if CEDE_VALGRIND
    return (unsigned)VALGRIND_STACK_REGISTER(stack_low, (char *)stack_low + stack_bytes);
#else
    return 0;
#endif
}

CEDE_SANITIZER_INLINE void cede_sanitizer_withdraw(unsigned number)
{
    (void)number;
#if CEDE_VALGRIND
    VALGRIND_STACK_DEREGISTER(number);
#endif
}

#endif
