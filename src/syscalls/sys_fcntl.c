/* fcntl(2), dup(2) and family, flock(2), ioctl(2). */
#include "kernel/fdtable.h"
#include "kernel/limits.h"
#include "kernel/pid.h"
#include "kernel/task.h"
#include "mm/uaccess.h"
#include "syscalls/prototypes.h"
#include "vfs/async.h"
#include "vfs/leases.h"
#include "vfs/locks.h"
#include "vfs/vfs.h"
#include <linux/capability.h>
#include <sys/file.h>
#include <sys/ioctl.h>

/* ---- dup ---- */

int64_t sys_dup(const uint64_t *a)
{
    struct file *f;
    int err = fd_file_any((int)a[0], &f);
    if (err)
        return err;
    int fd = fd_install(f, 0);
    if (fd < 0)
        file_put(f);
    return fd;
}

int64_t sys_dup2(const uint64_t *a)
{
    return fd_dup2((int)a[0], (int)a[1], 0, true);
}

int64_t sys_dup3(const uint64_t *a)
{
    unsigned flags = (unsigned)a[2];
    return flags & ~(unsigned)O_CLOEXEC ? -EINVAL : fd_dup2((int)a[0], (int)a[1], flags, false);
}

static int64_t dup_from(struct file *f, uint64_t min, unsigned flags)
{
    if (min >= current_limit(RLIMIT_NOFILE) || min >= FD_MAX)
        return -EINVAL;
    int fd = fd_install_from(file_get(f), flags, (int)min);
    if (fd < 0)
        file_put(f);
    return fd;
}

/* ---- status flags ---- */

#define SETTABLE_FLAGS ((uint32_t)(O_APPEND | O_NONBLOCK | O_ASYNC | O_DIRECT | O_NOATIME))

static int64_t set_flags(struct file *f, int fd, uint64_t arg)
{
    uint32_t flags = (uint32_t)arg & SETTABLE_FLAGS, old = f->flags;
    if (flags & ~old & O_NOATIME && current_cred()->fsuid != f->inode->attr.uid &&
        !capable_over_inode(current_cred(), f->inode, CAP_FOWNER))
        return -EPERM;
    int err = (flags ^ old) & O_ASYNC ? file_set_async(f, fd, flags & O_ASYNC) : 0;
    if (err < 0)
        return err;
    while (!atomic_compare_exchange_weak(&f->flags, &old, (old & ~SETTABLE_FLAGS) | flags))
        ;
    return 0;
}

/* ---- record locks ---- */

static int decode_range(const struct flock *l, struct file *f, struct lock_request *ret)
{
    int64_t base = l->l_whence == SEEK_CUR   ? f->pos
                   : l->l_whence == SEEK_END ? (int64_t)f->inode->attr.size
                                             : 0;
    int64_t start, end;
    if (l->l_whence != SEEK_SET && l->l_whence != SEEK_CUR && l->l_whence != SEEK_END)
        return -EINVAL;
    if (__builtin_add_overflow(base, l->l_start, &start))
        return -EOVERFLOW;
    if (l->l_len == 0)
        end = INT64_MAX;
    else if (__builtin_add_overflow(start, l->l_len, &end) && l->l_len > 0 && end != INT64_MIN)
        return -EOVERFLOW;
    else
        end--;
    if (l->l_len < 0) {
        end = start - 1;
        start += l->l_len;
    }
    if (start < 0)
        return -EINVAL;
    ret->start = start;
    ret->end = end;
    ret->type = l->l_type;
    return l->l_type == F_RDLCK || l->l_type == F_WRLCK || l->l_type == F_UNLCK ? 0 : -EINVAL;
}

static int64_t get_lock(struct file *f, struct flock *l, const struct lock_request *req, uaddr_t to)
{
    struct lock_request other;
    if (req->type == F_UNLCK)
        return -EINVAL;
    if (!record_lock_test(f, req, &other)) {
        l->l_type = F_UNLCK;
    } else {
        *l = (struct flock){.l_type = (short)other.type,
                            .l_whence = SEEK_SET,
                            .l_start = other.start,
                            .l_len = other.end == INT64_MAX ? 0 : other.end - other.start + 1,
                            .l_pid = other.pid};
    }
    return put_user(l, to);
}

