/*
 * Contexts: guest threads as the kernel holds them. Running one, its registers, and what it
 * publishes.
 */
#include "base/log.h"
#include "platform/patch.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What a guest may have in eflags; the rest is the processor's business. */
#define EFLAGS_GUEST 0x240dd5UL
#define EFLAGS_FIXED 0x202UL

/* About what sleeping and being woken costs; spinning longer than that cannot pay. */
#define SPIN_BUDGET_TICKS 100000

static uint32_t context_flags = CONTEXT_LOCAL_ANSWERS | CONTEXT_HINTS;

void platform_set_local_answers(bool on)
{
    context_flags = on ? CONTEXT_LOCAL_ANSWERS | CONTEXT_HINTS : CONTEXT_HINTS;
}

void context_set_all_calls(struct context *ctx, bool on)
{
    uint32_t local = CONTEXT_LOCAL_ANSWERS & context_flags;
    atomic_store(&ctx->all_calls, on);
    __atomic_store_n(&ctx->shared->flags, (context_flags & ~local) | (on ? 0 : local),
                     __ATOMIC_SEQ_CST);
}

static void init_shared(struct context *ctx)
{
    struct stub_context *shared = ctx->shared;

    memset(shared, 0, sizeof(*shared));
    memcpy(shared->nonce, ctx->as->nonce, NONCE_SIZE);
    shared->spin_budget = SPIN_BUDGET_TICKS;
    shared->flags = context_flags;
    shared->tid = 1;
    shared->state = STATE_RING;
}

int context_new(struct address_space *as, unsigned slot, struct context **ret)
{
    struct context *ctx = calloc(1, sizeof(*ctx));
    char *memory = NULL;
    int err;

    if (!ctx)
        return -ENOMEM;
    err = space_slot_memory(as, slot, &memory);
    if (err < 0) {
        free(ctx);
        return err;
    }
    ctx->as = as;
    ctx->slot = slot;
    ctx->shared = (struct stub_context *)memory;
    ctx->orders = (struct stub_order *)(memory + CONTEXT_ORDERS);
    ctx->window = memory + CONTEXT_WINDOW;
    ctx->regs.cs = USER_CS;
    ctx->regs.ss = USER_SS;
    ctx->regs.orig_rax = (uint64_t)-1;
    ctx->dirty = ctx->loaded = true;
    init_shared(ctx);
    doorbell_init(&ctx->bell, (_Atomic uint32_t *)&ctx->shared->state,
                  (_Atomic uint32_t *)&ctx->shared->polled);
    doorbell_set_parked_word(&ctx->bell, (_Atomic uint32_t *)&ctx->shared->parked);
    doorbell_set_blocked_hint(&ctx->bell, (_Atomic uint32_t *)&ctx->shared->blocked);
    refcount_get(&as->refs);
    spin_lock(&as->lock);
    list_add(&as->contexts, &ctx->link);
    as->context_count++;
    spin_unlock(&as->lock);
    *ret = ctx;
    return 0;
}

void context_free(struct context *ctx)
{
    struct address_space *as = ctx->as;

    doorbell_forget(&ctx->bell);
    spin_lock(&as->lock);
    list_del(&ctx->link);
    as->context_count--;
    spin_unlock(&as->lock);
    free(ctx);
    space_put(as);
}

void context_inherit(struct context *ctx, const struct context *from)
{
    ctx->shared->uses_gs = __atomic_load_n(&from->shared->uses_gs, __ATOMIC_RELAXED);
    ctx->shared->guest_gs = __atomic_load_n(&from->shared->guest_gs, __ATOMIC_RELAXED);
    context_set_sigmask(ctx, context_sigmask((struct context *)from));
    context_set_all_calls(ctx, atomic_load((_Atomic bool *)&from->all_calls));
    context_set_answers(ctx, &from->answers);
    context_set_robust_list(ctx, 0);
}

/* The last thread takes its process with it. Another one leaves alone, except the process's first:
 * a host process without its first thread cannot be read any more, so that one is put to sleep. */
void context_exit(struct context *ctx)
{
    struct address_space *as = ctx->as;
    bool last;

    spin_lock(&as->lock);
    last = as->context_count == 1;
    spin_unlock(&as->lock);
    if (last) {
        if (orders_flush(ctx) == 0)
            platform_kill(as);
    } else {
        struct stub_order *o = order_queue(ctx, ctx->leader ? ORDER_PARK : ORDER_EXIT, 0);
        if (o) {
            if (!ctx->leader)
                space_leave_slot(as, ctx->slot);
            order_leave(ctx);
        }
    }
    context_free(ctx);
}

/* ---- running ---- */

