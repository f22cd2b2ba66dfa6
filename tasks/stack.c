// SPDX-License-Identifier: MIT
//
// The idea: all stacks of a pool are of one size, so the free list is a plain list, and last in
// first out, since what was used last is still in the caches. Pages are taken from the kernel as
// they are touched, and a cached stack keeps those it has: `cached_limit` bounds that memory. What
// is given back beyond it gives its pages back, too, and keeps only its addresses.
//
// Addresses come in slabs, a mapping for many stacks, which is unmapped when none of them is in
// use. A mapping for each would do as well while they are made, as the kernel merges neighbours;
// but then every second one of 100,000 unmapped leaves more mappings than a process may have.
//
// Invariants:
//  1. A stack is taken (and counted), or cached (counted, and on the list), or empty (its bit is
//     set in its slab): then it holds no memory, not even for its structure.
//  2. Who is not taken is forbidden: the sanitizers refuse every access below the structure.
//  3. cached_count <= cached_limit.
//  4. A slab is on the pool's list exactly while one of its stacks is empty.
//  5. A guard stays until its slab is unmapped; a canary is made anew whenever its stack gets
//     memory.

#include "tasks/stack.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "engine/check.h"
#include "engine/sys.h"
#include "tasks/sanitizer_memory.h"

// The structure takes whole cache lines at the upper end, so that the stack below begins aligned.
#define HEADER_BYTES ((sizeof(struct cede_stack) + 63) / 64 * 64)

_Static_assert(HEADER_BYTES < 1024, "what a task loses to the structure is small");

// A frame with a large array may step over a guard of one page, into the next stack. This much it
// has to be; where a frame is larger, -fstack-clash-protection makes the compiler touch every page.
// It costs addresses, not memory.
#define GUARD_BYTES ((size_t)64 << 10)

// A slab is of about this size, but holds at least one stack, and at most a bit's worth of them.
#define SLAB_BYTES ((size_t)4 << 20)
#define SLAB_STACKS_MAX 64

// Next below the stack, in the page where the guard would be. To look at all of it whenever a task
// parks costs 20 ns from the cache and 200 ns from memory; it is more than most frames hold.
#define CANARY_BYTES 1024
#define CANARY_BYTE 0xce

struct cede_stack_slab {
    struct cede_stack_slab *next;
    struct cede_stack_slab *previous;
    char *memory;
    uint64_t empty;   // bit i: stack i holds no memory and is nobody's
    uint64_t guarded; // bit i: a touch below stack i faults
    unsigned protected_count;
};

// --- Guards -------------------------------------------------------------------------------------

void cede_stack_pool_weaken(struct cede_stack_pool *pool, enum cede_stack_guard guard, int error)
{
    cede_check(guard >= pool->guard);
    pool->guard = guard;
    pool->guard_error = error;
    // A quarter of the process's mappings, and two for each: enough is left for the program, and
    // for the pools of other threads.
    pool->protected_limit = cede_sys_mapping_limit() / 8;
}

static enum cede_stack_guard next_guard(const struct cede_stack_pool *pool)
{
    bool is_used_up = pool->guard == CEDE_STACK_GUARD_MPROTECT &&
                      pool->protected_count >= pool->protected_limit;
    return is_used_up ? CEDE_STACK_GUARD_CANARY : pool->guard;
}

const char *cede_stack_guard_name(const struct cede_stack_pool *pool)
{
    static const char *const names[] = {
        [CEDE_STACK_GUARD_MADVISE] = "madvise",
        [CEDE_STACK_GUARD_MPROTECT] = "mprotect",
        [CEDE_STACK_GUARD_CANARY] = "canary",
    };
    return names[next_guard(pool)];
}

// A guard by advice: 0, or why there is none.
static int guard_by_advice(struct cede_stack_pool *pool, void *memory)
{
    int error = cede_sys_guard(memory, pool->guard_bytes);
    if (error < 0 || pool->is_guard_proven)
        return error;
    // Who emulates a kernel may ignore advice it does not know. So the first guard is tried: a
    // system call that is to write there must fail.
    if (cede_sys_random(memory, 1) != -EFAULT)
        return -EOPNOTSUPP;
    pool->is_guard_proven = true;
    return 0;
}

