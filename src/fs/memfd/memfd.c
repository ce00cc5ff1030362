/*
 * memfd: a nameless file in memory, with seals. See memfd.h.
 *
 * The host memfd behind the inode does the work, F_ADD_SEALS included: the host knows the guest's
 * mappings of it and refuses F_SEAL_WRITE while a writable one exists. Mode, owner and times are
 * kept here.
 */
#include "fs/memfd/memfd.h"
#include "base/cleanup.h"
#include "kernel/cred.h"
#include "mm/mm.h"
#include "vfs/inode.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8u
#define MFD_EXEC 16u
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x20
#endif

#define KNOWN_FLAGS (MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL | MFD_EXEC)
#define CHUNK (256 * 1024UL)
#define GUEST_LARGEFILE 0100000 /* the C library's O_LARGEFILE is nothing here */
#define TMPFS_MAGIC 0x01021994

struct memfd {
    struct inode inode;
    int fd; /* [I] owned */
};

static const struct inode_ops memfd_inode_ops;
static const struct file_ops memfd_ops;

static struct memfd *memfd_of(struct inode *inode)
{
    return container_of(inode, struct memfd, inode);
}

static int64_t size_of(int fd)
{
    struct stat st;
    return fstat(fd, &st) < 0 ? -errno : st.st_size;
}

/* ---- the file ---- */

static ssize_t memfd_read(struct file *file, struct uio *to, int64_t *pos)
{
    int fd = memfd_of(file->inode)->fd;
    ssize_t done = 0;
    while (to->remaining > 0) {
        size_t len;
        void *buf = uio_reserve(to, CHUNK, &len);
        ssize_t n = pread(fd, buf, len, *pos);
        n = n < 0 ? -errno : n;
        ssize_t put = uio_commit(to, n > 0 ? (size_t)n : 0);
        if (n <= 0 || put < 0)
            return done > 0 ? done : n < 0 ? n : put;
        done += put;
        *pos += put;
        if ((size_t)n < len)
            break;
    }
    return done;
}

static ssize_t write_pieces(int fd, struct uio *from, size_t n, int64_t *pos, char *buf)
{
    ssize_t done = 0;
    while (n > 0) {
        ssize_t got = uio_take(from, buf, MIN(n, CHUNK));
        ssize_t put = got > 0 ? pwrite(fd, buf, (size_t)got, *pos) : got;
        if (got > 0 && put < 0)
            put = -errno;
        if (put <= 0)
            return done > 0 ? done : put;
        done += put;
        *pos += put;
        n -= (size_t)put;
        if (put < got)
            break;
    }
    return done;
}

static ssize_t memfd_write(struct file *file, struct uio *from, int64_t *pos)
{
    struct memfd *m = memfd_of(file->inode);
    MUTEX_GUARD(&file->inode->lock);
    if (file->flags & O_APPEND)
        *pos = size_of(m->fd);
    ssize_t allowed = vfs_write_limit(file, *pos, from->remaining);
    if (allowed <= 0)
        return allowed;
    CLEANUP_FREE char *buf = malloc(MIN((size_t)allowed, CHUNK));
    if (!buf)
        return -ENOMEM;
    ssize_t n = write_pieces(m->fd, from, (size_t)allowed, pos, buf);
    if (n > 0)
        file->inode->attr.mtime = file->inode->attr.ctime = now_realtime();
    return n;
}

static int64_t memfd_lseek(struct file *file, int64_t offset, int whence)
{
    int fd = memfd_of(file->inode)->fd;
    if (whence == SEEK_DATA || whence == SEEK_HOLE) {
        int64_t found = lseek(fd, offset, whence);
        if (found < 0)
            return -errno;
        file->pos = found;
        return found;
    }
    int64_t size = size_of(fd);
    if (size < 0)
        return size;
    file->inode->attr.size = (uint64_t)size;
    return generic_lseek(file, offset, whence);
}

static int memfd_mmap(struct file *file, struct mmap_request *req)
{
    req->fd = memfd_of(file->inode)->fd;
    return 0;
}

static int memfd_fsync(struct file *file, bool data_only)
{
    return 0; /* there is nothing below memory */
}

static int memfd_fallocate(struct file *file, int mode, int64_t offset, int64_t len)
{
    int r = fallocate(memfd_of(file->inode)->fd, mode, offset, len);
    return r < 0 ? -errno : 0;
}

static int64_t memfd_fcntl(struct file *file, unsigned cmd, uint64_t arg)
{
    if (cmd == F_GETPIPE_SZ || cmd == F_SETPIPE_SZ)
        return -EBADF;
    if (cmd != F_ADD_SEALS && cmd != F_GET_SEALS)
        return -EINVAL;
    if (cmd == F_ADD_SEALS && !file_writable(file))
        return -EPERM;
    int r = fcntl(memfd_of(file->inode)->fd, (int)cmd, (int)arg);
    return r < 0 ? -errno : r;
}

