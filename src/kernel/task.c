/*
 * Tasks and processes as objects: made, referenced, freed; and the small services that concern one
 * task as a whole (its parts for others, its name, its credentials, what the stub answers for it).
 * The verbs have files of their own.
 */
#include "kernel/task.h"
#include "base/cleanup.h"
#include "ipc/namespace.h"
#include "kernel/cgroup.h"
#include "kernel/container.h"
#include "kernel/core_dump.h"
#include "kernel/cpu_limit.h"
#include "kernel/fdtable.h"
#include "kernel/itimer.h"
#include "kernel/keys.h"
#include "kernel/namespaces.h"
#include "kernel/nsfs.h"
#include "kernel/pid.h"
#include "kernel/ptrace.h"
#include "kernel/task_private.h"
#include "kernel/tty_hooks.h"
#include "kernel/user_namespace.h"
#include "kernel/users.h"
#include "mm/mm.h"
#include "vfs/file.h"
#include "vfs/fs_context.h"
#include <string.h>

struct spinlock tasklist_lock = SPINLOCK_INIT;
int64_t (*task_syscall_hook)(uint64_t nr, const uint64_t *args);

/* ---- processes ---- */

static void process_init_inherited(struct process *p, struct task *from)
{
    if (!from) {
        limits_init(&p->limits);
        p->dumpable = true;
        p->mce_policy = 2; /* PR_MCE_KILL_DEFAULT */
        p->core_filter = CORE_FILTER_DEFAULT;
        return;
    }
    struct process *parent = from->process;
    limits_copy(&p->limits, &parent->limits);
    p->dumpable = parent->dumpable;
    p->thp_disabled = parent->thp_disabled;
    p->io_flusher = parent->io_flusher;
    p->mce_policy = parent->mce_policy;
    p->mdwe = parent->mdwe & 2 ? 0 : parent->mdwe; /* PR_MDWE_NO_INHERIT */
    p->core_filter = parent->core_filter;
    p->oom_score_adj = parent->oom_score_adj;
    mutex_lock(&parent->exec_lock);
    p->exe = parent->exe ? file_get(parent->exe) : NULL;
    mutex_unlock(&parent->exec_lock);
}

int process_new(struct task *from, struct process **ret)
{
    struct process *p = calloc(1, sizeof(*p));
    if (!p)
        return -ENOMEM;
    refcount_init(&p->ref);
    list_init(&p->children);
    list_init(&p->child_link);
    list_init(&p->tracees);
    list_init(&p->tasks);
    list_init(&p->group_link);
    list_init(&p->session_link);
    list_init(&p->container_link);
    list_init(&p->posix_timers);
    wait_queue_init(&p->child_wait);
    wait_queue_init(&p->sig.stop_queue);
    wait_queue_init(&p->sig.core_queue);
    wait_queue_init(&p->sig.signalfd_queue);
    spin_init(&p->sig.lock);
    pending_init(&p->sig.shared);
    mutex_init(&p->exec_lock);
    p->exit_signal = SIGCHLD;
    p->start_time = now_monotonic();
    process_init_inherited(p, from);
    *ret = p;
    return 0;
}

struct process *process_get(struct process *p)
{
    refcount_get(&p->ref);
    return p;
}

void process_put(struct process *p)
{
    if (!p || !refcount_put(&p->ref))
        return;
    assert_always(list_empty(&p->tasks) && list_empty(&p->children));
    itimers_free(p);
    cpu_limit_free(p);
    signal_flush_queue(&p->sig.shared);
    if (p->sig.sighand)
        sighand_put(p->sig.sighand);
    if (p->exe)
        file_put(p->exe);
    keys_process_free(p);
    tty_put(p->tty);
    pid_put(p->yama_tracer);
    pid_put(p->group);
    pid_put(p->session);
    pid_put(p->pid);
    container_put(p->container);
    free(p);
}

/* ---- tasks ---- */

