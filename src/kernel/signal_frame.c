/*
 * The frame a signal handler runs on, and sigreturn(2): exactly the x86-64 layout that Linux,
 * debuggers, unwinders and language run-times know. From high addresses to low: the red zone of the
 * interrupted code, the FP state (XSAVE image, 64-byte aligned, its software words filled in, a
 * second magic after it), then struct rt_frame, 8 below a 16-byte boundary as after a call
 * instruction.
 */
#include "kernel/signal_private.h"
#include "kernel/task.h"
#include "mm/uaccess.h"
#include <string.h>

#define RED_ZONE 128
#define FP_MAGIC1 0x46505853u
#define FP_MAGIC2 0x46505845u
#define FP_SOFTWARE_WORDS 464      /* their offset in the XSAVE image */
#define UC_FLAGS (0x1 | 0x2 | 0x4) /* UC_FP_XSTATE, UC_SIGCONTEXT_SS, UC_STRICT_RESTORE_SS */
#define SA_RESTORER_FLAG 0x04000000u
#define AUTODISARM 0x80000000u /* SS_AUTODISARM */
#define MIN_STACK 2048
/* CF PF AF ZF SF DF OF RF AC: what a handler may change by editing its frame. TF is left out. */
#define RESTORED_FLAGS 0x50cd5ULL
#define CLEARED_FLAGS 0x10500ULL /* TF, DF, RF at the entry of a handler */

struct frame_stack {
    uint64_t sp;
    int32_t flags;
    uint32_t pad;
    uint64_t size;
};

struct frame_context { /* struct sigcontext */
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip,
        eflags;
    uint16_t cs, gs, fs, ss;
    uint64_t err, trapno, oldmask, cr2, fpstate, reserved[8];
};

struct rt_frame {
    uint64_t return_address;
    uint64_t uc_flags, uc_link;
    struct frame_stack stack;
    struct frame_context mc;
    uint64_t sigmask;
    siginfo_t info;
};
/* The first 312 bytes are what the stub sends ahead (stub/hints.c). */
_Static_assert(offsetof(struct rt_frame, info) == 312 && sizeof(struct rt_frame) == 8 + 304 + 128,
               "the layout is Linux's");
_Static_assert(offsetof(struct rt_frame, mc) == 8 + 40, "the layout is Linux's");

struct fp_software_words {
    uint32_t magic1, extended_size;
    uint64_t features;
    uint32_t size, padding[7];
};
_Static_assert(sizeof(struct fp_software_words) == 48, "the layout is Linux's");

/* ---- the alternate stack ---- */

static bool on_altstack(struct task *t, uaddr_t sp)
{
    if (t->sig.altstack_flags & (int)AUTODISARM)
        return false;
    return t->sig.altstack_size && sp > t->sig.altstack &&
           sp - t->sig.altstack <= t->sig.altstack_size;
}

static int altstack_state(struct task *t, uaddr_t sp)
{
    if (!t->sig.altstack_size)
        return SS_DISABLE;
    return on_altstack(t, sp) ? SS_ONSTACK : 0;
}

int signal_altstack(struct task *t, const stack_t *new_stack, stack_t *ret_old)
{
    uaddr_t sp = context_regs(t->ctx)->rsp;
    if (ret_old) {
        memset(ret_old, 0, sizeof(*ret_old));
        ret_old->ss_sp = (void *)t->sig.altstack;
        ret_old->ss_size = t->sig.altstack_size;
        ret_old->ss_flags = altstack_state(t, sp) | (t->sig.altstack_flags & (int)AUTODISARM);
    }
    if (!new_stack)
        return 0;
    if (on_altstack(t, sp))
        return -EPERM;
    int mode = new_stack->ss_flags & ~(int)AUTODISARM;
    if (mode != SS_DISABLE && mode != SS_ONSTACK && mode != 0)
        return -EINVAL;
    if (mode == SS_DISABLE) {
        t->sig.altstack = 0;
        t->sig.altstack_size = 0;
    } else {
        if (new_stack->ss_size < MIN_STACK)
            return -ENOMEM;
        t->sig.altstack = (uaddr_t)new_stack->ss_sp;
        t->sig.altstack_size = new_stack->ss_size;
    }
    t->sig.altstack_flags = new_stack->ss_flags;
    return 0;
}

/* ---- building ---- */

struct frame_place {
    uaddr_t frame, fp;
};

static int place_frame(struct task *t, const struct guest_sigaction *action,
                       struct frame_place *ret)
{
    uaddr_t sp = context_regs(t->ctx)->rsp - RED_ZONE;
    bool was_on = on_altstack(t, context_regs(t->ctx)->rsp), entering = false;
    if (action->flags & SA_ONSTACK && altstack_state(t, sp) == 0) {
        sp = t->sig.altstack + t->sig.altstack_size;
        entering = true;
    }
    ret->fp = align_down(sp - platform_xsave_size() - sizeof(uint32_t), 64);
    ret->frame = align_down(ret->fp - sizeof(struct rt_frame), 16) - 8;
    bool overflow = (was_on || entering) && !on_altstack(t, ret->frame) &&
                    !(t->sig.altstack_flags & (int)AUTODISARM);
    return overflow ? -EFAULT : 0;
}

