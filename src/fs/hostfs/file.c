/*
 * Open regular files of a host tree.
 *
 * A file opened for reading shares its inode's one read-only descriptor; a file opened for writing
 * has its own, opened with exactly the access the guest asked for. All transfers name their
 * position, so sharing is invisible. In an exclusive tree the size is known: reading at the end
 * costs no host call.
 */
#include "fs/hostfs/private.h"
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdlib.h>
#include <sys/mman.h>

#define WRITE_CHUNK (128 * 1024)

/* An orphan can be opened again (through /proc/self/fd) by what its other users have. It may be
 * more than was asked for: the VFS keeps to the file's own mode, and mappings are refused. */
static int open_orphan(struct host_inode *h, int access, struct host_fd **ret)
{
    int err = object_fd(h, true, ret);
    if (err < 0)
        return err;
    if ((*ret)->flags == O_RDWR || (*ret)->flags == access)
        return 0;
    host_fd_put(*ret);
    return -ESTALE;
}

static int open_fd(struct host_inode *h, int access, struct host_fd **ret)
{
    if (access != O_RDONLY && hostfs_of(&h->inode)->flags & HOSTFS_READ_ONLY)
        return -EROFS;
    if (access != O_RDONLY && spare_take(h, ret))
        return 0;
    int err = access == O_RDONLY ? read_fd(h, ret) : place_open(h, access, ret);
    return err == -ESTALE ? open_orphan(h, access, ret) : err;
}

static int hostfs_open(struct inode *inode, struct file *file)
{
    struct host_inode *h = host_inode(inode);
    struct host_fd *f;
    int access = (int)(file->flags & O_ACCMODE);
    int err = open_fd(h, access, &f);
    if (err < 0)
        return err;
    h->opens++;
    if (access != O_RDONLY)
        write_fd_offer(h, f);
    file->private_data = f;
    return 0;
}

static void hostfs_release(struct file *file)
{
    struct host_inode *h = host_inode(file->inode);
    struct host_fd *f = file->private_data;
    write_fd_withdraw(h, f);
    h->opens--;
    host_fd_put(f);
}

/* How much a read at pos may give: what is left in the file if we are sure of its size. Files of
 * size 0 may be special ones of the host that make up their content. */
static size_t readable(const struct inode *inode, int64_t pos, size_t want)
{
    uint64_t size = inode->attr.size;
    if (!hostfs_exclusive(inode) || size == 0)
        return want;
    return (uint64_t)pos >= size ? 0 : MIN(want, size - (uint64_t)pos);
}

/* One piece through the caller's own memory: bytes, 0 at the end, or -errno. *ret_short: the host
 * had no more just now. */
static ssize_t read_piece(int fd, struct uio *to, size_t want, int64_t pos, bool *ret_short)
{
    size_t room;
    void *buf = uio_reserve(to, want, &room);
    ssize_t n = host_pread(fd, buf, room, pos);
    ssize_t moved = uio_commit(to, n < 0 ? 0 : (size_t)n);
    *ret_short = n < (ssize_t)room || moved < n;
    return n < 0 ? n : moved;
}

/* By the guest itself, if that pays: -EAGAIN if not. Files of size 0 are read as the host makes them up, for us. */
static ssize_t read_straight(struct file *file, struct uio *to, size_t want, int64_t pos)
{
    struct host_fd *f = file->private_data, *reader;
    bool sure = hostfs_exclusive(file->inode); /* then `want` ends at the file's end */
    if (file->inode->attr.size == 0 || want < UIO_READ_FILE_MIN)
        return -EAGAIN;
    if (f->flags == O_RDONLY)
        return uio_read_file(to, want, f->id, f->fd, pos, sure);
    if (read_fd(host_inode(file->inode), &reader) < 0)
        return -EAGAIN;
    ssize_t n = uio_read_file(to, want, reader->id, reader->fd, pos, sure);
    host_fd_put(reader);
    return n;
}

static ssize_t hostfs_read(struct file *file, struct uio *to, int64_t *pos)
{
    struct host_fd *f = file->private_data;
    size_t left = readable(file->inode, *pos, to->remaining);
    ssize_t total = content_read(host_inode(file->inode), to, left, *pos);
    if (total == 0 && left)
        total = read_straight(file, to, left, *pos);
    bool done = total != -EAGAIN && (total != 0 || left == 0);
    total = done ? total : 0;
    while (!done && left) {
        ssize_t n = read_piece(f->fd, to, left, *pos + total, &done);
        if (n < 0)
            return total ? total : n;
        total += n;
        left -= (size_t)n;
    }
    if (total > 0)
        *pos += total;
    return total;
}

