/*
 * The verbs behind read(2), write(2), lseek(2), getdents64(2) and fsync(2): mode and range checks,
 * the file's position, then the file's own operation. copy_file_range and sendfile are in copy.c.
 */
#include "kernel/limits.h"
#include "kernel/task.h"
#include "vfs/file.h"
#include "vfs/internal.h"
#include "vfs/notify.h"
#include <dirent.h>
#include <linux/falloc.h>
#include <sys/mount.h>

static inline bool is_regular(const struct file *f)
{
    return S_ISREG(f->inode->attr.mode);
}

static int check_read(const struct file *f)
{
    if (UNLIKELY(!file_readable(f)))
        return -EBADF;
    if (LIKELY(f->ops->read != NULL))
        return 0;
    return inode_is_dir(f->inode) ? -EISDIR : -EINVAL;
}

static int check_write(const struct file *f)
{
    if (UNLIKELY(!file_writable(f)))
        return -EBADF;
    return f->ops->write ? 0 : -EINVAL;
}

ssize_t vfs_read(struct file *f, struct uio *to)
{
    int err = check_read(f);
    if (err)
        return err;
    if (f->ops->stream) {
        int64_t none = 0;
        return f->ops->read(f, to, &none);
    }
    mutex_lock(&f->pos_lock);
    ssize_t n = f->ops->read(f, to, &f->pos);
    mutex_unlock(&f->pos_lock);
    if (n > 0)
        notify_dentry(f->path.dentry, f->inode, IN_ACCESS);
    return n;
}

ssize_t vfs_pread(struct file *f, struct uio *to, int64_t pos)
{
    if (f->ops->stream)
        return -ESPIPE;
    if (pos < 0)
        return -EINVAL;
    int err = check_read(f);
    if (err)
        return err;
    ssize_t n = f->ops->read(f, to, &pos);
    if (n > 0)
        notify_dentry(f->path.dentry, f->inode, IN_ACCESS);
    return n;
}

static ssize_t write_at(struct file *f, struct uio *from, int64_t *pos)
{
    int err = file_remove_privs(f->inode, f->cred);
    if (err)
        return err;
    ssize_t n = f->ops->write(f, from, pos);
    if (n > 0)
        notify_dentry(f->path.dentry, f->inode, IN_MODIFY);
    return n;
}

ssize_t vfs_write(struct file *f, struct uio *from)
{
    int err = check_write(f);
    if (err)
        return err;
    if (f->ops->stream) {
        int64_t none = 0;
        return f->ops->write(f, from, &none);
    }
    mutex_lock(&f->pos_lock);
    ssize_t n = write_at(f, from, &f->pos);
    mutex_unlock(&f->pos_lock);
    return n;
}

ssize_t vfs_pwrite(struct file *f, struct uio *from, int64_t pos)
{
    if (f->ops->stream)
        return -ESPIPE;
    if (pos < 0)
        return -EINVAL;
    int err = check_write(f);
    return err ? err : write_at(f, from, &pos);
}

