/*
 * Making tasks: fork(2), vfork, clone, clone3, threads. do_clone() checks the flags, builds a child
 * that nobody sees yet, puts it into the tree (the only step that other tasks can observe), and
 * starts its fiber.
 *
 * A child that shares memory is a further thread of the same stub process; any other is a host fork
 * of it.
 */
#include "base/cleanup.h"
#include "ipc/sem_undo.h"
#include "kernel/cgroup.h"
#include "kernel/container.h"
#include "kernel/cpu_limit.h"
#include "kernel/fdtable.h"
#include "kernel/job_control.h"
#include "kernel/namespaces.h"
#include "kernel/pid.h"
#include "kernel/pidfd.h"
#include "kernel/ptrace.h"
#include "kernel/task_private.h"
#include "kernel/tty_hooks.h"
#include "kernel/user_namespace.h"
#include "kernel/users.h"
#include "mm/mm.h"
#include "mm/uaccess.h"
#include "vfs/fs_context.h"
#include "vfs/vfs.h"
#include <linux/capability.h>
#include <linux/ptrace.h>
#include <sched.h>

#ifndef CLONE_CLEAR_SIGHAND
#define CLONE_CLEAR_SIGHAND 0x100000000ULL
#endif
#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL
#endif
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif
#ifndef CLONE_DETACHED
#define CLONE_DETACHED 0x00400000
#endif

#define NAMESPACES                                                                                        \
    (CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWPID | CLONE_NEWUSER | CLONE_NEWCGROUP | CLONE_NEWIPC | CLONE_NEWNET | \
     CLONE_NEWTIME)

/* ---- what may be asked for ---- */

static int check_flags(struct task *t, const struct clone_args *args)
{
    uint64_t f = args->flags;
    if (f & NAMESPACES & ~ns_flags_known())
        return -EINVAL; /* as a kernel configured without them */
    if (f & CLONE_FS && f & (CLONE_NEWNS | CLONE_NEWUSER))
        return -EINVAL;
    if ((f & (CLONE_NEWIPC | CLONE_SYSVSEM)) == (CLONE_NEWIPC | CLONE_SYSVSEM))
        return -EINVAL;
    if ((f & CLONE_THREAD && !(f & CLONE_SIGHAND)) || (f & CLONE_SIGHAND && !(f & CLONE_VM)))
        return -EINVAL;
    if (f & CLONE_PARENT && t->process->unkillable)
        return -EINVAL;
    if (f & CLONE_THREAD && (f & (CLONE_NEWPID | CLONE_NEWUSER) || t->ns.pid_for_children != t->pid->ns))
        return -EINVAL;
    if (f & CLONE_PIDFD && f & (CLONE_DETACHED | CLONE_THREAD))
        return -EINVAL;
    if (f & CLONE_CLEAR_SIGHAND && f & CLONE_SIGHAND)
        return -EINVAL;
    if ((unsigned)args->exit_signal > SIGNAL_COUNT)
        return -EINVAL;
    return 0;
}

/* ---- building the child, piece by piece; child_discard() undoes any number of them ---- */

void task_discard(struct task *t)
{
    struct process *p = t->process;
    bool own_process = p->leader == t;
    if (t->fiber)
        fiber_discard(TAKE_PTR(t->fiber));
    sem_undo_exit(t);
    if (t->ctx && t->mm)
        mm_detach(t->mm);
    if (t->ctx)
        context_exit(TAKE_PTR(t->ctx));
    if (t->mm)
        mm_put(TAKE_PTR(t->mm));
    if (t->pid) {
        spin_lock(&tasklist_lock);
        t->pid->task = NULL;
        t->pid->process = NULL;
        pid_release_numbers_locked(t->pid);
        spin_unlock(&tasklist_lock);
    }
    task_put(t);
    if (own_process)
        process_put(p);
}

static int copy_files(struct task *t, struct task *from, uint64_t flags)
{
    if (flags & CLONE_FILES) {
        t->files = fdtable_get(from->files);
        return 0;
    }
    return fdtable_copy(from->files, &t->files);
}

/* A copy of the mount namespace, with the child's root and working directory moved into it. */
int fs_unshare_mounts(struct fs_context *fs, struct user_namespace *owner)
{
    struct mount_namespace *copy;
    int err = mount_namespace_copy(fs->ns, owner, &fs->root, &fs->cwd, &copy);
    if (err)
        return err;
    mount_namespace_put(fs->ns);
    fs->ns = copy;
    return 0;
}

static int copy_fs(struct task *t, struct task *from, uint64_t flags)
{
    if (flags & CLONE_FS) {
        t->fs = fs_context_get(from->fs);
        return 0;
    }
    int err = fs_context_copy(from->fs, &t->fs);
    if (!err && flags & CLONE_NEWNS)
        err = fs_unshare_mounts(t->fs, t->cred->user_ns);
    return err;
}

