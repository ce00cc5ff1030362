/* The long way into a system call: see call_entry.h. */
#include "kernel/call_entry.h"
#include "kernel/seccomp.h"
#include "kernel/task.h"
#include <linux/seccomp.h>
#include <string.h>

void call_work_update(struct task *t)
{
    unsigned work = t->seccomp.mode != SECCOMP_MODE_DISABLED ? CALL_WORK_SECCOMP : 0;
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

int64_t call_with_work(struct task *t, const struct event *event)
{
    struct call c = {.nr = event->nr};
    memcpy(c.args, event->args, sizeof(c.args));
    if (t->seccomp.mode != SECCOMP_MODE_DISABLED && !seccomp_admit(t, &c))
        return c.result;
    return task_syscall_hook(c.nr, c.args);
}
