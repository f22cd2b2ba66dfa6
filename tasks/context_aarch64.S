// SPDX-License-Identifier: MIT
//
// The contract of tasks/context.h for aarch64 under the procedure call standard of Arm. A parked
// stack ends like this, and `struct cede_context` points to its lowest word:
//
//    +152   x30                       where to go on; for a new context, in `begin`
//    +144   x29                       0 in a new context: chains of frame pointers end here
//     +64   x19 to x28                in a new context, x19 is the entry
//      +0   d8 to d15                 <- stack_pointer
//
// Of the vector registers a call keeps the lower halves of v8 to v15, which are d8 to d15. The
// other registers are the caller's to save, but for x18, which belongs to the platform.
//
// The switch goes on by `br`, not by `ret`, for the reason that stands in context_x86_64.S: a
// return is predicted from the calls that were made, and these were made on the other stack.
//
// The unwind information is true at every instruction, on both sides of the exchange of sp, as the
// two stacks have the same layout there: a profiler may stop anywhere, and a debugger that loads
// sp, x29 and pc from a parked stack sees the task's frames and, at `begin`, their end.
//
// Control-flow protection: both functions begin with the landing mark for indirect calls (bti c,
// as the hint that older processors skip), and signed return addresses pass through unharmed, as
// each lies on the stack it was signed for. But behind a call there is no mark for `br` to land on.
// So this object carries no property note, which makes the linker withdraw the claim of branch
// tracking for the whole program.

    .text

// void *cede_context_switch(struct cede_context *from, const struct cede_context *to, void *value)
    .globl cede_context_switch
    .type cede_context_switch, %function
    .p2align 6
cede_context_switch:
    .cfi_startproc
    hint #34
    sub sp, sp, #160
    .cfi_def_cfa_offset 160
    stp d8, d9, [sp, #0]
    .cfi_rel_offset d8, 0
    .cfi_rel_offset d9, 8
    stp d10, d11, [sp, #16]
    .cfi_rel_offset d10, 16
    .cfi_rel_offset d11, 24
    stp d12, d13, [sp, #32]
    .cfi_rel_offset d12, 32
    .cfi_rel_offset d13, 40
    stp d14, d15, [sp, #48]
    .cfi_rel_offset d14, 48
    .cfi_rel_offset d15, 56
    stp x19, x20, [sp, #64]
    .cfi_rel_offset x19, 64
    .cfi_rel_offset x20, 72
    stp x21, x22, [sp, #80]
    .cfi_rel_offset x21, 80
    .cfi_rel_offset x22, 88
    stp x23, x24, [sp, #96]
    .cfi_rel_offset x23, 96
    .cfi_rel_offset x24, 104
    stp x25, x26, [sp, #112]
    .cfi_rel_offset x25, 112
    .cfi_rel_offset x26, 120
    stp x27, x28, [sp, #128]
    .cfi_rel_offset x27, 128
    .cfi_rel_offset x28, 136
    stp x29, x30, [sp, #144]
    .cfi_rel_offset x29, 144
    .cfi_rel_offset x30, 152

    // From here on we are the other one, at the same place. The load comes before the store, as
    // there.
    ldr x3, [x1]
    mov x4, sp
    str x4, [x0]
    mov sp, x3

    ldp x29, x30, [sp, #144]
    .cfi_restore x29
    .cfi_restore x30
    ldp d8, d9, [sp, #0]
    .cfi_restore d8
    .cfi_restore d9
    ldp d10, d11, [sp, #16]
    .cfi_restore d10
    .cfi_restore d11
    ldp d12, d13, [sp, #32]
    .cfi_restore d12
    .cfi_restore d13
    ldp d14, d15, [sp, #48]
    .cfi_restore d14
    .cfi_restore d15
    ldp x19, x20, [sp, #64]
    .cfi_restore x19
    .cfi_restore x20
    ldp x21, x22, [sp, #80]
    .cfi_restore x21
    .cfi_restore x22
    ldp x23, x24, [sp, #96]
    .cfi_restore x23
    .cfi_restore x24
    ldp x25, x26, [sp, #112]
    .cfi_restore x25
    .cfi_restore x26
    ldp x27, x28, [sp, #128]
    .cfi_restore x27
    .cfi_restore x28
    mov x0, x2
    add sp, sp, #160
    .cfi_def_cfa_offset 0
    br x30
    .cfi_endproc
    .size cede_context_switch, . - cede_context_switch

// The outermost frame of a new context: calls the entry, in x19, with the value of the first
// switch, which is in x0. Nothing called it, which is what the undefined return address says. The
// first instruction is not run: it stands where a debugger looks up who called the switch, which is
// the instruction before the one that it goes on at.
    .type begin, %function
    .p2align 4
begin:
    .cfi_startproc
    .cfi_undefined x30
    nop
    blr x19
    udf #0
    .cfi_endproc
    .size begin, . - begin

// void cede_context_make(void *stack_low, size_t stack_bytes, void (*entry)(void *value),
//                        struct cede_context *ret_context)
    .globl cede_context_make
    .type cede_context_make, %function
    .p2align 4
cede_context_make:
    .cfi_startproc
    hint #34
    // sp must be a multiple of 16 wherever memory is reached through it.
    add x4, x0, x1
    and x4, x4, #-16
    sub x4, x4, #160
    adr x5, begin + 4
    stp xzr, xzr, [x4, #0]
    stp xzr, xzr, [x4, #16]
    stp xzr, xzr, [x4, #32]
    stp xzr, xzr, [x4, #48]
    stp x2, xzr, [x4, #64]
    stp xzr, xzr, [x4, #80]
    stp xzr, xzr, [x4, #96]
    stp xzr, xzr, [x4, #112]
    stp xzr, xzr, [x4, #128]
    stp xzr, x5, [x4, #144]
    str x4, [x3]
    ret
    .cfi_endproc
    .size cede_context_make, . - cede_context_make

// This file needs no executable stack; without the note every program that links it would have one.
    .section .note.GNU-stack, "", %progbits
