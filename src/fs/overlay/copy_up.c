/*
 * Copy-up: gives an inode of the lower layer an upper side, with the same contents and attributes,
 * after its parents have one.
 *
 * A file is made without a name, filled, and only then linked under its name in the upper layer: a
 * listing never meets half a file. The overlay inode stays the same throughout; open files change
 * over at their next operation (file.c).
 */
#include "fs/overlay/private.h"
#include <stdlib.h>
#include <string.h>

#define COPY_PIECE (256u * 1024)
#define XATTR_LIST_ROOM 65536u

/* ---- contents ---- */

static ssize_t write_all(struct file *to, void *buf, size_t n, int64_t *pos)
{
    struct uio u;
    uio_init_kernel(&u, buf, n);
    while (u.remaining) {
        ssize_t k = to->ops->write(to, &u, pos);
        if (k <= 0)
            return k ? k : -EIO;
    }
    return 0;
}

static int copy_bytes(struct file *from, struct file *to)
{
    CLEANUP_FREE void *buf = malloc(COPY_PIECE);
    int64_t pos = 0;
    if (!buf)
        return -ENOMEM;
    for (;;) {
        ssize_t n = vfs_read_kernel(from, buf, COPY_PIECE, pos);
        if (n <= 0)
            return (int)n;
        int err = (int)write_all(to, buf, (size_t)n, &pos);
        if (err)
            return err;
    }
}

static int copy_contents(struct inode *lower, struct inode *upper)
{
    CLEANUP_FILE struct file *from = NULL, *to = NULL;
    int err = file_new_inode(lower, O_RDONLY, current_cred(), &from);
    if (!err)
        err = file_new_inode(upper, O_WRONLY, current_cred(), &to);
    return err ? err : copy_bytes(from, to);
}

/* One attribute; what cannot be read or kept is left out, as file systems differ in what they
 * take. */
static void copy_xattr(struct inode *lower, struct inode *upper, const char *name)
{
    ssize_t size = lower->ops->getxattr(lower, name, NULL, 0);
    CLEANUP_FREE void *value = size >= 0 ? malloc((size_t)size + 1) : NULL;
    if (!value)
        return;
    size = lower->ops->getxattr(lower, name, value, (size_t)size);
    if (size < 0)
        return;
    mutex_lock(&upper->lock);
    (void)upper->ops->setxattr(upper, name, value, (size_t)size, 0);
    mutex_unlock(&upper->lock);
}

static int copy_xattrs(struct inode *lower, struct inode *upper)
{
    if (!lower->ops->listxattr || !lower->ops->getxattr || !upper->ops->setxattr)
        return 0;
    ssize_t len = lower->ops->listxattr(lower, NULL, 0);
    if (len <= 0)
        return 0;
    CLEANUP_FREE char *list = malloc(XATTR_LIST_ROOM);
    if (!list)
        return -ENOMEM;
    len = lower->ops->listxattr(lower, list, XATTR_LIST_ROOM);
    for (ssize_t i = 0; i < len; i += (ssize_t)strlen(list + i) + 1)
        copy_xattr(lower, upper, list + i);
    return 0;
}

static int copy_attrs(const struct ovl_inode *oi, struct inode *upper)
{
    const struct attr *a = &oi->inode.attr;
    struct setattr change = {.valid = ATTR_MODE | ATTR_UID | ATTR_GID | ATTR_ATIME | ATTR_MTIME,
                             .mode = a->mode,
                             .uid = a->uid,
                             .gid = a->gid,
                             .atime = a->atime,
                             .mtime = a->mtime};
    MUTEX_GUARD(&upper->lock);
    int err = upper->ops->setattr(upper, &change);
    upper->attr.ctime = a->ctime; /* a copy is not a change */
    upper->attr.btime = a->btime;
    return err;
}

/* ---- one inode; copy_lock held, the parent has an upper side ---- */

/* Other types than regular files have their name at once: there is nothing to fill. dir is
 * locked. */
static int make_upper(struct ovl_inode *oi, struct inode *dir, const struct name *name,
                      struct inode **ret)
{
    const struct cred *cred = current_cred();
    uint32_t mode = oi->inode.attr.mode;
    switch (mode & S_IFMT) {
    case S_IFREG:
        return dir->ops->tmpfile(dir, mode, cred, ret);
    case S_IFDIR:
        return dir->ops->mkdir(dir, name, mode, cred, ret);
    case S_IFLNK:
        return dir->ops->symlink(dir, name, oi->inode.link, cred, ret);
    default:
        return dir->ops->mknod(dir, name, mode, oi->inode.attr.rdev, cred, ret);
    }
}

static int remove_upper(struct inode *dir, const struct name *name, struct inode *inode)
{
    return (inode_is_dir(inode) ? dir->ops->rmdir : dir->ops->unlink)(dir, name, inode);
}

