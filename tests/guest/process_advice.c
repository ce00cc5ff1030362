/* process_madvise(2) on oneself, process_mrelease(2). */
#include "each.h"
#include <linux/mman.h>
#include <sys/mman.h>
#include <sys/uio.h>

int main(void)
{
    char *p = mmap(NULL, 2 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct iovec iov[2] = {{p, 4096}, {p + 4096, 4096}}, bad = {p + 1, 4096};
    int self = (int)syscall(SYS_pidfd_open, getpid(), 0);
    IS(syscall(SYS_process_madvise, self, iov, 2, MADV_COLD, 0), 8192);
    IS(syscall(SYS_process_madvise, self, iov, 1, MADV_WILLNEED, 0), 4096);
    FAILS(syscall(SYS_process_madvise, self, &bad, 1, MADV_COLD, 0), EINVAL);
    FAILS(syscall(SYS_process_madvise, self, iov, 1, MADV_COLD, 1), EINVAL);
    FAILS(syscall(SYS_process_madvise, self, 8, 1, MADV_COLD, 0), EFAULT);
    FAILS(syscall(SYS_process_madvise, self, iov, 1025, MADV_COLD, 0), EINVAL);
    FAILS(syscall(SYS_process_madvise, -1, iov, 1, MADV_COLD, 0), EBADF);
    FAILS(syscall(SYS_process_mrelease, self, 0), EINVAL);
    FAILS(syscall(SYS_process_mrelease, self, 1), EINVAL);
    FAILS(syscall(SYS_process_mrelease, -1, 0), EBADF);
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    siginfo_t info;
    CHECK(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == 0);
    FAILS(syscall(SYS_process_mrelease, fd, 0), ESRCH);
    exits_with(pid, 0);
    return each_failed();
}
