/*
 * void stack_switch(void **save_sp, void *load_sp)
 *
 * Leaves the caller's stack for another one that stack_switch() (or stack_prepare(), for a new fiber) left earlier.
 * Only the callee-saved general registers are kept: mxcsr and the x87 control word are the same in all of the kernel.
 */
    .text
    .globl stack_switch
    .type stack_switch, @function
stack_switch:
    .cfi_startproc
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .cfi_endproc
    .size stack_switch, . - stack_switch
    .section .note.GNU-stack,"",@progbits
