/*
 * setns(2). What is to be joined is collected and checked kind by kind, the user namespace first
 * because the others' checks look at the capabilities it gives; only then is anything replaced.
 */
#include "kernel/setns.h"
#include "base/cleanup.h"
#include "ipc/sem_undo.h"
#include "kernel/fdtable.h"
#include "kernel/namespaces.h"
#include "kernel/nsfs.h"
#include "kernel/pid.h"
#include "kernel/pidfd.h"
#include "kernel/task_private.h"
#include "kernel/user_namespace.h"
#include "vfs/fs_context.h"
#include "vfs/vfs.h"
#include <linux/capability.h>
#include <sched.h>

#define NAMESPACES                                                                               \
    (CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWCGROUP | \
     CLONE_NEWNET | 0x80 /* CLONE_NEWTIME */)

/* What the task will have. */
struct joining {
    struct task *task;
    struct cred *cred;              /* new ones, or NULL: as they are; reference */
    struct mount_namespace *mounts; /* or NULL; reference */
    struct ns_set set;              /* references to those that change; NULL elsewhere */
};

static const struct cred *cred_then(const struct joining *j)
{
    return j->cred ? j->cred : j->task->cred;
}

static int join_user(struct joining *j, struct user_namespace *ns)
{
    struct task *t = j->task;
    if (ns == t->cred->user_ns)
        return -EINVAL;
    if (t->process->task_count > 1 || refcount_read(&t->fs->ref) > 1)
        return -EINVAL;
    return ns_capable(ns, CAP_SYS_ADMIN) ? user_namespace_enter(t->cred, ns, &j->cred) : -EPERM;
}

static int join_mounts(struct joining *j, struct mount_namespace *ns)
{
    const struct cred *c = cred_then(j);
    if (!ns_capable(ns->common.owner, CAP_SYS_ADMIN) || !cred_ns_capable(c, c->user_ns, CAP_SYS_CHROOT) ||
        !cred_ns_capable(c, c->user_ns, CAP_SYS_ADMIN))
        return -EPERM;
    if (refcount_read(&j->task->fs->ref) > 1)
        return -EINVAL;
    j->mounts = mount_namespace_get(ns);
    return 0;
}

static bool is_pid_ns_below(const struct pid_namespace *ns, const struct pid_namespace *top)
{
    while (ns->level > top->level)
        ns = ns->parent;
    return ns == top;
}

static int join_one(struct joining *j, struct ns_common *ns)
{
    const struct cred *c = cred_then(j);
    if (ns->kind == &user_ns_kind)
        return join_user(j, container_of(ns, struct user_namespace, common));
    if (ns->kind == &mount_ns_kind)
        return join_mounts(j, container_of(ns, struct mount_namespace, common));
    if (!cred_ns_capable(c, ns->owner, CAP_SYS_ADMIN) || !cred_ns_capable(c, c->user_ns, CAP_SYS_ADMIN))
        return -EPERM;
    if (ns->kind == &pid_ns_kind &&
        !is_pid_ns_below(container_of(ns, struct pid_namespace, common), j->task->pid->ns))
        return -EINVAL;
    if (ns->kind->slot == NS_SLOT_TIME_FOR_CHILDREN) {
        if (j->task->process->task_count > 1)
            return -EUSERS;
        j->set.all[NS_SLOT_TIME] = ns_get(ns);
    }
    j->set.all[ns->kind->slot] = ns_get(ns);
    return 0;
}

/* ---- what a pidfd's task has ---- */

static int may_look_into(struct task *t)
{
    const struct cred *own = current_cred(), *his = task_get_cred(t);
    bool same = own->uid == his->uid && own->uid == his->euid && own->uid == his->suid && own->gid == his->gid &&
                own->gid == his->egid && own->gid == his->sgid && t->process->dumpable;
    bool may = t->process == current->process || same || ns_capable(his->user_ns, CAP_SYS_PTRACE);
    cred_put((struct cred *)his);
    return may ? 0 : -EPERM;
}


