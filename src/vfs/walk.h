/*
 * Path walk and the verbs on names: what the *at system calls do, decoded.
 *
 * A walk starts at `dirfd` (a place already resolved) or the root, takes one component at a time
 * through the dentry cache, follows at most 40 symbolic links, crosses mounts, checks search
 * permission on each directory, and honours openat2's resolve flags. All verbs run with the current
 * task's credentials and root, and return 0 or -errno as the system call would. They are also what
 * the kernel itself uses at boot.
 */
#pragma once
#include "base/base.h"
#include "vfs/inode.h"
#include "vfs/mount.h"

struct file;

#define WALK_FOLLOW 1u    /* follow a symlink in the last component */
#define WALK_DIRECTORY 2u /* the result must be a directory */
#define WALK_EMPTY 4u     /* AT_EMPTY_PATH: "" is the start itself */
#define WALK_NO_XDEV 8u   /* openat2 RESOLVE_... */
#define WALK_NO_MAGICLINKS 16u
#define WALK_NO_SYMLINKS 32u
#define WALK_BENEATH 64u
#define WALK_IN_ROOT 128u
#define WALK_NO_AUTOMOUNT 256u

/* Where a relative path starts: AT_FDCWD, or an fd resolved by the caller. Referenced. -EBADF,
 * -ENOTDIR. Implemented by kernel/fdtable.c for the current task. */
NODISCARD int walk_start(int dirfd, const char *path, struct path *ret);

/* From a given root instead of the task's: how boot code finds places to mount on. */
NODISCARD int path_lookup_in(const struct path *root, const char *path, unsigned flags,
                             struct path *ret);
NODISCARD int path_lookup(int dirfd, const char *path, unsigned flags,
                          struct path *ret); /* must exist */
/* The parent directory and last component of a path that may not exist. Trailing slashes are
 * reported. */
struct last_component {
    struct name name;
    bool trailing_slash;
    bool dot, dotdot, root; /* the last component is ".", ".." or there is none ("/") */
};
NODISCARD int path_lookup_parent(int dirfd, const char *path, unsigned flags,
                                 struct path *ret_parent, struct last_component *ret_last);

struct open_how_kernel {
    uint32_t flags;   /* O_... as open(2) */
    uint32_t mode;    /* already masked with 07777, umask not yet applied */
    unsigned resolve; /* WALK_... */
};
NODISCARD int vfs_open_at(int dirfd, const char *path, const struct open_how_kernel *how,
                          struct file **ret);
NODISCARD int vfs_open_path(const struct path *p, uint32_t flags,
                            struct file **ret); /* a place already found: opens it anew */
/* For exec: regular, executable, not on noexec. */
NODISCARD int vfs_open_exec(int dirfd, const char *path, unsigned walk_flags, struct file **ret);

NODISCARD int vfs_mkdir_at(int dirfd, const char *path, uint32_t mode);
NODISCARD int vfs_mknod_at(int dirfd, const char *path, uint32_t mode, uint64_t rdev);
/* mknod that returns the new place (AF_UNIX bind). */
NODISCARD int vfs_mknod_path(int dirfd, const char *path, uint32_t mode, uint64_t rdev,
                             struct path *ret);
NODISCARD int vfs_symlink_at(const char *target, int dirfd, const char *path);
NODISCARD int vfs_link_at(int old_dirfd, const char *old_path, int new_dirfd, const char *new_path,
                          int flags);
NODISCARD int vfs_unlink_at(int dirfd, const char *path);
NODISCARD int vfs_rmdir_at(int dirfd, const char *path);
NODISCARD int vfs_rename_at(int old_dirfd, const char *old_path, int new_dirfd,
                            const char *new_path, unsigned flags);
NODISCARD int vfs_readlink_at(int dirfd, const char *path, char **ret_target);

/* Attributes. */
NODISCARD int vfs_stat_at(int dirfd, const char *path, unsigned flags, struct attr *ret,
                          struct path *ret_path /* or NULL */);
NODISCARD int
vfs_setattr(const struct path *p,
            const struct setattr *change); /* permission as chmod/chown/utimes/truncate */
NODISCARD int vfs_chmod(const struct path *p, uint32_t mode);
NODISCARD int vfs_chown(const struct path *p, uint32_t uid, uint32_t gid); /* -1: leave */
NODISCARD int vfs_truncate(const struct path *p, int64_t size);
NODISCARD int vfs_ftruncate(struct file *f, int64_t size);
/* times: atime, mtime in ns, or UTIME_NOW_NS / UTIME_OMIT_NS. */
#define UTIME_NOW_NS INT64_MIN
#define UTIME_OMIT_NS (INT64_MIN + 1)
NODISCARD int vfs_utimes(const struct path *p, int64_t atime, int64_t mtime);
NODISCARD int vfs_access_at(int dirfd, const char *path, int mode, unsigned walk_flags,
                            bool effective_ids);
NODISCARD int vfs_statfs(const struct path *p, struct statfs *ret);
NODISCARD int vfs_chdir(const struct path *p);
NODISCARD int vfs_chroot(const struct path *p);
