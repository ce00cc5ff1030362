/* unshare(2). Everything new is made before anything is replaced, so that a failure changes
 * nothing. */
#include "kernel/unshare.h"
#include "base/cleanup.h"
#include "ipc/sem_undo.h"
#include "kernel/fdtable.h"
#include "kernel/namespaces.h"
#include "kernel/pid.h"
#include "kernel/task_private.h"
#include "kernel/user_namespace.h"
#include "mm/mm.h"
#include "vfs/fs_context.h"
#include "vfs/vfs.h"
#include <linux/capability.h>
#include <sched.h>

#define NOT_NAMESPACES \
    (CLONE_FILES | CLONE_FS | CLONE_SYSVSEM | CLONE_THREAD | CLONE_SIGHAND | CLONE_VM)

struct replacement {
    struct fdtable *files;
    struct fs_context *fs;
    struct cred *cred;
    struct ns_set set; /* references, those that do not change too */
};

static int check(struct task *t, uint64_t flags)
{
    if (flags & ~(uint64_t)(NOT_NAMESPACES | ns_flags_known()))
        return -EINVAL;
    if (flags & (CLONE_THREAD | CLONE_SIGHAND | CLONE_VM | CLONE_NEWUSER) && t->process->task_count > 1)
        return -EINVAL;
    if (flags & CLONE_VM && refcount_read(&t->mm->ref) > 1)
        return -EINVAL;
    return 0;
}

static int build(struct task *t, uint64_t flags, struct replacement *r)
{
    int err = 0;
    uint64_t namespaces = flags & ns_flags_known() & ~(uint64_t)CLONE_NEWUSER;
    if (flags & CLONE_NEWUSER)
        err = user_namespace_enter_new(t->cred, &r->cred);
    const struct cred *cred = r->cred ? r->cred : t->cred;
    if (!err && namespaces && !cred_ns_capable(cred, cred->user_ns, CAP_SYS_ADMIN))
        err = -EPERM;
    if (!err && flags & CLONE_FILES && refcount_read(&t->files->ref) > 1)
        err = fdtable_copy(t->files, &r->files);
    bool new_fs = flags & (CLONE_FS | CLONE_NEWUSER) && refcount_read(&t->fs->ref) > 1;
    if (!err && (flags & CLONE_NEWNS || new_fs))
        err = fs_context_copy(t->fs, &r->fs);
    if (!err && flags & CLONE_NEWNS)
        err = fs_unshare_mounts(r->fs, cred->user_ns);
    return err ? err : ns_set_renew(&r->set, namespaces, cred->user_ns);
}

#define SWAP(a, b)               \
    do {                         \
        __typeof__(a) tmp_ = a;  \
        a = b;                   \
        b = tmp_;                \
    } while (0)

int do_unshare(uint64_t flags)
{
    struct task *t = current;
    struct replacement r = {0};
    int err = check(t, flags);
    if (err)
        return err;
    ns_set_copy(&r.set, &t->ns);
    err = build(t, flags, &r);
    if (!err) {
        spin_lock(&t->alloc_lock);
        if (r.files)
            SWAP(t->files, r.files);
        if (r.fs)
            SWAP(t->fs, r.fs);
        SWAP(t->ns, r.set);
        spin_unlock(&t->alloc_lock);
        if (flags & (CLONE_SYSVSEM | CLONE_NEWIPC))
            sem_undo_exit(t);
        if (r.cred)
            task_set_cred(t, TAKE_PTR(r.cred));
    }
    fdtable_put(r.files); /* the old ones, or what was made in vain */
    if (r.fs)
        fs_context_put(r.fs);
    ns_set_put(&r.set);
    cred_put(r.cred);
    return err;
}