ssize_t vfs_read_kernel(struct file *f, void *buf, size_t n, int64_t pos)
{
    size_t done = 0;
    if (!f->ops->read)
        return -EINVAL;
    while (done < n) {
        struct uio u;
        uio_init_kernel(&u, (char *)buf + done, n - done);
        ssize_t got = f->ops->read(f, &u, &pos);
        if (got < 0)
            return done ? (ssize_t)done : got;
        if (!got)
            break;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

ssize_t vfs_write_limit(struct file *f, int64_t pos, size_t n)
{
    uint64_t limit = current_limit(RLIMIT_FSIZE);
    if (UNLIKELY(pos < 0 || n > (uint64_t)INT64_MAX - (uint64_t)pos)) {
        if (pos < 0 || pos == INT64_MAX)
            return -EFBIG;
        n = (size_t)(INT64_MAX - pos);
    }
    if (LIKELY((uint64_t)pos + n <= limit))
        return (ssize_t)n;
    if (f && !is_regular(f))
        return (ssize_t)n;
    if ((uint64_t)pos < limit)
        return (ssize_t)(limit - (uint64_t)pos);
    if (current)
        signal_send_task(current, SIGXFSZ, NULL);
    return -EFBIG;
}

/* ---- position ---- */

int64_t generic_lseek(struct file *f, int64_t offset, int whence)
{
    int64_t size = (int64_t)f->inode->attr.size, base = 0, pos;
    switch (whence) {
    case SEEK_SET:
        break;
    case SEEK_CUR:
        base = f->pos;
        break;
    case SEEK_END:
        base = size;
        break;
    case SEEK_DATA:
    case SEEK_HOLE: /* one stretch of data, one hole behind it */
        if (offset < 0 || offset >= size)
            return -ENXIO;
        return f->pos = whence == SEEK_DATA ? offset : size;
    default:
        return -EINVAL;
    }
    if (__builtin_add_overflow(base, offset, &pos))
        return -EOVERFLOW;
    return pos < 0 ? -EINVAL : (f->pos = pos);
}

int64_t vfs_lseek(struct file *f, int64_t offset, int whence)
{
    if (f->flags & O_PATH)
        return -EBADF;
    if (f->ops->lseek_is_noop)
        return 0;
    if (f->ops->stream || !f->ops->lseek)
        return -ESPIPE;
    MUTEX_GUARD(&f->pos_lock);
    return f->ops->lseek(f, offset, whence);
}

void file_accessed(struct file *f)
{
    struct attr *a = &f->inode->attr;
    const struct mount *m = f->path.mount;
    if (f->flags & O_NOATIME || f->inode->sb->read_only ||
        (m && m->flags & (MS_RDONLY | MS_NOATIME)))
        return;
    if (m && m->flags & MS_NODIRATIME && S_ISDIR(a->mode))
        return;
    int64_t now = vfs_now();
    bool strict = m && !(m->flags & MS_RELATIME);
    if (strict || a->atime <= a->mtime || a->atime <= a->ctime || now - a->atime >= 24 * 3600 * NSEC_PER_SEC)
        a->atime = now;
}

/* ---- directories ---- */

int64_t dir_lseek(struct file *f, int64_t offset, int whence)
{
    if (whence != SEEK_SET && whence != SEEK_CUR)
        return -EINVAL;
    if (whence == SEEK_CUR && __builtin_add_overflow(offset, f->pos, &offset))
        return -EOVERFLOW;
    return offset < 0 ? -EINVAL : (f->pos = offset);
}

int vfs_readdir(struct file *f, struct dir_emitter *e)
{
    if (f->flags & O_PATH)
        return -EBADF;
    if (!f->ops->readdir)
        return -ENOTDIR;
    MUTEX_GUARD(&f->pos_lock);
    mutex_lock(&f->inode->lock);
    int err = f->inode->dead ? -ENOENT : f->ops->readdir(f, e, &f->pos);
    mutex_unlock(&f->inode->lock);
    notify_dentry(f->path.dentry, f->inode, IN_ACCESS);
    return err;
}

int dir_emit_dots(struct file *f, struct dir_emitter *e, int64_t *pos)
{
    struct dentry *d = f->path.dentry;
    uint64_t ino = f->inode->attr.ino;
    if (*pos == 0) {
        if (!e->emit(e, ".", 1, ino, DT_DIR, 1))
            return 0;
        *pos = 1;
    }
    if (*pos == 1) {
        spin_lock(&dentry_lock);
        if (d && d->parent->inode)
            ino = d->parent->inode->attr.ino;
        spin_unlock(&dentry_lock);
        if (!e->emit(e, "..", 2, ino, DT_DIR, 2))
            return 0;
        *pos = 2;
    }
    return 1;
}

/* ---- the rest ---- */

uint32_t vfs_poll(struct file *f, struct poll_table *table)
{
    return f->ops->poll ? f->ops->poll(f, table) : EPOLLIN | EPOLLOUT | EPOLLRDNORM | EPOLLWRNORM;
}

int64_t vfs_ioctl(struct file *f, unsigned cmd, uaddr_t arg)
{
    return f->ops->ioctl ? f->ops->ioctl(f, cmd, arg) : -ENOTTY;
}

int vfs_fsync(struct file *f, bool data_only)
{
    return f->ops->fsync ? f->ops->fsync(f, data_only) : -EINVAL;
}

#define FALLOCATE_MODES                                                  \
    (FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE | \
     FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_INSERT_RANGE | FALLOC_FL_UNSHARE_RANGE)

int vfs_fallocate(struct file *f, int mode, int64_t offset, int64_t len)
{
    int64_t end;
    if (offset < 0 || len <= 0)
        return -EINVAL;
    if (mode & ~FALLOCATE_MODES)
        return -EOPNOTSUPP;
    bool punch = mode & FALLOC_FL_PUNCH_HOLE, zero = mode & FALLOC_FL_ZERO_RANGE;
    if ((punch && zero) || (punch && !(mode & FALLOC_FL_KEEP_SIZE)))
        return -EOPNOTSUPP;
    if (!file_writable(f))
        return -EBADF;
    if (S_ISFIFO(f->inode->attr.mode))
        return -ESPIPE;
    if (inode_is_dir(f->inode))
        return -EISDIR;
    if (!is_regular(f) && !S_ISBLK(f->inode->attr.mode))
        return -ENODEV;
    if (__builtin_add_overflow(offset, len, &end))
        return -EFBIG;
    if (!f->ops->fallocate)
        return -EOPNOTSUPP;
    int err = file_remove_privs(f->inode, f->cred);
    if (!err)
        err = f->ops->fallocate(f, mode, offset, len);
    if (!err)
        notify_dentry(f->path.dentry, f->inode, IN_MODIFY);
    return err;
}