static ssize_t write_piece(struct file *file, struct uio *from, char *buf, size_t len, int64_t *pos)
{
    struct host_fd *f = file->private_data;
    ssize_t n = uio_take(from, buf, len);
    if (n <= 0)
        return n;
    bool append = file->flags & O_APPEND;
    n = append ? host_append(f->fd, buf, (size_t)n) : host_pwrite(f->fd, buf, (size_t)n, *pos);
    if (n <= 0)
        return n;
    *pos += n;
    return n;
}

static int write_start(struct file *file, int64_t *pos)
{
    if (!(file->flags & O_APPEND))
        return 0;
    int err = hostfs_exclusive(file->inode) ? 0 : host_inode_refresh(host_inode(file->inode));
    *pos = (int64_t)file->inode->attr.size;
    return err;
}

static ssize_t hostfs_write(struct file *file, struct uio *from, int64_t *pos)
{
    struct inode *inode = file->inode;
    MUTEX_GUARD(&inode->lock);
    int err = write_start(file, pos);
    if (err < 0)
        return err;
    ssize_t allowed = vfs_write_limit(file, *pos, from->remaining);
    if (allowed <= 0)
        return allowed;
    size_t left = (size_t)allowed, chunk = MIN(left, (size_t)WRITE_CHUNK);
    CLEANUP_FREE char *buf = malloc(chunk);
    if (!buf)
        return -ENOMEM;
    ssize_t n = 0;
    host_attr_stale(host_inode(inode));
    while (left && (n = write_piece(file, from, buf, MIN(left, chunk), pos)) > 0)
        left -= (size_t)n;
    inode->attr.size = MAX(inode->attr.size, (uint64_t)*pos);
    host_attr_stale(host_inode(inode)); /* again: a stat may have come between */
    return left < (size_t)allowed ? allowed - (ssize_t)left : n;
}

static int64_t hostfs_lseek(struct file *file, int64_t offset, int whence)
{
    struct host_fd *f = file->private_data;
    if (whence != SEEK_DATA && whence != SEEK_HOLE) {
        if (whence == SEEK_END && !hostfs_exclusive(file->inode)) {
            int err = host_inode_refresh(host_inode(file->inode));
            if (err < 0)
                return err;
        }
        return generic_lseek(file, offset, whence);
    }
    /* Moves the host's position, which nobody uses. */
    int64_t at = host_lseek(f->fd, offset, whence);
    if (at >= 0)
        file->pos = at;
    return at;
}

/* A private mapping needs no more than reading; a shared one of a file open for writing may come to
 * write (mprotect). */
static int hostfs_mmap(struct file *file, struct mmap_request *req)
{
    struct host_inode *h = host_inode(file->inode);
    struct host_fd *f = file->private_data, *reader;
    bool shared = (req->flags & MAP_TYPE) != MAP_PRIVATE;
    if (f->flags != O_RDONLY && !file_writable(file))
        return -EACCES;
    if (!shared && f->flags != O_RDONLY && read_fd(h, &reader) >= 0) {
        /* Cached in the inode, which the file keeps; borrowed like the file's own. */
        req->fd = reader->fd;
        host_fd_put(reader);
    } else {
        req->fd = f->fd;
    }
    if (shared && f->flags != O_RDONLY)
        host_attr_stale(h);
    req->key_dev = h->host_dev;
    req->key_ino = h->host_ino;
    req->generation = (uint64_t)file->inode->attr.mtime * 31 + (uint64_t)file->inode->attr.ctime;
    return 0;
}

static int hostfs_fsync(struct file *file, bool data_only)
{
    struct host_fd *f = file->private_data;
    return hostfs_of(file->inode)->flags & HOSTFS_READ_ONLY ? 0 : host_fsync(f->fd, data_only);
}

static int hostfs_fallocate(struct file *file, int mode, int64_t offset, int64_t len)
{
    struct host_fd *f = file->private_data;
    struct host_inode *h = host_inode(file->inode);
    MUTEX_GUARD(&file->inode->lock);
    int err = host_fallocate(f->fd, mode, offset, len);
    return err < 0 ? err : host_inode_refresh(h);
}

static int hostfs_socket_open(struct inode *inode, struct file *file)
{
    return -ENXIO;
}

const struct file_ops hostfs_file_ops = {
    .open = hostfs_open,
    .read = hostfs_read,
    .write = hostfs_write,
    .lseek = hostfs_lseek,
    .mmap = hostfs_mmap,
    .fsync = hostfs_fsync,
    .fallocate = hostfs_fallocate,
    .release = hostfs_release,
};

/* A socket of the host has a name here, and nobody to talk to. */
const struct file_ops hostfs_socket_ops = {
    .open = hostfs_socket_open,
};