static int64_t do_record_lock(struct file *f, unsigned cmd, uaddr_t arg)
{
    bool ofd = cmd == F_OFD_GETLK || cmd == F_OFD_SETLK || cmd == F_OFD_SETLKW;
    bool get = cmd == F_GETLK || cmd == F_OFD_GETLK;
    struct flock l;
    struct lock_request req;
    int err = get_user(&l, arg);
    if (!err && ofd && l.l_pid)
        err = -EINVAL;
    if (!err)
        err = decode_range(&l, f, &req);
    if (err)
        return err;
    req.owner = ofd ? (const void *)f : current->files;
    req.pid = ofd ? -1 : pid_number(current->process->pid);
    if (get)
        return get_lock(f, &l, &req, arg);
    if ((req.type == F_RDLCK && !file_readable(f)) || (req.type == F_WRLCK && !file_writable(f)))
        return -EBADF;
    return record_lock_set(f, &req, cmd == F_SETLKW || cmd == F_OFD_SETLKW);
}

int64_t sys_flock(const uint64_t *a)
{
    CLEANUP_FILE struct file *f = NULL;
    unsigned op = (unsigned)a[1];
    if (op & LOCK_MAND) /* does nothing any more */
        return 0;
    int type = (op & ~(unsigned)LOCK_NB) == LOCK_SH   ? F_RDLCK
               : (op & ~(unsigned)LOCK_NB) == LOCK_EX ? F_WRLCK
               : (op & ~(unsigned)LOCK_NB) == LOCK_UN ? F_UNLCK
                                                      : -EINVAL;
    if (type < 0)
        return type;
    int err = fd_file((int)a[0], &f);
    return err ? err : flock_set(f, type, !(op & LOCK_NB));
}

/* ---- owner and signal ---- */

static int64_t get_owner_ex(struct file *f, uaddr_t to)
{
    struct f_owner_ex o;
    int type;
    file_get_owner(f, &type, &o.pid);
    o.type = (enum __pid_type)type;
    return put_user(&o, to);
}

static int64_t set_owner_ex(struct file *f, uaddr_t from)
{
    struct f_owner_ex o;
    int err = get_user(&o, from);
    if (err)
        return err;
    unsigned type = (unsigned)o.type;
    return type > F_OWNER_PGRP || o.pid < 0 ? -EINVAL : file_set_owner(f, (int)type, o.pid);
}

static int64_t set_signal(struct file *f, uint64_t sig)
{
    return sig > SIGNAL_COUNT ? -EINVAL : file_set_signal(f, (int)sig);
}

/* F_SETOWN takes a process, or a negative process group. */
static int64_t set_owner_number(struct file *f, int id)
{
    if (id == INT32_MIN)
        return -EINVAL;
    return id < 0 ? file_set_owner(f, F_OWNER_PGRP, -id) : file_set_owner(f, F_OWNER_PID, id);
}

static int64_t get_owner_number(struct file *f)
{
    int type;
    int32_t id;
    file_get_owner(f, &type, &id);
    return type == F_OWNER_PGRP ? -id : id;
}

/* ---- fcntl ---- */

static int64_t fcntl_of_type(struct file *f, unsigned cmd, uint64_t arg)
{
    bool pipe = cmd == F_GETPIPE_SZ || cmd == F_SETPIPE_SZ;
    return f->ops->fcntl ? f->ops->fcntl(f, cmd, arg) : pipe ? -EBADF : -EINVAL;
}

/* How long what is written will live: kept, and good for nothing here. */
static int64_t get_write_hint(struct file *f, uaddr_t to)
{
    uint64_t hint = f->inode->write_hint;
    return put_user(&hint, to);
}

static int64_t set_write_hint(struct file *f, uaddr_t from)
{
    uint64_t hint;
    int err = get_user(&hint, from);
    if (err)
        return err;
    if (hint > RWH_WRITE_LIFE_EXTREME)
        return -EINVAL;
    f->inode->write_hint = (unsigned char)hint;
    return 0;
}

/* Do both descriptors mean the same open file? */
static int64_t same_file(struct file *f, int fd)
{
    CLEANUP_FILE struct file *other = NULL;
    int err = fd_file_any(fd, &other);
    return err ? err : other == f;
}

/* dnotify: there is none to take back, and none is made. */
static int64_t set_directory_notice(struct file *f, uint64_t events)
{
    if (!(events & ~(uint64_t)DN_MULTISHOT))
        return 0;
    return inode_is_dir(f->inode) ? -EINVAL : -ENOTDIR;
}

