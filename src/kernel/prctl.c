/* prctl(2): the options that concern a task's attributes and credentials; prctl_machine.c has the rest. */
#include "kernel/prctl.h"
#include "kernel/task.h"
#include "kernel/trace_access.h"
#include "mm/uaccess.h"
#include <asm/prctl.h>
#include <linux/capability.h>
#include <linux/prctl.h>
#include <linux/securebits.h>
#include <string.h>

#ifndef ARCH_GET_XCOMP_GUEST_PERM
#define ARCH_GET_XCOMP_GUEST_PERM 0x1024
#define ARCH_REQ_XCOMP_GUEST_PERM 0x1025
#endif
#define XFEATURE_LAST 18

static int64_t set_name(struct task *t, uaddr_t from)
{
    char name[TASK_COMM_LEN] = {0};
    ssize_t n = copy_string_from_user(name, from, sizeof(name) - 1);
    if (n == -ENAMETOOLONG) /* cut */
        n = copy_from_user(name, from, sizeof(name) - 1);
    if (n < 0)
        return n;
    name[sizeof(name) - 1] = 0;
    task_set_comm(t, name);
    return 0;
}

static int64_t get_name(struct task *t, uaddr_t to)
{
    char name[TASK_COMM_LEN];
    spin_lock(&t->alloc_lock);
    memcpy(name, t->comm, sizeof(name));
    spin_unlock(&t->alloc_lock);
    return copy_to_user(to, name, sizeof(name));
}

static int64_t put_int(int value, uaddr_t to)
{
    return put_user(&value, to);
}

/* ---- credentials ---- */

enum cred_change {
    DROP_BOUNDING,
    SET_SECUREBITS,
    SET_KEEPCAPS,
    SET_NO_NEW_PRIVS,
    AMBIENT_RAISE,
    AMBIENT_LOWER,
    AMBIENT_CLEAR
};

static int64_t change_cred(enum cred_change what, uint64_t value)
{
    struct cred *c;
    int err = cred_copy(current->cred, &c);
    if (err)
        return err;
    switch (what) {
    case DROP_BOUNDING:
        c->cap_bounding &= ~(1ULL << value);
        break;
    case SET_SECUREBITS:
        c->securebits = (uint32_t)value;
        break;
    case SET_KEEPCAPS:
        c->securebits =
            (c->securebits & ~(uint32_t)SECBIT_KEEP_CAPS) | (value ? SECBIT_KEEP_CAPS : 0);
        break;
    case SET_NO_NEW_PRIVS:
        c->no_new_privs = true;
        break;
    case AMBIENT_RAISE:
        c->cap_ambient |= 1ULL << value;
        break;
    case AMBIENT_LOWER:
        c->cap_ambient &= ~(1ULL << value);
        break;
    case AMBIENT_CLEAR:
        c->cap_ambient = 0;
        break;
    }
    task_set_cred(current, c);
    return 0;
}

static int64_t bounding(int option, uint64_t capability)
{
    if (capability > CAP_LAST_CAP)
        return -EINVAL;
    if (option == PR_CAPBSET_READ)
        return current->cred->cap_bounding >> capability & 1;
    return cred_capable_own(current->cred, CAP_SETPCAP) ? change_cred(DROP_BOUNDING, capability) : -EPERM;
}

static int64_t set_securebits(uint64_t bits)
{
    const struct cred *c = current->cred;
    uint32_t locked = (c->securebits & SECURE_ALL_LOCKS) >> 1;
    bool changes_locked = locked & (c->securebits ^ (uint32_t)bits);
    bool unlocks = c->securebits & SECURE_ALL_LOCKS & ~(uint32_t)bits;
    if (changes_locked || unlocks || bits & ~(uint64_t)(SECURE_ALL_LOCKS | SECURE_ALL_BITS) ||
        !cred_capable_own(current->cred, CAP_SETPCAP))
        return -EPERM;
    return change_cred(SET_SECUREBITS, bits);
}

static int64_t set_keepcaps(uint64_t on)
{
    if (on > 1)
        return -EINVAL;
    if (current->cred->securebits & SECBIT_KEEP_CAPS_LOCKED)
        return -EPERM;
    return change_cred(SET_KEEPCAPS, on);
}

static int64_t ambient(uint64_t what, uint64_t capability)
{
    const struct cred *c = current->cred;
    if (what == PR_CAP_AMBIENT_CLEAR_ALL)
        return capability ? -EINVAL : change_cred(AMBIENT_CLEAR, 0);
    if (capability > CAP_LAST_CAP)
        return -EINVAL;
    uint64_t bit = 1ULL << capability;
    switch (what) {
    case PR_CAP_AMBIENT_IS_SET:
        return !!(c->cap_ambient & bit);
    case PR_CAP_AMBIENT_LOWER:
        return change_cred(AMBIENT_LOWER, capability);
    case PR_CAP_AMBIENT_RAISE:
        if (!(c->cap_permitted & c->cap_inheritable & bit) ||
            c->securebits & SECBIT_NO_CAP_AMBIENT_RAISE)
            return -EPERM;
        return change_cred(AMBIENT_RAISE, capability);
    default:
        return -EINVAL;
    }
}

