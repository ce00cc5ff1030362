/* stat(2) and family, statx, statfs, access. */
#include "kernel/fdtable.h"
#include "kernel/user_namespace.h"
#include "mm/uaccess.h"
#include "syscalls/prototypes.h"
#include "vfs/vfs.h"
#include <string.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

static struct timespec to_timespec(int64_t ns)
{
    int64_t sec = ns / NSEC_PER_SEC, rest = ns % NSEC_PER_SEC;
    return (struct timespec){rest < 0 ? sec - 1 : sec, rest < 0 ? rest + NSEC_PER_SEC : rest};
}

static int64_t put_stat(uaddr_t to, const struct attr *a)
{
    struct stat st = {.st_dev = a->dev,
                      .st_ino = a->ino,
                      .st_mode = a->mode,
                      .st_nlink = a->nlink,
                      .st_uid = uid_to_user(a->uid),
                      .st_gid = gid_to_user(a->gid),
                      .st_rdev = a->rdev,
                      .st_size = (off_t)a->size,
                      .st_blksize = a->blksize,
                      .st_blocks = (blkcnt_t)a->blocks,
                      .st_atim = to_timespec(a->atime),
                      .st_mtim = to_timespec(a->mtime),
                      .st_ctim = to_timespec(a->ctime)};
    return copy_to_user(to, &st, sizeof(st));
}

static int stat_fd(int fd, struct attr *ret, int *ret_mount_id)
{
    CLEANUP_FILE struct file *f = NULL;
    int err = fd_file_any(fd, &f);
    if (err)
        return err;
    if (ret_mount_id)
        *ret_mount_id = f->path.mount ? f->path.mount->id : 0;
    return inode_getattr(f->inode, ret);
}

/* The whole of fstatat(2): "" with AT_EMPTY_PATH is the descriptor itself. */
static int stat_at(int dirfd, uaddr_t path_addr, unsigned flags, struct attr *ret,
                   int *ret_mount_id)
{
    CLEANUP_PATH char *path = NULL;
    struct path p = {0};
    if (flags & AT_EMPTY_PATH && !path_addr && dirfd >= 0)
        return stat_fd(dirfd, ret, ret_mount_id);
    int err = user_path(path_addr, &path);
    if (err)
        return err;
    if (!*path && flags & AT_EMPTY_PATH && dirfd >= 0)
        return stat_fd(dirfd, ret, ret_mount_id);
    unsigned walk =
        (flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW) | (flags & AT_EMPTY_PATH ? WALK_EMPTY : 0);
    err = vfs_stat_at(dirfd, path, walk, ret, ret_mount_id ? &p : NULL);
    if (!err && ret_mount_id) {
        *ret_mount_id = p.mount->id;
        path_put(&p);
    }
    return err;
}

static int64_t do_stat(int dirfd, uint64_t path, unsigned flags, uaddr_t to)
{
    struct attr attr;
    int err = stat_at(dirfd, path, flags, &attr, NULL);
    return err ? err : put_stat(to, &attr);
}

int64_t sys_stat(const uint64_t *a)
{
    return do_stat(AT_FDCWD, a[0], 0, a[1]);
}

int64_t sys_lstat(const uint64_t *a)
{
    return do_stat(AT_FDCWD, a[0], AT_SYMLINK_NOFOLLOW, a[1]);
}

int64_t sys_fstat(const uint64_t *a)
{
    struct attr attr;
    int err = stat_fd((int)a[0], &attr, NULL);
    return err ? err : put_stat(a[1], &attr);
}

int64_t sys_newfstatat(const uint64_t *a)
{
    unsigned flags = (unsigned)a[3];
    if (flags & ~(unsigned)(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH))
        return -EINVAL;
    return do_stat((int)a[0], a[1], flags, a[2]);
}

/* ---- statx ---- */

static struct statx_timestamp to_statx_time(int64_t ns)
{
    struct timespec t = to_timespec(ns);
    return (struct statx_timestamp){.tv_sec = t.tv_sec, .tv_nsec = (uint32_t)t.tv_nsec};
}

