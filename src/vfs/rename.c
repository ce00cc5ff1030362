/*
 * rename(2) and renameat2: both directories are found first, then locked in an order that cannot
 * deadlock (the super block's rename lock when they differ, then an ancestor before its descendant,
 * else by address), then both names are looked up and every rule of the manual page is checked in
 * Linux's order.
 */
#include "kernel/cred.h"
#include "vfs/internal.h"
#include "vfs/names.h"
#include "vfs/notify.h"
#include "vfs/walk.h"
#include <linux/capability.h>
#include <linux/fs.h>

struct side {
    struct path dir;
    struct dentry *d;
    struct last_component last;
};

struct rename {
    struct side old, new;
    unsigned flags;
    const struct cred *cred;
    struct mutex *locks[4]; /* held, in order */
    unsigned lock_count;
};

static void finish(struct rename *r)
{
    while (r->lock_count)
        mutex_unlock(r->locks[--r->lock_count]);
    struct side *sides[] = {&r->old, &r->new};
    for (unsigned i = 0; i < 2; i++) {
        if (sides[i]->d)
            dentry_put(sides[i]->d);
        if (sides[i]->dir.dentry)
            path_put(&sides[i]->dir);
    }
}

static void hold(struct rename *r, struct mutex *m)
{
    mutex_lock(m);
    r->locks[r->lock_count++] = m;
}

static void lock_dirs(struct rename *r)
{
    struct dentry *a = r->old.dir.dentry, *b = r->new.dir.dentry;
    if (a->inode == b->inode) {
        hold(r, &a->inode->lock);
        return;
    }
    hold(r, &a->sb->rename_lock);
    bool b_first = dentry_is_ancestor(b, a) || (!dentry_is_ancestor(a, b) && b->inode < a->inode);
    hold(r, b_first ? &b->inode->lock : &a->inode->lock);
    hold(r, b_first ? &a->inode->lock : &b->inode->lock);
}

static int find_sides(struct rename *r, int old_dirfd, const char *old_path, int new_dirfd,
                      const char *new_path)
{
    int err = path_lookup_parent(old_dirfd, old_path, 0, &r->old.dir, &r->old.last);
    if (!err)
        err = path_lookup_parent(new_dirfd, new_path, 0, &r->new.dir, &r->new.last);
    if (err)
        return err;
    if (r->old.dir.mount != r->new.dir.mount)
        return -EXDEV;
    const struct last_component *a = &r->old.last, *b = &r->new.last;
    if (a->root || a->dot || a->dotdot)
        return -EBUSY;
    if (b->root || b->dot || b->dotdot)
        return r->flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
    return mount_want_write(r->old.dir.mount);
}

/* Trailing slashes are for directories. */
static int check_slashes(const struct rename *r)
{
    bool old_dir = inode_is_dir(r->old.d->inode);
    if (r->flags & RENAME_EXCHANGE)
        return r->new.last.trailing_slash && !inode_is_dir(r->new.d->inode) ? -ENOTDIR
               : r->old.last.trailing_slash && !old_dir                     ? -ENOTDIR
                                                                            : 0;
    return !old_dir && (r->old.last.trailing_slash || r->new.last.trailing_slash) ? -ENOTDIR : 0;
}

static int lookup_sides(struct rename *r)
{
    int err = dentry_lookup_locked(r->old.dir.dentry, &r->old.last.name, &r->old.d);
    if (!err && !r->old.d->inode)
        err = -ENOENT;
    if (!err)
        err = dentry_lookup_locked(r->new.dir.dentry, &r->new.last.name, &r->new.d);
    if (err)
        return err;
    if (r->flags & RENAME_NOREPLACE && r->new.d->inode)
        return -EEXIST;
    if (r->flags & RENAME_EXCHANGE && !r->new.d->inode)
        return -ENOENT;
    err = check_slashes(r);
    if (err)
        return err;
    if (dentry_is_ancestor(r->old.d, r->new.dir.dentry))
        return -EINVAL;
    if (dentry_is_ancestor(r->new.d, r->old.dir.dentry))
        return r->flags & RENAME_EXCHANGE ? -EINVAL : -ENOTEMPTY;
    return 0;
}

