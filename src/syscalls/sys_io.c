/* Whole-file work: sendfile, copy_file_range, fallocate, fadvise, readahead and the sync family. */
#include "kernel/fdtable.h"
#include "mm/uaccess.h"
#include "syscalls/prototypes.h"
#include "vfs/vfs.h"
#include <linux/fs.h>

/* ---- moving bytes ---- */

/* A position the guest gives by address: 0 means the file's own. */
static int get_pos(uaddr_t addr, int64_t *pos, int64_t **ret)
{
    *ret = NULL;
    if (!addr)
        return 0;
    int err = get_user(pos, addr);
    if (err)
        return err;
    *ret = pos;
    return *pos < 0 ? -EINVAL : 0;
}

static int64_t put_pos(int64_t result, uaddr_t addr, const int64_t *pos)
{
    int err = pos && result >= 0 ? put_user(pos, addr) : 0;
    return err ? err : result;
}

int64_t sys_sendfile(const uint64_t *a)
{
    CLEANUP_FILE struct file *out = NULL, *in = NULL;
    int64_t pos, *in_pos;
    int err = fd_file((int)a[0], &out);
    if (!err)
        err = fd_file((int)a[1], &in);
    if (!err && (!file_writable(out) || !file_readable(in)))
        err = -EBADF;
    if (!err)
        err = get_pos(a[2], &pos, &in_pos);
    if (!err && in->ops->stream)
        err = in_pos ? -ESPIPE : -EINVAL;
    if (!err && (out->flags & O_APPEND || inode_is_dir(in->inode)))
        err = -EINVAL;
    if (err)
        return err;
    return put_pos(vfs_copy_range(in, in_pos, out, NULL, a[3]), a[2], in_pos);
}

static int check_copy(struct file *in, struct file *out)
{
    if (!file_readable(in) || !file_writable(out) || out->flags & O_APPEND)
        return -EBADF;
    if (inode_is_dir(in->inode) || inode_is_dir(out->inode))
        return -EISDIR;
    return S_ISREG(in->inode->attr.mode) && S_ISREG(out->inode->attr.mode) ? 0 : -EINVAL;
}

static bool ranges_overlap(struct file *in, const int64_t *in_pos, struct file *out,
                           const int64_t *out_pos, uint64_t n)
{
    int64_t from = in_pos ? *in_pos : in->pos, to = out_pos ? *out_pos : out->pos;
    uint64_t apart = from > to ? (uint64_t)from - (uint64_t)to : (uint64_t)to - (uint64_t)from;
    return in->inode == out->inode && apart < n;
}

static bool wraps(int64_t pos, uint64_t len)
{
    return (uint64_t)pos + len < (uint64_t)pos;
}

int64_t sys_copy_file_range(const uint64_t *a)
{
    CLEANUP_FILE struct file *in = NULL, *out = NULL;
    int64_t pos[2], *in_pos, *out_pos;
    int err = fd_file((int)a[0], &in);
    if (!err)
        err = fd_file((int)a[2], &out);
    if (!err)
        err = get_pos(a[1], &pos[0], &in_pos);
    if (!err)
        err = get_pos(a[3], &pos[1], &out_pos);
    if (err == -EINVAL && !a[5]) /* a negative position */
        err = -EOVERFLOW;
    if (!err && a[5])
        err = -EINVAL;
    if (!err)
        err = check_copy(in, out);
    if (!err && (wraps(in_pos ? *in_pos : in->pos, a[4]) || wraps(out_pos ? *out_pos : out->pos, a[4])))
        err = -EOVERFLOW;
    if (!err && ranges_overlap(in, in_pos, out, out_pos, a[4]))
        err = -EINVAL;
    if (err)
        return err;
    int64_t n = put_pos(vfs_copy_range(in, in_pos, out, out_pos, a[4]), a[1], in_pos);
    return put_pos(n, a[3], out_pos);
}

/* ---- space ---- */

int64_t sys_fallocate(const uint64_t *a)
{
    CLEANUP_FILE struct file *f = NULL;
    int err = fd_file((int)a[0], &f);
    return err ? err : vfs_fallocate(f, (int)a[1], (int64_t)a[2], (int64_t)a[3]);
}

/* ---- advice: nothing here reads ahead, and nothing is promised ---- */

int64_t sys_fadvise64(const uint64_t *a)
{
    CLEANUP_FILE struct file *f = NULL;
    int err = fd_file((int)a[0], &f);
    if (err)
        return err;
    if (S_ISFIFO(f->inode->attr.mode))
        return -ESPIPE;
    return (int64_t)a[2] < 0 || (unsigned)a[3] > POSIX_FADV_NOREUSE ? -EINVAL : 0;
}

int64_t sys_readahead(const uint64_t *a)
{
    CLEANUP_FILE struct file *f = NULL;
    int err = fd_file((int)a[0], &f);
    if (err)
        return err;
    if (!file_readable(f))
        return -EBADF;
    return S_ISREG(f->inode->attr.mode) || S_ISBLK(f->inode->attr.mode) ? 0 : -EINVAL;
}

/* ---- sync ---- */

static int64_t do_fsync(int fd, bool data_only)
{
    CLEANUP_FILE struct file *f = NULL;
    int err = fd_file(fd, &f);
    return err ? err : vfs_fsync(f, data_only);
}

int64_t sys_fsync(const uint64_t *a)
{
    return do_fsync((int)a[0], false);
}

int64_t sys_fdatasync(const uint64_t *a)
{
    return do_fsync((int)a[0], true);
}

#define SYNC_RANGE_FLAGS \
    (SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER)

int64_t sys_sync_file_range(const uint64_t *a)
{
    CLEANUP_FILE struct file *f = NULL;
    int64_t offset = (int64_t)a[1], len = (int64_t)a[2], end;
    int err = fd_file((int)a[0], &f);
    if (err)
        return err;
    if ((unsigned)a[3] & ~(unsigned)SYNC_RANGE_FLAGS || offset < 0 || len < 0 ||
        __builtin_add_overflow(offset, len, &end))
        return -EINVAL;
    uint32_t mode = f->inode->attr.mode;
    if (!S_ISREG(mode) && !S_ISBLK(mode) && !S_ISDIR(mode) && !S_ISLNK(mode))
        return -ESPIPE;
    return f->ops->fsync ? vfs_fsync(f, true) : 0;
}

int64_t sys_syncfs(const uint64_t *a)
{
    CLEANUP_FILE struct file *f = NULL;
    int err = fd_file((int)a[0], &f);
    if (err)
        return err;
    struct super_block *sb = f->inode->sb;
    return sb->ops && sb->ops->sync ? sb->ops->sync(sb) : 0;
}

int64_t sys_sync(const uint64_t *a)
{
    mounts_sync(current_fs()->ns);
    return 0;
}