struct ns_common *task_get_ns(struct task *t, const struct ns_kind *kind)
{
    struct ns_common *ns = NULL;
    spin_lock(&t->alloc_lock);
    if (kind == &user_ns_kind)
        ns = &t->cred->user_ns->common;
    else if (kind == &pid_ns_kind)
        ns = &t->pid->ns->common;
    else if (kind == &mount_ns_kind)
        ns = t->fs ? &t->fs->ns->common : NULL;
    else if (kind->slot == NS_SLOT_TIME_FOR_CHILDREN)
        ns = t->ns.all[NS_SLOT_TIME];
    else
        ns = t->ns.all[kind->slot];
    if (ns)
        ns_get(ns);
    spin_unlock(&t->alloc_lock);
    return ns;
}

static bool is_unborn(const struct pid_namespace *ns)
{
    return !ns->init && !ns->dying;
}

/* A pid namespace that nobody is in yet cannot be opened. */
struct ns_common *task_get_child_ns(struct task *t, const struct ns_kind *kind)
{
    spin_lock(&tasklist_lock);
    spin_lock(&t->alloc_lock);
    struct ns_common *ns = t->ns.all[kind->slot];
    if (ns && kind == &pid_ns_kind && is_unborn(container_of(ns, struct pid_namespace, common)))
        ns = NULL;
    if (ns)
        ns_get(ns);
    spin_unlock(&t->alloc_lock);
    spin_unlock(&tasklist_lock);
    return ns;
}

static int join_task(struct joining *j, struct task *t, uint64_t flags)
{
    static const uint64_t order[] = {CLONE_NEWUSER, CLONE_NEWNS,     CLONE_NEWUTS, CLONE_NEWIPC,
                                     CLONE_NEWPID,  CLONE_NEWCGROUP, CLONE_NEWNET, 0x80 /* CLONE_NEWTIME */};
    int err = may_look_into(t);
    for (size_t i = 0; i < ARRAY_SIZE(order) && !err; i++) {
        if (!(flags & order[i]))
            continue;
        struct ns_common *ns = task_get_ns(t, ns_kind_by_flag(order[i]));
        err = ns ? join_one(j, ns) : -ESRCH;
        ns_put(ns);
    }
    return err;
}

static int join_pidfd(struct joining *j, int fd, uint64_t flags)
{
    struct pid *pid;
    int err = pidfd_pid(fd, &pid);
    if (err)
        return err == -EBADF ? -EINVAL : err;
    if (!flags || flags & ~(uint64_t)NAMESPACES) {
        pid_put(pid);
        return -EINVAL;
    }
    spin_lock(&tasklist_lock);
    struct task *t = pid->task && !pid->task->exiting ? task_get(pid->task) : NULL;
    spin_unlock(&tasklist_lock);
    pid_put(pid);
    if (!t)
        return -ESRCH;
    err = join_task(j, t, flags);
    task_put(t);
    return err;
}

/* ---- the change ---- */

static void enter_mounts(struct fs_context *fs, struct mount_namespace *ns)
{
    struct path root;
    mount_namespace_root(ns, &root);
    spin_lock(&fs->lock);
    struct mount_namespace *old = fs->ns;
    fs->ns = mount_namespace_get(ns);
    spin_unlock(&fs->lock);
    fs_set_root(fs, &root);
    fs_set_cwd(fs, &root);
    path_put(&root);
    mount_namespace_put(old);
}

static void commit(struct joining *j)
{
    struct task *t = j->task;
    if (j->mounts)
        enter_mounts(t->fs, j->mounts);
    if (j->set.ipc)
        sem_undo_exit(t); /* what is to be undone is in the namespace left */
    spin_lock(&t->alloc_lock);
    for (unsigned i = 0; i < NS_SLOTS; i++) {
        if (!j->set.all[i])
            continue;
        struct ns_common *old = t->ns.all[i];
        t->ns.all[i] = j->set.all[i];
        j->set.all[i] = old;
    }
    spin_unlock(&t->alloc_lock);
    if (j->cred)
        task_set_cred(t, TAKE_PTR(j->cred));
}

int do_setns(int fd, uint64_t flags)
{
    CLEANUP_FILE struct file *file = NULL;
    struct joining j = {.task = current};
    int err = fd_file(fd, &file);
    if (err)
        return err;
    struct ns_common *ns = nsfs_inode_ns(file->inode);
    if (!ns)
        err = join_pidfd(&j, fd, flags);
    else
        err = flags && flags != ns->kind->flag ? -EINVAL : join_one(&j, ns);
    if (!err)
        commit(&j);
    ns_set_put(&j.set);
    if (j.mounts)
        mount_namespace_put(j.mounts);
    cred_put(j.cred);
    return err;
}
