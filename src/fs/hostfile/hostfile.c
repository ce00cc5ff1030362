/*
 * Files over descriptors that the caller gave. See hostfile.h; the calls themselves are hostio.c's.
 */
#include "fs/hostfile/hostfile.h"
#include "fs/hostfile/console.h"
#include "fs/hostfile/hostio.h"
#include "fs/tty.h"
#include "kernel/signal.h"
#include "kernel/task.h"
#include "mm/mm.h"
#include "mm/uaccess.h"
#include "vfs/dentry.h"
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define CHUNK (64 * 1024UL)
#define SMALL 512

/* The inode of a host file; opening it again through /proc/PID/fd gives another file on the same
 * description. */
struct host_inode {
    struct inode inode;
    struct hostio io;
    uint32_t uid, gid; /* [I] what the guest sees */
    uint32_t flags; /* [I] O_ACCMODE and O_APPEND as the caller opened it */
};

static struct super_block *host_sb;
static const struct inode_ops host_inode_ops;
static const struct file_ops host_plain_ops, host_stream_ops;

static struct host_inode *host_inode(struct inode *inode)
{
    return container_of(inode, struct host_inode, inode);
}

static struct hostio *file_io(struct file *file)
{
    return &host_inode(file->inode)->io;
}

/* ---- reading and writing ---- */

static ssize_t read_stream(struct file *file, struct uio *to)
{
    struct hostio *io = file_io(file);
    for (;;) {
        size_t len;
        void *buf = uio_reserve(to, CHUNK, &len);
        ssize_t n = hostio_read(io, buf, len);
        ssize_t put = uio_commit(to, n > 0 ? (size_t)n : 0);
        if (n > 0)
            return put;
        if (n != -EAGAIN || file_nonblock(file))
            return n;
        int err = hostio_wait(io, POLLIN);
        if (err < 0)
            return err;
    }
}

/* Regular files: at the shared position, or at `pos`. */
static ssize_t read_plain(struct file *file, struct uio *to, int64_t *pos)
{
    struct hostio *io = file_io(file);
    bool shared = pos == &file->pos;
    ssize_t done = 0;
    while (to->remaining > 0) {
        size_t len;
        void *buf = uio_reserve(to, CHUNK, &len);
        ssize_t n;
        if (shared) {
            n = hostio_read(io, buf, len);
        } else {
            n = pread(io->fd, buf, len, *pos);
            n = n < 0 ? -errno : n;
        }
        ssize_t put = uio_commit(to, n > 0 ? (size_t)n : 0);
        if (n <= 0 || put < 0)
            return done > 0 ? done : n < 0 ? n : put;
        done += put;
        if (!shared)
            *pos += put;
        if ((size_t)n < len)
            break;
    }
    return done;
}

static ssize_t host_read(struct file *file, struct uio *to, int64_t *pos)
{
    if (to->remaining == 0)
        return 0;
    if (file_io(file)->kind == HOSTIO_PLAIN)
        return read_plain(file, to, pos);
    return read_stream(file, to);
}

static void raise_sigpipe(void)
{
    siginfo_t info;
    siginfo_user(&info, SIGPIPE, SI_USER);
    signal_send_task(current, SIGPIPE, &info);
}

/* Writes the whole buffer, waiting as often as the file says one may: bytes written, or -errno if
 * none. */
static ssize_t write_chunk(struct file *file, const char *buf, size_t n, int64_t *pos)
{
    struct host_inode *h = host_inode(file->inode);
    bool append = (file->flags & O_APPEND) && !(h->flags & O_APPEND);
    size_t done = 0;
    while (done < n) {
        ssize_t r;
        if (h->io.kind == HOSTIO_PLAIN && pos != &file->pos) {
            r = pwrite(h->io.fd, buf + done, n - done, *pos);
            r = r < 0 ? -errno : r;
            *pos += r > 0 ? r : 0;
        } else {
            r = hostio_write(&h->io, buf + done, n - done, append);
        }
        if (r == -EAGAIN && !file_nonblock(file))
            r = hostio_wait(&h->io, POLLOUT);
        if (r < 0) {
            if (r == -EPIPE)
                raise_sigpipe();
            return done > 0 ? (ssize_t)done : r;
        }
        done += (size_t)r;
    }
    return (ssize_t)done;
}

static ssize_t host_write(struct file *file, struct uio *from, int64_t *pos)
{
    char small[SMALL];
    CLEANUP_FREE char *large = from->remaining > SMALL ? malloc(MIN(from->remaining, CHUNK)) : NULL;
    char *buf = large ? large : small;
    size_t room = large ? MIN(from->remaining, CHUNK) : SMALL;
    ssize_t done = 0;
    while (from->remaining > 0) {
        ssize_t n = uio_take(from, buf, MIN(from->remaining, room));
        if (n <= 0)
            return done > 0 ? done : n;
        ssize_t put = write_chunk(file, buf, (size_t)n, pos);
        if (put < 0)
            return done > 0 ? done : put;
        done += put;
        if (put < n)
            break;
    }
    return done;
}

