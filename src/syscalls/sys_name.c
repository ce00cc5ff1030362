/* System calls that make, remove and rename names: mkdir, mknod, link, symlink, unlink, rename,
 * readlink. */
#include "mm/uaccess.h"
#include "syscalls/prototypes.h"
#include "vfs/vfs.h"
#include <linux/fs.h>
#include <fcntl.h>
#include <string.h>

static int64_t do_mkdir(int dirfd, uint64_t path_addr, uint64_t mode)
{
    CLEANUP_PATH char *path = NULL;
    int err = user_path(path_addr, &path);
    return err ? err : vfs_mkdir_at(dirfd, path, (uint32_t)mode);
}

int64_t sys_mkdir(const uint64_t *a)
{
    return do_mkdir(AT_FDCWD, a[0], a[1]);
}

int64_t sys_mkdirat(const uint64_t *a)
{
    return do_mkdir((int)a[0], a[1], a[2]);
}

static int check_node_type(uint32_t mode)
{
    switch (mode & S_IFMT) {
    case 0:
    case S_IFREG:
    case S_IFCHR:
    case S_IFBLK:
    case S_IFIFO:
    case S_IFSOCK:
        return 0;
    case S_IFDIR:
        return -EPERM;
    default:
        return -EINVAL;
    }
}

static int64_t do_mknod(int dirfd, uint64_t path_addr, uint64_t mode, uint64_t rdev)
{
    int bad = check_node_type((uint32_t)mode);
    if (bad)
        return bad;
    CLEANUP_PATH char *path = NULL;
    int err = user_path(path_addr, &path);
    return err ? err : vfs_mknod_at(dirfd, path, (uint32_t)mode, (uint32_t)rdev);
}

int64_t sys_mknod(const uint64_t *a)
{
    return do_mknod(AT_FDCWD, a[0], a[1], a[2]);
}

int64_t sys_mknodat(const uint64_t *a)
{
    return do_mknod((int)a[0], a[1], a[2], a[3]);
}

static int64_t do_symlink(uint64_t target_addr, int dirfd, uint64_t path_addr)
{
    CLEANUP_PATH char *target = NULL, *path = NULL;
    int err = user_path(target_addr, &target);
    if (!err)
        err = user_path(path_addr, &path);
    return err ? err : vfs_symlink_at(target, dirfd, path);
}

int64_t sys_symlink(const uint64_t *a)
{
    return do_symlink(a[0], AT_FDCWD, a[1]);
}

int64_t sys_symlinkat(const uint64_t *a)
{
    return do_symlink(a[0], (int)a[1], a[2]);
}

static int64_t do_link(int old_dirfd, uint64_t old_addr, int new_dirfd, uint64_t new_addr,
                       int flags)
{
    CLEANUP_PATH char *old_path = NULL, *new_path = NULL;
    if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    int err = user_path(old_addr, &old_path);
    if (!err)
        err = user_path(new_addr, &new_path);
    return err ? err : vfs_link_at(old_dirfd, old_path, new_dirfd, new_path, flags);
}

int64_t sys_link(const uint64_t *a)
{
    return do_link(AT_FDCWD, a[0], AT_FDCWD, a[1], 0);
}

int64_t sys_linkat(const uint64_t *a)
{
    return do_link((int)a[0], a[1], (int)a[2], a[3], (int)a[4]);
}

static int64_t do_remove(int dirfd, uint64_t path_addr, bool is_dir)
{
    CLEANUP_PATH char *path = NULL;
    int err = user_path(path_addr, &path);
    if (err)
        return err;
    return is_dir ? vfs_rmdir_at(dirfd, path) : vfs_unlink_at(dirfd, path);
}

int64_t sys_unlink(const uint64_t *a)
{
    return do_remove(AT_FDCWD, a[0], false);
}

int64_t sys_rmdir(const uint64_t *a)
{
    return do_remove(AT_FDCWD, a[0], true);
}

int64_t sys_unlinkat(const uint64_t *a)
{
    unsigned flags = (unsigned)a[2];
    return flags & ~(unsigned)AT_REMOVEDIR ? -EINVAL
                                           : do_remove((int)a[0], a[1], flags & AT_REMOVEDIR);
}

static int64_t do_rename(int old_dirfd, uint64_t old_addr, int new_dirfd, uint64_t new_addr,
                         unsigned flags)
{
    CLEANUP_PATH char *old_path = NULL, *new_path = NULL;
    if (flags & ~(unsigned)(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT))
        return -EINVAL;
    int err = user_path(old_addr, &old_path);
    if (!err)
        err = user_path(new_addr, &new_path);
    return err ? err : vfs_rename_at(old_dirfd, old_path, new_dirfd, new_path, flags);
}

int64_t sys_rename(const uint64_t *a)
{
    return do_rename(AT_FDCWD, a[0], AT_FDCWD, a[1], 0);
}

int64_t sys_renameat(const uint64_t *a)
{
    return do_rename((int)a[0], a[1], (int)a[2], a[3], 0);
}

int64_t sys_renameat2(const uint64_t *a)
{
    return do_rename((int)a[0], a[1], (int)a[2], a[3], (unsigned)a[4]);
}

static int64_t do_readlink(int dirfd, uint64_t path_addr, uaddr_t to, int size)
{
    CLEANUP_PATH char *path = NULL;
    CLEANUP_FREE char *target = NULL;
    if (size <= 0)
        return -EINVAL;
    int err = user_path(path_addr, &path);
    if (!err)
        err = vfs_readlink_at(dirfd, path, &target);
    if (err)
        return err;
    size_t n = MIN(strlen(target), (size_t)size);
    err = copy_to_user(to, target, n);
    return err ? err : (int64_t)n;
}

int64_t sys_readlink(const uint64_t *a)
{
    return do_readlink(AT_FDCWD, a[0], a[1], (int)a[2]);
}

int64_t sys_readlinkat(const uint64_t *a)
{
    return do_readlink((int)a[0], a[1], a[2], (int)a[3]);
}
