/*
 * Names in overlay directories. The VFS holds the directory's lock; every change is made in the
 * upper layer, after a copy-up of the directory.
 *
 * Two questions decide each step. Is there something at the name in the upper layer (a whiteout,
 * perhaps, that a new name replaces)? And does the lower layer have the name, so that removing it
 * must leave a whiteout? The second is only asked below when an inode may cover a lower name
 * (ovl_inode.covers): most files were born in the upper layer where nothing was.
 */
#include "fs/overlay/private.h"
#include <linux/fs.h>

static struct inode *upper_of(struct inode *inode)
{
    return ovl_inode(inode)->upper;
}

static int look_up_in(struct inode *real, const struct name *name, struct inode **ret)
{
    if (!real)
        return -ENOENT;
    MUTEX_GUARD(&real->lock);
    return real->ops->lookup(real, name, ret);
}

static bool is_opaque(struct inode *upper)
{
    char value;
    return upper->ops->getxattr && upper->ops->getxattr(upper, OVL_OPAQUE, &value, 1) == 1 && value == 'y';
}

static int make_opaque(struct inode *upper)
{
    if (!upper->ops->setxattr)
        return -EOPNOTSUPP;
    MUTEX_GUARD(&upper->lock);
    return upper->ops->setxattr(upper, OVL_OPAQUE, "y", 1, 0);
}

/* A directory of an upper layer that has been there before: with the lower one of its name, unless
 * it hides that. Consumes upper. */
static int get_merged(struct ovl_inode *od, const struct name *name, struct inode *upper, struct inode **ret)
{
    struct inode *lower = NULL;
    upper->dcache_volatile = true; /* it changes behind whoever looks at it directly */
    *ret = ovl_find_upper(ovl_of(&od->inode), upper);
    if (*ret) {
        inode_put(upper);
        return 0;
    }
    if (!is_opaque(upper) && !look_up_in(od->lower, name, &lower) && !inode_is_dir(lower)) {
        inode_put(lower);
        lower = NULL;
    }
    if (!lower)
        return ovl_get_upper(ovl_of(&od->inode), upper, ret);
    int err = ovl_get_lower(od, name, lower, ret);
    inode_put(lower);
    if (err || ovl_inode(*ret)->upper)
        inode_put(upper);
    else
        ovl_set_upper(ovl_inode(*ret), upper);
    return err;
}

static int ovl_lookup(struct inode *dir, const struct name *name, struct inode **ret)
{
    struct ovl_inode *od = ovl_inode(dir);
    struct inode *real;
    int err = look_up_in(od->upper, name, &real);
    if (!err && ovl_is_whiteout(real)) {
        inode_put(real);
        return -ENOENT;
    }
    if (!err && ovl_of(dir)->merges && inode_is_dir(real))
        return get_merged(od, name, real, ret);
    if (!err)
        return ovl_get_upper(ovl_of(dir), real, ret);
    if (err != -ENOENT)
        return err;
    err = look_up_in(od->lower, name, &real);
    if (err)
        return err;
    err = ovl_get_lower(od, name, real, ret);
    inode_put(real);
    return err;
}

/* ---- whiteouts ---- */

/* Does the lower side of dir have this name? */
static bool lower_has(struct inode *dir, const struct name *name)
{
    struct inode *real;
    if (look_up_in(ovl_inode(dir)->lower, name, &real))
        return false;
    inode_put(real);
    return true;
}

static bool needs_whiteout(struct inode *dir, const struct name *name, const struct ovl_inode *oi)
{
    return (oi->lower || oi->covers) && lower_has(dir, name);
}

/* The upper directory is locked, and has nothing at the name. */
static int put_whiteout(struct inode *dir, const struct name *name)
{
    struct inode *upper = upper_of(dir), *whiteout;
    if (ovl_of(dir)->whiteout)
        return upper->ops->link(upper, name, ovl_of(dir)->whiteout);
    int err = upper->ops->mknod ? upper->ops->mknod(upper, name, S_IFCHR, 0, current_cred(), &whiteout) : -EPERM;
    if (!err)
        inode_put(whiteout);
    return err;
}

