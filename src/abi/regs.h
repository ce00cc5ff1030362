/*
 * A guest thread's integer registers, in the layout of struct user_regs_struct (ptrace(2), <sys/user.h>), so that
 * ptrace and core files need no translation. On x86-64 orig_rax is the system call number, or -1.
 */
#pragma once
#include <stdint.h>

struct regs {
    uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi, orig_rax;
    uint64_t rip, cs, eflags, rsp, ss, fs_base, gs_base, ds, es, fs, gs;
};

#define USER_CS 0x33
#define USER_SS 0x2b
