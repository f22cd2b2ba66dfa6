// SPDX-License-Identifier: MIT
//
// What the sanitizers must be told about a switch of stacks: the one for addresses and the one for
// threads each keep a picture of "the" stack of a thread, and take a switch for a corruption unless
// told. In a build without them every function here is empty. What they must know about a stack's
// memory is in sanitizer_memory.h. Called by tasks/generator around each switch, which it does not
// know.

#ifndef CEDE_TASKS_SANITIZER_H
#define CEDE_TASKS_SANITIZER_H

#include <stddef.h>

// gcc and clang each have their own way to say what the file is compiled for.
#if defined(__has_feature)
#define CEDE_HAS_FEATURE(feature) __has_feature(feature)
#else
#define CEDE_HAS_FEATURE(feature) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || CEDE_HAS_FEATURE(address_sanitizer)
#define CEDE_ADDRESS_SANITIZER 1
#include <sanitizer/common_interface_defs.h>
#else
#define CEDE_ADDRESS_SANITIZER 0
#endif

#if defined(__SANITIZE_THREAD__) || CEDE_HAS_FEATURE(thread_sanitizer)
#define CEDE_THREAD_SANITIZER 1
#include <sanitizer/tsan_interface.h>
#else
#define CEDE_THREAD_SANITIZER 0
#endif

// Inlined in every build: a function of its own would be entered on one stack and left on the
// other, and the thread sanitizer counts.
#define CEDE_SANITIZER_INLINE static inline __attribute__((always_inline))

// One side of a switch, as the sanitizers see it.
struct cede_fiber {
#if CEDE_ADDRESS_SANITIZER
    const void *stack_low;
    size_t stack_bytes;
    void *fake_stack; // where locals live when the search for use after return is on; while parked
#endif
#if CEDE_THREAD_SANITIZER
    void *thread;
#endif
    char unused; // C allows no structure without a member.
};

// A fiber that will begin on this stack. Destroyed when it is over, from another one.
CEDE_SANITIZER_INLINE void cede_fiber_create(const void *stack_low, size_t stack_bytes,
                                             struct cede_fiber *ret_fiber)
{
    (void)stack_low, (void)stack_bytes, (void)ret_fiber;
#if CEDE_ADDRESS_SANITIZER
    ret_fiber->stack_low = stack_low;
    ret_fiber->stack_bytes = stack_bytes;
    ret_fiber->fake_stack = NULL;
#endif
#if CEDE_THREAD_SANITIZER
    ret_fiber->thread = __tsan_create_fiber(0);
#endif
}

CEDE_SANITIZER_INLINE void cede_fiber_destroy(struct cede_fiber *fiber)
{
    (void)fiber;
#if CEDE_THREAD_SANITIZER
    __tsan_destroy_fiber(fiber->thread);
#endif
}

// The fiber that runs now is about to resume another one: it is remembered in `ret_fiber`, for the
// way back. Its stack is learnt on the other side.
CEDE_SANITIZER_INLINE void cede_fiber_current(struct cede_fiber *ret_fiber)
{
    (void)ret_fiber;
#if CEDE_THREAD_SANITIZER
    ret_fiber->thread = __tsan_get_current_fiber();
#endif
}

// Immediately before the switch from one to the other.
CEDE_SANITIZER_INLINE void cede_fiber_leave(struct cede_fiber *from, struct cede_fiber *to)
{
    (void)from, (void)to;
#if CEDE_ADDRESS_SANITIZER
    __sanitizer_start_switch_fiber(&from->fake_stack, to->stack_low, to->stack_bytes);
#endif
#if CEDE_THREAD_SANITIZER
    __tsan_switch_to_fiber(to->thread, 0);
#endif
}

// The same for the last time: nobody will come back to the stack that is left.
CEDE_SANITIZER_INLINE void cede_fiber_leave_for_ever(struct cede_fiber *to)
{
    (void)to;
#if CEDE_ADDRESS_SANITIZER
    __sanitizer_start_switch_fiber(NULL, to->stack_low, to->stack_bytes);
#endif
#if CEDE_THREAD_SANITIZER
    __tsan_switch_to_fiber(to->thread, 0);
#endif
}

// Immediately after the switch, on the other side: `self` runs, coming from `other`, whose stack is
// learnt.
CEDE_SANITIZER_INLINE void cede_fiber_arrive(struct cede_fiber *self, struct cede_fiber *other)
{
    (void)self, (void)other;
#if CEDE_ADDRESS_SANITIZER
    __sanitizer_finish_switch_fiber(self->fake_stack, &other->stack_low, &other->stack_bytes);
#endif
}

#endif