static void task_inherit(struct task *t, struct task *from)
{
    t->cred = cred_get(from->cred);
    ns_set_copy(&t->ns, &from->ns);
    memcpy(t->comm, from->comm, sizeof(t->comm));
    memcpy(t->cpu_mask, from->cpu_mask, sizeof(t->cpu_mask));
    t->personality = from->personality;
    t->mempolicy = from->mempolicy;
    t->ioprio = from->ioprio;
    keys_fork(t, from);
    t->nice = from->nice;
    t->sched_policy = from->sched_policy;
    t->sched_priority = from->sched_priority;
    if (from->sched_reset) {
        bool realtime = t->sched_policy == 1 || t->sched_policy == 2; /* SCHED_FIFO, SCHED_RR */
        t->sched_policy = realtime ? 0 : t->sched_policy;
        t->sched_priority = 0;
        t->nice = MAX(t->nice, 0);
    }
    t->timer_slack = from->timer_slack;
}

int task_new(struct process *process, struct task *from, struct task **ret)
{
    struct task *t = calloc(1, sizeof(*t));
    if (!t)
        return -ENOMEM;
    refcount_init(&t->ref);
    t->process = process_get(process);
    list_init(&t->thread_link);
    spin_init(&t->platform_lock);
    spin_init(&t->alloc_lock);
    wait_queue_init(&t->vfork_queue);
    pending_init(&t->sig.own);
    t->sig.altstack_flags = SS_DISABLE;
    t->syscall_nr = -1;
    t->timer_slack = 50000;
    if (from)
        task_inherit(t, from);
    else
        memset(t->cpu_mask, 0xff, sizeof(t->cpu_mask));
    *ret = t;
    return 0;
}

struct task *task_get(struct task *t)
{
    refcount_get(&t->ref);
    return t;
}

void task_put(struct task *t)
{
    if (!t || !refcount_put(&t->ref))
        return;
    assert_always(!t->ctx && !t->mm);
    if (t->counted)
        user_task_remove(t->counted_uid);
    signal_flush_queue(&t->sig.own);
    keys_task_free(t);
    fdtable_put(t->files);
    if (t->fs)
        fs_context_put(t->fs);
    cred_put((struct cred *)t->cred);
    if (t->cgroup)
        cgroup_uncharge_task(t);
    ns_set_put(&t->ns);
    pid_put(t->pid);
    ptrace_free(t);
    process_put(t->process);
    free(t);
}

/* ---- another task's parts ---- */

struct fdtable *task_get_files(struct task *t)
{
    spin_lock(&t->alloc_lock);
    struct fdtable *files = t->files ? fdtable_get(t->files) : NULL;
    spin_unlock(&t->alloc_lock);
    return files;
}

struct fs_context *task_get_fs(struct task *t)
{
    spin_lock(&t->alloc_lock);
    struct fs_context *fs = t->fs ? fs_context_get(t->fs) : NULL;
    spin_unlock(&t->alloc_lock);
    return fs;
}

struct mm *task_get_mm(struct task *t)
{
    spin_lock(&t->alloc_lock);
    struct mm *mm = t->mm ? mm_get(t->mm) : NULL;
    spin_unlock(&t->alloc_lock);
    return mm;
}

const struct cred *task_get_cred(struct task *t)
{
    spin_lock(&t->alloc_lock);
    const struct cred *cred = cred_get(t->cred);
    spin_unlock(&t->alloc_lock);
    return cred;
}

struct fs_context *current_fs(void)
{
    struct task *t = current;
    return t ? t->fs : NULL;
}

/* A task that changes its real user counts as the new one's: RLIMIT_NPROC was checked by the
 * caller, if at all. */
static void recount(struct task *t, uint32_t uid)
{
    if (!t->counted || t->counted_uid == uid)
        return;
    user_task_remove(t->counted_uid);
    t->counted = user_task_add(uid, UINT64_MAX) == 0;
    t->counted_uid = uid;
}

