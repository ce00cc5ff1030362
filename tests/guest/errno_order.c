/* Where several errors apply, Linux's is the first it looks for. */
#include "each.h"
#include <linux/fs.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/xattr.h>

static void *const bad = (void *)8;

int main(void)
{
    int p[2];
    struct iovec iov = {bad, 4};
    timer_t timer;
    CHECK(pipe(p) == 0);
    FAILS(setxattr(bad, "user.x", "", 0, 8), EINVAL);
    FAILS(setxattr("absent", "", "", 0, 0), ERANGE);
    FAILS(setxattr("absent", "user.x", "", 65537, 0), E2BIG);
    FAILS(fsetxattr(-1, "user.x", "", 0, 8), EINVAL);
    FAILS(getxattr("absent", "", NULL, 0), ERANGE);
    FAILS(fgetxattr(-1, bad, NULL, 0), EFAULT);
    FAILS(removexattr("absent", ""), ERANGE);
    FAILS(fremovexattr(-1, bad), EFAULT);
    FAILS(syscall(SYS_timer_create, CLOCK_MONOTONIC_COARSE, NULL, &timer), EOPNOTSUPP);
    FAILS(syscall(SYS_timer_create, CLOCK_REALTIME, bad, &timer), EFAULT);
    FAILS(syscall(SYS_timer_settime, 99, 0, NULL, NULL), EINVAL);
    FAILS(epoll_wait(-1, bad, 0, 0), EBADF);
    FAILS(epoll_wait(p[0], bad, 0, 0), EINVAL);
    FAILS(syscall(SYS_rt_tgsigqueueinfo, -1, -1, 0, bad), EFAULT);
    FAILS(syscall(SYS_sched_getaffinity, -1, 128, bad), ESRCH);
    FAILS(syscall(SYS_sched_setaffinity, -1, 0, NULL), ESRCH);
    FAILS(syscall(SYS_sched_setaffinity, -1, 8, bad), EFAULT);
    FAILS(syscall(SYS_sched_setparam, -1, bad), EINVAL);
    FAILS(syscall(SYS_preadv, p[0], &iov, -1, 0), ESPIPE);
    FAILS(syscall(SYS_pwritev, p[0], &iov, 1, 0), ESPIPE);
    FAILS(syscall(SYS_renameat2, AT_FDCWD, bad, AT_FDCWD, bad, 8), EINVAL);
    FAILS(linkat(AT_FDCWD, bad, AT_FDCWD, bad, 1), EINVAL);
    FAILS(mknod(bad, 0170000, 0), EINVAL);
    FAILS(mknod(bad, S_IFDIR, 0), EPERM);
    FAILS(syscall(SYS_memfd_create, bad, 0x1000), EINVAL);
    FAILS(syscall(SYS_prlimit64, 0x3ffffff, 99, bad, NULL), EFAULT);
    FAILS(syscall(SYS_prlimit64, 0x3ffffff, 99, NULL, NULL), ESRCH);
    FAILS(syscall(SYS_prlimit64, 0, 99, NULL, NULL), EINVAL);
    int zero = open("/dev/zero", O_RDONLY);
    char buf[4];
    iov.iov_base = buf;
    IS(preadv2(zero, &iov, 1, 0, RWF_APPEND), 4);
    IS(syscall(SYS_vmsplice, zero, &iov, 0, 0), 0);
    FAILS(syscall(SYS_vmsplice, zero, &iov, 1, 0), EBADF);
    int fd = open("mode", O_CREAT | O_RDWR, 0600);
    struct stat st;
    IS(syscall(452, AT_FDCWD, "mode", 0640, 0), 0);
    IS(syscall(452, fd, "", 0604, AT_EMPTY_PATH), 0);
    IS(fstat(fd, &st), 0);
    IS(st.st_mode & 0777, 0604);
    CHECK(symlink("mode", "link") == 0);
    FAILS(syscall(452, AT_FDCWD, "link", 0640, AT_SYMLINK_NOFOLLOW), EOPNOTSUPP);
    FAILS(syscall(452, AT_FDCWD, "mode", 0640, 1), EINVAL);
    FAILS(syscall(452, AT_FDCWD, "absent", 0640, 0), ENOENT);
    return each_failed();
}
