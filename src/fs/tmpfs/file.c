/* Open tmpfs files: read, write, seek, fallocate and mmap on the content store of data.c, all under
 * the inode's lock. */
#include "fs/tmpfs/private.h"
#include <linux/falloc.h>
#include <sys/mman.h>

static ssize_t tmpfs_read(struct file *f, struct uio *to, int64_t *pos)
{
    struct inode *inode = f->inode;
    MUTEX_GUARD(&inode->lock);
    uint64_t size = inode->attr.size, at = (uint64_t)*pos;
    if (at >= size || !to->remaining)
        return 0;
    ssize_t n = data_read(tmpfs_inode(inode), to, at, MIN(to->remaining, size - at));
    if (n > 0)
        *pos += n;
    file_accessed(f);
    return n;
}

/* Writes until all is taken, the memory behind `from` ends, or there is no room. */
static ssize_t write_loop(struct inode *inode, struct uio *from, int64_t *pos, size_t n)
{
    size_t done = 0;
    while (done < n) {
        ssize_t k = data_write(tmpfs_inode(inode), from, (uint64_t)*pos, n - done);
        if (k <= 0)
            return done ? (ssize_t)done : k;
        done += (size_t)k;
        *pos += k;
    }
    return (ssize_t)done;
}

static ssize_t tmpfs_write(struct file *f, struct uio *from, int64_t *pos)
{
    struct inode *inode = f->inode;
    MUTEX_GUARD(&inode->lock);
    if (!from->remaining)
        return 0;
    if (f->flags & O_APPEND)
        *pos = (int64_t)inode->attr.size;
    ssize_t room = vfs_write_limit(f, *pos, from->remaining);
    if (room < 0)
        return room;
    ssize_t n = write_loop(inode, from, pos, (size_t)room);
    if (n > 0)
        inode->attr.mtime = inode->attr.ctime = vfs_now();
    return n;
}

static int64_t tmpfs_lseek(struct file *f, int64_t offset, int whence)
{
    if (whence != SEEK_DATA && whence != SEEK_HOLE)
        return generic_lseek(f, offset, whence);
    struct inode *inode = f->inode;
    MUTEX_GUARD(&inode->lock);
    if (offset < 0 || (uint64_t)offset >= inode->attr.size)
        return -ENXIO;
    int64_t at = data_seek(tmpfs_inode(inode), (uint64_t)offset, whence == SEEK_DATA);
    if (at >= 0)
        f->pos = at;
    return at;
}

/* Frees [start, end) as far as the file goes. */
static int punch(struct inode *inode, uint64_t start, uint64_t end)
{
    end = MIN(end, inode->attr.size);
    return start < end ? data_punch(tmpfs_inode(inode), start, end) : 0;
}

static int tmpfs_fallocate(struct file *f, int mode, int64_t offset, int64_t len)
{
    struct inode *inode = f->inode;
    uint64_t start = (uint64_t)offset, end = start + (uint64_t)len;
    bool grow = !(mode & FALLOC_FL_KEEP_SIZE);
    if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
        return -EOPNOTSUPP;
    MUTEX_GUARD(&inode->lock);
    int err = 0;
    if (grow && end > inode->attr.size) {
        ssize_t room = vfs_write_limit(f, (int64_t)end - 1, 1);
        err = room < 0 ? (int)room : 0;
    }
    if (!err && mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
        err = punch(inode, start, end);
    if (!err && !(mode & FALLOC_FL_PUNCH_HOLE))
        err = data_allocate(tmpfs_inode(inode), start, end, grow);
    if (!err)
        inode->attr.mtime = inode->attr.ctime = vfs_now();
    return err;
}

static int tmpfs_mmap(struct file *f, struct mmap_request *req)
{
    struct tmpfs_inode *ti = tmpfs_inode(f->inode);
    struct tmpfs_data *d = &ti->data;
    bool writable = req->flags & MAP_SHARED && file_writable(f);
    MUTEX_GUARD(&f->inode->lock);
    int err = data_make_mappable(ti);
    if (err)
        return err;
    d->shared_write |= writable;
    if (d->shared_write)
        ti->inode.attr_current = false;
    req->fd = writable || d->read_fd < 0 ? d->fd : d->read_fd;
    req->key_dev = f->inode->attr.dev;
    req->key_ino = d->shared_write ? 0 : f->inode->attr.ino;
    req->generation = d->generation;
    return 0;
}

static int tmpfs_fsync(struct file *f, bool data_only)
{
    return 0; /* memory is as durable as it gets */
}

const struct file_ops tmpfs_file_ops = {
    .read = tmpfs_read,
    .write = tmpfs_write,
    .lseek = tmpfs_lseek,
    .mmap = tmpfs_mmap,
    .fsync = tmpfs_fsync,
    .fallocate = tmpfs_fallocate,
};
