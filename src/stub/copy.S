/*
 * Touching guest memory and FP state. Every instruction here that may fault is in stub_fault_fixups: the signal
 * handler continues at the fixup.
 */
    .section .text, "ax"
    .globl stub_store, stub_copy, stub_copy_string, stub_save_fp, stub_load_fp, stub_reset_fp, stub_fault_fixups
    .globl memcpy, memset

/* (dst, src, n): bytes copied. At a fault rcx holds what is left. */
stub_copy:
    mov %rdx, %rax
    mov %rdx, %rcx
copy_bytes:
    rep movsb
copy_bytes_end:
    sub %rcx, %rax
    ret

/* (dst, src, max) */
stub_copy_string:
    xor %eax, %eax
1:  cmp %rdx, %rax
    jae 2f
string_load:
    movzbl (%rsi,%rax), %ecx
string_load_end:
    mov %cl, (%rdi,%rax)
    inc %rax
    test %cl, %cl
    jnz 1b
    ret
2:  lea 1(%rdx), %rax
    ret

/* (dst, mask): XSAVE reads and keeps what the header holds, so that is cleared first. */
stub_save_fp:
    xor %eax, %eax
    mov $8, %ecx
    mov %rdi, %r8
    lea 512(%rdi), %rdi
save_fp_header:
    rep stosq
save_fp_header_end:
    mov %esi, %eax
    mov %rsi, %rdx
    shr $32, %rdx
save_fp:
    xsave64 (%r8)
save_fp_end:
    xor %eax, %eax
    ret

/* (address, eight bytes) */
stub_store:
    xor %eax, %eax
store:
    mov %rsi, (%rdi)
store_end:
    ret

/* (src, mask) */
stub_load_fp:
    mov %esi, %eax
    mov %rsi, %rdx
    shr $32, %rdx
load_fp:
    xrstor64 (%rdi)
load_fp_end:
    xor %eax, %eax
    ret

stub_reset_fp:
    mov %edi, %eax
    mov %rdi, %rdx
    shr $32, %rdx
    xrstor64 initial_fp(%rip)
    ret

fault:
    mov $-14, %rax
    ret

/* For the compiler. */
memcpy:
    mov %rdi, %rax
    mov %rdx, %rcx
    rep movsb
    ret
memset:
    mov %rdi, %r8
    mov %esi, %eax
    mov %rdx, %rcx
    rep stosb
    mov %r8, %rax
    ret

    .section .rodata.fixups, "a"
    .balign 8
stub_fault_fixups:
    .quad copy_bytes, copy_bytes_end, copy_bytes_end
    .quad string_load, string_load_end, fault
    .quad save_fp_header, save_fp_header_end, fault
    .quad store, store_end, fault
    .quad save_fp, save_fp_end, fault
    .quad load_fp, load_fp_end, fault
    .quad 0, 0, 0

    .section .rodata, "a"
    .balign 64
/* No component present: all are initialised; FCW 0x37f, MXCSR 0x1f80. Some processors read (and fault on) the whole area that
 * the components of the mask would fill, so there is a page of it. */
initial_fp:
    .word 0x37f
    .skip 22
    .long 0x1f80
    .skip 4096 - 28

    .section .note.GNU-stack, "", @progbits