/* Takes a whiteout at the name away. 1: there was one; 0; -errno. The upper directory is locked. */
static int take_whiteout(struct inode *dir, const struct name *name)
{
    struct inode *upper = upper_of(dir), *found;
    int err = upper->ops->lookup(upper, name, &found);
    if (err)
        return err == -ENOENT ? 0 : err;
    err = ovl_is_whiteout(found) ? upper->ops->unlink(upper, name, found) : -EIO;
    inode_put(found);
    return err ? err : 1;
}

/* ---- making ---- */

/* What a new name is made from. */
struct recipe {
    uint32_t mode;
    uint64_t rdev;
    const char *target; /* of a symbolic link */
    struct inode *link; /* an upper inode that gets another name, or NULL */
    const struct cred *cred;
};

static int make_in(struct inode *upper, const struct name *name, const struct recipe *r,
                   struct inode **ret)
{
    const struct inode_ops *ops = upper->ops;
    if (r->link)
        return ops->link ? ops->link(upper, name, r->link) : -EPERM;
    switch (r->mode & S_IFMT) {
    case S_IFREG:
        return ops->create(upper, name, r->mode, r->cred, ret);
    case S_IFDIR:
        return ops->mkdir(upper, name, r->mode, r->cred, ret);
    case S_IFLNK:
        return ops->symlink(upper, name, r->target, r->cred, ret);
    default:
        return ops->mknod(upper, name, r->mode, r->rdev, r->cred, ret);
    }
}

/* Makes the name in the upper layer, in the place of a whiteout if there is one. ret_covered: there
 * was. */
static int make_upper(struct inode *dir, const struct name *name, const struct recipe *r,
                      struct inode **ret, bool *ret_covered)
{
    int err = ovl_copy_up(ovl_inode(dir), true);
    if (err)
        return err;
    struct inode *upper = upper_of(dir);
    mutex_lock(&upper->lock);
    int covered = take_whiteout(dir, name);
    err = covered < 0 ? covered : make_in(upper, name, r, ret);
    if (err && covered == 1)
        (void)put_whiteout(dir, name); /* the room it had is free again */
    mutex_unlock(&upper->lock);
    ovl_sync_attr(ovl_inode(dir));
    *ret_covered = covered == 1;
    return err;
}

static int make(struct inode *dir, const struct name *name, const struct recipe *r,
                struct inode **ret)
{
    struct inode *upper;
    bool covered;
    int err = make_upper(dir, name, r, &upper, &covered);
    if (!err)
        err = ovl_get_upper(ovl_of(dir), upper, ret);
    if (!err)
        ovl_inode(*ret)->covers = covered;
    if (!err && covered && S_ISDIR(r->mode) && ovl_of(dir)->merges)
        (void)make_opaque(upper_of(*ret)); /* where it cannot be kept, a later mount merges */
    return err;
}

static int ovl_create(struct inode *dir, const struct name *name, uint32_t mode,
                      const struct cred *cred, struct inode **ret)
{
    return make(dir, name, &(struct recipe){.mode = mode, .cred = cred}, ret);
}

static int ovl_mknod(struct inode *dir, const struct name *name, uint32_t mode, uint64_t rdev,
                     const struct cred *cred, struct inode **ret)
{
    if (S_ISCHR(mode) && rdev == 0)
        return -EPERM; /* it would be a whiteout */
    return make(dir, name, &(struct recipe){.mode = mode, .rdev = rdev, .cred = cred}, ret);
}

static int ovl_symlink(struct inode *dir, const struct name *name, const char *target,
                       const struct cred *cred, struct inode **ret)
{
    return make(dir, name, &(struct recipe){.mode = S_IFLNK | 0777, .target = target, .cred = cred},
                ret);
}

static int ovl_tmpfile(struct inode *dir, uint32_t mode, const struct cred *cred,
                       struct inode **ret)
{
    struct inode *file;
    int err = ovl_copy_up(ovl_inode(dir), true);
    if (err)
        return err;
    struct inode *upper = upper_of(dir);
    if (!upper->ops->tmpfile)
        return -EOPNOTSUPP;
    mutex_lock(&upper->lock);
    err = upper->ops->tmpfile(upper, mode, cred, &file);
    mutex_unlock(&upper->lock);
    return err ? err : ovl_get_upper(ovl_of(dir), file, ret);
}