static int check_permission(const struct rename *r)
{
    struct inode *old_dir = r->old.dir.dentry->inode, *new_dir = r->new.dir.dentry->inode;
    struct inode *source = r->old.d->inode, *target = r->new.d->inode;
    bool is_dir = inode_is_dir(source), exchange = r->flags & RENAME_EXCHANGE;
    int err = may_delete(old_dir, r->old.d, is_dir, r->cred);
    if (!err && !target)
        err = may_create(new_dir, r->cred);
    else if (!err)
        err = may_delete(new_dir, r->new.d, exchange ? inode_is_dir(target) : is_dir, r->cred);
    /* A directory that moves changes its own "..". */
    if (!err && is_dir && old_dir != new_dir)
        err = inode_permission(source, MAY_WRITE, r->cred);
    if (!err && exchange && inode_is_dir(target) && old_dir != new_dir)
        err = inode_permission(target, MAY_WRITE, r->cred);
    if (!err && !old_dir->ops->rename)
        err = -EPERM;
    return err;
}

static void tell(const struct rename *r, struct inode *source, struct inode *target)
{
    uint32_t cookie = notify_new_cookie(), dir = inode_is_dir(source) ? IN_ISDIR : 0;
    notify_entry(r->old.dir.dentry->inode, &r->old.last.name, IN_MOVED_FROM | dir, cookie);
    notify_entry(r->new.dir.dentry->inode, &r->new.last.name, IN_MOVED_TO | dir, cookie);
    notify_inode(source, IN_MOVE_SELF);
    if (!target)
        return;
    if (r->flags & RENAME_EXCHANGE)
        notify_inode(target, IN_MOVE_SELF);
    else
        notify_inode(target,
                     target->attr.nlink && !inode_is_dir(target) ? IN_ATTRIB : IN_DELETE_SELF);
}

static int move(struct rename *r)
{
    struct inode *old_dir = r->old.dir.dentry->inode, *source = r->old.d->inode,
                 *target = r->new.d->inode;
    if (target && inode_is_dir(target) && !(r->flags & RENAME_EXCHANGE))
        hold(r, &target->lock); /* nothing may be made in it while it goes */
    int err = old_dir->ops->rename(old_dir, &r->old.last.name, source, r->new.dir.dentry->inode,
                                   &r->new.last.name, target, r->flags);
    if (err)
        return err;
    if (UNLIKELY(notify_active()))
        tell(r, source, target);
    if (r->flags & RENAME_EXCHANGE) {
        dentry_exchange(r->old.d, r->new.d);
        return 0;
    }
    if (target && inode_is_dir(target))
        target->dead = true;
    dentry_move(r->old.d, r->new.d);
    return 0;
}

int vfs_rename_at(int old_dirfd, const char *old_path, int new_dirfd, const char *new_path,
                  unsigned flags)
{
    __attribute__((cleanup(finish))) struct rename r = {.flags = flags, .cred = current_cred()};
    if (flags & ~(unsigned)(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT))
        return -EINVAL;
    if (flags & RENAME_EXCHANGE && flags & (RENAME_NOREPLACE | RENAME_WHITEOUT))
        return -EINVAL;
    if (flags & RENAME_WHITEOUT && !cred_capable(r.cred, CAP_MKNOD))
        return -EPERM;
    int err = find_sides(&r, old_dirfd, old_path, new_dirfd, new_path);
    if (err)
        return err;
    lock_dirs(&r);
    err = lookup_sides(&r);
    if (err)
        return err;
    if (r.old.d->inode == r.new.d->inode && !(flags & RENAME_EXCHANGE && r.old.d != r.new.d))
        return r.flags & RENAME_NOREPLACE ? -EEXIST : 0; /* two names of one file: nothing to do */
    err = check_permission(&r);
    return err ? err : move(&r);
}
