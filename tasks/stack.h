// SPDX-License-Identifier: MIT
//
// Stacks: mapped memory with a guard below, and a pool that keeps a few for the next task. It does
// not know what runs on them. The scheduler opens a pool and gives each generator a stack of it.
//
// A pool belongs to one thread. Nothing here suspends.

#ifndef CEDE_TASKS_STACK_H
#define CEDE_TASKS_STACK_H

#include <stddef.h>

// The smallest and the largest stack a pool makes. Below the first a printf(3) may not fit.
#define CEDE_STACK_BYTES_MIN ((size_t)16 << 10)
#define CEDE_STACK_BYTES_MAX ((size_t)1 << 30)

// One stack. To be read by those who run on it or watch it; written by the pool only. It lies above
// its own stack, in the same mapping, so that a task costs no allocation beside its stack:
//
//     guard | low ... usable ... low + bytes | this structure
//
// Who brings memory of his own (a test, say) fills in `low` and `bytes`, and leaves the rest zero.
struct cede_stack {
    void *low;            // the lowest usable byte
    size_t bytes;         // usable: some tens of bytes less than the pool was asked for
    size_t guard_bytes;   // below `low`; a touch there is SIGSEGV
    size_t nominal_bytes; // what the pool was asked for, in whole pages: the number for messages
    struct cede_stack *next;
    unsigned announcement; // valgrind's number for it
};

// Read as you like, written by the functions below.
struct cede_stack_pool {
    size_t stack_bytes; // of each stack, in whole pages
    size_t guard_bytes; // one page
    unsigned cached_limit;
    unsigned cached_count;
    unsigned taken_count;
    struct cede_stack *cached;
};

// Opens a pool of stacks of `stack_bytes` each, rounded up to whole pages and to
// CEDE_STACK_BYTES_MIN. At most `cached_limit` stacks that were given back are kept for the next
// taker. 0, or -EINVAL if stack_bytes is above CEDE_STACK_BYTES_MAX. Maps nothing yet.
int cede_stack_pool_open(size_t stack_bytes, unsigned cached_limit,
                         struct cede_stack_pool *ret_pool);

// Unmaps what is cached. Every stack must have been given back.
void cede_stack_pool_close(struct cede_stack_pool *pool);

// Hands out a stack: the one given back last, or a new one. The bytes are whatever was left there.
// 0, or -ENOMEM: no memory, or too many mappings, of which each stack takes two (with the default
// vm.max_map_count of 65,530 that is at some 32,700 stacks).
int cede_stack_take(struct cede_stack_pool *pool, struct cede_stack **ret_stack);

// Takes a stack back on which nothing will run again. Its memory must not be touched any more,
// which the address sanitizer and valgrind check. Not called on the stack itself.
void cede_stack_give_back(struct cede_stack_pool *pool, struct cede_stack *stack);

#endif
