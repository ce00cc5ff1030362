/*
 * Ways into and out of guest code, and what cannot be written in C: the clone calls whose child has another
 * stack, and the end of a thread.
 *
 * Ranges in stub_kick_fixups are restartable: from the look at kick to the jump that leaves the stub. A kick that
 * finds the thread in one moves it to stub_kick_restart, which runs on the emptied stub stack and rings with
 * KIND_KICK: the registers in the context are still complete, because nothing in a range writes to it.
 */
#include "stub/shared.h"

    .section .text.entry, "ax"

    .globl _start, stub_signal_return, stub_leave_signal, stub_exit_fast, stub_exit_full, stub_gone
    .globl stub_entry, stub_futex_wait, stub_switch_stack, stub_kick_restart, stub_fork, stub_thread, stub_kick_fixups

_start:
    xor %ebp, %ebp
    mov %rsp, %rdi
    and $-16, %rsp
    call stub_start
    ud2

/* The restorer of our signal actions. */
stub_signal_return:
    mov $15, %eax
    syscall
    ud2

/* (ctx, fp_image): the end of a handler that turned a guest position into an event. Makes the guest's FP state
 * live again and abandons the signal frame. */
stub_leave_signal:
    mov %rdi, %rbx
    mov $-1, %eax
    mov $-1, %edx
    xrstor64 (%rsi)
    cmpl $0, CTX_USES_GS(%rbx)
    je 1f
    rdgsbase %rax
    mov %rax, CTX_GUEST_GS(%rbx)
    wrgsbase %rbx
1:  lea CONTEXT_STACK_TOP(%rbx), %rsp
    xor %ebp, %ebp
    mov %rbx, %rdi
    call stub_signal_event
    ud2

/* (ctx, fn) */
stub_switch_stack:
    lea CONTEXT_STACK_TOP(%rdi), %rsp
    xor %ebp, %ebp
    call *%rsi
    ud2

/* From a thunk: rax is the call's number, rcx the address to return to, all else the guest's. The stack is the
 * guest's too and is left alone, and so are the flags: a system call preserves them. rcx and r11 are all there is to
 * work with.
 *
 * A guest may have changed its GS base by an instruction. Ours has 0x7fff in its upper half (CONTEXT_BASE), which a
 * guest's cannot have; found out without touching flags. Such a guest enters by a trap. */
    .balign 64
stub_entry:
    rdgsbase %r11
    bswap %r11
    lea 0x810000(%r11d), %r11d /* 0xff7f0000: 0x7fff, the other way round */
    xchg %rcx, %r11
    jrcxz 1f
    mov %r11, %rcx
    mov $PATCH_SLOW_ENTRY, %r11d
    jmp *%r11
1:  mov %r11, %gs:CTX_RIP
    mov %rax, %gs:CTX_NR
    mov %rdi, %gs:CTX_RDI
    mov %rsi, %gs:CTX_RSI
    mov %rdx, %gs:CTX_RDX
    mov %r10, %gs:CTX_R10
    mov %r8, %gs:CTX_R8
    mov %r9, %gs:CTX_R9
    mov %rsp, %gs:CTX_RSP
    mov %rbx, %gs:CTX_RBX
    mov %rbp, %gs:CTX_RBP
    mov %r12, %gs:CTX_R12
    mov %r13, %gs:CTX_R13
    mov %r14, %gs:CTX_R14
    mov %r15, %gs:CTX_R15
    rdgsbase %rdi
    lea CONTEXT_STACK_TOP(%rdi), %rsp
    pushfq
    popq CTX_EFLAGS(%rdi)
    movl $1, CTX_PATCHED(%rdi)
    xor %ebp, %ebp
    cld
    call stub_call
    ud2

/* (ctx): back behind a system call of a patched site. */
stub_exit_fast:
    mov %rdi, %rdx
    cmpl $0, CTX_KICK(%rdx)
    jne stub_kick_restart
    pushq CTX_EFLAGS(%rdx)
    popfq
    mov CTX_EFLAGS(%rdx), %r11
    mov CTX_RAX(%rdx), %rax
    mov CTX_RIP(%rdx), %rcx
    mov CTX_RSP(%rdx), %rsp
    mov CTX_RBX(%rdx), %rbx
    mov CTX_RBP(%rdx), %rbp
    mov CTX_R12(%rdx), %r12
    mov CTX_R13(%rdx), %r13
    mov CTX_R14(%rdx), %r14
    mov CTX_R15(%rdx), %r15
    mov CTX_RSI(%rdx), %rsi
    mov CTX_RDI(%rdx), %rdi
    mov CTX_R10(%rdx), %r10
    mov CTX_R8(%rdx), %r8
    mov CTX_R9(%rdx), %r9
    mov CTX_RDX(%rdx), %rdx
    jmp *%rcx
stub_exit_fast_end:

/* (ctx): every register from the context. */
stub_exit_full:
    cmpl $0, CTX_KICK(%rdi)
    jne stub_kick_restart
    pushq $0x2b
    pushq CTX_RSP(%rdi)
    pushq CTX_EFLAGS(%rdi)
    pushq $0x33
    pushq CTX_RIP(%rdi)
    cmpl $0, CTX_USES_GS(%rdi)
    je 1f
    mov CTX_GUEST_GS(%rdi), %rax
    wrgsbase %rax
1:  mov CTX_RAX(%rdi), %rax
    mov CTX_RCX(%rdi), %rcx
    mov CTX_R11(%rdi), %r11
    mov CTX_RBX(%rdi), %rbx
    mov CTX_RBP(%rdi), %rbp
    mov CTX_R12(%rdi), %r12
    mov CTX_R13(%rdi), %r13
    mov CTX_R14(%rdi), %r14
    mov CTX_R15(%rdi), %r15
    mov CTX_RSI(%rdi), %rsi
    mov CTX_RDX(%rdi), %rdx
    mov CTX_R10(%rdi), %r10
    mov CTX_R8(%rdi), %r8
    mov CTX_R9(%rdi), %r9
    mov CTX_RDI(%rdi), %rdi
    iretq
stub_exit_full_end:

/* rdi or rdx: ctx (the fast exit keeps it in rdx until its last load; the handler sets rdi). */
stub_kick_restart:
    cld
    wrgsbase %rdi
    lea CONTEXT_STACK_TOP(%rdi), %rsp
    xor %ebp, %ebp
    call stub_kicked
    ud2

/* (uaddr, op, value, timeout, ctx, bitset): a futex wait that a kick interrupts, however late it looks. */
stub_futex_wait:
    push %rbx
    mov %r8, %rbx
    mov %rcx, %r10
    xor %r8d, %r8d
    mov $202, %eax
    movl $1, CTX_BLOCKED(%rbx)
futex_wait_start:
    cmpl $0, CTX_KICK(%rbx)
    jne futex_wait_kicked
    syscall
futex_wait_end:
    movl $0, CTX_BLOCKED(%rbx)
    pop %rbx
    ret
futex_wait_kicked:
    mov $-4, %rax
    jmp futex_wait_end

/* The thread ends. When the host has cleared tid in the context, the slot may be used again. */
stub_gone:
    mov $60, %eax
    xor %edi, %edi
    syscall
    ud2

/* (memfd, control, ctx): the pid. The child shares this stack until it has mapped its own contexts over it, so it
 * lives in registers until then; its context has the parent's address. */
stub_fork:
    push %rbx
    push %r12
    push %r13
    mov %edi, %r12d
    mov %esi, %r13d
    mov %rdx, %rbx
    mov $STUB_FORK_FLAGS, %edi
    xor %esi, %esi
    xor %edx, %edx
    xor %r10d, %r10d
    xor %r8d, %r8d
    mov $56, %eax
    syscall
    test %rax, %rax
    jz 1f
    pop %r13
    pop %r12
    pop %rbx
    ret
1:  movabs $CONTEXT_BASE, %rdi
    mov $CONTEXT_REGION, %esi
    mov $3, %edx
    mov $0x11, %r10d
    mov %r12, %r8
    xor %r9d, %r9d
    mov $9, %eax
    syscall
    test %rax, %rax
    js 2f
    mov %r13, %rdi
    mov $STUB_CONTROL_FD, %esi
    xor %edx, %edx
    mov $292, %eax
    syscall
    mov %r13, %rdi
    mov $3, %eax
    syscall
    mov %r12, %rdi
    mov $3, %eax
    syscall
    mov %rbx, %rdi
    lea CONTEXT_STACK_TOP(%rbx), %rsp
    xor %ebp, %ebp
    call stub_wait_first
2:  mov $231, %eax
    mov $127, %edi
    syscall
    ud2

/* (flags, new context, tls): the tid */
stub_thread:
    push %rbx
    mov %rsi, %rbx
    mov %rdx, %r8
    lea CTX_TID(%rsi), %r10
    lea CONTEXT_STACK_TOP(%rsi), %rsi
    xor %edx, %edx
    mov $56, %eax
    syscall
    test %rax, %rax
    jz 1f
    pop %rbx
    ret
1:  wrgsbase %rbx
    mov %rbx, %rdi
    xor %ebp, %ebp
    call stub_thread_main
    ud2

    .section .rodata.fixups, "a"
    .balign 8
stub_kick_fixups:
    .quad stub_exit_fast, stub_exit_fast_end, stub_kick_restart
    .quad futex_wait_start, futex_wait_end, futex_wait_kicked
    .quad stub_exit_full, stub_exit_full_end, stub_kick_restart
    .quad 0, 0, 0

    .section .note.GNU-stack, "", @progbits