static void store_regs(struct context *ctx)
{
    const struct regs *from = &ctx->regs;
    struct stub_regs *to = &ctx->shared->regs;
    uaddr_t rip = patch_fixup_rip(ctx->as, from->rip);

    *to = (struct stub_regs){
        .nr = from->orig_rax,
        .rdi = from->rdi,
        .rsi = from->rsi,
        .rdx = from->rdx,
        .r10 = from->r10,
        .r8 = from->r8,
        .r9 = from->r9,
        .rip = rip,
        .rsp = from->rsp,
        .rbx = from->rbx,
        .rbp = from->rbp,
        .r12 = from->r12,
        .r13 = from->r13,
        .r14 = from->r14,
        .r15 = from->r15,
        .eflags = (from->eflags & EFLAGS_GUEST) | EFLAGS_FIXED,
        .rax = from->rax,
        .rcx = from->rcx,
        .r11 = from->r11,
    };
}

/* All registers but rax and orig_rax, which the event has set or the caller by now. */
static void load_regs(struct context *ctx)
{
    const struct stub_regs *from = &ctx->shared->regs;
    struct regs *to = &ctx->regs;

    to->rdi = from->rdi;
    to->rsi = from->rsi;
    to->rdx = from->rdx;
    to->r10 = from->r10;
    to->r8 = from->r8;
    to->r9 = from->r9;
    to->rip = from->rip;
    if (UNLIKELY(to->rip < GUEST_RESERVED_END))
        to->rip = patch_origin_rip(ctx->as, to->rip);
    to->rsp = from->rsp;
    to->rbx = from->rbx;
    to->rbp = from->rbp;
    to->r12 = from->r12;
    to->r13 = from->r13;
    to->r14 = from->r14;
    to->r15 = from->r15;
    to->eflags = from->eflags;
    to->rcx = ctx->in_call ? to->rip : from->rcx;
    to->r11 = ctx->in_call ? to->eflags : from->r11;
    ctx->loaded = true;
}

static void take_hints(struct context *ctx)
{
    struct stub_context *shared = ctx->shared;

    for (unsigned i = 0; i < 2; i++) {
        uint32_t len = __atomic_load_n(&shared->hint_len[i], __ATOMIC_RELAXED);
        ctx->hint_addr[i] = shared->hint_addr[i];
        ctx->hint_len[i] = MIN(len, (uint32_t)HINT_SIZE);
    }
}

static void event_syscall(struct context *ctx, int kind, struct event *ev)
{
    struct stub_context *shared = ctx->shared;

    ev->nr = shared->nr;
    for (unsigned i = 0; i < 6; i++)
        ev->args[i] = shared->args[i];
    ev->kind = EVENT_SYSCALL;
    ev->interrupted = kind & KIND_INTERRUPTED;
    ctx->regs.orig_rax = ev->nr;
    ctx->regs.rax = (uint64_t)-ENOSYS;
    ctx->in_call = true;
    ctx->loaded = false;
    if (kind & KIND_HINTS)
        take_hints(ctx);
    if (!(kind & (KIND_PATCHED | KIND_INTERRUPTED)))
        patch_trapped(ctx, false);
}

/* An event outside a system call: everything comes from the context. */
static void load_all(struct context *ctx)
{
    ctx->in_call = false;
    ctx->regs.orig_rax = (uint64_t)-1;
    ctx->regs.rax = ctx->shared->regs.rax;
    load_regs(ctx);
}

static void event_fault(struct context *ctx, struct event *ev)
{
    const struct stub_fault *f = &ctx->shared->fault;

    load_all(ctx);
    ev->kind = EVENT_FAULT;
    ev->fault = (struct fault){f->signo, f->code, f->addr, f->trapno, f->error_code, f->cr2};
}

static void take_event(struct context *ctx, int kind, struct event *ev)
{
    bool dirty = ctx->dirty;

    ctx->hint_len[0] = ctx->hint_len[1] = 0;
    ctx->dirty = false;
    switch (kind & KIND_MASK) {
    case KIND_SYSCALL:
        event_syscall(ctx, kind, ev);
        break;
    case KIND_FAULT:
        event_fault(ctx, ev);
        break;
    case KIND_KICK:
        load_all(ctx);
        ev->kind = EVENT_KICK;
        break;
    case KIND_ORDER_FAILED:
        ctx->dirty = dirty; /* the guest has not run */
        ev->kind = EVENT_ORDER_FAILED;
        break;
    case KIND_TRAPPED: /* with a kick pending: only the kick is left of it */
        load_all(ctx);
        ctx->dirty = true;
        ev->kind = EVENT_KICK;
        break;
    default:
        protocol_broken(ctx, "unknown event");
        ev->kind = EVENT_DEAD;
        break;
    }
}

/* Takes note of a kick that no event has answered yet. The caller looks for the kick's reason
 * afterwards. */
static bool take_kick(struct context *ctx)
{
    return UNLIKELY(atomic_load_explicit(&ctx->kick_pending, memory_order_relaxed)) &&
           atomic_exchange(&ctx->kick_pending, 0);
}