#define MNT_ID_UNIQUE 0x4000u /* STATX_MNT_ID_UNIQUE */

static int64_t put_statx(uaddr_t to, const struct attr *a, int mount_id, unsigned want)
{
    bool unique = want & MNT_ID_UNIQUE;
    unsigned mask = STATX_BASIC_STATS | (unique ? MNT_ID_UNIQUE : STATX_MNT_ID) | (a->btime ? STATX_BTIME : 0);
    struct statx st = {.stx_mask = mask,
                       .stx_blksize = a->blksize,
                       .stx_nlink = a->nlink,
                       .stx_uid = uid_to_user(a->uid),
                       .stx_gid = gid_to_user(a->gid),
                       .stx_mode = (uint16_t)a->mode,
                       .stx_ino = a->ino,
                       .stx_size = a->size,
                       .stx_blocks = a->blocks,
                       .stx_atime = to_statx_time(a->atime),
                       .stx_btime = to_statx_time(a->btime),
                       .stx_ctime = to_statx_time(a->ctime),
                       .stx_mtime = to_statx_time(a->mtime),
                       .stx_rdev_major = major(a->rdev),
                       .stx_rdev_minor = minor(a->rdev),
                       .stx_dev_major = major(a->dev),
                       .stx_dev_minor = minor(a->dev),
                       .stx_mnt_id = unique ? mount_unique_of(mount_id) : (uint64_t)mount_id};
    return copy_to_user(to, &st, sizeof(st));
}

int64_t sys_statx(const uint64_t *a)
{
    unsigned flags = (unsigned)a[2];
    struct attr attr;
    int mount_id = 0;
    if (flags &
        ~(unsigned)(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE))
        return -EINVAL;
    if ((unsigned)a[3] & STATX__RESERVED || (flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE)
        return -EINVAL;
    int err = stat_at((int)a[0], a[1], flags, &attr, &mount_id);
    return err ? err : put_statx(a[4], &attr, mount_id, (unsigned)a[3]);
}

/* ---- access ---- */

static int64_t do_access(int dirfd, uint64_t path_addr, int mode, unsigned flags)
{
    CLEANUP_PATH char *path = NULL;
    if (mode & ~7)
        return -EINVAL;
    int err = user_path(path_addr, &path);
    if (err)
        return err;
    unsigned walk =
        (flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW) | (flags & AT_EMPTY_PATH ? WALK_EMPTY : 0);
    return vfs_access_at(dirfd, path, mode, walk, flags & AT_EACCESS);
}

int64_t sys_access(const uint64_t *a)
{
    return do_access(AT_FDCWD, a[0], (int)a[1], 0);
}

int64_t sys_faccessat(const uint64_t *a)
{
    return do_access((int)a[0], a[1], (int)a[2], 0);
}

int64_t sys_faccessat2(const uint64_t *a)
{
    unsigned flags = (unsigned)a[3];
    if (flags & ~(unsigned)(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    return do_access((int)a[0], a[1], (int)a[2], flags);
}

/* ---- statfs ---- */

static int64_t put_statfs(uaddr_t to, const struct path *p)
{
    struct statfs st;
    int err = vfs_statfs(p, &st);
    return err ? err : copy_to_user(to, &st, sizeof(st));
}

int64_t sys_statfs(const uint64_t *a)
{
    CLEANUP_PATH char *path = NULL;
    CLEANUP_PATH_REF struct path p = {0};
    int err = user_path(a[0], &path);
    if (!err)
        err = path_lookup(AT_FDCWD, path, WALK_FOLLOW, &p);
    return err ? err : put_statfs(a[1], &p);
}

int64_t sys_fstatfs(const uint64_t *a)
{
    CLEANUP_FILE struct file *f = NULL;
    int err = fd_file_any((int)a[0], &f);
    return err ? err : put_statfs(a[1], &f->path);
}