/* ---- the rest ---- */

static int64_t set_dumpable(struct process *p, uint64_t value)
{
    if (value > 1)
        return -EINVAL;
    p->dumpable = value;
    return 0;
}

static int64_t set_pdeath(struct task *t, uint64_t sig)
{
    if (sig > SIGNAL_COUNT)
        return -EINVAL;
    t->pdeath_signal = (int)sig;
    return 0;
}

static int64_t set_timer_slack(struct task *t, uint64_t ns)
{
    t->timer_slack = (int64_t)ns > 0 ? (int64_t)ns : 50000;
    return 0;
}

static int64_t credentials(int option, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    switch (option) {
    case PR_GET_KEEPCAPS:
        return !!(current->cred->securebits & SECBIT_KEEP_CAPS);
    case PR_SET_KEEPCAPS:
        return set_keepcaps(a);
    case PR_CAPBSET_READ:
    case PR_CAPBSET_DROP:
        return bounding(option, a);
    case PR_GET_SECUREBITS:
        return current->cred->securebits;
    case PR_SET_SECUREBITS:
        return set_securebits(a);
    case PR_SET_NO_NEW_PRIVS:
        return a != 1 || b || c || d ? -EINVAL : change_cred(SET_NO_NEW_PRIVS, 1);
    case PR_GET_NO_NEW_PRIVS:
        return a || b || c || d ? -EINVAL : current->cred->no_new_privs;
    case PR_CAP_AMBIENT:
        return c || d ? -EINVAL : ambient(a, b);
    default:
        return prctl_machine(option, a, b, c, d);
    }
}

int64_t do_prctl(int option, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    struct task *t = current;
    struct process *p = t->process;
    switch (option) {
    case PR_SET_NAME:
        return set_name(t, a);
    case PR_GET_NAME:
        return get_name(t, a);
    case PR_SET_PDEATHSIG:
        return set_pdeath(t, a);
    case PR_GET_PDEATHSIG:
        return put_int(t->pdeath_signal, a);
    case PR_SET_DUMPABLE:
        return set_dumpable(p, a);
    case PR_GET_DUMPABLE:
        return p->dumpable;
    case PR_SET_CHILD_SUBREAPER:
        p->child_subreaper = a;
        return 0;
    case PR_GET_CHILD_SUBREAPER:
        return put_int(p->child_subreaper, a);
    case PR_SET_TIMERSLACK:
        return set_timer_slack(t, a);
    case PR_GET_TIMERSLACK:
        return t->timer_slack;
    case PR_SET_SYSCALL_USER_DISPATCH:
        return user_dispatch_set(a, b, c, d);
    case PR_SET_PTRACER:
        return yama_set_tracer(a);
    case PR_GET_SECCOMP:
        return t->seccomp.mode;
    case PR_SET_SECCOMP:
        return prctl_set_seccomp(a, b);
    default:
        return credentials(option, a, b, c, d);
    }
}

/* Which parts of the processor's extended state a program may use: all that there are, but those
 * that a program has to ask for. */
static int64_t extended_state(int option, uint64_t arg)
{
    uint64_t features = platform_xsave_features();
    if (option == ARCH_REQ_XCOMP_PERM || option == ARCH_REQ_XCOMP_GUEST_PERM)
        return arg > XFEATURE_LAST ? -EINVAL : -EOPNOTSUPP;
    return put_user(&features, arg);
}

int64_t do_arch_prctl(int option, uint64_t addr)
{
    struct task *t = current;
    int err;
    switch (option) {
    case ARCH_SET_FS:
    case ARCH_SET_GS:
        if (addr >= GUEST_END)
            return -EPERM;
        if (option == ARCH_SET_GS)
            return order_set_gs(t->ctx, addr);
        order_defer_set_fs(t->ctx, addr);
        return 0;
    case ARCH_GET_FS:
    case ARCH_GET_GS:
        err = context_save_bases(t->ctx);
        if (err)
            return err;
        return put_user(option == ARCH_GET_FS ? &context_regs(t->ctx)->fs_base
                                              : &context_regs(t->ctx)->gs_base,
                        addr);
    case ARCH_GET_CPUID:
        return 1;
    case ARCH_SET_CPUID: /* it cannot be made to fault */
        return addr ? 0 : -ENODEV;
    case ARCH_GET_XCOMP_SUPP:
    case ARCH_GET_XCOMP_PERM:
    case ARCH_REQ_XCOMP_PERM:
    case ARCH_GET_XCOMP_GUEST_PERM:
    case ARCH_REQ_XCOMP_GUEST_PERM:
        return extended_state(option, addr);
    case ARCH_MAP_VDSO_32:
    case ARCH_MAP_VDSO_64:
        return -EEXIST; /* one is there */
    default:
        return -EINVAL;
    }
}