/* The name may be covered by a whiteout meanwhile: the inode was removed while open, or is a hard
 * link whose other names live on. Then its upper side has no name. */
static bool name_is_taken(struct inode *dir, const struct name *name)
{
    struct inode *found;
    if (dir->ops->lookup(dir, name, &found))
        return false;
    inode_put(found);
    return true;
}

static int make_nameless(struct ovl_inode *oi, struct inode *dir, struct inode **ret)
{
    struct name name = name_make("#copy", 5); /* seen by nobody: dir stays locked */
    int err = make_upper(oi, dir, &name, ret);
    if (!err && !S_ISREG(oi->inode.attr.mode))
        err = remove_upper(dir, &name, *ret);
    return err;
}

static int fill_upper(struct ovl_inode *oi, struct inode *upper, bool data)
{
    int err = data && S_ISREG(oi->inode.attr.mode) ? copy_contents(oi->lower, upper) : 0;
    if (!err)
        err = copy_xattrs(oi->lower, upper);
    return err ? err : copy_attrs(oi, upper);
}

static int copy_up_one(struct ovl_inode *oi, bool data)
{
    struct inode *dir = oi->parent->upper, *upper;
    struct name name = name_make(oi->name, strlen(oi->name));
    bool is_file = S_ISREG(oi->inode.attr.mode);
    int64_t mtime = dir->attr.mtime, ctime = dir->attr.ctime;
    mutex_lock(&dir->lock);
    bool taken = name_is_taken(dir, &name);
    int err = taken ? make_nameless(oi, dir, &upper) : make_upper(oi, dir, &name, &upper);
    mutex_unlock(&dir->lock);
    if (err)
        return err;
    err = fill_upper(oi, upper, data);
    mutex_lock(&dir->lock);
    if (!err && is_file && !taken)
        err = dir->ops->link(dir, &name, upper);
    else if (err && !is_file && !taken)
        (void)remove_upper(dir, &name, upper);
    dir->attr.mtime = mtime; /* nothing was added as the guest sees it */
    dir->attr.ctime = ctime;
    mutex_unlock(&dir->lock);
    if (err) {
        inode_put(upper);
        return err;
    }
    if (is_file)
        upper->attr.ctime = oi->inode.attr.ctime;
    ovl_set_upper(oi, upper);
    if (!oi->inode.attr.nlink)
        ovl_unpin(oi);
    return 0;
}

int ovl_copy_up(struct ovl_inode *oi, bool data)
{
    if (LIKELY(atomic_load(&oi->upper) != NULL))
        return 0;
    struct overlay *ovl = ovl_of(&oi->inode);
    MUTEX_GUARD(&ovl->copy_lock);
    while (!oi->upper) {
        struct ovl_inode *top = oi; /* the highest one that is not up yet */
        while (!top->parent->upper)
            top = top->parent;
        int err = copy_up_one(top, top == oi && data);
        if (err)
            return err;
    }
    return 0;
}

/* ---- extended attributes, of whichever side counts ---- */

static struct inode *real(struct inode *inode)
{
    struct ovl_inode *oi = ovl_inode(inode);
    return oi->upper ? oi->upper : oi->lower;
}

ssize_t ovl_getxattr(struct inode *inode, const char *name, void *value, size_t size)
{
    struct inode *r = real(inode);
    return r->ops->getxattr ? r->ops->getxattr(r, name, value, size) : -EOPNOTSUPP;
}

ssize_t ovl_listxattr(struct inode *inode, char *list, size_t size)
{
    struct inode *r = real(inode);
    return r->ops->listxattr ? r->ops->listxattr(r, list, size) : 0;
}

int ovl_setxattr(struct inode *inode, const char *name, const void *value, size_t size, int flags)
{
    struct ovl_inode *oi = ovl_inode(inode);
    int err = ovl_copy_up(oi, true);
    if (err)
        return err;
    struct inode *upper = oi->upper;
    if (!upper->ops->setxattr)
        return -EOPNOTSUPP;
    mutex_lock(&upper->lock);
    err = upper->ops->setxattr(upper, name, value, size, flags);
    mutex_unlock(&upper->lock);
    ovl_sync_attr(oi);
    return err;
}

int ovl_removexattr(struct inode *inode, const char *name)
{
    struct ovl_inode *oi = ovl_inode(inode);
    int err = ovl_copy_up(oi, true);
    if (err)
        return err;
    struct inode *upper = oi->upper;
    if (!upper->ops->removexattr)
        return -EOPNOTSUPP;
    mutex_lock(&upper->lock);
    err = upper->ops->removexattr(upper, name);
    mutex_unlock(&upper->lock);
    ovl_sync_attr(oi);
    return err;
}