static int64_t host_lseek(struct file *file, int64_t offset, int whence)
{
    int64_t r = lseek(file_io(file)->fd, offset, whence);
    return r < 0 ? -errno : r;
}

static uint32_t host_poll(struct file *file, struct poll_table *table)
{
    struct hostio *io = file_io(file);
    if (table) {
        hostio_watch(io);
        poll_wait(table, &io->queue);
    }
    return hostio_poll(io, POLLIN | POLLRDNORM | POLLPRI | POLLOUT | POLLWRNORM | POLLRDHUP);
}

static int64_t host_ioctl(struct file *file, unsigned cmd, uaddr_t arg)
{
    int n;
    if (cmd != FIONREAD)
        return -ENOTTY;
    if (ioctl(file_io(file)->fd, FIONREAD, &n) < 0)
        return -errno;
    return put_user(&n, arg);
}

static int host_mmap(struct file *file, struct mmap_request *req)
{
    if (!S_ISREG(file->inode->attr.mode))
        return -ENODEV;
    req->fd = file_io(file)->fd;
    return 0;
}

static int host_fsync(struct file *file, bool data_only)
{
    host_call_begin();
    int r = data_only ? fdatasync(file_io(file)->fd) : fsync(file_io(file)->fd);
    int err = errno;
    host_call_end();
    return r < 0 ? -err : 0;
}

static int host_fallocate(struct file *file, int mode, int64_t offset, int64_t len)
{
    host_call_begin();
    int r = fallocate(file_io(file)->fd, mode, offset, len);
    int err = errno;
    host_call_end();
    return r < 0 ? -err : 0;
}

/* ---- the inode ---- */

static int host_getattr(struct inode *inode)
{
    struct stat st;
    struct attr *a = &inode->attr;
    if (fstat(host_inode(inode)->io.fd, &st) < 0)
        return -errno;
    a->ino = st.st_ino;
    a->size = (uint64_t)st.st_size;
    a->blocks = (uint64_t)st.st_blocks;
    a->mode = st.st_mode;
    a->uid = host_inode(inode)->uid;
    a->gid = host_inode(inode)->gid;
    a->nlink = (uint32_t)st.st_nlink;
    a->blksize = (uint32_t)st.st_blksize;
    a->rdev = st.st_rdev;
    a->atime = st.st_atim.tv_sec * NSEC_PER_SEC + st.st_atim.tv_nsec;
    a->mtime = st.st_mtim.tv_sec * NSEC_PER_SEC + st.st_mtim.tv_nsec;
    a->ctime = st.st_ctim.tv_sec * NSEC_PER_SEC + st.st_ctim.tv_nsec;
    return 0;
}

/* Only the length: the rest is the caller's business. */
static int host_setattr(struct inode *inode, const struct setattr *change)
{
    if (!(change->valid & ATTR_SIZE) || (change->valid & (ATTR_MODE | ATTR_UID | ATTR_GID)))
        return -EPERM;
    return ftruncate(host_inode(inode)->io.fd, (off_t)change->size) < 0 ? -errno : 0;
}

/* Whoever holds the descriptor may open it again, for no more than the caller's description allows.
 * */
static int host_permission(struct inode *inode, int mask, const struct cred *cred)
{
    uint32_t access = host_inode(inode)->flags & O_ACCMODE;
    if ((mask & MAY_EXEC) || ((mask & MAY_WRITE) && access == O_RDONLY) || ((mask & MAY_READ) && access == O_WRONLY))
        return -EACCES;
    return 0;
}

static void host_evict(struct inode *inode)
{
    struct host_inode *h = host_inode(inode);
    hostio_fini(&h->io);
    free(h);
}

static const struct super_ops host_super_ops = {0};

static int host_super(struct super_block **ret)
{
    if (!host_sb) {
        int err = sb_new("hostfile", "none", 0x706b6866, &host_super_ops, &host_sb);
        if (err < 0)
            return err;
    }
    *ret = host_sb;
    return 0;
}

static int inode_new(const struct hostfile_set *set, int host_fd, const struct stat *st, struct inode **ret)
{
    struct super_block *sb = NULL;
    int flags = fcntl(host_fd, F_GETFL);
    int err = flags < 0 ? -errno : host_super(&sb);
    if (err < 0)
        return err;
    struct host_inode *h = calloc(1, sizeof(*h));
    if (!h)
        return -ENOMEM;
    hostio_init(&h->io, host_fd, st->st_mode);
    if (h->io.kind == HOSTIO_STREAM && major(st->st_rdev) == 1)
        h->io.kind = HOSTIO_PLAIN; /* /dev/null and its kin never block */
    const struct file_ops *ops = h->io.kind == HOSTIO_PLAIN ? &host_plain_ops : &host_stream_ops;
    inode_init(&h->inode, sb, &host_inode_ops, ops, st->st_mode, set->uid, set->gid);
    h->uid = set->uid;
    h->gid = set->gid;
    h->flags = (uint32_t)flags;
    *ret = &h->inode;
    return 0;
}

