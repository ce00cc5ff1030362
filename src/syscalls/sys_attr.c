/* chmod(2), chown(2), utimensat(2), truncate(2) and their families. */
#include "kernel/fdtable.h"
#include "kernel/user_namespace.h"
#include "mm/uaccess.h"
#include "syscalls/prototypes.h"
#include "vfs/vfs.h"
#include <sys/time.h>

static int lookup_user(int dirfd, uint64_t path_addr, unsigned walk, struct path *ret)
{
    CLEANUP_PATH char *path = NULL;
    int err = user_path(path_addr, &path);
    return err ? err : path_lookup(dirfd, path, walk, ret);
}

/* AT_SYMLINK_NOFOLLOW and AT_EMPTY_PATH as walk flags. */
static unsigned walk_flags(unsigned at_flags)
{
    return (at_flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW) |
           (at_flags & AT_EMPTY_PATH ? WALK_EMPTY : 0);
}

/* ---- chmod ---- */

static int64_t do_chmod(int dirfd, uint64_t path, uint64_t mode)
{
    CLEANUP_PATH_REF struct path p = {0};
    int err = lookup_user(dirfd, path, WALK_FOLLOW, &p);
    return err ? err : vfs_chmod(&p, (uint32_t)mode & 07777);
}

int64_t sys_chmod(const uint64_t *a)
{
    return do_chmod(AT_FDCWD, a[0], a[1]);
}

int64_t sys_fchmodat(const uint64_t *a)
{
    return do_chmod((int)a[0], a[1], a[2]);
}

