/*
 * The first process of a container. It is a process like any other, but for having no parent to
 * inherit from: what clone would have copied is given, and its fiber begins with an exec whose
 * outcome the starter waits for.
 */
#include "base/cleanup.h"
#include "ipc/namespace.h"
#include "kernel/cgroup.h"
#include "kernel/container.h"
#include "kernel/fdtable.h"
#include "kernel/job_control.h"
#include "kernel/namespaces.h"
#include "kernel/pid.h"
#include "kernel/task_private.h"
#include "kernel/users.h"
#include "mm/mm.h"
#include "vfs/fs_context.h"
#include "vfs/walk.h"
#include <fcntl.h>

struct start {
    const struct first_process_args *args;
    struct task *task;
    bool done;
    int result;
};

static int build_host_side(struct task *t)
{
    struct address_space *as;
    int err = platform_new(&as, &t->ctx);
    return err ? err : mm_new(as, &t->mm);
}

/* exec(2) keeps what is ignored: so does the first one, of what its starter ignores. */
static int build_sighand(uint64_t ignored, struct sighand **ret)
{
    int err = sighand_new(ret);
    for (int i = 0; i < SIGNAL_COUNT && !err; i++)
        if (ignored >> i & 1)
            (*ret)->action[i].handler = (uint64_t)(uintptr_t)SIG_IGN;
    return err;
}

static int build_task(const struct first_process_args *args, struct task *t)
{
    struct process *p = t->process;
    const struct container *c = args->container;
    ns_set_copy(&t->ns, &c->ns);
    t->nice = args->nice;
    t->personality = args->personality;
    p->oom_score_adj = args->oom_score_adj;
    limits_copy(&p->limits, args->limits);
    int err = build_sighand(args->ignored_signals, &p->sig.sighand);
    if (!err)
        err = cgroup_charge_task(t, args->cgroup ? args->cgroup : c->cgroup ? c->cgroup : cgroup_root());
    if (!err)
        err = pid_alloc(container_pid_ns(c), NULL, 0, &t->pid);
    if (!err)
        err = user_task_add(args->cred->uid, UINT64_MAX);
    if (!err) {
        t->counted = true;
        t->counted_uid = args->cred->uid;
        err = build_host_side(t);
    }
    return err;
}

/* Consumes what the arguments hand over. Only now, so that a failure leaves them with the caller.
 */
static void take_over(const struct first_process_args *args, struct task *t)
{
    struct process *p = t->process;
    t->cred = args->cred;
    t->fs = args->fs;
    t->files = args->files;
    p->tty = args->tty;
    p->unkillable = args->init;
}

static int link_first(struct task *t, struct container *c)
{
    spin_lock(&tasklist_lock);
    bool open = !c->closed && !t->pid->ns->dying;
    if (open) {
        task_link_process_locked(t, NULL, t->pid, t->pid);
        task_link_locked(t);
        cgroup_task_linked_locked(t);
        container_join_locked(c, t->process);
    }
    spin_unlock(&tasklist_lock);
    return open ? 0 : -ESRCH;
}

/* The arguments stay with the caller until the exec has succeeded; on failure they are taken away
 * from the task again. */
static void give_back(struct task *t)
{
    struct process *p = t->process;
    spin_lock(&t->alloc_lock);
    t->files = NULL;
    t->fs = NULL;
    p->tty = NULL;
    struct cred *own = cred_get(t->cred); /* what runs until the end */
    t->cred = own;
    spin_unlock(&t->alloc_lock);
}

/* The other way round, for a task that never ran. */
static void forget_arguments(struct task *t)
{
    t->cred = NULL;
    t->files = NULL;
    t->fs = NULL;
    t->process->tty = NULL;
}

static void come_to_life(struct task *t, const struct first_process_args *args)
{
    struct process *p = t->process;
    p->exited = args->exited;
    p->stopped = args->stopped;
    p->exited_arg = args->exited_arg;
    if (t->pid->ns == &root_pid_ns)
        return;
    spin_lock(&tasklist_lock);
    t->pid->ns->reusable = false;
    spin_unlock(&tasklist_lock);
}

/* The container's filter is there before the first instruction, and not asked about the exec. */
static int install_filter(struct task *t, const struct container *c)
{
    return c->filter ? seccomp_install(t, c->filter, c->filter_len) : 0;
}

static void first_main(void *arg)
{
    struct task *t = arg;
    struct start *start = (struct start *)(uintptr_t)t->restart.args[0];
    const struct first_process_args *args = start->args;
    const struct exec_args exec = {
        .dirfd = AT_FDCWD,
        .filename = args->filename,
        .walk_flags = WALK_FOLLOW,
        .argv = args->argv,
        .envv = args->envv,
    };
    t->restart.args[0] = 0;
    int err = do_execve(&exec);
    if (!err)
        err = install_filter(t, args->container);
    if (err) {
        give_back(t);
        do_exit(127 << 8);
    } else {
        come_to_life(t, args);
    }
    start->result = err;
    __atomic_store_n(&start->done, true,
                     __ATOMIC_RELEASE); /* start is on the starter's stack: not touched any more */
    wake_all(&t->process->child_wait);
    task_main(t);
}

int process_start_first(const struct first_process_args *args, struct process **ret)
{
    struct start start = {.args = args};
    struct process *p;
    struct task *t;
    int err = process_new(NULL, &p);
    if (err)
        return err;
    err = task_new(p, NULL, &t);
    if (err) {
        process_put(p);
        return err;
    }
    p->leader = t;
    err = build_task(args, t);
    if (!err)
        err = task_start(t, first_main);
    if (err) {
        task_discard(t);
        return err;
    }
    take_over(args, t);
    err = link_first(t, args->container);
    if (err) {
        forget_arguments(t);
        task_discard(t);
        return err;
    }
    task_publish_answers(t);
    t->restart.args[0] = (uint64_t)(uintptr_t)&start;
    task_get(t);
    process_get(p);
    fiber_start(t->fiber);
    wait_event(&p->child_wait, __atomic_load_n(&start.done, __ATOMIC_ACQUIRE));
    if (start.result) { /* nothing is left of it when we return */
        wait_event(&p->child_wait, p->state == PROCESS_REAPED);
        process_put(p);
        return start.result;
    }
    *ret = p;
    return 0;
}
