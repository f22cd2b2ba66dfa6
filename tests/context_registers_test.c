// SPDX-License-Identifier: MIT
//
// The claim of tasks/context.h about registers, for each register that a call keeps: it holds the
// same after a switch, whatever the other side did to it. Held against both implementations.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tasks/context.h"
#include "tasks/sanitizer_memory.h"

#define STACK_BYTES ((size_t)64 << 10)
#define ROUNDS 100

typedef void make(void *stack_low, size_t stack_bytes, void (*entry)(void *value),
                  struct cede_context *ret_context);
typedef void *switch_to(struct cede_context *from, const struct cede_context *to, void *value);

struct implementation {
    make *make;
    switch_to *switch_to;
};

static const struct implementation native = {cede_context_make, cede_context_switch};
static const struct implementation ucontext = {cede_context_ucontext_make,
                                               cede_context_ucontext_switch};

// The flow of control that spoils registers, and the test's own.
struct spoiler {
    switch_to *switch_to;
    struct cede_context home;
    struct cede_context away;
};

#if defined(__x86_64__)

#define REGISTERS 6

// Calls switch_to with the registers that a call must keep holding `kept`, and stores there what
// they hold afterwards. The compiler is told nothing but that they change, so that it saves its
// own.
static void switch_with_registers(struct spoiler *spoiler, uint64_t kept[REGISTERS])
{
    struct cede_context *home = &spoiler->home, *away = &spoiler->away;
    switch_to *called = spoiler->switch_to;
    // Nothing may be called from here on, not even what a sanitizer calls at a load from memory.
    register void *from __asm__("rdi") = home;
    register void *to __asm__("rsi") = away;
    register void *value __asm__("rdx") = spoiler;
    register uint64_t *values __asm__("rax") = kept;
    register switch_to *function __asm__("rcx") = called;
    // The code makes a frame of its own, aligned for a call, for what it cannot name: the
    // compiler's rsp and rbp, and where the values go (twice, for the alignment). The 128 bytes
    // that it steps over may be in use below the stack pointer.
    __asm__ volatile("movq %%rsp, %%rbx\n"
                     "subq $128, %%rsp\n"
                     "andq $-16, %%rsp\n"
                     "pushq %%rbx\n"
                     "pushq %%rbp\n"
                     "pushq %%rax\n"
                     "pushq %%rax\n"
                     "movq 0(%%rax), %%rbx\n"
                     "movq 8(%%rax), %%rbp\n"
                     "movq 16(%%rax), %%r12\n"
                     "movq 24(%%rax), %%r13\n"
                     "movq 32(%%rax), %%r14\n"
                     "movq 40(%%rax), %%r15\n"
                     "callq *%%rcx\n"
                     "popq %%rax\n"
                     "popq %%rax\n"
                     "movq %%rbx, 0(%%rax)\n"
                     "movq %%rbp, 8(%%rax)\n"
                     "movq %%r12, 16(%%rax)\n"
                     "movq %%r13, 24(%%rax)\n"
                     "movq %%r14, 32(%%rax)\n"
                     "movq %%r15, 40(%%rax)\n"
                     "popq %%rbp\n"
                     "popq %%rsp\n"
                     : "+r"(values), "+r"(from), "+r"(to), "+r"(value), "+r"(function)
                     :
                     : "rbx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "cc", "memory",
                       "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",
                       "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}

#define SPOIL_REGISTERS()                                                                          \
    __asm__ volatile("xorl %%ebx, %%ebx\n xorl %%r12d, %%r12d\n xorl %%r13d, %%r13d\n"             \
                     "xorl %%r14d, %%r14d\n xorl %%r15d, %%r15d\n"                                 \
                     :                                                                             \
                     :                                                                             \
                     : "rbx", "r12", "r13", "r14", "r15", "cc")

#elif defined(__aarch64__)

// x19 to x29, d8 to d15.
#define REGISTERS 19

// As above. x29 is the compiler's frame pointer, so it is saved here with the address of `kept`.
static void switch_with_registers(struct spoiler *spoiler, uint64_t kept[REGISTERS])
{
    struct cede_context *home = &spoiler->home, *away = &spoiler->away;
    switch_to *called = spoiler->switch_to;
    register void *from __asm__("x0") = home;
    register void *to __asm__("x1") = away;
    register void *value __asm__("x2") = spoiler;
    register uint64_t *values __asm__("x9") = kept;
    register switch_to *function __asm__("x10") = called;
    __asm__ volatile("stp x9, x29, [sp, #-16]!\n"
                     "ldp x19, x20, [x9, #0]\n"
                     "ldp x21, x22, [x9, #16]\n"
                     "ldp x23, x24, [x9, #32]\n"
                     "ldp x25, x26, [x9, #48]\n"
                     "ldp x27, x28, [x9, #64]\n"
                     "ldr x29, [x9, #80]\n"
                     "ldp d8, d9, [x9, #88]\n"
                     "ldp d10, d11, [x9, #104]\n"
                     "ldp d12, d13, [x9, #120]\n"
                     "ldp d14, d15, [x9, #136]\n"
                     "blr x10\n"
                     "ldr x9, [sp]\n"
                     "stp x19, x20, [x9, #0]\n"
                     "stp x21, x22, [x9, #16]\n"
                     "stp x23, x24, [x9, #32]\n"
                     "stp x25, x26, [x9, #48]\n"
                     "stp x27, x28, [x9, #64]\n"
                     "str x29, [x9, #80]\n"
                     "stp d8, d9, [x9, #88]\n"
                     "stp d10, d11, [x9, #104]\n"
                     "stp d12, d13, [x9, #120]\n"
                     "stp d14, d15, [x9, #136]\n"
                     "ldp x9, x29, [sp], #16\n"
                     : "+r"(values), "+r"(from), "+r"(to), "+r"(value), "+r"(function)
                     :
                     : "x3", "x4", "x5", "x6", "x7", "x8", "x11", "x12", "x13", "x14", "x15",
                       "x16", "x17", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27",
                       "x28", "x30", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9",
                       "v10", "v11", "v12", "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20",
                       "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31",
                       "cc", "memory");
}

#define SPOIL_REGISTERS()                                                                          \
    __asm__ volatile("mov x19, xzr\n mov x20, xzr\n mov x21, xzr\n mov x22, xzr\n"                 \
                     "mov x23, xzr\n mov x24, xzr\n mov x25, xzr\n mov x26, xzr\n"                 \
                     "mov x27, xzr\n mov x28, xzr\n fmov d8, xzr\n fmov d9, xzr\n"                 \
                     "fmov d10, xzr\n fmov d11, xzr\n fmov d12, xzr\n fmov d13, xzr\n"             \
                     "fmov d14, xzr\n fmov d15, xzr\n"                                             \
                     :                                                                             \
                     :                                                                             \
                     : "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "v8", \
                       "v9", "v10", "v11", "v12", "v13", "v14", "v15")

#endif

#if defined(REGISTERS)

static void entry_spoils_registers(void *value)
{
    struct spoiler *spoiler = value;
    for (;;) {
        SPOIL_REGISTERS();
        spoiler->switch_to(&spoiler->away, &spoiler->home, NULL);
    }
}

static void test_context_keeps_each_register_that_a_call_keeps(void **state)
{
    const struct implementation *implementation = *state;
    struct spoiler spoiler = {.switch_to = implementation->switch_to};
    void *stack = malloc(STACK_BYTES);
    assert_non_null(stack);
    unsigned announcement = cede_sanitizer_announce(stack, STACK_BYTES);
    implementation->make(stack, STACK_BYTES, entry_spoils_registers, &spoiler.away);

    uint64_t kept[REGISTERS];
    for (uint64_t round = 0; round < ROUNDS; round++) {
        for (uint64_t i = 0; i < REGISTERS; i++)
            kept[i] = 0x0101010101010101 * (i + 1) + round;
        switch_with_registers(&spoiler, kept);
        for (uint64_t i = 0; i < REGISTERS; i++)
            assert_int_equal(kept[i], 0x0101010101010101 * (i + 1) + round);
    }
    cede_sanitizer_withdraw(announcement);
    free(stack);
}

#else

static void test_context_keeps_each_register_that_a_call_keeps(void **state)
{
    (void)state;
    print_message("skipped: the registers are named for x86-64 and aarch64 only\n");
    skip();
}

#endif

static int use_native(void **state)
{
    *state = (void *)(uintptr_t)&native;
    return 0;
}

static int use_ucontext(void **state)
{
    *state = (void *)(uintptr_t)&ucontext;
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_context_keeps_each_register_that_a_call_keeps),
    };
    int failed = cmocka_run_group_tests_name("context of this processor", tests, use_native, NULL);
    return failed + cmocka_run_group_tests_name("context by ucontext", tests, use_ucontext, NULL);
}