int64_t sys_fchmodat2(const uint64_t *a)
{
    CLEANUP_PATH char *path = NULL;
    CLEANUP_PATH_REF struct path p = {0};
    unsigned flags = (unsigned)a[3];
    if (flags & ~(unsigned)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    unsigned walk = (flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW) | (flags & AT_EMPTY_PATH ? WALK_EMPTY : 0);
    int err = user_path(a[1], &path);
    if (!err)
        err = path_lookup((int)a[0], path, walk, &p);
    return err ? err : vfs_chmod(&p, (uint32_t)a[2] & 07777);
}

int64_t sys_fchmod(const uint64_t *a)
{
    CLEANUP_FILE struct file *f = NULL;
    int err = fd_file((int)a[0], &f);
    return err ? err : vfs_chmod(&f->path, (uint32_t)a[1] & 07777);
}

/* ---- chown ---- */

/* The caller's ids; -1 leaves one. */
static int chown_as_user(const struct path *p, uint32_t uid, uint32_t gid)
{
    uint32_t kuid = uid_from_user(uid), kgid = gid_from_user(gid);
    if ((uid != UINT32_MAX && kuid == ID_INVALID) || (gid != UINT32_MAX && kgid == ID_INVALID))
        return -EINVAL;
    return vfs_chown(p, uid == UINT32_MAX ? uid : kuid, gid == UINT32_MAX ? gid : kgid);
}

static int64_t do_chown(int dirfd, uint64_t path, uint64_t uid, uint64_t gid, unsigned flags)
{
    CLEANUP_PATH_REF struct path p = {0};
    if (flags & ~(unsigned)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    int err = lookup_user(dirfd, path, walk_flags(flags), &p);
    return err ? err : chown_as_user(&p, (uint32_t)uid, (uint32_t)gid);
}

int64_t sys_chown(const uint64_t *a)
{
    return do_chown(AT_FDCWD, a[0], a[1], a[2], 0);
}

int64_t sys_lchown(const uint64_t *a)
{
    return do_chown(AT_FDCWD, a[0], a[1], a[2], AT_SYMLINK_NOFOLLOW);
}

int64_t sys_fchownat(const uint64_t *a)
{
    return do_chown((int)a[0], a[1], a[2], a[3], (unsigned)a[4]);
}

int64_t sys_fchown(const uint64_t *a)
{
    CLEANUP_FILE struct file *f = NULL;
    int err = fd_file((int)a[0], &f);
    return err ? err : chown_as_user(&f->path, (uint32_t)a[1], (uint32_t)a[2]);
}

/* ---- times ---- */

struct times {
    int64_t atime, mtime;
};

/* Nanoseconds since the epoch, clamped to what an int64_t holds (as every file system clamps to its
 * range). */
static int64_t to_ns(int64_t sec, int64_t nsec)
{
    int64_t ns;
    if (__builtin_mul_overflow(sec, NSEC_PER_SEC, &ns) || __builtin_add_overflow(ns, nsec, &ns))
        return sec < 0 ? INT64_MIN + 2 : INT64_MAX;
    return ns;
}

static int decode_timespec(const struct timespec *t, int64_t *ret)
{
    if (t->tv_nsec == UTIME_NOW)
        *ret = UTIME_NOW_NS;
    else if (t->tv_nsec == UTIME_OMIT)
        *ret = UTIME_OMIT_NS;
    else if (t->tv_nsec < 0 || t->tv_nsec >= NSEC_PER_SEC)
        return -EINVAL;
    else
        *ret = to_ns(t->tv_sec, t->tv_nsec);
    return 0;
}

static int get_timespecs(uaddr_t addr, struct times *ret)
{
    struct timespec t[2];
    *ret = (struct times){UTIME_NOW_NS, UTIME_NOW_NS};
    if (!addr)
        return 0;
    int err = copy_from_user(t, addr, sizeof(t));
    if (!err)
        err = decode_timespec(&t[0], &ret->atime);
    return err ? err : decode_timespec(&t[1], &ret->mtime);
}

static int get_timevals(uaddr_t addr, struct times *ret)
{
    struct timeval t[2];
    *ret = (struct times){UTIME_NOW_NS, UTIME_NOW_NS};
    if (!addr)
        return 0;
    int err = copy_from_user(t, addr, sizeof(t));
    if (err)
        return err;
    if (t[0].tv_usec < 0 || t[0].tv_usec >= 1000000 || t[1].tv_usec < 0 || t[1].tv_usec >= 1000000)
        return -EINVAL;
    *ret = (struct times){to_ns(t[0].tv_sec, t[0].tv_usec * NSEC_PER_USEC),
                          to_ns(t[1].tv_sec, t[1].tv_usec * NSEC_PER_USEC)};
    return 0;
}

static int64_t set_times(int dirfd, uint64_t path, unsigned flags, const struct times *t)
{
    CLEANUP_PATH_REF struct path p = {0};
    int err = lookup_user(dirfd, path, walk_flags(flags), &p);
    return err ? err : vfs_utimes(&p, t->atime, t->mtime);
}

static int64_t set_times_fd(int fd, const struct times *t)
{
    CLEANUP_FILE struct file *f = NULL;
    int err = fd_file(fd, &f);
    return err ? err : vfs_utimes(&f->path, t->atime, t->mtime);
}

int64_t sys_utimensat(const uint64_t *a)
{
    struct times t;
    int err = get_timespecs(a[2], &t);
    if (err)
        return err;
    if (t.atime == UTIME_OMIT_NS && t.mtime == UTIME_OMIT_NS)
        return 0;
    unsigned flags = (unsigned)a[3];
    if (!a[1] && (int)a[0] != AT_FDCWD)
        return flags ? -EINVAL : set_times_fd((int)a[0], &t);
    if (flags & ~(unsigned)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    return set_times((int)a[0], a[1], flags, &t);
}

static int64_t do_utimes(int dirfd, uint64_t path, uint64_t times)
{
    struct times t;
    int err = get_timevals(times, &t);
    if (err)
        return err;
    return !path && dirfd != AT_FDCWD ? set_times_fd(dirfd, &t) : set_times(dirfd, path, 0, &t);
}

int64_t sys_utimes(const uint64_t *a)
{
    return do_utimes(AT_FDCWD, a[0], a[1]);
}

int64_t sys_futimesat(const uint64_t *a)
{
    return do_utimes((int)a[0], a[1], a[2]);
}

int64_t sys_utime(const uint64_t *a)
{
    int64_t sec[2];
    struct times t = {UTIME_NOW_NS, UTIME_NOW_NS};
    if (a[1]) {
        int err = copy_from_user(sec, a[1], sizeof(sec));
        if (err)
            return err;
        t = (struct times){to_ns(sec[0], 0), to_ns(sec[1], 0)};
    }
    return set_times(AT_FDCWD, a[0], 0, &t);
}

/* ---- truncate ---- */

int64_t sys_truncate(const uint64_t *a)
{
    CLEANUP_PATH_REF struct path p = {0};
    if ((int64_t)a[1] < 0)
        return -EINVAL;
    int err = lookup_user(AT_FDCWD, a[0], WALK_FOLLOW, &p);
    return err ? err : vfs_truncate(&p, (int64_t)a[1]);
}

int64_t sys_ftruncate(const uint64_t *a)
{
    CLEANUP_FILE struct file *f = NULL;
    if ((int64_t)a[1] < 0)
        return -EINVAL;
    int err = fd_file((int)a[0], &f);
    return err ? err : vfs_ftruncate(f, (int64_t)a[1]);
}
