/*
 * Touching guest memory and FP state. Every instruction here that may fault is in stub_fault_fixups: the signal
 * handler continues at the fixup.
 */
    .section .text, "ax"
    .globl stub_store, stub_copy, stub_copy_string, stub_save_fp, stub_load_fp, stub_reset_fp, stub_fault_fixups
    .globl memcpy, memset

/* (dst, src, n): bytes copied. Few bytes are loaded, all of them, and then stored; if that faults, it starts again
 * the other way, which counts: at a fault rcx holds what is left. */
stub_copy:
    cmp $16, %rdx
    ja copy_many
    cmp $8, %edx
    jae 2f
    cmp $4, %edx
    jae 1f
    test %edx, %edx
    jz copy_many
copy_few:
    mov %edx, %r8d
    shr $1, %r8d
    movzbl (%rsi), %eax
    movzbl (%rsi,%r8), %ecx
    movzbl -1(%rsi,%rdx), %r9d
    mov %al, (%rdi)
    mov %cl, (%rdi,%r8)
    mov %r9b, -1(%rdi,%rdx)
    mov %rdx, %rax
    ret
1:  mov (%rsi), %eax
    mov -4(%rsi,%rdx), %ecx
    mov %eax, (%rdi)
    mov %ecx, -4(%rdi,%rdx)
    mov %rdx, %rax
    ret
2:  mov (%rsi), %rax
    mov -8(%rsi,%rdx), %rcx
    mov %rax, (%rdi)
    mov %rcx, -8(%rdi,%rdx)
copy_few_end:
    mov %rdx, %rax
    ret
copy_many:
    mov %rdx, %rax
    mov %rdx, %rcx
copy_bytes:
    rep movsb
copy_bytes_end:
    sub %rcx, %rax
    ret

/* (dst, src, max): by words, which never reach into another page, and by bytes where that is not possible. */
stub_copy_string:
    xor %eax, %eax
    movabs $0x0101010101010101, %r8
    movabs $0x8080808080808080, %r9
1:  lea 8(%rax), %rcx
    cmp %rdx, %rcx
    ja 2f
    lea (%rsi,%rax), %ecx
    and $4095, %ecx
    cmp $4096 - 8, %ecx
    ja 2f
string_word:
    mov (%rsi,%rax), %r10
string_word_end:
    mov %r10, %rcx
    mov %r10, %r11
    sub %r8, %rcx
    not %r11
    mov %r10, (%rdi,%rax)
    and %r9, %r11
    and %r11, %rcx
    jnz 3f
    add $8, %rax
    jmp 1b
2:  cmp %rdx, %rax
    jae 4f
string_byte:
    movzbl (%rsi,%rax), %ecx
string_byte_end:
    mov %cl, (%rdi,%rax)
    inc %rax
    test %cl, %cl
    jnz 1b
    ret
3:  bsf %rcx, %rcx /* the first NUL's top bit */
    shr $3, %ecx
    lea 1(%rax,%rcx), %rax
    ret
4:  lea 1(%rdx), %rax
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
    .quad copy_few, copy_few_end, copy_many
    .quad copy_bytes, copy_bytes_end, copy_bytes_end
    .quad string_word, string_word_end, fault
    .quad string_byte, string_byte_end, fault
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
