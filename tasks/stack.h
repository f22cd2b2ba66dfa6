// SPDX-License-Identifier: MIT
//
// Stacks: mapped memory with a guard below, and a pool that keeps a few for the next task. It does
// not know what runs on them. The scheduler opens a pool and gives each generator a stack of it.
//
// A pool belongs to one thread. Nothing here suspends.

#ifndef CEDE_TASKS_STACK_H
#define CEDE_TASKS_STACK_H

#include <stdbool.h>
#include <stddef.h>

// The smallest and the largest stack a pool makes. Below the first a printf(3) may not fit.
#define CEDE_STACK_BYTES_MIN ((size_t)16 << 10)
#define CEDE_STACK_BYTES_MAX ((size_t)1 << 30)

// What tells that a stack was too small, best first. The first two fault at the first touch.
enum cede_stack_guard {
    CEDE_STACK_GUARD_MADVISE,  // MADV_GUARD_INSTALL, Linux 6.13: any number of them
    CEDE_STACK_GUARD_MPROTECT, // mprotect(2): two mappings each, of which a process has few
    CEDE_STACK_GUARD_CANARY,   // bytes that an overflow changes, which is found out afterwards
};

// One stack. To be read by those who run on it or watch it; written by the pool only. It lies above
// its own stack, in the same mapping, so that a task costs no allocation beside its stack:
//
//     guard or canary | low ... usable ... low + bytes | this structure
//
// Who brings memory of his own (a test, say) fills in `low` and `bytes`, and leaves the rest zero.
struct cede_stack {
    void *low;            // the lowest usable byte
    size_t bytes;         // usable: some tens of bytes less than the pool was asked for
    size_t guard_bytes;   // below `low`; a touch there is SIGSEGV; 0 if there is a canary
    size_t canary_bytes;  // below `low`; 0 if there is a guard
    size_t nominal_bytes; // what the pool was asked for, in whole pages: the number for messages
    struct cede_stack *next;
    struct cede_stack_slab *slab; // whose mapping it lies in
    unsigned announcement;        // valgrind's number for it
};

// Read as you like, written by the functions below.
struct cede_stack_pool {
    size_t stack_bytes; // of each stack, in whole pages
    size_t guard_bytes; // at least 64 KiB
    unsigned slab_stacks; // in one mapping
    unsigned cached_limit;
    unsigned cached_count;
    unsigned taken_count;
    struct cede_stack *cached;
    struct cede_stack_slab *roomy; // mappings in which a stack is free that holds no memory
    enum cede_stack_guard guard;
    bool is_guard_proven;     // CEDE_STACK_GUARD_MADVISE was seen to work
    int guard_error;          // why it is no better one; 0 for the best
    unsigned protected_count; // guards by mprotect
    unsigned protected_limit;
};

// Opens a pool of stacks of `stack_bytes` each, rounded up to whole pages and to
// CEDE_STACK_BYTES_MIN. At most `cached_limit` stacks that were given back are kept for the next
// taker with the memory they hold. 0, or -EINVAL if stack_bytes is above CEDE_STACK_BYTES_MAX. Maps
// nothing yet.
int cede_stack_pool_open(size_t stack_bytes, unsigned cached_limit,
                         struct cede_stack_pool *ret_pool);

// Unmaps everything. Every stack must have been given back.
void cede_stack_pool_close(struct cede_stack_pool *pool);

// Hands out a stack: the one given back last, or a new one. The bytes are whatever was left there.
// 0, or -ENOMEM. The number of mappings is no limit: many stacks share one, and where each guard
// costs two, guards end at a quarter of vm.max_map_count (8,191 stacks by default), and stacks
// beyond get a canary.
int cede_stack_take(struct cede_stack_pool *pool, struct cede_stack **ret_stack);

// Takes a stack back on which nothing will run again. Its memory must not be touched any more,
// which the address sanitizer and valgrind check. Not called on the stack itself. The process is
// stopped if the canary is not whole, as memory of others may have been written to.
void cede_stack_give_back(struct cede_stack_pool *pool, struct cede_stack *stack);

// Whether the canary is as it was; true for a stack without one. An overflow that steps over it, by
// a large array of which little is used, say, is not found.
bool cede_stack_is_whole(const struct cede_stack *stack);

// What the next new stack gets: "madvise", "mprotect" or "canary". Known once one was taken.
const char *cede_stack_guard_name(const struct cede_stack_pool *pool);

// Goes over to a worse guard for stacks that get theirs from now on. The pool does so itself where
// the kernel refuses the better one with `error`; tests do it to see each.
void cede_stack_pool_weaken(struct cede_stack_pool *pool, enum cede_stack_guard guard, int error);

#endif
