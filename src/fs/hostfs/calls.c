/*
 * The host calls that hostfs makes.
 *
 * errno lives in thread-local storage and a fiber may change threads, so it is read nowhere but in
 * the macro below, right after the call and before the fiber can move (host_call_end).
 */
#include "fs/hostfs/calls.h"
#include "sched/fiber.h"
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <unistd.h>

#define NR_fchmodat2 452

/* Not inlined, so that the address of errno is never kept across a call that can change threads. */
static __attribute__((noinline)) long last_error(void)
{
    return -errno;
}

#define HOST_CALL(call)                  \
    ({                                   \
        host_call_begin();               \
        long host_result_ = (call);      \
        if (host_result_ < 0)            \
            host_result_ = last_error(); \
        host_call_end();                 \
        host_result_;                    \
    })

static int open_beneath(int dir, const char *name, uint64_t flags, uint64_t mode)
{
    struct open_how how = {
        .flags = flags | O_CLOEXEC | O_NOFOLLOW,
        .mode = mode,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    return (int)HOST_CALL(syscall(SYS_openat2, dir, name, &how, sizeof(how)));
}

int host_openat(int dir, const char *name, int flags, uint32_t mode)
{
    uint64_t noctty = flags & O_PATH ? 0 : O_NOCTTY;
    return open_beneath(dir, name, (uint64_t)(unsigned)flags | noctty,
                        flags & O_CREAT ? mode & 07777 : 0);
}

int host_open_tmpfile(int dir, uint32_t mode)
{
    /* Without O_NOFOLLOW's concern: "." is the directory itself. */
    return open_beneath(dir, ".", O_TMPFILE | O_RDWR, mode & 07777);
}

void host_close(int fd)
{
    (void)HOST_CALL(close(fd));
}

int host_statx(int dir, const char *name, struct statx *ret)
{
    int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (*name ? 0 : AT_EMPTY_PATH);
    return (int)HOST_CALL(statx(dir, name, flags, STATX_BASIC_STATS | STATX_BTIME, ret));
}

int host_fstatfs(int fd, struct statfs *ret)
{
    return (int)HOST_CALL(fstatfs(fd, ret));
}

ssize_t host_readlinkat(int dir, const char *name, char *buf, size_t size)
{
    return HOST_CALL(readlinkat(dir, name, buf, size));
}

ssize_t host_getdents(int fd, void *buf, size_t size)
{
    return HOST_CALL(syscall(SYS_getdents64, fd, buf, size));
}

int64_t host_lseek(int fd, int64_t offset, int whence)
{
    return HOST_CALL(lseek(fd, offset, whence));
}

ssize_t host_pread(int fd, void *buf, size_t n, int64_t pos)
{
    return HOST_CALL(pread(fd, buf, n, pos));
}

ssize_t host_pwrite(int fd, const void *buf, size_t n, int64_t pos)
{
    return HOST_CALL(pwrite(fd, buf, n, pos));
}

ssize_t host_append(int fd, const void *buf, size_t n)
{
    struct iovec iov = {.iov_base = (void *)buf, .iov_len = n};
    return HOST_CALL(pwritev2(fd, &iov, 1, 0, RWF_APPEND));
}

int host_fsync(int fd, bool data_only)
{
    return (int)HOST_CALL(data_only ? fdatasync(fd) : fsync(fd));
}

int host_fallocate(int fd, int mode, int64_t offset, int64_t len)
{
    return (int)HOST_CALL(fallocate(fd, mode, offset, len));
}

int host_ftruncate(int fd, int64_t size)
{
    return (int)HOST_CALL(ftruncate(fd, size));
}

int host_syncfs(int fd)
{
    return (int)HOST_CALL(syncfs(fd));
}

int host_mkdirat(int dir, const char *name, uint32_t mode)
{
    return (int)HOST_CALL(mkdirat(dir, name, mode));
}

int host_mknodat(int dir, const char *name, uint32_t mode)
{
    return (int)HOST_CALL(mknodat(dir, name, mode, 0));
}

int host_symlinkat(const char *target, int dir, const char *name)
{
    return (int)HOST_CALL(symlinkat(target, dir, name));
}

int host_linkat(int old_dir, const char *old_name, int new_dir, const char *new_name)
{
    return (int)HOST_CALL(
        linkat(old_dir, old_name, new_dir, new_name, *old_name ? 0 : AT_EMPTY_PATH));
}

int host_unlinkat(int dir, const char *name, int flags)
{
    return (int)HOST_CALL(unlinkat(dir, name, flags));
}

int host_renameat(int old_dir, const char *old_name, int new_dir, const char *new_name,
                  unsigned flags)
{
    /* Not through the C library: without flags it would make another call. */
    return (int)HOST_CALL(syscall(SYS_renameat2, old_dir, old_name, new_dir, new_name, flags));
}

int host_chmod(int fd, uint32_t mode)
{
    long err = HOST_CALL(syscall(NR_fchmodat2, fd, "", mode & 07777, AT_EMPTY_PATH));
    /* Hosts before 6.6: works on descriptors that are really open. */
    if (err == -ENOSYS)
        err = HOST_CALL(fchmod(fd, mode & 07777));
    return (int)err;
}

int host_chown(int dir, const char *name, uint32_t uid, uint32_t gid)
{
    return (int)HOST_CALL(
        fchownat(dir, name, uid, gid, AT_SYMLINK_NOFOLLOW | (*name ? 0 : AT_EMPTY_PATH)));
}

int host_utimens(int fd, const struct timespec times[2])
{
    return (int)HOST_CALL(syscall(SYS_utimensat, fd, "", times, AT_EMPTY_PATH));
}

ssize_t host_getxattr(int fd, const char *name, void *value, size_t size)
{
    return HOST_CALL(fgetxattr(fd, name, value, size));
}

int host_setxattr(int fd, const char *name, const void *value, size_t size, int flags)
{
    return (int)HOST_CALL(fsetxattr(fd, name, value, size, flags));
}

int host_removexattr(int fd, const char *name)
{
    return (int)HOST_CALL(fremovexattr(fd, name));
}

ssize_t host_listxattr(int fd, char *list, size_t size)
{
    return HOST_CALL(flistxattr(fd, list, size));
}
