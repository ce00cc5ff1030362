/* Syscall user dispatch: see user_dispatch.h. */
#include "kernel/user_dispatch.h"
#include "kernel/call_entry.h"
#include "kernel/task.h"
#include "mm/uaccess.h"
#include <linux/audit.h>
#include <linux/prctl.h>
#include <string.h>

#define INCLUSIVE 2 /* PR_SYS_DISPATCH_INCLUSIVE_ON */
#define USER_DISPATCH 2 /* SYS_USER_DISPATCH, si_code */
enum { SELECTOR_ALLOW, SELECTOR_BLOCK };

static bool range_ok(uint64_t mode, uint64_t offset, uint64_t len, uaddr_t selector)
{
    switch (mode) {
    case PR_SYS_DISPATCH_OFF:
        return !offset && !len && !selector;
    case PR_SYS_DISPATCH_ON:
        return !offset || offset + len > offset;
    case INCLUSIVE:
        return len && offset + len > offset;
    default:
        return false;
    }
}

int64_t user_dispatch_set(uint64_t mode, uint64_t offset, uint64_t len, uaddr_t selector)
{
    struct task *t = current;
    if (!range_ok(mode, offset, len, selector))
        return -EINVAL;
    if (selector && !access_ok(selector, 1))
        return -EFAULT;
    t->dispatch = (struct user_dispatch){(unsigned)mode, offset, len, selector};
    spin_lock(&t->process->sig.lock);
    call_work_update(t);
    spin_unlock(&t->process->sig.lock);
    return 0;
}

static bool in_force(const struct user_dispatch *d, uaddr_t ip)
{
    bool inside = ip - d->offset < d->len;
    return d->mode == INCLUSIVE ? inside : !inside;
}

bool user_dispatch_admit(struct task *t, struct call *c)
{
    const struct user_dispatch *d = &t->dispatch;
    const struct regs *r = context_regs(t->ctx);
    uint8_t selector = SELECTOR_BLOCK;
    siginfo_t info;
    if (!in_force(d, r->rip))
        return true;
    memset(&info, 0, sizeof(info));
    if (d->selector && get_user(&selector, d->selector)) {
        signal_kill_self(t, SIGSEGV, NULL);
        return false;
    }
    if (selector == SELECTOR_ALLOW)
        return true;
    if (selector != SELECTOR_BLOCK) {
        signal_kill_self(t, SIGSYS, NULL);
        return false;
    }
    info.si_signo = SIGSYS;
    info.si_code = USER_DISPATCH;
    info.si_call_addr = (void *)r->rip;
    info.si_syscall = (int)c->nr;
    info.si_arch = AUDIT_ARCH_X86_64;
    t->syscall_nr = -1;
    c->result = (int64_t)r->orig_rax;
    signal_force(t, SIGSYS, &info);
    return false;
}