static void name_of(const struct stat *st, char *buf, size_t size)
{
    unsigned long long ino = st->st_ino;
    if (S_ISFIFO(st->st_mode))
        snprintf(buf, size, "pipe:[%llu]", ino);
    else if (S_ISSOCK(st->st_mode))
        snprintf(buf, size, "socket:[%llu]", ino);
    else if (S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3))
        snprintf(buf, size, "/dev/null");
    else
        snprintf(buf, size, "host:[%llu]", ino);
}

/* ---- the descriptors of one process ---- */

int hostfile_set_new(uint32_t uid, uint32_t gid, struct super_block *devpts, struct hostfile_set **ret)
{
    struct hostfile_set *set = calloc(1, sizeof(*set));
    if (!set)
        return -ENOMEM;
    set->uid = uid;
    set->gid = gid;
    set->devpts = devpts;
    *ret = set;
    return 0;
}

void hostfile_set_free(struct hostfile_set *set)
{
    for (unsigned i = 0; set && i < set->count; i++) {
        console_finish(set->consoles[i]);
        console_put(set->consoles[i]);
    }
    free(set);
}

static int find_console(struct hostfile_set *set, dev_t rdev, struct console **ret)
{
    for (unsigned i = 0; i < set->count; i++) {
        if (console_device(set->consoles[i]) == rdev) {
            *ret = set->consoles[i];
            return 0;
        }
    }
    if (set->count == ARRAY_SIZE(set->consoles))
        return -ENOSPC;
    int err = console_new(rdev, set->devpts, set->uid, &set->consoles[set->count]);
    if (err < 0)
        return err;
    *ret = set->consoles[set->count++];
    return 0;
}

static int open_console(struct hostfile_set *set, int host_fd, const struct stat *st, bool first, struct file **ret)
{
    struct console *c;
    unsigned before = set->count;
    int err = find_console(set, st->st_rdev, &c);
    if (err < 0) {
        close(host_fd);
        return err;
    }
    err = console_open_fd(c, host_fd, st, ret);
    if (err == 0 && before == 0)
        console_has_keyboard(c, first);
    return err;
}

int hostfile_new(struct hostfile_set *set, int host_fd, struct file **ret)
{
    struct stat st;
    char name[64];
    struct inode *inode;
    if (fstat(host_fd, &st) < 0)
        return -errno;
    bool first = !set->any_file;
    set->any_file = true;
    if (S_ISCHR(st.st_mode) && isatty(host_fd))
        return open_console(set, host_fd, &st, first, ret);
    int err = inode_new(set, host_fd, &st, &inode);
    if (err < 0) {
        close(host_fd);
        return err;
    }
    name_of(&st, name, sizeof(name));
    uint32_t flags = host_inode(inode)->flags & (O_ACCMODE | O_APPEND | O_NONBLOCK);
    err = file_new_on_inode(name, inode, inode->file_ops, NULL, flags, ret);
    inode_put(inode);
    return err;
}

/* ---- its terminal ---- */

struct tty *hostfile_console(struct hostfile_set *set)
{
    return set->count ? console_tty(set->consoles[0]) : NULL;
}

void hostfile_start_session(struct hostfile_set *set, struct pid *leader)
{
    struct tty *tty = hostfile_console(set);
    if (!tty)
        return;
    tty_start_session(tty, leader);
    tty_unref(tty);
}

bool hostfile_signal_foreground(struct hostfile_set *set, int sig)
{
    struct tty *tty = hostfile_console(set);
    if (!tty)
        return false;
    bool sent = tty_signal_foreground(tty, sig);
    tty_unref(tty);
    return sent;
}

void hostfile_winsize_changed(struct hostfile_set *set)
{
    for (unsigned i = 0; i < set->count; i++)
        console_take_window(set->consoles[i]);
}

bool hostfile_set_window(struct hostfile_set *set, unsigned rows, unsigned columns)
{
    struct tty *tty = hostfile_console(set);
    if (!tty)
        return false;
    tty_set_window(tty, &(struct tty_window){.rows = (unsigned short)rows, .cols = (unsigned short)columns});
    tty_unref(tty);
    return true;
}

void hostfile_drain(struct hostfile_set *set)
{
    for (unsigned i = 0; i < set->count; i++)
        console_drain(set->consoles[i]);
}

static const struct inode_ops host_inode_ops = {
    .getattr = host_getattr,
    .setattr = host_setattr,
    .permission = host_permission,
    .evict = host_evict,
};

static const struct file_ops host_plain_ops = {
    .read = host_read,
    .write = host_write,
    .lseek = host_lseek,
    .poll = host_poll,
    .ioctl = host_ioctl,
    .mmap = host_mmap,
    .fsync = host_fsync,
    .fallocate = host_fallocate,
};

static const struct file_ops host_stream_ops = {
    .read = host_read,
    .write = host_write,
    .poll = host_poll,
    .ioctl = host_ioctl,
    .stream = true,
    .async = true,
};