static int copy_sighand(struct process *p, struct process *from, uint64_t flags)
{
    if (flags & CLONE_SIGHAND) {
        p->sig.sighand = sighand_get(from->sig.sighand);
        return 0;
    }
    if (flags & CLONE_CLEAR_SIGHAND)
        return sighand_new(&p->sig.sighand);
    return sighand_copy(from->sig.sighand, &p->sig.sighand);
}

static int copy_cred(struct task *t, uint64_t flags)
{
    struct cred *fresh;
    if (!(flags & CLONE_NEWUSER))
        return 0;
    int err = user_namespace_enter_new(t->cred, &fresh);
    if (err)
        return err;
    cred_put((struct cred *)t->cred);
    t->cred = fresh;
    return 0;
}

static int copy_namespaces(struct task *t, uint64_t flags)
{
    flags &= NAMESPACES & ~(uint64_t)CLONE_NEWUSER;
    if (flags && !cred_ns_capable(t->cred, t->cred->user_ns, CAP_SYS_ADMIN))
        return -EPERM;
    return ns_set_renew(&t->ns, flags, t->cred->user_ns);
}

static bool may_choose_pids(const struct user_namespace *owner)
{
    return ns_capable(owner, CAP_SYS_ADMIN) || ns_capable(owner, 40 /* CAP_CHECKPOINT_RESTORE */);
}

static int take_pid(struct task *t, const struct clone_args *args)
{
    int32_t wanted[PID_NS_DEPTH];
    if (args->set_tid_size > t->ns.pid_for_children->level + 1)
        return -EINVAL;
    if (args->set_tid_size) {
        if (copy_from_user(wanted, args->set_tid, args->set_tid_size * sizeof(*wanted)))
            return -EFAULT;
        for (size_t i = 0; i < args->set_tid_size; i++)
            if (wanted[i] <= 0 || wanted[i] >= PID_MAX_DEFAULT)
                return -EINVAL;
        const struct pid_namespace *ns = t->ns.pid_for_children;
        for (size_t i = 0; i < args->set_tid_size; i++, ns = ns->parent)
            if (!may_choose_pids(ns->common.owner))
                return -EPERM;
    }
    return pid_alloc(t->ns.pid_for_children, wanted, args->set_tid_size, &t->pid);
}

static int count_task(struct task *t)
{
    uint64_t limit = current_limit(RLIMIT_NPROC);
    bool exempt = t->cred->uid == 0 || capable(CAP_SYS_RESOURCE) || capable(CAP_SYS_ADMIN);
    int err = user_task_add(t->cred->uid, exempt ? UINT64_MAX : limit);
    if (err)
        return err;
    t->counted = true;
    t->counted_uid = t->cred->uid;
    return 0;
}

/* The creator's cgroup, or the one that CLONE_INTO_CGROUP names. */
static int enter_cgroup(struct task *t, struct task *from, const struct clone_args *args)
{
    struct cgroup *cg;
    int err = 0;
    if (args->flags & CLONE_INTO_CGROUP) {
        err = cgroup_from_fd(args->cgroup, &cg);
        if (!err && cg->parent && cg->subtree_control)
            err = -EBUSY;
        if (!err && cg->dead)
            err = -ENODEV;
        if (err == -EBUSY || err == -ENODEV)
            cgroup_put(cg);
    } else {
        spin_lock(&tasklist_lock);
        cg = cgroup_get(from->cgroup);
        spin_unlock(&tasklist_lock);
    }
    if (err)
        return err;
    err = cgroup_charge_task(t, cg);
    cgroup_put(cg);
    return err;
}

/* Everything of the child but its host side. */
static int build_parts(struct task *t, struct task *from, const struct clone_args *args)
{
    uint64_t flags = args->flags;
    int err = copy_cred(t, flags);
    if (!err)
        err = count_task(t);
    if (!err)
        err = enter_cgroup(t, from, args);
    if (!err)
        err = copy_namespaces(t, flags);
    if (!err)
        err = copy_files(t, from, flags);
    if (!err)
        err = copy_fs(t, from, flags);
    if (!err && !(flags & CLONE_THREAD))
        err = copy_sighand(t->process, from->process, flags);
    if (!err)
        err = sem_undo_clone(t, from, flags & CLONE_SYSVSEM);
    if (!err)
        err = take_pid(t, args);
    return err;
}

static void inherit_signals(struct task *t, struct task *from, uint64_t flags)
{
    if ((flags & (CLONE_VM | CLONE_VFORK)) != CLONE_VM) {
        t->sig.altstack = from->sig.altstack;
        t->sig.altstack_size = from->sig.altstack_size;
        t->sig.altstack_flags = from->sig.altstack_flags;
    }
    context_set_sigmask(t->ctx, task_sigmask(from));
}