static void fill_context(struct task *t, const struct regs *r, struct frame_context *mc, uaddr_t fp,
                         sigmask_t saved)
{
    *mc = (struct frame_context){
        .r8 = r->r8,
        .r9 = r->r9,
        .r10 = r->r10,
        .r11 = r->r11,
        .r12 = r->r12,
        .r13 = r->r13,
        .r14 = r->r14,
        .r15 = r->r15,
        .rdi = r->rdi,
        .rsi = r->rsi,
        .rbp = r->rbp,
        .rbx = r->rbx,
        .rdx = r->rdx,
        .rax = r->rax,
        .rcx = r->rcx,
        .rsp = r->rsp,
        .rip = r->rip,
        .eflags = r->eflags,
        .cs = USER_CS,
        .ss = USER_SS,
        .err = t->fault.error_code,
        .trapno = t->fault.trapno,
        .cr2 = t->fault.cr2,
        .oldmask = saved,
        .fpstate = fp,
    };
}

/* The XSAVE image and the words around it by which user code finds its size. */
static int push_fp(struct task *t, uaddr_t fp)
{
    uint32_t size = (uint32_t)platform_xsave_size(), magic2 = FP_MAGIC2;
    struct fp_software_words words = {
        .magic1 = FP_MAGIC1,
        .extended_size = size + (uint32_t)sizeof(magic2),
        .features = platform_xsave_features(),
        .size = size,
    };
    order_defer_save_fp(t->ctx, fp);
    int err = copy_to_user(fp + FP_SOFTWARE_WORDS, &words, sizeof(words));
    if (!err)
        err = copy_to_user(fp + size, &magic2, sizeof(magic2));
    if (!err)
        order_defer_reset_fp(t->ctx); /* a handler starts with a fresh state */
    return err;
}

static void enter_handler(struct task *t, const struct guest_sigaction *action, int sig,
                          uaddr_t frame)
{
    struct regs *r = context_regs(t->ctx);
    r->rdi = (uint64_t)sig;
    r->rsi = frame + offsetof(struct rt_frame, info);
    r->rdx = frame + offsetof(struct rt_frame, uc_flags);
    r->rax = 0;
    r->rsp = frame;
    r->rip = action->handler;
    r->eflags &= ~CLEARED_FLAGS;
    context_set_regs_dirty(t->ctx);
}

int signal_push_frame(struct task *t, const struct guest_sigaction *action, const siginfo_t *info,
                      sigmask_t saved_mask)
{
    struct frame_place place;
    struct rt_frame frame;
    struct regs *r = context_regs(t->ctx);
    if (!(action->flags & SA_RESTORER_FLAG)) /* x86-64 has no other way back */
        return -EFAULT;
    int err = place_frame(t, action, &place);
    if (err)
        return err;
    memset(&frame, 0, sizeof(frame));
    frame.return_address = action->restorer;
    frame.uc_flags = UC_FLAGS;
    frame.stack.sp = t->sig.altstack;
    frame.stack.size = t->sig.altstack_size;
    frame.stack.flags = altstack_state(t, r->rsp) | (t->sig.altstack_flags & (int)AUTODISARM);
    fill_context(t, r, &frame.mc, place.fp, saved_mask);
    frame.sigmask = saved_mask;
    frame.info = *info;
    err = push_fp(t, place.fp);
    if (!err)
        err = copy_to_user(place.frame, &frame, sizeof(frame));
    if (err)
        return err;
    if (t->sig.altstack_flags & (int)AUTODISARM) {
        t->sig.altstack = t->sig.altstack_size = 0;
        t->sig.altstack_flags = SS_DISABLE;
    }
    t->frame_queued = true;
    enter_handler(t, action, info->si_signo, place.frame);
    return 0;
}

/* ---- going back ---- */

static void restore_context(struct task *t, const struct frame_context *mc)
{
    struct regs *r = context_regs(t->ctx);
    r->r8 = mc->r8, r->r9 = mc->r9, r->r10 = mc->r10, r->r11 = mc->r11;
    r->r12 = mc->r12, r->r13 = mc->r13, r->r14 = mc->r14, r->r15 = mc->r15;
    r->rdi = mc->rdi, r->rsi = mc->rsi, r->rbp = mc->rbp, r->rbx = mc->rbx;
    r->rdx = mc->rdx, r->rax = mc->rax, r->rcx = mc->rcx, r->rsp = mc->rsp, r->rip = mc->rip;
    r->eflags = (r->eflags & ~RESTORED_FLAGS) | (mc->eflags & RESTORED_FLAGS);
    r->orig_rax = (uint64_t)-1;
    context_set_regs_dirty(t->ctx);
}

static int restore_frame(struct task *t, const struct rt_frame *frame)
{
    if (frame->mc.fpstate) {
        if (frame->mc.fpstate % 64)
            return -EFAULT;
        order_defer_load_fp(t->ctx, frame->mc.fpstate);
        t->frame_queued = true;
    }
    restore_context(t, &frame->mc);
    stack_t stack = {
        .ss_sp = (void *)frame->stack.sp,
        .ss_flags = frame->stack.flags & ~SS_ONSTACK,
        .ss_size = frame->stack.size,
    };
    int refused = signal_altstack(t, &stack, NULL);
    (void)refused; /* while still on it: as on Linux, that is no error */
    return 0;
}

int64_t signal_return(struct task *t)
{
    struct rt_frame frame;
    uaddr_t at = context_regs(t->ctx)->rsp -
                 sizeof(uint64_t); /* the handler's ret took the return address */
    t->syscall_nr = -1;            /* whatever rax becomes, it is no system call's result */
    int err = copy_from_user(&frame, at, offsetof(struct rt_frame, info));
    if (!err)
        err = restore_frame(t, &frame);
    if (err) {
        signal_force(t, SIGSEGV, NULL);
        return 0;
    }
    task_set_sigmask(t, frame.sigmask);
    return (int64_t)context_regs(t->ctx)->rax;
}
