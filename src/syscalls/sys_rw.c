/* read(2), write(2) and their positional and vectored forms, lseek. */
#include "kernel/fdtable.h"
#include "kernel/task.h"
#include "mm/uaccess.h"
#include "syscalls/prototypes.h"
#include "vfs/vfs.h"
#include <sys/uio.h>

/* For /proc/PID/io. */
static int64_t count_read(int64_t n)
{
    struct io_counts *io = &current->io;
    io->syscr++;
    io->rchar += n > 0 ? (uint64_t)n : 0;
    return n;
}

static int64_t count_write(int64_t n)
{
    struct io_counts *io = &current->io;
    io->syscw++;
    io->wchar += n > 0 ? (uint64_t)n : 0;
    return n;
}

int64_t sys_read(const uint64_t *a)
{
    CLEANUP_FILE struct file *f = NULL;
    struct uio u;
    int err = fd_file((int)a[0], &f);
    if (err)
        return err;
    uio_init_user(&u, a[1], a[2]);
    return count_read(vfs_read(f, &u));
}

int64_t sys_write(const uint64_t *a)
{
    CLEANUP_FILE struct file *f = NULL;
    struct uio u;
    int err = fd_file((int)a[0], &f);
    if (err)
        return err;
    uio_init_user(&u, a[1], a[2]);
    return count_write(vfs_write(f, &u));
}

int64_t sys_pread64(const uint64_t *a)
{
    CLEANUP_FILE struct file *f = NULL;
    struct uio u;
    if ((int64_t)a[3] < 0)
        return -EINVAL;
    int err = fd_file((int)a[0], &f);
    if (err)
        return err;
    uio_init_user(&u, a[1], a[2]);
    return count_read(vfs_pread(f, &u, (int64_t)a[3]));
}

int64_t sys_pwrite64(const uint64_t *a)
{
    CLEANUP_FILE struct file *f = NULL;
    struct uio u;
    if ((int64_t)a[3] < 0)
        return -EINVAL;
    int err = fd_file((int)a[0], &f);
    if (err)
        return err;
    uio_init_user(&u, a[1], a[2]);
    return count_write(vfs_pwrite(f, &u, (int64_t)a[3]));
}

/* ---- vectored ---- */

#ifndef RWF_NOAPPEND
#define RWF_NOAPPEND 0x20
#endif
#define READ_FLAGS (RWF_HIPRI | RWF_NOWAIT | RWF_DSYNC | RWF_SYNC | RWF_APPEND | RWF_NOAPPEND)
#define WRITE_FLAGS (RWF_HIPRI | RWF_NOWAIT | RWF_DSYNC | RWF_SYNC | RWF_APPEND | RWF_NOAPPEND)

/* RWF_NOWAIT: what would sleep fails. Files in memory never do; for the others readiness tells. */
static int check_nowait(struct file *f, int flags, uint32_t event)
{
    return flags & RWF_NOWAIT && f->ops->poll && !(vfs_poll(f, NULL) & event) ? -EAGAIN : 0;
}

/* pos -1: at the file's own position. */
static int64_t do_readv(const uint64_t *a, int64_t pos, int flags)
{
    CLEANUP_FILE struct file *f = NULL;
    CLEANUP_UIO struct uio u = {0};
    int err = fd_file((int)a[0], &f);
    if (!err && pos != -1 && f->ops->stream)
        err = -ESPIPE;
    if (!err && !file_readable(f))
        err = -EBADF;
    if (!err)
        err = uio_init_iovec(&u, a[1], a[2]);
    if (!err)
        err = flags & ~READ_FLAGS ? -EOPNOTSUPP : check_nowait(f, flags, EPOLLIN);
    if (err)
        return err;
    return count_read(pos == -1 ? vfs_read(f, &u) : vfs_pread(f, &u, pos));
}

/* RWF_APPEND: at the end, wherever the position is. */
static ssize_t write_appending(struct file *f, struct uio *u)
{
    struct file *end;
    int err = vfs_open_path(&f->path, O_WRONLY | O_APPEND | (f->flags & O_NONBLOCK), &end);
    if (err)
        return err;
    ssize_t n = vfs_write(end, u);
    file_put(end);
    return n;
}

/* RWF_NOAPPEND: where pwritev2 says, although the file is open for appending. */
static ssize_t write_not_appending(struct file *f, struct uio *u, int64_t pos)
{
    struct file *anywhere;
    int err = vfs_open_path(&f->path, O_WRONLY | (f->flags & O_NONBLOCK), &anywhere);
    if (err)
        return err;
    ssize_t n = vfs_pwrite(anywhere, u, pos);
    file_put(anywhere);
    return n;
}

static int64_t do_writev(const uint64_t *a, int64_t pos, int flags)
{
    CLEANUP_FILE struct file *f = NULL;
    CLEANUP_UIO struct uio u = {0};
    int err = fd_file((int)a[0], &f);
    if (!err && pos != -1 && f->ops->stream)
        err = -ESPIPE;
    if (!err && !file_writable(f))
        err = -EBADF;
    if (!err)
        err = uio_init_iovec(&u, a[1], a[2]);
    if (!err)
        err = flags & ~WRITE_FLAGS ? -EOPNOTSUPP : check_nowait(f, flags, EPOLLOUT);
    if (err)
        return err;
    if ((flags & (RWF_APPEND | RWF_NOAPPEND)) == (RWF_APPEND | RWF_NOAPPEND))
        return -EINVAL;
    if (flags & RWF_NOAPPEND && f->flags & O_APPEND && pos != -1)
        return write_not_appending(f, &u, pos);
    ssize_t n = flags & RWF_APPEND && !f->ops->stream ? write_appending(f, &u)
                : pos == -1                           ? vfs_write(f, &u)
                                                      : vfs_pwrite(f, &u, pos);
    (void)count_write(n);
    if (n > 0 && flags & (RWF_SYNC | RWF_DSYNC))
        err = vfs_fsync(f, !(flags & RWF_SYNC));
    return err ? err : n;
}

int64_t sys_readv(const uint64_t *a)
{
    return do_readv(a, -1, 0);
}

int64_t sys_writev(const uint64_t *a)
{
    return do_writev(a, -1, 0);
}

int64_t sys_preadv(const uint64_t *a)
{
    return (int64_t)a[3] < 0 ? -EINVAL : do_readv(a, (int64_t)a[3], 0);
}

int64_t sys_pwritev(const uint64_t *a)
{
    return (int64_t)a[3] < 0 ? -EINVAL : do_writev(a, (int64_t)a[3], 0);
}

int64_t sys_preadv2(const uint64_t *a)
{
    return (int64_t)a[3] < -1 ? -EINVAL : do_readv(a, (int64_t)a[3], (int)a[5]);
}

int64_t sys_pwritev2(const uint64_t *a)
{
    return (int64_t)a[3] < -1 ? -EINVAL : do_writev(a, (int64_t)a[3], (int)a[5]);
}

int64_t sys_lseek(const uint64_t *a)
{
    CLEANUP_FILE struct file *f = NULL;
    int err = fd_file((int)a[0], &f);
    if (err)
        return err;
    return (unsigned)a[2] > SEEK_HOLE ? -EINVAL : vfs_lseek(f, (int64_t)a[1], (int)a[2]);
}