static int build_shared_space(struct task *t, struct task *from, const struct clone_args *args)
{
    struct regs regs = *context_regs(from->ctx);
    regs.rax = 0;
    if (args->stack)
        regs.rsp = args->stack;
    int err = platform_thread(from->ctx, &regs, args->flags & CLONE_SETTLS, args->tls, &t->ctx);
    if (err)
        return err;
    t->mm = mm_get(from->mm);
    mm_attach(t->mm);
    return 0;
}

static int build_forked_space(struct task *t, struct task *from, const struct clone_args *args)
{
    struct address_space *as;
    MUTEX_GUARD(&from->mm->lock); /* no other thread maps anything between the host's fork and ours */
    int err = platform_fork(from->ctx, &as, &t->ctx);
    if (err)
        return err;
    struct regs *regs = context_regs(t->ctx);
    regs->rax = 0;
    if (args->stack)
        regs->rsp = args->stack;
    context_set_regs_dirty(t->ctx);
    if (args->flags & CLONE_SETTLS)
        order_defer_set_fs(t->ctx, args->tls);
    t->rseq = from->rseq;
    return mm_fork(from->mm, as, &t->mm);
}

/* The tid for the parent must be there before a child that shares its memory runs, and clears it
 * perhaps: it travels ahead of the order that makes the thread. */
static int build_space(struct task *t, struct task *from, const struct clone_args *args)
{
    int32_t tid = pid_number_in(t->pid, from->pid->ns);
    bool shared = args->flags & CLONE_VM;
    int err = 0;
    if (shared && args->flags & CLONE_PARENT_SETTID)
        err = put_user(&tid, args->parent_tid);
    if (!err)
        err = shared ? build_shared_space(t, from, args) : build_forked_space(t, from, args);
    if (!err && !shared && args->flags & CLONE_PARENT_SETTID)
        err = put_user(&tid, args->parent_tid);
    if (!err)
        inherit_signals(t, from, args->flags);
    return err;
}

static void set_tid_addresses(struct task *t, const struct clone_args *args)
{
    t->set_child_tid = args->flags & CLONE_CHILD_SETTID ? args->child_tid : 0;
    t->clear_child_tid = args->flags & CLONE_CHILD_CLEARTID ? args->child_tid : 0;
    t->vfork_pending = args->flags & CLONE_VFORK;
}

static int build_child(struct task *from, const struct clone_args *args, struct task **ret)
{
    struct process *p = from->process;
    struct task *t;
    int err = args->flags & CLONE_THREAD ? 0 : process_new(from, &p);
    if (err)
        return err;
    err = task_new(p, from, &t);
    if (err) {
        if (p != from->process)
            process_put(p);
        return err;
    }
    if (p != from->process)
        p->leader = t;
    err = build_parts(t, from, args);
    if (!err)
        err = build_space(t, from, args);
    if (err) {
        task_discard(t);
        return err;
    }
    set_tid_addresses(t, args);
    *ret = t;
    return 0;
}

/* ---- into the tree ---- */

void task_link_process_locked(struct task *t, struct process *parent, struct pid *group,
                              struct pid *session)
{
    struct process *p = t->process;
    p->pid = pid_get(t->pid);
    p->pid->process = p;
    p->leader = t;
    p->parent = parent;
    if (parent)
        list_add_tail(&parent->children, &p->child_link);
    process_join_group_locked(p, group);
    process_join_session_locked(p, session);
    if (!t->pid->ns->init)
        t->pid->ns->init = p;
}

void task_link_locked(struct task *t)
{
    t->pid->task = t;
    list_add_tail(&t->process->tasks, &t->thread_link);
    t->process->task_count++;
}

static void link_new_process(struct task *t, struct task *from, const struct clone_args *args)
{
    struct process *p = t->process, *creator = from->process;
    bool sibling = args->flags & CLONE_PARENT;
    p->exit_signal = sibling ? creator->exit_signal : args->exit_signal;
    p->unkillable = !t->pid->ns->init; /* the first of a new pid namespace */
    p->tty = tty_get(creator->tty);
    container_join_locked(creator->container, p);
    task_link_process_locked(t, sibling ? creator->parent : creator, creator->group,
                             creator->session);
}

/* The PTRACE_EVENT_... that this makes for its creator's tracer, or 0. */
static int clone_event(const struct task *from, const struct clone_args *args)
{
    int event = args->flags & CLONE_VFORK          ? PTRACE_EVENT_VFORK
                : args->exit_signal == SIGCHLD ? PTRACE_EVENT_FORK
                                               : PTRACE_EVENT_CLONE;
    return args->flags & CLONE_UNTRACED || !ptrace_event_enabled(from, event) ? 0 : event;
}