#ifndef F_DUPFD_QUERY
#define F_DUPFD_QUERY 1027
#endif

static int64_t fcntl_file(int fd, struct file *f, unsigned cmd, uint64_t arg)
{
    switch (cmd) {
    case F_SETFL:
        return set_flags(f, fd, arg);
    case F_GETLK:
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_GETLK:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
        return do_record_lock(f, cmd, arg);
    case F_SETOWN:
        return set_owner_number(f, (int)arg);
    case F_GETOWN:
        return get_owner_number(f);
    case F_SETOWN_EX:
        return set_owner_ex(f, arg);
    case F_GETOWN_EX:
        return get_owner_ex(f, arg);
    case F_SETSIG:
        return set_signal(f, arg);
    case F_GETSIG:
        return file_get_signal(f);
    case F_DUPFD_QUERY:
        return same_file(f, (int)arg);
    case F_GET_RW_HINT:
        return get_write_hint(f, arg);
    case F_SET_RW_HINT:
        return set_write_hint(f, arg);
    case F_NOTIFY:
        return set_directory_notice(f, arg);
    case F_SETLEASE:
        return lease_set(f, fd, arg);
    case F_GETLEASE:
        return lease_get(f);
    case F_GETPIPE_SZ:
    case F_SETPIPE_SZ:
    case F_ADD_SEALS:
    case F_GET_SEALS:
        return fcntl_of_type(f, cmd, arg);
    default:
        return -EINVAL;
    }
}

int64_t sys_fcntl(const uint64_t *a)
{
    CLEANUP_FILE struct file *f = NULL;
    int fd = (int)a[0];
    int err = fd_file_any(fd, &f);
    if (err)
        return err;
    switch ((unsigned)a[1]) { /* what O_PATH files can do too */
    case F_DUPFD:
        return dup_from(f, a[2], 0);
    case F_DUPFD_CLOEXEC:
        return dup_from(f, a[2], O_CLOEXEC);
    case F_GETFD:
        return fd_get_cloexec(fd);
    case F_SETFD:
        return fd_set_cloexec(fd, a[2] & FD_CLOEXEC);
    case F_GETFL:
        return f->flags;
    }
    return f->flags & O_PATH ? -EBADF : fcntl_file(fd, f, (unsigned)a[1], a[2]);
}

/* ---- ioctl ---- */

static int64_t set_flag_from_user(struct file *f, uint32_t flag, uaddr_t arg)
{
    int on;
    int err = get_user(&on, arg);
    if (err)
        return err;
    if (on)
        atomic_fetch_or(&f->flags, flag);
    else
        atomic_fetch_and(&f->flags, ~flag);
    return 0;
}

static int64_t set_async_from_user(struct file *f, int fd, uaddr_t arg)
{
    int on;
    int err = get_user(&on, arg);
    if (err)
        return err;
    uint32_t flags = (f->flags & SETTABLE_FLAGS & ~(uint32_t)O_ASYNC) | (on ? O_ASYNC : 0);
    return set_flags(f, fd, flags);
}

/* FIONREAD on a regular file: what is left to read. */
static int64_t put_bytes_left(struct file *f, uaddr_t arg)
{
    int64_t left = (int64_t)f->inode->attr.size - f->pos;
    int n = (int)MIN(MAX(left, 0), INT32_MAX);
    return put_user(&n, arg);
}

int64_t sys_ioctl(const uint64_t *a)
{
    CLEANUP_FILE struct file *f = NULL;
    int fd = (int)a[0];
    unsigned cmd = (unsigned)a[1];
    int err = fd_file(fd, &f);
    if (err)
        return err;
    switch (cmd) {
    case FIOCLEX:
        return fd_set_cloexec(fd, true);
    case FIONCLEX:
        return fd_set_cloexec(fd, false);
    case FIONBIO:
        return set_flag_from_user(f, O_NONBLOCK, a[2]);
    case FIOASYNC:
        return set_async_from_user(f, fd, a[2]);
    case FIONREAD:
        if (S_ISREG(f->inode->attr.mode) && !f->ops->stream && !f->ops->ioctl)
            return put_bytes_left(f, a[2]);
        break;
    }
    return vfs_ioctl(f, cmd, a[2]);
}
