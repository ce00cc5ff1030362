/*
 * Open regular files of an overlay: every operation goes to the real file below. One opened for
 * reading on the lower side changes over to the upper side when somebody has copied the file up, so
 * that it sees what was written since (mappings made before keep showing the lower file, as with
 * Linux's overlayfs).
 */
#include "fs/overlay/private.h"
#include <stdlib.h>

static int open_real(struct inode *real, struct file *f, struct file **ret)
{
    uint32_t flags = f->flags & ~(uint32_t)(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC);
    return file_new_inode(real, flags, f->cred, ret);
}

static int ovl_open(struct inode *inode, struct file *f)
{
    struct ovl_inode *oi = ovl_inode(inode);
    struct ovl_file *of;
    struct file *real;
    int err = file_writable(f) || f->flags & O_TRUNC ? ovl_copy_up(oi, !(f->flags & O_TRUNC)) : 0;
    if (err)
        return err;
    of = calloc(1, sizeof(*of));
    if (!of)
        return -ENOMEM;
    struct inode *upper = oi->upper;
    err = open_real(upper ? upper : oi->lower, f, &real);
    if (err) {
        free(of);
        return err;
    }
    if (upper)
        of->upper = real;
    else
        of->lower = real;
    f->private_data = of;
    return 0;
}

static void ovl_release(struct file *f)
{
    struct ovl_file *of = f->private_data;
    if (of->upper)
        file_put(of->upper);
    if (of->lower)
        file_put(of->lower);
    free(of);
}

/* The file was copied up since it was opened. */
static int change_over(struct file *f, struct ovl_file *of, struct inode *upper, struct file **ret)
{
    struct file *fresh, *seen = NULL;
    int err = open_real(upper, f, &fresh);
    if (err)
        return err;
    if (!atomic_compare_exchange_strong(&of->upper, &seen, fresh)) {
        file_put(fresh);
        fresh = seen;
    }
    *ret = fresh;
    return 0;
}

static inline int real_file(struct file *f, struct file **ret)
{
    struct ovl_file *of = f->private_data;
    struct inode *upper;
    *ret = of->upper;
    if (!*ret) {
        upper = atomic_load(&ovl_inode(f->inode)->upper);
        if (UNLIKELY(upper != NULL))
            return change_over(f, of, upper, ret);
        *ret = of->lower;
    }
    if (UNLIKELY((*ret)->flags != f->flags))
        (*ret)->flags = f->flags; /* F_SETFL */
    return 0;
}

static ssize_t ovl_read(struct file *f, struct uio *to, int64_t *pos)
{
    struct file *real;
    int err = real_file(f, &real);
    if (UNLIKELY(err))
        return err;
    ssize_t n = real->ops->read(real, to, pos);
    if (real->inode == ovl_inode(f->inode)->upper)
        f->inode->attr.atime = real->inode->attr.atime;
    return n;
}

static ssize_t ovl_write(struct file *f, struct uio *from, int64_t *pos)
{
    struct file *real;
    int err = real_file(f, &real);
    if (UNLIKELY(err))
        return err;
    ssize_t n = real->ops->write(real, from, pos);
    ovl_sync_attr(ovl_inode(f->inode));
    return n;
}

static int64_t ovl_lseek(struct file *f, int64_t offset, int whence)
{
    struct file *real;
    if (whence != SEEK_DATA && whence != SEEK_HOLE)
        return generic_lseek(f, offset, whence);
    int err = real_file(f, &real);
    int64_t at = err ? err : real->ops->lseek(real, offset, whence);
    if (at >= 0)
        f->pos = at;
    return at;
}

static int ovl_mmap(struct file *f, struct mmap_request *req)
{
    struct file *real;
    int err = real_file(f, &real);
    if (err)
        return err;
    err = real->ops->mmap ? real->ops->mmap(real, req) : -ENODEV;
    if (!err && ovl_inode(f->inode)->upper)
        ovl_sync_attr(ovl_inode(f->inode));
    return err;
}

static int ovl_fsync(struct file *f, bool data_only)
{
    return 0; /* the upper side is memory, the lower does not change */
}

static int ovl_fallocate(struct file *f, int mode, int64_t offset, int64_t len)
{
    struct file *real;
    int err = real_file(f, &real);
    if (err)
        return err;
    err = real->ops->fallocate ? real->ops->fallocate(real, mode, offset, len) : -EOPNOTSUPP;
    ovl_sync_attr(ovl_inode(f->inode));
    return err;
}

const struct file_ops ovl_file_ops = {
    .open = ovl_open,
    .read = ovl_read,
    .write = ovl_write,
    .lseek = ovl_lseek,
    .mmap = ovl_mmap,
    .fsync = ovl_fsync,
    .fallocate = ovl_fallocate,
    .release = ovl_release,
};
