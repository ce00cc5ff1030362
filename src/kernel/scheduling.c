/* Scheduling attributes: see scheduling.h. */
#include "kernel/scheduling.h"
#include "kernel/cgroup.h"
#include "kernel/job_control.h"
#include "kernel/pid.h"
#include "kernel/task.h"
#include "kernel/user_namespace.h"
#include <linux/capability.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>

static uint64_t host_cpus[CPU_WORDS] = {1};

void cpus_set(const uint64_t mask[CPU_WORDS])
{
    memcpy(host_cpus, mask, sizeof(host_cpus));
}

void cpus_get(uint64_t mask[CPU_WORDS])
{
    memcpy(mask, host_cpus, sizeof(host_cpus));
}

size_t cpus_mask_bytes(void)
{
    size_t words = 1;
    for (size_t i = 0; i < CPU_WORDS; i++)
        if (host_cpus[i])
            words = i + 1;
    return words * sizeof(uint64_t);
}

/* Does the caller own t, as setpriority(2) and sched_setscheduler(2) ask? */
static bool owns(struct task *t)
{
    const struct cred *own = current->cred, *his = task_get_cred(t);
    bool same = own->euid == his->uid || own->euid == his->euid;
    bool privileged = ns_capable(his->user_ns, CAP_SYS_NICE);
    cred_put((struct cred *)his);
    return same || privileged;
}

void task_scheduling(struct task *t, struct scheduling *ret)
{
    *ret = (struct scheduling){
        .policy = t->sched_policy, .priority = t->sched_priority, .nice = t->nice};
}

static bool nice_allowed(struct task *t, int nice)
{
    return nice >= t->nice || capable(CAP_SYS_NICE) ||
           (uint64_t)(20 - nice) <= t->process->limits.v[RLIMIT_NICE].cur;
}

int task_set_scheduling(struct task *t, const struct scheduling *s)
{
    bool realtime = s->policy == SCHED_FIFO || s->policy == SCHED_RR;
    bool known =
        realtime || s->policy == SCHED_OTHER || s->policy == SCHED_BATCH || s->policy == SCHED_IDLE;
    if (!known || (realtime ? s->priority < 1 || s->priority > 99 : s->priority != 0))
        return -EINVAL;
    if (!owns(t) || (!realtime && !nice_allowed(t, s->nice)))
        return -EPERM;
    uint64_t limit = t->process->limits.v[RLIMIT_RTPRIO].cur;
    if (realtime && !capable(CAP_SYS_NICE) && (uint64_t)s->priority > limit &&
        !(t->sched_policy == s->policy && s->priority <= t->sched_priority))
        return -EPERM;
    t->sched_policy = s->policy;
    t->sched_priority = s->priority;
    t->nice = MAX(-20, MIN(s->nice, 19));
    return 0;
}

void task_affinity(struct task *t, uint64_t mask[CPU_WORDS])
{
    for (size_t i = 0; i < CPU_WORDS; i++)
        mask[i] = t->cpu_mask[i] & host_cpus[i];
    spin_lock(&tasklist_lock);
    if (t->cgroup)
        cgroup_narrow_cpus(t->cgroup, mask);
    spin_unlock(&tasklist_lock);
}

int task_set_affinity(struct task *t, const uint64_t mask[CPU_WORDS])
{
    uint64_t any = 0;
    for (size_t i = 0; i < CPU_WORDS; i++)
        any |= mask[i] & host_cpus[i];
    if (!owns(t))
        return -EPERM;
    if (!any)
        return -EINVAL;
    memcpy(t->cpu_mask, mask, sizeof(t->cpu_mask));
    return 0;
}

/* ---- getpriority, setpriority: over a process, a group or a user ---- */

/* Acts on one task; returns 0, or an error that does not stop the walk. */
typedef int visit_fn(struct task *t, int arg, int *result);

static int visit_nice_get(struct task *t, int arg, int *result)
{
    *result = MAX(*result, 20 - t->nice);
    return 0;
}

static int visit_nice_set(struct task *t, int arg, int *result)
{
    int nice = MAX(-20, MIN(arg, 19));
    if (!owns(t)) {
        *result = -EPERM;
    } else if (!nice_allowed(t, nice)) {
        *result = -EACCES;
    } else {
        t->nice = nice;
        if (*result == -ESRCH)
            *result = 0;
    }
    return 0;
}