static int ovl_link(struct inode *dir, const struct name *name, struct inode *target)
{
    struct ovl_inode *oi = ovl_inode(target);
    bool covered;
    int err = ovl_copy_up(oi, true);
    if (!err)
        err = make_upper(dir, name, &(struct recipe){.link = upper_of(target)}, NULL, &covered);
    if (err)
        return err;
    MUTEX_GUARD(&target->lock);
    oi->covers |= covered;
    target->attr.nlink++;
    ovl_sync_attr(oi);
    return 0;
}

/* ---- removing ---- */

/* A name of target is gone. */
static void drop_link(struct inode *target)
{
    struct ovl_inode *oi = ovl_inode(target);
    bool is_dir = inode_is_dir(target);
    if (!is_dir)
        mutex_lock(&target->lock);
    target->attr.nlink = is_dir ? 0 : target->attr.nlink - 1;
    ovl_sync_attr(oi);
    if (is_dir)
        target->attr.nlink = 0;
    target->attr.ctime = vfs_now();
    bool last = !target->attr.nlink;
    if (!is_dir)
        mutex_unlock(&target->lock);
    if (last)
        ovl_unpin(oi);
    else
        ovl_pin(oi);
}

/* The entry in the upper directory (locked), if it is there: copied-up hard links may have no name
 * of their own. */
static int remove_upper(struct inode *dir, const struct name *name)
{
    struct inode *upper = upper_of(dir), *found;
    int err = upper->ops->lookup(upper, name, &found);
    if (err)
        return err == -ENOENT ? 0 : err;
    if (inode_is_dir(found)) {
        mutex_lock(&found->lock);
        err = ovl_clear_whiteouts(found);
        if (!err)
            err = upper->ops->rmdir(upper, name, found);
        mutex_unlock(&found->lock);
    } else {
        err = upper->ops->unlink(upper, name, found);
    }
    inode_put(found);
    return err;
}

static int remove_name(struct inode *dir, const struct name *name, struct inode *target)
{
    bool whiteout = needs_whiteout(dir, name, ovl_inode(target));
    int err = ovl_copy_up(ovl_inode(dir), true);
    if (err)
        return err;
    struct inode *upper = upper_of(dir);
    mutex_lock(&upper->lock);
    err = remove_upper(dir, name);
    if (!err && whiteout)
        err = put_whiteout(dir, name);
    upper->attr.mtime = upper->attr.ctime = vfs_now();
    mutex_unlock(&upper->lock);
    ovl_sync_attr(ovl_inode(dir));
    if (!err)
        drop_link(target);
    return err;
}

static int ovl_rmdir(struct inode *dir, const struct name *name, struct inode *target)
{
    int err = ovl_dir_is_empty(ovl_inode(target));
    return err ? err : remove_name(dir, name, target);
}

/* ---- rename ---- */

static void lock_uppers(struct inode *a, struct inode *b)
{
    mutex_lock(a < b ? &a->lock : &b->lock);
    if (a != b)
        mutex_lock(a < b ? &b->lock : &a->lock);
}

static void unlock_uppers(struct inode *a, struct inode *b)
{
    mutex_unlock(&a->lock);
    if (a != b)
        mutex_unlock(&b->lock);
}

/* Everything a rename touches gets an upper side. */
static int copy_up_all(struct inode *old_dir, struct inode *inode, struct inode *new_dir,
                       struct inode *target)
{
    int err = ovl_copy_up(ovl_inode(old_dir), true);
    if (!err)
        err = ovl_copy_up(ovl_inode(new_dir), true);
    if (!err)
        err = ovl_copy_up(ovl_inode(inode), true);
    return !err && target ? ovl_copy_up(ovl_inode(target), true) : err;
}

/* A copied-up hard link that has no upper entry at this name gets one, so that it can be moved.
 * Upper directory locked. */
static int ensure_entry(struct inode *dir, const struct name *name, struct inode *inode)
{
    struct inode *upper = upper_of(dir), *found;
    int err = upper->ops->lookup(upper, name, &found);
    if (!err)
        inode_put(found);
    return err == -ENOENT ? upper->ops->link(upper, name, upper_of(inode)) : err;
}

/* Clears what the new name has in the upper layer. 1: something of the lower layer may be under
 * it. */