void task_set_cred(struct task *t, const struct cred *cred)
{
    spin_lock(&t->alloc_lock);
    const struct cred *old = t->cred;
    t->cred = cred;
    spin_unlock(&t->alloc_lock);
    cred_put((struct cred *)old);
    recount(t, cred->uid);
    if (t->ctx)
        task_publish_answers(t);
    if (t->ctx && t == current)
        platform_end_loan(t->ctx); /* opened with the old rights */
}

void task_set_comm(struct task *t, const char *name)
{
    spin_lock(&t->alloc_lock);
    memset(t->comm, 0, sizeof(t->comm));
    strncpy(t->comm, name, sizeof(t->comm) - 1);
    spin_unlock(&t->alloc_lock);
}

/* ---- what the stub knows and how it is reached ---- */

static void publish_locked(struct task *t)
{
    struct process *p = t->process;
    struct pid_namespace *ns = t->pid->ns;
    struct stub_answers answers = {
        .pid = (uint32_t)pid_number_in(p->pid, ns),
        .tid = (uint32_t)pid_number_in(t->pid, ns),
        .ppid = p->parent ? (uint32_t)pid_number_in(p->parent->pid, ns) : 0,
        .uid = id_to_ns_munged(t->cred->user_ns, ID_UID, t->cred->uid),
        .euid = id_to_ns_munged(t->cred->user_ns, ID_UID, t->cred->euid),
        .gid = id_to_ns_munged(t->cred->user_ns, ID_GID, t->cred->gid),
        .egid = id_to_ns_munged(t->cred->user_ns, ID_GID, t->cred->egid),
    };
    context_set_answers(t->ctx, &answers);
}

void task_publish_answers(struct task *t)
{
    spin_lock(&tasklist_lock);
    publish_locked(t);
    spin_unlock(&tasklist_lock);
}

void tasks_publish_ids(const struct user_namespace *ns)
{
    struct process *p;
    struct task *t;
    int32_t at = 0;
    spin_lock(&tasklist_lock);
    while ((p = process_next_locked(&root_pid_ns, at, &at))) {
        list_for_each (t, &p->tasks, thread_link) {
            spin_lock(&t->alloc_lock); /* keeps the credentials */
            spin_lock(&t->platform_lock);
            if (t->ctx && !t->exited && t->cred->user_ns == ns)
                publish_locked(t);
            spin_unlock(&t->platform_lock);
            spin_unlock(&t->alloc_lock);
        }
    }
    spin_unlock(&tasklist_lock);
}

void task_kick(struct task *t)
{
    spin_lock(&t->platform_lock);
    if (t->fiber)
        fiber_interrupt(t->fiber);
    if (t->ctx && t != current) /* one's own thread is here already */
        platform_kick(t->ctx);
    spin_unlock(&t->platform_lock);
}

bool task_dying(const struct task *t)
{
    return t->sig.kill_pending || t->exit_requested;
}

/* ---- CPU time ---- */

void task_cpu_times(struct task *t, struct cpu_times *ret)
{
    spin_lock(&t->platform_lock);
    *ret = t->past_times;
    if (t->ctx)
        ret->user += context_cpu_time(t->ctx);
    spin_unlock(&t->platform_lock);
}

void process_cpu_times(struct process *p, struct cpu_times *ret)
{
    struct task *t;
    spin_assert_held(&tasklist_lock);
    *ret = p->dead_times;
    list_for_each (t, &p->tasks, thread_link) {
        struct cpu_times one;
        if (t->exited)
            continue;
        task_cpu_times(t, &one);
        ret->user += one.user;
        ret->system += one.system;
    }
}

void io_counts_add(struct io_counts *sum, const struct io_counts *one)
{
    sum->rchar += one->rchar;
    sum->wchar += one->wchar;
    sum->syscr += one->syscr;
    sum->syscw += one->syscw;
}

int kernel_init(void)
{
    int err = cgroup_init();
    namespaces_init();
    return err ? err : nsfs_init();
}