/* ---- the inode ---- */

static int memfd_getattr(struct inode *inode)
{
    struct stat st;
    if (fstat(memfd_of(inode)->fd, &st) < 0)
        return -errno;
    inode->attr.size = (uint64_t)st.st_size;
    inode->attr.blocks = (uint64_t)st.st_blocks;
    return 0;
}

/* F_SEAL_EXEC freezes the execute bits. */
static int set_mode(struct memfd *m, uint32_t mode)
{
    int seals = fcntl(m->fd, F_GET_SEALS);
    uint32_t old = m->inode.attr.mode;
    if (seals > 0 && (seals & F_SEAL_EXEC) && ((old ^ mode) & 0111))
        return -EPERM;
    m->inode.attr.mode = (old & S_IFMT) | (mode & 07777);
    return 0;
}

static int memfd_setattr(struct inode *inode, const struct setattr *change)
{
    struct memfd *m = memfd_of(inode);
    if ((change->valid & ATTR_SIZE) && ftruncate(m->fd, (off_t)change->size) < 0)
        return -errno;
    if (change->valid & ATTR_MODE) {
        int err = set_mode(m, change->mode);
        if (err < 0)
            return err;
    }
    if (change->valid & ATTR_UID)
        inode->attr.uid = change->uid;
    if (change->valid & ATTR_GID)
        inode->attr.gid = change->gid;
    if (change->valid & ATTR_ATIME)
        inode->attr.atime = change->atime;
    if (change->valid & (ATTR_MTIME | ATTR_SIZE))
        inode->attr.mtime = change->valid & ATTR_MTIME ? change->mtime : now_realtime();
    inode->attr.ctime = now_realtime();
    return 0;
}

static void memfd_evict(struct inode *inode)
{
    struct memfd *m = memfd_of(inode);
    close(m->fd);
    free(m);
}

/* ---- making one ---- */

static const struct super_ops memfd_super_ops = {0};

static int memfd_super(struct super_block **ret)
{
    static struct super_block *sb;
    static struct mutex lock = MUTEX_INIT(lock);
    MUTEX_GUARD(&lock);
    int err = sb ? 0 : sb_new("tmpfs", "none", TMPFS_MAGIC, &memfd_super_ops, &sb);
    if (err == 0)
        *ret = sb;
    return err;
}

static int inode_new(int fd, uint32_t mode, struct inode **ret)
{
    struct super_block *sb = NULL;
    int err = memfd_super(&sb);
    if (err < 0)
        return err;
    struct memfd *m = calloc(1, sizeof(*m));
    if (!m)
        return -ENOMEM;
    const struct cred *cred = current_cred();
    inode_init(&m->inode, sb, &memfd_inode_ops, &memfd_ops, S_IFREG | mode, cred->fsuid, cred->fsgid);
    m->inode.attr.nlink = 0;
    m->fd = fd;
    *ret = &m->inode;
    return 0;
}

int memfd_check_flags(unsigned flags)
{
    return flags & ~KNOWN_FLAGS || (flags & MFD_NOEXEC_SEAL && flags & MFD_EXEC) ? -EINVAL : 0;
}

int memfd_new(const char *name, unsigned flags, struct file **ret)
{
    char shown[MEMFD_NAME_MAX + 24];
    struct inode *inode = NULL;
    bool noexec = flags & MFD_NOEXEC_SEAL;
    if (memfd_check_flags(flags) < 0 || strlen(name) > MEMFD_NAME_MAX)
        return -EINVAL;
    CLEANUP_FD int fd = memfd_create("guest", MFD_CLOEXEC | (flags & (MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL)));
    if (fd < 0)
        return -errno; /* -EINVAL: a host older than MFD_NOEXEC_SEAL */
    int err = inode_new(fd, noexec ? 0666 : 0777, &inode);
    if (err < 0)
        return err;
    (void)TAKE_FD(fd);
    snprintf(shown, sizeof(shown), "/memfd:%s (deleted)", name);
    err = file_new_on_inode(shown, inode, &memfd_ops, NULL, O_RDWR | GUEST_LARGEFILE, ret);
    inode_put(inode);
    return err;
}

static const struct inode_ops memfd_inode_ops = {
    .getattr = memfd_getattr,
    .setattr = memfd_setattr,
    .evict = memfd_evict,
};

static const struct file_ops memfd_ops = {
    .read = memfd_read,
    .write = memfd_write,
    .lseek = memfd_lseek,
    .mmap = memfd_mmap,
    .fsync = memfd_fsync,
    .fallocate = memfd_fallocate,
    .fcntl = memfd_fcntl,
};
