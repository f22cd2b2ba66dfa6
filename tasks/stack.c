// SPDX-License-Identifier: MIT
//
// The idea: all stacks of a pool are of one size, so the free list is a plain list, and last in
// first out, since what was used last is still in the caches. Pages are taken from the kernel as
// they are touched, and a cached stack keeps those it has: `cached_limit` bounds that memory.
//
// Invariants:
//  1. A stack is either taken (and counted) or cached (counted, and on the list), or unmapped.
//  2. Cached means forbidden: the sanitizers refuse every access below the structure itself.
//  3. cached_count <= cached_limit.

#include "tasks/stack.h"

#include <errno.h>
#include <stdint.h>

#include "engine/check.h"
#include "engine/sys.h"
#include "tasks/sanitizer_memory.h"

// The structure takes whole cache lines at the upper end, so that the stack below begins aligned.
#define HEADER_BYTES ((sizeof(struct cede_stack) + 63) / 64 * 64)

_Static_assert(HEADER_BYTES < 1024, "what a task loses to the structure is small");

int cede_stack_pool_open(size_t stack_bytes, unsigned cached_limit,
                         struct cede_stack_pool *ret_pool)
{
    if (stack_bytes > CEDE_STACK_BYTES_MAX)
        return -EINVAL;
    if (stack_bytes < CEDE_STACK_BYTES_MIN)
        stack_bytes = CEDE_STACK_BYTES_MIN;

    size_t page_bytes = cede_sys_page_bytes();
    *ret_pool = (struct cede_stack_pool){
        .stack_bytes = (stack_bytes + page_bytes - 1) / page_bytes * page_bytes,
        .guard_bytes = page_bytes,
        .cached_limit = cached_limit,
    };
    return 0;
}

static int map_stack(const struct cede_stack_pool *pool, struct cede_stack **ret_stack)
{
    void *mapping;
    int error = cede_sys_map(pool->guard_bytes + pool->stack_bytes, 1, &mapping);
    if (error < 0)
        return error;
    error = cede_sys_guard(mapping, pool->guard_bytes);
    if (error < 0)
        goto unmap;

    char *low = (char *)mapping + pool->guard_bytes;
    struct cede_stack *stack = (void *)(low + pool->stack_bytes - HEADER_BYTES);
    *stack = (struct cede_stack){
        .low = low,
        .bytes = pool->stack_bytes - HEADER_BYTES,
        .guard_bytes = pool->guard_bytes,
        .nominal_bytes = pool->stack_bytes,
        .announcement = cede_sanitizer_announce(low, pool->stack_bytes - HEADER_BYTES),
    };
    *ret_stack = stack;
    return 0;

unmap:
    cede_sys_unmap(mapping, pool->guard_bytes + pool->stack_bytes);
    return error;
}

static void unmap_stack(struct cede_stack *stack)
{
    // The marks would outlive the mapping and strike whoever gets the addresses next.
    cede_sanitizer_allow(stack->low, stack->bytes);
    cede_sanitizer_withdraw(stack->announcement);
    cede_sys_unmap((char *)stack->low - stack->guard_bytes,
                   stack->guard_bytes + stack->nominal_bytes);
}

void cede_stack_pool_close(struct cede_stack_pool *pool)
{
    cede_check(pool->taken_count == 0);
    while (pool->cached != NULL) {
        struct cede_stack *stack = pool->cached;
        pool->cached = stack->next;
        pool->cached_count--;
        unmap_stack(stack);
    }
    cede_check(pool->cached_count == 0);
}

int cede_stack_take(struct cede_stack_pool *pool, struct cede_stack **ret_stack)
{
    if (pool->cached == NULL) {
        int error = map_stack(pool, ret_stack);
        if (error < 0)
            return error;
    } else {
        struct cede_stack *stack = pool->cached;
        pool->cached = stack->next;
        pool->cached_count--;
        cede_sanitizer_allow(stack->low, stack->bytes);
        *ret_stack = stack;
    }
    pool->taken_count++;
    return 0;
}

void cede_stack_give_back(struct cede_stack_pool *pool, struct cede_stack *stack)
{
    // The caller stands elsewhere: its frame would vanish under its feet. The difference is taken
    // without a sign, so that one comparison asks for both ends.
    uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
    cede_check(frame - (uintptr_t)stack->low >= stack->bytes);
    cede_check(pool->taken_count > 0);
    cede_check(stack->nominal_bytes == pool->stack_bytes);

    pool->taken_count--;
    if (pool->cached_count == pool->cached_limit) {
        unmap_stack(stack);
        return;
    }
    cede_sanitizer_forbid(stack->low, stack->bytes);
    stack->next = pool->cached;
    pool->cached = stack;
    pool->cached_count++;
}