static void visit_process(struct process *p, visit_fn *fn, int arg, int *result)
{
    struct task *t;
    list_for_each (t, &p->tasks, thread_link)
        (void)fn(t, arg, result);
}

static int visit_locked(int which, int32_t who, visit_fn *fn, int arg, int *result)
{
    struct task *me = current;
    struct pid_namespace *ns = me->pid->ns;
    struct process *p;
    struct pid *pid;
    int32_t at = 0;
    uint32_t user = who ? uid_from_user((uint32_t)who) : me->cred->uid;
    switch (which) {
    case PRIO_PROCESS:
        pid = who ? pid_find_locked(ns, who) : me->pid;
        if (pid && pid->task)
            (void)fn(pid->task, arg, result);
        return 0;
    case PRIO_PGRP:
        pid = who ? pid_find_locked(ns, who) : me->process->group;
        if (pid)
            list_for_each (p, &pid->group_members, group_link)
                visit_process(p, fn, arg, result);
        return 0;
    case PRIO_USER:
        while ((p = process_next_locked(ns, at, &at)))
            if (p->leader && p->leader->cred->uid == user)
                visit_process(p, fn, arg, result);
        return 0;
    default:
        return -EINVAL;
    }
}

int do_getpriority(int which, int32_t who)
{
    int result = -ESRCH;
    spin_lock(&tasklist_lock);
    int err = visit_locked(which, who, visit_nice_get, 0, &result);
    spin_unlock(&tasklist_lock);
    return err ? err : result;
}

int do_setpriority(int which, int32_t who, int nice)
{
    int result = -ESRCH;
    spin_lock(&tasklist_lock);
    int err = visit_locked(which, who, visit_nice_set, nice, &result);
    spin_unlock(&tasklist_lock);
    return err ? err : result;
}

/* ---- ioprio_get, ioprio_set: the same targets under other names; kept and shown, nothing more ---- */

#define IO_VALUE(class, level) ((class) << 13 | (level))
enum { IO_NONE, IO_RT, IO_BE, IO_IDLE };

static int io_effective(const struct task *t)
{
    static const int classes[] = {[SCHED_FIFO] = IO_RT, [SCHED_RR] = IO_RT, [SCHED_IDLE] = IO_IDLE};
    unsigned policy = (unsigned)t->sched_policy;
    if (t->ioprio >> 13 != IO_NONE)
        return t->ioprio;
    int class = policy < ARRAY_SIZE(classes) && classes[policy] ? classes[policy] : IO_BE;
    return IO_VALUE(class, (t->nice + 20) / 5);
}

static int visit_io_get(struct task *t, int arg, int *result)
{
    int own = io_effective(t);
    *result = *result < 0 ? own : MIN(*result, own);
    return 0;
}

static int visit_io_get_raw(struct task *t, int arg, int *result)
{
    *result = t->ioprio;
    return 0;
}

static int visit_io_set(struct task *t, int arg, int *result)
{
    const struct cred *own = current->cred;
    bool allowed = t->cred->uid == own->euid || t->cred->uid == own->uid || capable(CAP_SYS_NICE);
    if (!allowed) {
        *result = -EPERM;
        return 0;
    }
    t->ioprio = (uint16_t)arg;
    if (*result == -ESRCH)
        *result = 0;
    return 0;
}

static int check_io_value(int value)
{
    int level = value & 7;
    switch (value >> 13) {
    case IO_RT:
        return capable(CAP_SYS_ADMIN) || capable(CAP_SYS_NICE) ? 0 : -EPERM;
    case IO_BE:
    case IO_IDLE:
        return 0;
    case IO_NONE:
        return level ? -EINVAL : 0;
    default:
        return -EINVAL;
    }
}

static int visit_io(int which, int32_t who, visit_fn *fn, int arg)
{
    int result = -ESRCH;
    spin_lock(&tasklist_lock);
    int err = which < 1 || which > 3 ? -EINVAL : visit_locked(which - 1, who, fn, arg, &result);
    spin_unlock(&tasklist_lock);
    return err ? err : result;
}

int do_ioprio_get(int which, int32_t who)
{
    return visit_io(which, who, which == 1 ? visit_io_get_raw : visit_io_get, 0);
}

int do_ioprio_set(int which, int32_t who, int value)
{
    int err = check_io_value(value);
    return err < 0 ? err : visit_io(which, who, visit_io_set, value);
}