/* How often all of the container's processes have been signalled. */
static unsigned container_signals(const struct process *p)
{
    return p->container ? __atomic_load_n(&p->container->signals, __ATOMIC_RELAXED) : 0;
}

/* The child becomes visible, unless its creator is being killed or is to make room for an exec, or
 * a signal for all has come since the fork began: then it begins again after the signal. */
static int link_child(struct task *t, struct task *from, const struct clone_args *args,
                      unsigned signals)
{
    struct process *creator = from->process;
    int err = 0;
    spin_lock(&tasklist_lock);
    spin_lock(&creator->sig.lock);
    if (from->sig.kill_pending || creator->exiting ||
        (creator->exec_task && args->flags & CLONE_THREAD))
        err = -ERESTARTNOINTR;
    spin_unlock(&creator->sig.lock);
    if (container_signals(creator) != signals)
        err = -ERESTARTNOINTR;
    if (!err && t->pid->ns->dying)
        err = -ENOMEM;
    if (!err) {
        if (!(args->flags & CLONE_THREAD))
            link_new_process(t, from, args);
        task_link_locked(t);
        cgroup_task_linked_locked(t);
        spin_lock(&creator->sig.lock);
        seccomp_inherit_locked(t, from);
        spin_unlock(&creator->sig.lock);
        ptrace_new_child_locked(t, from, clone_event(from, args), args->flags & CLONE_PTRACE);
    }
    spin_unlock(&tasklist_lock);
    return err;
}

int task_start(struct task *t, void (*fn)(void *))
{
    struct fiber *f = fiber_new("task", fn, t);
    if (!f)
        return -ENOMEM;
    t->fiber = f;
    fiber_set_local(f, t);
    return 0;
}

void task_vfork_done(struct task *t)
{
    if (!t->vfork_pending)
        return;
    __atomic_store_n(&t->vfork_pending, false, __ATOMIC_SEQ_CST);
    wake_all(&t->vfork_queue);
}

static void wait_for_vfork(struct task *child)
{
    /* Killed while waiting: the child goes on alone, as on Linux. */
    (void)wait_event_killable(&child->vfork_queue,
                              !__atomic_load_n(&child->vfork_pending, __ATOMIC_SEQ_CST));
}

/* ---- the verb ---- */

static int make_pidfd(struct task *child, const struct clone_args *args, int *ret_fd,
                      struct file **ret_file)
{
    *ret_fd = -1;
    *ret_file = NULL;
    if (!(args->flags & CLONE_PIDFD))
        return 0;
    int fd = fd_reserve(O_CLOEXEC);
    if (fd < 0)
        return fd;
    int err = pidfd_new(child->pid, O_RDWR, ret_file);
    if (!err && copy_to_user_partial(args->pidfd, &fd, sizeof(fd)) != sizeof(fd)) {
        file_put(TAKE_PTR(*ret_file));
        err = -EFAULT;
    }
    if (err)
        fd_unreserve(fd);
    else
        *ret_fd = fd;
    return err;
}

static int publish_child(struct task *child, struct task *from, const struct clone_args *args,
                         unsigned signals)
{
    struct file *file;
    int fd, err = make_pidfd(child, args, &fd, &file);
    if (err)
        return err;
    err = task_start(child, task_main);
    if (!err)
        err = link_child(child, from, args, signals);
    if (err && file) {
        fd_unreserve(fd);
        file_put(file);
    } else if (file) {
        fd_publish(fd, file);
    }
    return err;
}

int64_t do_clone(const struct clone_args *args)
{
    struct task *from = current, *child;
    unsigned signals = container_signals(from->process);
    int err = check_flags(from, args);
    if (!err && signal_pending(from))
        err = -ERESTARTNOINTR; /* first what came before the fork */
    if (!err)
        err = build_child(from, args, &child);
    if (err)
        return err;
    err = publish_child(child, from, args, signals);
    if (err) {
        task_discard(child);
        return err;
    }
    int32_t number = pid_number_in(child->pid, from->pid->ns);
    task_publish_answers(child);
    if (child->process != from->process)
        cpu_limit_update(child->process);
    task_get(child); /* ours; one is the thread list's, one its fiber's */
    task_get(child);
    fiber_start(child->fiber);
    int event = clone_event(from, args);
    if (event)
        ptrace_event(from, event, (uint64_t)number);
    if (args->flags & CLONE_VFORK) {
        wait_for_vfork(child);
        ptrace_event(from, PTRACE_EVENT_VFORK_DONE, (uint64_t)number);
    }
    task_put(child);
    return number;
}
