/*
 * A system call of the guest: what the stub does before, or instead of, handing it to the kernel.
 *
 * Instead: calls that concern only the caller and need nothing but published values, futex
 * operations on memory the guest has anyway, and the blocked-signal mask. Anything unusual about
 * one is the kernel's to judge.
 *
 * Before: it sends ahead the bytes that the kernel will surely ask for (hints.c), so that an
 * ordinary call is one hand-off.
 */
#include "stub/stub.h"
#include <asm/unistd.h>
#include <errno.h>
#include <linux/futex.h>

#define SIG_BLOCK_ 0
#define SIG_UNBLOCK_ 1
#define SIG_SETMASK_ 2
#define ROBUST_HEAD_SIZE 24
#define UNBLOCKABLE ((1UL << (9 - 1)) | (1UL << (19 - 1)))

#define TRAPS_WORTH_PATCHING 8

/* The kernel never sees these calls, so it is told now and then of sites that keep trapping. */
static _Noreturn void ask_for_patch(struct stub_context *ctx, int64_t result)
{
    ctx->local_traps = 0;
    ctx->regs.rax = (uint64_t)result;
    stub_event(ctx, KIND_TRAPPED);
}

static _Noreturn void answer(struct stub_context *ctx, int64_t result)
{
    if (!ctx->patched && ++ctx->local_traps >= TRAPS_WORTH_PATCHING)
        ask_for_patch(ctx, result);
    ctx->regs.rax = (uint64_t)result;
    stub_leave(ctx);
}

/* Whatever became of the call is in the registers already: the kernel only looks for signals. */
static _Noreturn void answer_and_kick(struct stub_context *ctx, int64_t result)
{
    ctx->regs.rax = (uint64_t)result;
    stub_kicked(ctx);
}

/* ---- rt_sigprocmask ---- */

static bool apply_mask(uint64_t how, uint64_t set, uint64_t *mask)
{
    switch (how) {
    case SIG_BLOCK_:
        *mask |= set;
        return true;
    case SIG_UNBLOCK_:
        *mask &= ~set;
        return true;
    case SIG_SETMASK_:
        *mask = set;
        return true;
    }
    return false;
}

/* Returns if the kernel has to look at it. */
static void sigprocmask(struct stub_context *ctx)
{
    const struct stub_regs *r = &ctx->regs;
    uint64_t old = ctx->sigmask & ~UNBLOCKABLE, mask = old, set;

    if (r->r10 != sizeof(set))
        return;
    if (r->rsi) {
        if (stub_copy(&set, (void *)r->rsi, sizeof(set)) != sizeof(set) ||
            !apply_mask((uint32_t)r->rdi, set, &mask))
            return;
        if (mask != ctx->sigmask)
            __atomic_exchange_n(&ctx->sigmask, mask & ~UNBLOCKABLE, __ATOMIC_SEQ_CST);
    }
    int64_t ret = 0;
    if (r->rdx && stub_copy((void *)r->rdx, &old, sizeof(old)) != sizeof(old))
        ret = -EFAULT;
    if (__atomic_load_n(&ctx->sigpending, __ATOMIC_SEQ_CST) & ~mask)
        answer_and_kick(ctx, ret);
    answer(ctx, ret);
}

/* ---- futex ---- */

#define BIT(n) (1u << (n))
#define FUTEX_WAITS (BIT(FUTEX_WAIT) | BIT(FUTEX_WAIT_BITSET))
#define FUTEX_LOCAL                                                                \
    (FUTEX_WAITS | BIT(FUTEX_WAKE) | BIT(FUTEX_WAKE_BITSET) | BIT(FUTEX_REQUEUE) | \
     BIT(FUTEX_CMP_REQUEUE) | BIT(FUTEX_WAKE_OP))

/* The word has another value than the one to wait for. */
static bool futex_changed(struct stub_context *ctx, const void *unused)
{
    uint32_t value;

    (void)unused;
    return stub_copy(&value, (const void *)ctx->regs.rdi, sizeof(value)) == sizeof(value) &&
           value != (uint32_t)ctx->regs.rdx;
}

/* Returns flags for the kernel if that has to look at it. */
static uint32_t futex(struct stub_context *ctx)
{
    const struct stub_regs *r = &ctx->regs;
    uint32_t op = (uint32_t)r->rsi & ~(uint32_t)(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME);
    long ret;

    if (op >= 32 || !(BIT(op) & FUTEX_LOCAL))
        return 0;
    if (!(BIT(op) & FUTEX_WAITS))
        answer(ctx, host6(__NR_futex, r->rdi, (uint32_t)r->rsi, r->rdx, r->r10, r->r8, r->r9));
    if (!(r->rdi & 3) && (!r->r10 || op == FUTEX_WAIT_BITSET) && stub_linger(ctx, futex_changed, NULL))
        answer(ctx, -EAGAIN);
    ret = stub_futex_wait(r->rdi, (uint32_t)r->rsi, r->rdx, r->r10, ctx, r->r9);
    if (ret == -EINTR)
        return KIND_INTERRUPTED;
    answer(ctx, ret);
}

/* Answers, or returns flags for the kernel, which shall. */
static uint32_t answer_locally(struct stub_context *ctx)
{
    switch (ctx->regs.nr) {
    case __NR_getpid:
        answer(ctx, ctx->pid_answer);
    case __NR_gettid:
        answer(ctx, ctx->tid_answer);
    case __NR_getppid:
        answer(ctx, ctx->ppid_answer);
    case __NR_getuid:
        answer(ctx, ctx->uid_answer);
    case __NR_geteuid:
        answer(ctx, ctx->euid_answer);
    case __NR_getgid:
        answer(ctx, ctx->gid_answer);
    case __NR_getegid:
        answer(ctx, ctx->egid_answer);
    case __NR_rt_sigprocmask:
        sigprocmask(ctx);
        break;
    case __NR_futex:
        return futex(ctx);
    case __NR_set_robust_list:
        if (ctx->regs.rsi == ROBUST_HEAD_SIZE) {
            ctx->robust_list = ctx->regs.rdi;
            answer(ctx, 0);
        }
        break;
    case __NR_sched_yield:
        answer(ctx, host3(__NR_sched_yield, 0, 0, 0));
    }
    return 0;
}

/* Stores the call where the kernel finds it with one cache line, and rings. */
static _Noreturn void hand_over(struct stub_context *ctx, uint32_t kind)
{
    const struct stub_regs *r = &ctx->regs;

    if (ctx->patched)
        kind |= KIND_PATCHED;
    ctx->nr = (uint32_t)r->nr;
    ctx->args[0] = r->rdi;
    ctx->args[1] = r->rsi;
    ctx->args[2] = r->rdx;
    ctx->args[3] = r->r10;
    ctx->args[4] = r->r8;
    ctx->args[5] = r->r9;
    stub_event(ctx, kind);
}

_Noreturn void stub_call(struct stub_context *ctx)
{
    uint32_t flags = ctx->flags, kind = KIND_SYSCALL;

    if (flags & CONTEXT_LOCAL_ANSWERS)
        kind |= answer_locally(ctx);
    if (flags & CONTEXT_HINTS && stub_send_hints(ctx))
        kind |= KIND_HINTS;
    hand_over(ctx, kind);
}