static int clear_place(struct inode *dir, const struct name *name, struct inode *target)
{
    int covered = target ? ovl_inode(target)->covers || ovl_inode(target)->lower : 0;
    int err = target ? remove_upper(dir, name) : take_whiteout(dir, name);
    return err < 0 ? err : covered || err == 1;
}

static int move(struct inode *old_dir, const struct name *old_name, struct inode *inode,
                struct inode *new_dir, const struct name *new_name, struct inode *target)
{
    struct inode *from = upper_of(old_dir), *to = upper_of(new_dir);
    struct ovl_inode *oi = ovl_inode(inode);
    unsigned flags = needs_whiteout(old_dir, old_name, oi) ? RENAME_WHITEOUT : 0;
    lock_uppers(from, to);
    int err = ensure_entry(old_dir, old_name, inode);
    int covered = err ? err : clear_place(new_dir, new_name, target);
    err = covered < 0 ? covered
                      : from->ops->rename(from, old_name, oi->upper, to, new_name, NULL, flags);
    unlock_uppers(from, to);
    if (err)
        return err;
    oi->covers |= covered;
    if (covered && inode_is_dir(inode) && ovl_of(inode)->merges)
        (void)make_opaque(oi->upper);
    if (target)
        drop_link(target);
    return 0;
}

static int exchange(struct inode *old_dir, const struct name *old_name, struct inode *inode,
                    struct inode *new_dir, const struct name *new_name, struct inode *target)
{
    struct inode *from = upper_of(old_dir), *to = upper_of(new_dir);
    lock_uppers(from, to);
    int err = ensure_entry(old_dir, old_name, inode);
    if (!err)
        err = ensure_entry(new_dir, new_name, target);
    if (!err)
        err = from->ops->rename(from, old_name, upper_of(inode), to, new_name, upper_of(target),
                                RENAME_EXCHANGE);
    unlock_uppers(from, to);
    if (err)
        return err;
    ovl_inode(inode)->covers = ovl_inode(target)->covers =
        true; /* may be: asked below when it matters */
    ovl_sync_attr(ovl_inode(target));
    return 0;
}

static int ovl_rename(struct inode *old_dir, const struct name *old_name, struct inode *inode,
                      struct inode *new_dir, const struct name *new_name, struct inode *target,
                      unsigned flags)
{
    bool swap = flags & RENAME_EXCHANGE;
    if (flags & RENAME_WHITEOUT)
        return -EINVAL; /* whiteouts are ours */
    if (ovl_of(inode)->merges && inode_is_dir(inode) && ovl_inode(inode)->lower)
        return -EXDEV; /* where it came from could not be written down */
    int err = target && !swap && inode_is_dir(target) ? ovl_dir_is_empty(ovl_inode(target)) : 0;
    if (!err)
        err = copy_up_all(old_dir, inode, new_dir, swap ? target : NULL);
    if (!err)
        err = swap ? exchange(old_dir, old_name, inode, new_dir, new_name, target)
                   : move(old_dir, old_name, inode, new_dir, new_name, target);
    ovl_sync_attr(ovl_inode(old_dir));
    ovl_sync_attr(ovl_inode(new_dir));
    ovl_sync_attr(ovl_inode(inode));
    return err;
}

const struct inode_ops ovl_dir_inode_ops = {
    .lookup = ovl_lookup,
    .create = ovl_create,
    .mkdir = ovl_create,
    .mknod = ovl_mknod,
    .symlink = ovl_symlink,
    .link = ovl_link,
    .unlink = remove_name,
    .rmdir = ovl_rmdir,
    .rename = ovl_rename,
    .tmpfile = ovl_tmpfile,
    .getattr = ovl_getattr,
    .setattr = ovl_setattr,
    .getxattr = ovl_getxattr,
    .setxattr = ovl_setxattr,
    .removexattr = ovl_removexattr,
    .listxattr = ovl_listxattr,
    .evict = ovl_evict,
};

const struct inode_ops ovl_inode_ops = {
    .getattr = ovl_getattr,
    .setattr = ovl_setattr,
    .getxattr = ovl_getxattr,
    .setxattr = ovl_setxattr,
    .removexattr = ovl_removexattr,
    .listxattr = ovl_listxattr,
    .evict = ovl_evict,
};