// Makes the guard of a stack that has none: 1, 0 where only a canary is left, or -ENOMEM.
static int make_guard(struct cede_stack_pool *pool, struct cede_stack_slab *slab, void *memory)
{
    if (pool->guard == CEDE_STACK_GUARD_MADVISE) {
        int error = guard_by_advice(pool, memory);
        if (error == 0 || error == -ENOMEM)
            return error == 0 ? 1 : error;
        cede_stack_pool_weaken(pool, CEDE_STACK_GUARD_MPROTECT, error);
    }
    if (next_guard(pool) == CEDE_STACK_GUARD_CANARY)
        return 0;
    if (cede_sys_protect(memory, pool->guard_bytes) < 0) {
        // Others have used up the mappings, so there are fewer for us than we thought.
        pool->protected_limit = pool->protected_count;
        return 0;
    }
    slab->protected_count++;
    pool->protected_count++;
    return 1;
}

bool cede_stack_is_whole(const struct cede_stack *stack)
{
    const unsigned char *canary = (const unsigned char *)stack->low - stack->canary_bytes;
    // All bytes are equal if each is equal to the next.
    return stack->canary_bytes == 0 ||
           (*canary == CANARY_BYTE && memcmp(canary, canary + 1, stack->canary_bytes - 1) == 0);
}

// --- Slabs --------------------------------------------------------------------------------------

static size_t stride(const struct cede_stack_pool *pool)
{
    return pool->guard_bytes + pool->stack_bytes;
}

static uint64_t all_stacks(const struct cede_stack_pool *pool)
{
    return UINT64_MAX >> (SLAB_STACKS_MAX - pool->slab_stacks);
}

static void add_roomy(struct cede_stack_pool *pool, struct cede_stack_slab *slab)
{
    slab->previous = NULL;
    slab->next = pool->roomy;
    if (slab->next != NULL)
        slab->next->previous = slab;
    pool->roomy = slab;
}

static void remove_roomy(struct cede_stack_pool *pool, struct cede_stack_slab *slab)
{
    if (slab->next != NULL)
        slab->next->previous = slab->previous;
    if (slab->previous != NULL)
        slab->previous->next = slab->next;
    else
        pool->roomy = slab->next;
}

static int map_slab(struct cede_stack_pool *pool)
{
    void *memory;
    struct cede_stack_slab *slab = cede_sys_allocate(sizeof(*slab));
    if (slab == NULL)
        return -ENOMEM;
    int error = cede_sys_map(pool->slab_stacks * stride(pool), 1, &memory);
    if (error < 0) {
        cede_sys_free(slab);
        return error;
    }
    *slab = (struct cede_stack_slab){.memory = memory, .empty = all_stacks(pool)};
    add_roomy(pool, slab);
    return 0;
}

// The slab's stacks are all empty. Where the kernel cannot unmap it, it stays for later use.
static int unmap_slab(struct cede_stack_pool *pool, struct cede_stack_slab *slab)
{
    // The marks would outlive the mapping and strike whoever gets the addresses next.
    size_t bytes = pool->slab_stacks * stride(pool);
    cede_sanitizer_allow(slab->memory, bytes);
    int error = cede_sys_unmap(slab->memory, bytes);
    if (error < 0)
        return error;
    pool->protected_count -= slab->protected_count;
    remove_roomy(pool, slab);
    cede_sys_free(slab);
    return 0;
}

// --- Stacks -------------------------------------------------------------------------------------

// Makes a stack of an empty one in a slab that has one.
static int fill(struct cede_stack_pool *pool, struct cede_stack_slab *slab,
                struct cede_stack **ret_stack)
{
    unsigned index = (unsigned)__builtin_ctzll(slab->empty);
    uint64_t bit = UINT64_C(1) << index;
    char *memory = slab->memory + index * stride(pool);
    if ((slab->guarded & bit) == 0) {
        int guarded = make_guard(pool, slab, memory);
        if (guarded < 0)
            return guarded;
        slab->guarded |= guarded ? bit : 0;
    }
    slab->empty &= ~bit;
    if (slab->empty == 0)
        remove_roomy(pool, slab);

