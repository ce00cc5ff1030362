/*
 * What the files of vfs/ share with each other and nobody else uses: the dentry lock, and the
 * borrowed look-ups that the fast path walk makes under it.
 */
#pragma once
#include "base/strbuf.h"
#include "sched/mutex.h"
#include "sched/spinlock.h"
#include "vfs/dentry.h"
#include "vfs/mount.h"

/*
 * Lock order inside the VFS: mount_lock > inode locks > fs_context.lock > dentry_lock. dentry_lock
 * is a leaf: nothing is taken, allocated or freed under it that could block.
 */
extern struct spinlock dentry_lock;
extern struct mutex mount_lock;

/* dentry_lock held; the result is borrowed and good until it is released. */
struct dentry *dentry_find(struct dentry *parent, const struct name *name);
struct mount *mount_at(const struct mount *m,
                       const struct dentry *d); /* what is mounted on d in m, or NULL */

/* Steps up from a mount's root to the place it is mounted on, as long as it can; dentry_lock
 * held. */
static inline bool mount_step_up(struct path *p)
{
    if (p->dentry != p->mount->root || !p->mount->parent)
        return false;
    p->dentry = p->mount->mountpoint;
    p->mount = p->mount->parent;
    return true;
}

/* The ".." step, borrowed and under dentry_lock: false at `root`, where it stays. */
bool dotdot_locked(struct path *p, const struct path *root);

/* file.c: files open for writing and executed files exclude each other: -ETXTBSY. Undone by
 * file_put(). */
NODISCARD int file_count_writer(struct file *f);
NODISCARD int file_deny_writers(struct file *f);

int dcache_init(void);
int mount_init(void);
int file_anon_init(void);

/* read_write.c: a write or truncate by somebody without CAP_FSETID takes set-id bits away. */
NODISCARD int file_remove_privs(struct inode *inode, const struct cred *cred);
/* attr.c: applies a change whose permission is settled. Takes the inode's lock. */
NODISCARD int inode_setattr(struct inode *inode, const struct setattr *change);
NODISCARD int inode_setattr_locked(struct inode *inode, const struct setattr *change);
NODISCARD int inode_truncate(struct inode *inode, int64_t size);
