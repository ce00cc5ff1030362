/* Who may trace whom: see trace_access.h. */
#include "kernel/trace_access.h"
#include "kernel/pid.h"
#include "kernel/task.h"
#include "mm/mm.h"
#include <linux/capability.h>
#include <linux/prctl.h>

enum yama { YAMA_CLASSIC, YAMA_RELATIONAL, YAMA_ADMIN, YAMA_NONE };
static _Atomic int scope = YAMA_CLASSIC; /* as Debian has it */

/* ---- the ids ---- */

static bool same_ids(const struct cred *me, const struct cred *his, bool fs)
{
    uint32_t uid = fs ? me->fsuid : me->uid, gid = fs ? me->fsgid : me->gid;
    return uid == his->uid && uid == his->euid && uid == his->suid && gid == his->gid &&
           gid == his->egid && gid == his->sgid;
}

/* Nobody gets at capabilities that he has not himself. */
static bool caps_within(const struct cred *me, const struct cred *his, bool fs)
{
    uint64_t own = fs ? me->cap_effective : me->cap_permitted;
    return me->user_ns == his->user_ns && !(his->cap_permitted & ~own);
}

static bool ids_allow(struct task *target, unsigned mode)
{
    const struct cred *me = current_cred(), *his = task_get_cred(target);
    bool fs = mode & TRACE_FSCREDS;
    bool privileged = cred_ns_capable(me, his->user_ns, CAP_SYS_PTRACE);
    bool allowed = same_ids(me, his, fs) && caps_within(me, his, fs) &&
                   (target->process->dumpable || target->exited);
    cred_put((struct cred *)his);
    return privileged || allowed;
}

/* ---- Yama ---- */

static bool is_descendant_locked(const struct process *p, const struct process *ancestor)
{
    while (p && p != ancestor)
        p = p->parent;
    return p;
}

static bool has_exception_locked(const struct process *p, const struct process *tracer)
{
    return p->yama_any || (p->yama_tracer && p->yama_tracer->process &&
                           is_descendant_locked(tracer, p->yama_tracer->process));
}

static bool yama_allows(struct process *target)
{
    struct process *me = current->process;
    bool allowed = true;
    switch (atomic_load(&scope)) {
    case YAMA_RELATIONAL:
        spin_lock(&tasklist_lock);
        allowed = is_descendant_locked(target, me) || has_exception_locked(target, me);
        spin_unlock(&tasklist_lock);
        return allowed || capable(CAP_SYS_PTRACE);
    case YAMA_ADMIN:
        return capable(CAP_SYS_PTRACE);
    case YAMA_NONE:
        return false;
    default:
        return true;
    }
}

int yama_scope(void)
{
    return atomic_load(&scope);
}

int yama_set_scope(int value)
{
    if (value < YAMA_CLASSIC || value > YAMA_NONE ||
        (atomic_load(&scope) == YAMA_NONE && value != YAMA_NONE))
        return -EINVAL;
    atomic_store(&scope, value);
    return 0;
}

int yama_may_be_traced_by(struct task *parent)
{
    int now = atomic_load(&scope);
    if (now == YAMA_NONE)
        return -EPERM;
    if (now != YAMA_ADMIN)
        return 0;
    const struct cred *his = task_get_cred(parent);
    bool allowed = cred_capable(his, CAP_SYS_PTRACE);
    cred_put((struct cred *)his);
    return allowed ? 0 : -EPERM;
}

int64_t yama_set_tracer(uint64_t number)
{
    struct process *p = current->process;
    struct pid *pid = NULL;
    bool any = number == PR_SET_PTRACER_ANY;
    if (!any && number) {
        pid = number <= INT32_MAX ? pid_find((int32_t)number) : NULL;
        if (!pid)
            return -EINVAL;
    }
    spin_lock(&tasklist_lock);
    struct pid *old = p->yama_tracer;
    p->yama_tracer = pid;
    p->yama_any = any;
    spin_unlock(&tasklist_lock);
    pid_put(old);
    return 0;
}

/* ---- both ---- */

int trace_access(struct task *target, unsigned mode)
{
    struct task *me = current;
    if (!me || me->process == target->process)
        return 0;
    if (!ids_allow(target, mode))
        return -EPERM;
    return !(mode & TRACE_ATTACH) || yama_allows(target->process) ? 0 : -EPERM;
}
