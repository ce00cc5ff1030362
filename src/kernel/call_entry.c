/* The long way into a system call: see call_entry.h. */
#include "kernel/call_entry.h"
#include "kernel/ptrace.h"
#include "kernel/seccomp.h"
#include "kernel/task.h"
#include <linux/seccomp.h>
#include <string.h>

void call_work_update(struct task *t)
{
    unsigned work = t->seccomp.mode != SECCOMP_MODE_DISABLED ? CALL_WORK_SECCOMP : 0;
    const struct ptrace_state *s = t->ptrace;
    if (t->dispatch.mode)
        work |= CALL_WORK_DISPATCH;
    if (s && s->tracer && (s->syscalls || s->emulate || s->step))
        work |= CALL_WORK_TRACED;
    __atomic_store_n(&t->call_work, work, __ATOMIC_SEQ_CST);
    spin_lock(&t->platform_lock);
    if (t->ctx)
        context_set_all_calls(t->ctx, work != 0);
    spin_unlock(&t->platform_lock);
}

void call_reload(struct task *t, struct call *c)
{
    const struct regs *r = context_regs(t->ctx);
    c->nr = r->orig_rax;
    c->args[0] = r->rdi;
    c->args[1] = r->rsi;
    c->args[2] = r->rdx;
    c->args[3] = r->r10;
    c->args[4] = r->r8;
    c->args[5] = r->r9;
}

/* The tracer's turn before the call: false if the call is not to be executed. */
static bool enter_traced(struct task *t, struct call *c)
{
    bool run = ptrace_call_entry(t);
    call_reload(t, c);
    c->result = (int64_t)context_regs(t->ctx)->rax;
    t->syscall_nr = (int)c->nr;
    return run && (int64_t)c->nr >= 0 && c->nr != UINT32_MAX;
}

int64_t call_exit_traced(struct task *t, int64_t result)
{
    if (!t->ctx || t->exit_requested)
        return result;
    context_set_result(t->ctx, result);
    ptrace_call_exit(t);
    return t->ctx ? (int64_t)context_regs(t->ctx)->rax : result;
}

int64_t call_with_work(struct task *t, const struct event *event)
{
    struct call c = {.nr = event->nr};
    bool run = true;
    memcpy(c.args, event->args, sizeof(c.args));
    ptrace_clear_step(t);
    if (t->dispatch.mode && !user_dispatch_admit(t, &c))
        return c.result;
    if (t->call_work & CALL_WORK_TRACED)
        run = enter_traced(t, &c);
    if (run && t->seccomp.mode != SECCOMP_MODE_DISABLED)
        run = seccomp_admit(t, &c);
    if (run)
        c.result = task_syscall_hook(c.nr, c.args);
    return t->call_work & CALL_WORK_TRACED ? call_exit_traced(t, c.result) : c.result;
}
