/*
 * The one signal handler. A signal raised by guest code becomes an event: its registers go to the
 * context, its FP state becomes live again, and the frame is abandoned. A signal raised by the stub
 * itself is a fault in one of the instructions that touch guest memory, or a kick.
 */
#include "stub/stub.h"
#include <asm/sigcontext.h>
#include <asm/unistd.h>
#include <linux/audit.h>

#define SIGILL_ 4
#define SIGTRAP_ 5
#define SIGSYS_ 31

/* Above every system call number: calls of other architectures' entries (int 0x80) end as unknown
 * ones. */
#define NR_FOREIGN 0x7fffffff

struct user_siginfo {
    int signo, err, code, pad;
    uint64_t addr; /* si_addr, si_call_addr */
    int syscall;
    unsigned arch;
};

struct user_ucontext {
    uint64_t flags;
    void *link;
    uint64_t stack[3];
    struct sigcontext_64 mc;
};

/* Looks for the instruction in a table; its continuation or 0. */
static uint64_t find_fixup(const struct stub_fixup *f, uint64_t ip)
{
    for (; f->end; f++)
        if (ip >= f->start && ip < f->end)
            return f->to;
    return 0;
}

static void die(void)
{
    host3(__NR_exit_group, 127, 0, 0);
}

static void signal_in_stub(struct stub_context *ctx, int signo, struct sigcontext_64 *mc)
{
    uint64_t to;

    if (signo == SIGTRAP_) {
        mc->flags &= ~0x100UL; /* a guest that single-steps itself stops stepping here */
        return;
    }
    if (signo != KICK_SIGNAL) {
        to = find_fixup(stub_fault_fixups, mc->ip);
        if (!to)
            die();
        mc->ip = to;
        return;
    }
    to = ctx->kick ? find_fixup(stub_kick_fixups, mc->ip) : 0;
    if (to) {
        mc->ip = to;
        mc->di = (uint64_t)ctx;
    }
}

static void save_registers(struct stub_regs *r, const struct sigcontext_64 *mc)
{
    r->rdi = mc->di;
    r->rsi = mc->si;
    r->rdx = mc->dx;
    r->r10 = mc->r10;
    r->r8 = mc->r8;
    r->r9 = mc->r9;
    r->rip = mc->ip;
    r->rsp = mc->sp;
    r->rbx = mc->bx;
    r->rbp = mc->bp;
    r->r12 = mc->r12;
    r->r13 = mc->r13;
    r->r14 = mc->r14;
    r->r15 = mc->r15;
    r->eflags = mc->flags;
    r->rax = mc->ax;
    r->rcx = mc->cx;
    r->r11 = mc->r11;
}

static void save_call(struct stub_context *ctx, unsigned arch)
{
    struct stub_regs *r = &ctx->regs;

    r->nr = arch == AUDIT_ARCH_X86_64 ? r->rax : NR_FOREIGN;
    r->rcx = r->rip; /* as the instruction leaves them */
    r->r11 = r->eflags;
    ctx->word = KIND_SYSCALL;
}

static void save_fault(struct stub_context *ctx, const struct user_siginfo *info,
                       const struct sigcontext_64 *mc)
{
    ctx->regs.nr = (uint64_t)-1;
    ctx->fault.signo = info->signo;
    ctx->fault.code = info->code;
    ctx->fault.addr = info->addr;
    ctx->fault.trapno = mc->trapno;
    ctx->fault.error_code = mc->err;
    ctx->fault.cr2 = mc->cr2;
    ctx->word = KIND_FAULT;
}

static uint8_t byte_at(uint64_t address)
{
    uint8_t byte = 0;

    (void)stub_copy(&byte, (const void *)address, 1);
    return byte;
}

/* The second half of a patched "mov $nr, %eax; syscall" is an invalid opcode: a jump or a restart
 * into it means the system call it was, with the number in rax. Guests that use GS enter by
 * another. */
static bool is_patched_call(struct sigcontext_64 *mc)
{
    uint8_t code[7];

    if (mc->ip == PATCH_SLOW_ENTRY) {
        mc->ip = mc->cx;
        return true;
    }
    if (stub_copy(code, (const void *)(mc->ip - 5), sizeof(code)) != sizeof(code) ||
        code[0] != 0xff || code[1] != 0x24 || code[2] != 0x25 ||
        (code[5] != 0x06 && code[5] != 0x07))
        return false;
    mc->ip += 2;
    return true;
}

/* A breakpoint that stands for a site while it is being patched, or did when it was met. */
static bool is_patching(struct sigcontext_64 *mc)
{
    uint64_t at = mc->ip - 1, busy = 0;

    (void)stub_copy(&busy, (const void *)PATCH_BUSY, sizeof(busy));
    if (mc->trapno != 3 || (busy != at && byte_at(at) != 0xff))
        return false;
    mc->ip = at;
    return true;
}

/* A thread that is stepped through a patched site: the thunk is no place to stop. It goes on to the
 * text again, or into the stub, where it is a system call. */
static bool is_step_in_thunk(const struct sigcontext_64 *mc)
{
    return mc->trapno == 1 && mc->ip >= PATCH_THUNKS && mc->ip < PATCH_PRIVATE;
}

/* The guest has loaded GS behind our back: from now on its patched sites enter the slow way. */
static void notice_gs(struct stub_context *ctx)
{
    uint64_t slow = PATCH_SLOW_ENTRY;

    if (ctx->uses_gs || __builtin_ia32_rdgsbase64() == (uint64_t)ctx)
        return;
    ctx->uses_gs = 1;
    stub_copy((void *)PATCH_ENTRY, &slow, sizeof(slow));
}

void stub_signal(int signo, void *info_, void *uc_)
{
    struct user_siginfo *info = info_;
    struct sigcontext_64 *mc = &((struct user_ucontext *)uc_)->mc;
    struct stub_context *ctx = context_of(uc_);

    if (mc->ip - STUB_BASE < STUB_TEXT_SIZE) {
        signal_in_stub(ctx, signo, mc);
        return;
    }
    if (signo == KICK_SIGNAL && !ctx->kick)
        return; /* came too late: the thread has been at a hand-off since */
    if (signo == SIGTRAP_ && (is_step_in_thunk(mc) || is_patching(mc)))
        return;
    notice_gs(ctx);
    bool call = signo == SIGSYS_ || (signo == SIGILL_ && is_patched_call(mc));
    ctx->patched = 0;
    save_registers(&ctx->regs, mc);
    if (call) {
        if (signo != SIGSYS_)
            ctx->local_traps = 0; /* the site is patched already */
        save_call(ctx, signo == SIGSYS_ ? info->arch : AUDIT_ARCH_X86_64);
    } else if (signo == KICK_SIGNAL) {
        ctx->regs.nr = (uint64_t)-1;
        ctx->word = KIND_KICK;
    } else {
        save_fault(ctx, info, mc);
    }
    stub_leave_signal(ctx, (void *)mc->fpstate);
}

/* From stub_leave_signal, on the context's stack. */
_Noreturn void stub_signal_event(struct stub_context *ctx)
{
    if (ctx->word == KIND_SYSCALL)
        stub_call(ctx);
    stub_event(ctx, ctx->word);
}

/* A kick that found the thread on its way out: the registers in the context are what the guest
 * would have had. */
_Noreturn void stub_kicked(struct stub_context *ctx)
{
    if (ctx->patched) { /* what the short way would have made of them */
        ctx->regs.rcx = ctx->regs.rip;
        ctx->regs.r11 = ctx->regs.eflags;
        ctx->patched = 0;
    }
    stub_event(ctx, KIND_KICK);
}