/* Lets the guest run until it rings. A site that asks to be patched is none of the caller's
 * business. */
static int resume(struct context *ctx)
{
    for (;;) {
        uint32_t reply = REPLY_RESUME;
        int kind;

        if (ctx->dirty) {
            store_regs(ctx);
            reply |= REPLY_FULL;
        } else {
            ctx->shared->args[0] = ctx->regs.rax;
        }
        atomic_store_explicit(&ctx->in_guest, 1, memory_order_relaxed);
        kind = hand_over(ctx, reply);
        atomic_store_explicit(&ctx->in_guest, 0, memory_order_relaxed);
        if (kind != KIND_TRAPPED || take_kick(ctx))
            return kind;
        load_all(ctx);
        ctx->dirty = true;
        patch_trapped(ctx, true);
    }
}

/* A position that the processor refuses to return to: a fault of the guest's, which the stub need
 * not see. */
static bool refuse_rip(struct context *ctx, struct event *ev)
{
    if (LIKELY(!ctx->dirty || (int64_t)(ctx->regs.rip << 16) >> 16 == (int64_t)ctx->regs.rip))
        return false;
    ev->kind = EVENT_FAULT;
    ev->fault = (struct fault){.signo = SIGSEGV, .code = SI_KERNEL, .trapno = 13};
    ctx->regs.orig_rax = (uint64_t)-1;
    return true;
}

void platform_run(struct context *ctx, struct event *ev)
{
    int kind;

    ev->interrupted = false;
    if (refuse_rip(ctx, ev))
        return;
    if (ctx->deferred_failed) {
        ctx->deferred_failed = false;
        ev->kind = EVENT_ORDER_FAILED;
        return;
    }
    if (take_kick(ctx)) {
        ev->kind = EVENT_KICK;
        return;
    }
    kind = resume(ctx);
    (void)take_kick(ctx);
    if (kind < 0)
        ev->kind = EVENT_DEAD;
    else
        take_event(ctx, kind, ev);
}

struct regs *context_regs(struct context *ctx)
{
    if (!ctx->loaded)
        load_regs(ctx);
    return &ctx->regs;
}

void context_set_result(struct context *ctx, int64_t result)
{
    ctx->regs.rax = (uint64_t)result;
}

void context_set_regs_dirty(struct context *ctx)
{
    (void)context_regs(ctx);
    ctx->dirty = true;
}

void context_peek_call(const struct context *ctx, uint64_t args[6], uint64_t *ret_sp,
                       uint64_t *ret_ip)
{
    const struct stub_regs *r = &ctx->shared->regs;

    args[0] = r->rdi;
    args[1] = r->rsi;
    args[2] = r->rdx;
    args[3] = r->r10;
    args[4] = r->r8;
    args[5] = r->r9;
    *ret_sp = r->rsp;
    *ret_ip = r->rip;
}

struct address_space *context_as(struct context *ctx)
{
    return ctx->as;
}

pid_t context_host_tid(const struct context *ctx)
{
    return ctx->tid;
}

/* The host lets nobody read the clock of a single thread of another process; the process's is an
 * upper bound. */
int64_t context_cpu_time(const struct context *ctx)
{
    struct timespec ts;
    clockid_t clock = (clockid_t)((~(unsigned)ctx->as->pid << 3) | 2);

    if (clock_gettime(clock, &ts) < 0)
        return 0;
    return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

/* ---- published values ---- */

void context_set_answers(struct context *ctx, const struct stub_answers *a)
{
    struct stub_context *shared = ctx->shared;

    ctx->answers = *a;
    shared->pid_answer = a->pid;
    shared->tid_answer = a->tid;
    shared->ppid_answer = a->ppid;
    shared->uid_answer = a->uid;
    shared->euid_answer = a->euid;
    shared->gid_answer = a->gid;
    shared->egid_answer = a->egid;
}

void context_set_ppid(struct context *ctx, uint32_t ppid)
{
    __atomic_store_n(&ctx->shared->ppid_answer, ppid, __ATOMIC_RELAXED);
}

uaddr_t context_robust_list(struct context *ctx)
{
    return __atomic_load_n(&ctx->shared->robust_list, __ATOMIC_RELAXED);
}

void context_set_robust_list(struct context *ctx, uaddr_t head)
{
    __atomic_store_n(&ctx->shared->robust_list, head, __ATOMIC_RELAXED);
}

uint64_t context_sigmask(struct context *ctx)
{
    return __atomic_load_n(&ctx->shared->sigmask, __ATOMIC_RELAXED);
}

void context_set_sigmask(struct context *ctx, uint64_t mask)
{
    __atomic_store_n(&ctx->shared->sigmask, mask, __ATOMIC_RELAXED);
}

void context_set_sigpending(struct context *ctx, uint64_t pending)
{
    __atomic_store_n(&ctx->shared->sigpending, pending, __ATOMIC_SEQ_CST);
}
