// SPDX-License-Identifier: MIT
//
// The contract of tasks/context.h for x86-64 under the System V calling convention. A parked stack
// ends like this, and `struct cede_context` points to its lowest word:
//
//     +48   where to go on            after the switch; for a new context, `begin`
//     +40   rbp                       0 in a new context: chains of frame pointers end here
//     +32   rbx                       in a new context, the entry
//     +24   r12
//     +16   r13
//      +8   r14
//      +0   r15                       <- stack_pointer
//
// The other registers are the caller's to save, which it does because it calls a function.
//
// The switch goes on by `jmp`, not by `ret`. A processor predicts `ret` from the calls it has seen,
// and these were made on the other stack: each such return is mispredicted, and a round trip costs
// three to four times as much. Indirect jumps are predicted by their history, which repeats.
//
// The unwind information is true at every instruction, on both sides of the exchange of rsp, as the
// two stacks have the same layout there: a profiler may stop anywhere, and a debugger that loads
// rsp, rbp and the address from a parked stack sees the task's frames and, at `begin`, their end.
//
// Control-flow protection: the code obeys branch tracking (endbr64; notrack, since a return address
// carries no endbr64), but a switch leaves the shadow stack behind, and the first return on the
// other stack would fault. So this object carries no property note, which makes the linker withdraw
// the claim of both for the whole program. Nothing is lost before the kernel offers shadow stacks
// to be switched, and then a note here would be wrong without code for it.

    .text

// void *cede_context_switch(struct cede_context *from, const struct cede_context *to, void *value)
    .globl cede_context_switch
    .type cede_context_switch, @function
    .p2align 6
cede_context_switch:
    .cfi_startproc
    endbr64
    pushq %rbp
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset rbp, 0
    pushq %rbx
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset rbx, 0
    pushq %r12
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset r12, 0
    pushq %r13
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset r13, 0
    pushq %r14
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset r14, 0
    pushq %r15
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset r15, 0

    // From here on we are the other one, at the same place. The load comes before the store, since
    // behind it the processor waits to see whether the two are one place: a third of the cost.
    movq (%rsi), %rax
    movq %rsp, (%rdi)
    movq %rax, %rsp

    popq %r15
    .cfi_adjust_cfa_offset -8
    .cfi_restore r15
    popq %r14
    .cfi_adjust_cfa_offset -8
    .cfi_restore r14
    popq %r13
    .cfi_adjust_cfa_offset -8
    .cfi_restore r13
    popq %r12
    .cfi_adjust_cfa_offset -8
    .cfi_restore r12
    popq %rbx
    .cfi_adjust_cfa_offset -8
    .cfi_restore rbx
    popq %rbp
    .cfi_adjust_cfa_offset -8
    .cfi_restore rbp
    movq %rdx, %rax
    popq %rcx
    .cfi_adjust_cfa_offset -8
    .cfi_register rip, rcx
    notrack jmp *%rcx
    .cfi_endproc
    .size cede_context_switch, . - cede_context_switch

// The outermost frame of a new context: calls the entry, in rbx, with the value of the first
// switch. Nothing called it, which is what the undefined return address says.
    .type begin, @function
    .p2align 4
begin:
    .cfi_startproc
    .cfi_undefined rip
    movq %rax, %rdi
    callq *%rbx
    ud2
    .cfi_endproc
    .size begin, . - begin

// void cede_context_make(void *stack_low, size_t stack_bytes, void (*entry)(void *value),
//                        struct cede_context *ret_context)
    .globl cede_context_make
    .type cede_context_make, @function
    .p2align 4
cede_context_make:
    .cfi_startproc
    endbr64
    // `begin` must find rsp aligned to 16 bytes, as its call is an ordinary one.
    leaq (%rdi,%rsi), %rax
    andq $-16, %rax
    subq $56, %rax
    leaq begin(%rip), %r8
    movq %r8, 48(%rax)
    movq $0, 40(%rax)
    movq %rdx, 32(%rax)
    movq $0, 24(%rax)
    movq $0, 16(%rax)
    movq $0, 8(%rax)
    movq $0, (%rax)
    movq %rax, (%rcx)
    ret
    .cfi_endproc
    .size cede_context_make, . - cede_context_make

// This file needs no executable stack; without the note every program that links it would have one.
    .section .note.GNU-stack, "", @progbits
