/* Choosing the targets of a signal: see kill.h. */
#include "kernel/kill.h"
#include "kernel/pid.h"
#include "kernel/signal_private.h"
#include "kernel/task.h"
#include <linux/capability.h>

int signal_permission_locked(struct process *target, int sig)
{
    struct task *me = current;
    if (!me || target == me->process || !target->leader)
        return 0;
    const struct cred *own = me->cred, *his = task_get_cred(target->leader);
    bool allowed = own->euid == his->suid || own->euid == his->uid || own->uid == his->suid ||
                   own->uid == his->uid || cred_ns_capable(own, his->user_ns, CAP_KILL) ||
                   (sig == SIGCONT && target->session == me->process->session);
    cred_put((struct cred *)his);
    return allowed ? 0 : -EPERM;
}

int signal_permission(struct process *target, int sig)
{
    spin_lock(&tasklist_lock);
    int err = signal_permission_locked(target, sig);
    spin_unlock(&tasklist_lock);
    return err;
}

static int kill_one_locked(struct process *p, int sig, const siginfo_t *info)
{
    int err = signal_permission_locked(p, sig);
    return err ? err : signal_send_process_locked(p, sig, info);
}

/* Success if anybody got it; else why the last one did not. */
static int kill_group_locked(struct pid *group, int sig, const siginfo_t *info)
{
    struct process *p;
    int result = -ESRCH;
    if (!group)
        return -ESRCH;
    list_for_each (p, &group->group_members, group_link) {
        int err = kill_one_locked(p, sig, info);
        if (result)
            result = err;
    }
    return result;
}

static int kill_everybody_locked(int sig, const siginfo_t *info)
{
    struct process *me = current->process, *p;
    struct pid_namespace *ns = me->pid->ns;
    int32_t at = 1; /* init is spared */
    int result = -ESRCH;
    while ((p = process_next_locked(ns, at, &at))) {
        if (p == me)
            continue;
        int err = kill_one_locked(p, sig, info);
        if (result && err != -EPERM)
            result = err;
        else if (result == -ESRCH)
            result = err;
    }
    return result;
}

static int kill_locked(int32_t pid, int sig, const siginfo_t *info)
{
    struct process *me = current->process;
    struct pid_namespace *ns = me->pid->ns;
    if (pid == -1)
        return kill_everybody_locked(sig, info);
    if (pid <= 0)
        return kill_group_locked(pid == 0 ? me->group : pid_find_locked(ns, -pid), sig, info);
    struct pid *found = pid_find_locked(ns, pid);
    struct process *p = found && found->task ? found->task->process : NULL;
    return p ? kill_one_locked(p, sig, info) : -ESRCH;
}

int do_kill(int32_t pid, int sig, const siginfo_t *info)
{
    if (sig < 0 || sig > SIGNAL_COUNT)
        return -EINVAL;
    if (pid == INT32_MIN)
        return -ESRCH;
    spin_lock(&tasklist_lock);
    int err = kill_locked(pid, sig, info);
    spin_unlock(&tasklist_lock);
    return err;
}

static int tgkill_locked(int32_t tgid, int32_t tid, int sig, const siginfo_t *info)
{
    struct pid *found = pid_find_locked(current->pid->ns, tid);
    struct task *t = found ? found->task : NULL;
    if (!t || (tgid && pid_number_in(t->process->pid, current->pid->ns) != tgid))
        return -ESRCH;
    int err = signal_permission_locked(t->process, sig);
    if (err || t->exited) /* a zombie leader: there, but nobody to get it */
        return err;
    return signal_send_task_locked(t, sig, info);
}

int do_tgkill(int32_t tgid, int32_t tid, int sig, const siginfo_t *info)
{
    if (tid <= 0 || tgid < 0 || sig < 0 || sig > SIGNAL_COUNT)
        return -EINVAL;
    spin_lock(&tasklist_lock);
    int err = tgkill_locked(tgid, tid, sig, info);
    spin_unlock(&tasklist_lock);
    return err;
}

int do_kill_pid(struct pid *pid, int sig, const siginfo_t *info)
{
    if (sig < 0 || sig > SIGNAL_COUNT)
        return -EINVAL;
    spin_lock(&tasklist_lock);
    int err = pid->process ? kill_one_locked(pid->process, sig, info) : -ESRCH;
    spin_unlock(&tasklist_lock);
    return err;
}
