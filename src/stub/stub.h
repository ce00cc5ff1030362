/*
 * Inside the stub: freestanding code in guest address spaces. No libc, no writable globals, no FP
 * registers. Only what shared.h describes is memory of ours; a guest may corrupt all of it and
 * thereby hurts itself only.
 */
#pragma once
#include "stub/shared.h"
#include <stdbool.h>
#include <stddef.h>

#define CHECK_OFFSET(constant, field) \
    _Static_assert((constant) == offsetof(struct stub_context, field), #field)
CHECK_OFFSET(CTX_STATE, state);
CHECK_OFFSET(CTX_PATCHED, patched);
CHECK_OFFSET(CTX_NR, regs.nr);
CHECK_OFFSET(CTX_RDI, regs.rdi);
CHECK_OFFSET(CTX_RSI, regs.rsi);
CHECK_OFFSET(CTX_RDX, regs.rdx);
CHECK_OFFSET(CTX_R10, regs.r10);
CHECK_OFFSET(CTX_R8, regs.r8);
CHECK_OFFSET(CTX_R9, regs.r9);
CHECK_OFFSET(CTX_RIP, regs.rip);
CHECK_OFFSET(CTX_RSP, regs.rsp);
CHECK_OFFSET(CTX_RBX, regs.rbx);
CHECK_OFFSET(CTX_RBP, regs.rbp);
CHECK_OFFSET(CTX_R12, regs.r12);
CHECK_OFFSET(CTX_R13, regs.r13);
CHECK_OFFSET(CTX_R14, regs.r14);
CHECK_OFFSET(CTX_R15, regs.r15);
CHECK_OFFSET(CTX_EFLAGS, regs.eflags);
CHECK_OFFSET(CTX_RAX, regs.rax);
CHECK_OFFSET(CTX_RCX, regs.rcx);
CHECK_OFFSET(CTX_R11, regs.r11);
CHECK_OFFSET(CTX_KICK, kick);
CHECK_OFFSET(CTX_TID, tid);
CHECK_OFFSET(CTX_GUEST_GS, guest_gs);
CHECK_OFFSET(CTX_USES_GS, uses_gs);
CHECK_OFFSET(CTX_BLOCKED, blocked);
_Static_assert(offsetof(struct stub_context, regs) == 0x40, "regs begin line 1");
_Static_assert(offsetof(struct stub_context, polled) == 0x100, "line 4");
_Static_assert(offsetof(struct stub_context, nonce) == 0x200, "line 8");
_Static_assert(offsetof(struct stub_context, hint_addr) == 0x240, "line 9");
_Static_assert(sizeof(struct stub_order) == 64, "an order is a cache line");

static inline long host6(long nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
                         uint64_t f)
{
    long ret;
    register uint64_t r10 __asm__("r10") = d;
    register uint64_t r8 __asm__("r8") = e;
    register uint64_t r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(ret)
                     : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return ret;
}
#define host3(nr, a, b, c) host6(nr, (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), 0, 0, 0)

static inline struct stub_order *context_orders(struct stub_context *ctx)
{
    return (struct stub_order *)((char *)ctx + CONTEXT_ORDERS);
}

static inline char *context_hint(struct stub_context *ctx, unsigned slot)
{
    return (char *)ctx + CONTEXT_HINT + (uint64_t)slot * HINT_SIZE;
}

static inline struct stub_context *context_of(const void *stack)
{
    return (struct stub_context *)((uint64_t)stack & -(uint64_t)CONTEXT_STRIDE);
}

#pragma GCC visibility push(hidden) /* no GOT: addresses are relative to the code */

extern struct stub_values stub_values;

/* entry.S */
void stub_signal_return(void);
void stub_entry(void);
_Noreturn void stub_leave_signal(struct stub_context *ctx, const void *fp_image);
_Noreturn void stub_exit_fast(struct stub_context *ctx);
_Noreturn void stub_exit_full(struct stub_context *ctx);
_Noreturn void stub_gone(void);
_Noreturn void stub_switch_stack(struct stub_context *ctx, void (*fn)(struct stub_context *ctx));
void stub_kick_restart(void);
/* futex(2) with a wait operation; -EINTR if a kick came before or during it. */
long stub_futex_wait(uint64_t uaddr, uint64_t op, uint64_t value, uint64_t timeout,
                     struct stub_context *ctx, uint64_t bitset);
long stub_fork(int memfd, int control, struct stub_context *ctx);
long stub_thread(uint64_t flags, struct stub_context *new_ctx, uint64_t tls);

/* copy.S: bytes copied; a fault makes it short. */
size_t stub_copy(void *dst, const void *src, size_t n);
/* Bytes with the NUL, max + 1 when there is none, -EFAULT. */
long stub_copy_string(char *dst, const char *src, size_t max);
long stub_store(uint64_t address, uint64_t bytes); /* 0 or -EFAULT */
long stub_save_fp(void *dst, uint64_t mask);
long stub_load_fp(const void *src, uint64_t mask);
void stub_reset_fp(uint64_t mask);

/* Where a faulting or kicked instruction continues. Ends with zeroes. */
struct stub_fixup {
    uint64_t start, end, to;
};
extern const struct stub_fixup stub_fault_fixups[], stub_kick_fixups[];

/* loop.c */
_Noreturn void stub_event(struct stub_context *ctx, uint32_t kind);
_Noreturn void stub_wait_first(struct stub_context *ctx);
_Noreturn void stub_thread_main(struct stub_context *ctx);
void stub_set_altstack(struct stub_context *ctx);
/* Gives way for a moment, until over() says so: true. False: sleep. */
bool stub_linger(struct stub_context *ctx, bool (*over)(struct stub_context *ctx, const void *arg), const void *arg);
int stub_receive_fds(int *ret_fds, int count);

/* Back to the guest with the registers in the context. */
_Noreturn void stub_leave(struct stub_context *ctx);

/* call.c, hints.c */
_Noreturn void stub_call(struct stub_context *ctx);
bool stub_send_hints(struct stub_context *ctx); /* true if there were any */

/* patch.c */
long stub_patch(const struct stub_order *o);
void stub_prepare_patching(void);

/* signal.c */
_Noreturn void stub_kicked(struct stub_context *ctx);
_Noreturn void stub_signal_event(struct stub_context *ctx);
void stub_signal(int signo, void *info, void *uc);

#pragma GCC visibility pop