    bool is_guarded = (slab->guarded & bit) != 0;
    char *low = memory + pool->guard_bytes;
    if (!is_guarded)
        memset(low - CANARY_BYTES, CANARY_BYTE, CANARY_BYTES);
    size_t bytes = pool->stack_bytes - HEADER_BYTES;
    cede_sanitizer_allow(low, bytes);
    struct cede_stack *stack = (void *)(low + bytes);
    *stack = (struct cede_stack){
        .low = low,
        .bytes = bytes,
        .guard_bytes = is_guarded ? pool->guard_bytes : 0,
        .canary_bytes = is_guarded ? 0 : CANARY_BYTES,
        .nominal_bytes = pool->stack_bytes,
        .slab = slab,
        .announcement = cede_sanitizer_announce(low, bytes),
    };
    *ret_stack = stack;
    return 0;
}

// Gives the memory of a stack back, and with it the structure, and its slab when it was the last.
static void empty(struct cede_stack_pool *pool, struct cede_stack *stack)
{
    struct cede_stack_slab *slab = stack->slab;
    char *low = stack->low;
    size_t index = (size_t)(low - slab->memory) / stride(pool);
    cede_sanitizer_withdraw(stack->announcement);
    // Locked memory stays, and is used again like any other.
    (void)cede_sys_discard(low - pool->guard_bytes, stride(pool));

    if (slab->empty == 0)
        add_roomy(pool, slab);
    slab->empty |= UINT64_C(1) << index;
    if (slab->empty == all_stacks(pool))
        (void)unmap_slab(pool, slab);
}

int cede_stack_take(struct cede_stack_pool *pool, struct cede_stack **ret_stack)
{
    int error = 0;
    if (pool->cached != NULL) {
        struct cede_stack *stack = pool->cached;
        pool->cached = stack->next;
        pool->cached_count--;
        cede_sanitizer_allow(stack->low, stack->bytes);
        *ret_stack = stack;
    } else {
        if (pool->roomy == NULL)
            error = map_slab(pool);
        if (error == 0)
            error = fill(pool, pool->roomy, ret_stack);
    }
    if (error == 0)
        pool->taken_count++;
    return error;
}

void cede_stack_give_back(struct cede_stack_pool *pool, struct cede_stack *stack)
{
    // The caller stands elsewhere: its frame would vanish under its feet. The difference is taken
    // without a sign, so that one comparison asks for both ends.
    uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
    cede_check(frame - (uintptr_t)stack->low >= stack->bytes);
    cede_check(pool->taken_count > 0);
    cede_check(stack->nominal_bytes == pool->stack_bytes);
    bool has_overflowed = !cede_stack_is_whole(stack);
    cede_check(!has_overflowed);

    pool->taken_count--;
    cede_sanitizer_forbid(stack->low, stack->bytes);
    if (pool->cached_count == pool->cached_limit) {
        empty(pool, stack);
        return;
    }
    stack->next = pool->cached;
    pool->cached = stack;
    pool->cached_count++;
}

// --- Pools --------------------------------------------------------------------------------------

int cede_stack_pool_open(size_t stack_bytes, unsigned cached_limit,
                         struct cede_stack_pool *ret_pool)
{
    if (stack_bytes > CEDE_STACK_BYTES_MAX)
        return -EINVAL;
    if (stack_bytes < CEDE_STACK_BYTES_MIN)
        stack_bytes = CEDE_STACK_BYTES_MIN;

    size_t page_bytes = cede_sys_page_bytes();
    struct cede_stack_pool pool = {
        .stack_bytes = (stack_bytes + page_bytes - 1) / page_bytes * page_bytes,
        .guard_bytes = (GUARD_BYTES + page_bytes - 1) / page_bytes * page_bytes,
        .cached_limit = cached_limit,
    };
    size_t slab_stacks = SLAB_BYTES / stride(&pool);
    pool.slab_stacks = slab_stacks > SLAB_STACKS_MAX ? SLAB_STACKS_MAX : (unsigned)slab_stacks;
    pool.slab_stacks += pool.slab_stacks == 0;
    *ret_pool = pool;
    return 0;
}

void cede_stack_pool_close(struct cede_stack_pool *pool)
{
    cede_check(pool->taken_count == 0);
    while (pool->cached != NULL) {
        struct cede_stack *stack = pool->cached;
        pool->cached = stack->next;
        pool->cached_count--;
        empty(pool, stack);
    }
    cede_check(pool->cached_count == 0);
    // What is left could not be unmapped before, or its one stack got no guard.
    while (pool->roomy != NULL && unmap_slab(pool, pool->roomy) == 0)
        continue;
}
