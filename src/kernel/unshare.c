/* unshare(2). Everything new is made before anything is replaced, so that a failure changes
 * nothing. */
#include "kernel/unshare.h"
#include "base/cleanup.h"
#include "ipc/sem_undo.h"
#include "kernel/fdtable.h"
#include "kernel/namespaces.h"
#include "kernel/pid.h"
#include "kernel/task_private.h"
#include "mm/mm.h"
#include "vfs/fs_context.h"
#include "vfs/vfs.h"
#include <linux/capability.h>
#include <sched.h>

#define SUPPORTED                                                                         \
    (CLONE_FILES | CLONE_FS | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWPID | CLONE_NEWNET |  \
     CLONE_SYSVSEM | CLONE_THREAD | CLONE_SIGHAND | CLONE_VM)

struct replacement {
    struct fdtable *files;
    struct fs_context *fs;
    struct uts_namespace *uts;
    struct net_namespace *net;
    struct pid_namespace *pid_ns;
};

static int check(struct task *t, uint64_t flags)
{
    if (flags & ~(uint64_t)SUPPORTED)
        return -EINVAL;
    if (flags & (CLONE_THREAD | CLONE_SIGHAND | CLONE_VM) && t->process->task_count > 1)
        return -EINVAL;
    if (flags & CLONE_VM && refcount_read(&t->mm->ref) > 1)
        return -EINVAL;
    if (flags & (CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWPID | CLONE_NEWNET) && !capable(CAP_SYS_ADMIN))
        return -EPERM;
    return 0;
}

static int build(struct task *t, uint64_t flags, struct replacement *r)
{
    int err = 0;
    if (flags & CLONE_FILES && refcount_read(&t->files->ref) > 1)
        err = fdtable_copy(t->files, &r->files);
    if (!err && (flags & CLONE_NEWNS || (flags & CLONE_FS && refcount_read(&t->fs->ref) > 1)))
        err = fs_context_copy(t->fs, &r->fs);
    if (!err && flags & CLONE_NEWNS)
        err = fs_unshare_mounts(r->fs);
    if (!err && flags & CLONE_NEWUTS)
        err = uts_namespace_copy(t->ns.uts, &r->uts);
    if (!err && flags & CLONE_NEWNET)
        err = net_namespace_new(t->cred->user_ns, &r->net);
    if (!err && flags & CLONE_NEWPID)
        err = t->ns.pid_for_children == t->pid->ns ? pid_namespace_new(t->pid->ns, &r->pid_ns)
                                                   : -EINVAL;
    return err;
}

#define SWAP_IN(old, fresh)               \
    do {                                  \
        if (fresh) {                      \
            __typeof__(fresh) tmp_ = old; \
            old = fresh;                  \
            fresh = tmp_;                 \
        }                                 \
    } while (0)

int do_unshare(uint64_t flags)
{
    struct task *t = current;
    struct replacement r = {0};
    int err = check(t, flags);
    if (!err)
        err = build(t, flags, &r);
    if (!err) {
        spin_lock(&t->alloc_lock);
        SWAP_IN(t->files, r.files);
        SWAP_IN(t->fs, r.fs);
        SWAP_IN(t->ns.uts, r.uts);
        SWAP_IN(t->ns.net, r.net);
        SWAP_IN(t->ns.pid_for_children, r.pid_ns);
        spin_unlock(&t->alloc_lock);
        if (flags & CLONE_SYSVSEM)
            sem_undo_exit(t);
    }
    fdtable_put(r.files); /* the old ones, or what was made in vain */
    if (r.fs)
        fs_context_put(r.fs);
    uts_namespace_put(r.uts);
    net_namespace_put(r.net);
    pid_namespace_put(r.pid_ns);
    return err;
}
