/*
 * The host calls that hostfs makes, and no others. Each returns the host's result or -errno, and
 * steps aside for other fibers of the CPU while the host is busy (host_call_begin).
 */
#pragma once
#include "base/base.h"
#include <sys/stat.h>
#include <sys/statfs.h>
#include <time.h>

/* One component `name` below directory `dir`; never through a link. flags get
 * O_CLOEXEC|O_NOFOLLOW|O_NOCTTY. */
NODISCARD int host_openat(int dir, const char *name, int flags, uint32_t mode);
/* An unnamed file in directory `dir`, open for reading and writing. */
NODISCARD int host_open_tmpfile(int dir, uint32_t mode);
void host_close(int fd);
NODISCARD int host_statx(int dir, const char *name, struct statx *ret); /* name "": dir itself */
NODISCARD int host_fstatfs(int fd, struct statfs *ret);
ssize_t host_readlinkat(int dir, const char *name, char *buf, size_t size);
ssize_t host_getdents(int fd, void *buf, size_t size);
int64_t host_lseek(int fd, int64_t offset, int whence);

ssize_t host_pread(int fd, void *buf, size_t n, int64_t pos);
ssize_t host_pwrite(int fd, const void *buf, size_t n, int64_t pos);
ssize_t host_append(int fd, const void *buf,
                    size_t n); /* at the end, whatever others write meanwhile */
NODISCARD int host_fsync(int fd, bool data_only);
NODISCARD int host_fallocate(int fd, int mode, int64_t offset, int64_t len);
NODISCARD int host_ftruncate(int fd, int64_t size);
NODISCARD int host_syncfs(int fd);

NODISCARD int host_mkdirat(int dir, const char *name, uint32_t mode);
NODISCARD int host_mknodat(int dir, const char *name, uint32_t mode);
NODISCARD int host_symlinkat(const char *target, int dir, const char *name);
NODISCARD int host_linkat(int old_dir, const char *old_name, int new_dir,
                          const char *new_name); /* old_name "": old_dir */
NODISCARD int host_unlinkat(int dir, const char *name, int flags);
NODISCARD int host_renameat(int old_dir, const char *old_name, int new_dir, const char *new_name,
                            unsigned flags);

NODISCARD int host_chown(int dir, const char *name, uint32_t uid,
                         uint32_t gid); /* name "": dir itself */

/* On the object behind any descriptor, O_PATH ones included. */
NODISCARD int host_chmod(int fd, uint32_t mode);
NODISCARD int host_utimens(int fd, const struct timespec times[2]);

/* On a descriptor that is open for reading. */
ssize_t host_getxattr(int fd, const char *name, void *value, size_t size);
NODISCARD int host_setxattr(int fd, const char *name, const void *value, size_t size, int flags);
NODISCARD int host_removexattr(int fd, const char *name);
ssize_t host_listxattr(int fd, char *list, size_t size);
