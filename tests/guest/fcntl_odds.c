/* fcntl(2), flock(2), sched_setscheduler(2), mremap(2), copy_file_range(2): the less used ends. */
#include "each.h"
#include <sched.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/uio.h>

#ifndef RWF_NOAPPEND
#define RWF_NOAPPEND 0x20
#endif

int main(void)
{
    int fd = open("a", O_RDWR | O_CREAT, 0600), two = open("b", O_RDWR | O_CREAT, 0600), same = dup(fd);
    uint64_t hint = 9;
    IS(fcntl(fd, F_GET_RW_HINT, &hint), 0);
    IS(hint, RWH_WRITE_LIFE_NOT_SET);
    hint = RWH_WRITE_LIFE_SHORT;
    IS(fcntl(fd, F_SET_RW_HINT, &hint), 0);
    hint = 0;
    IS(fcntl(fd, F_GET_RW_HINT, &hint), 0);
    IS(hint, RWH_WRITE_LIFE_SHORT);
    hint = 77;
    FAILS(fcntl(fd, F_SET_RW_HINT, &hint), EINVAL);
    IS(fcntl(fd, 1027 /* F_DUPFD_QUERY */, same), 1);
    IS(fcntl(fd, 1027, two), 0);
    FAILS(fcntl(fd, 1027, -1), EBADF);
    FAILS(fcntl(fd, F_NOTIFY, DN_MODIFY), ENOTDIR);
    IS(fcntl(fd, F_NOTIFY, 0), 0);
    IS(flock(fd, 32), 0);
    FAILS(flock(fd, LOCK_SH | LOCK_EX), EINVAL);
    struct sched_param p = {0};
    IS(sched_setscheduler(0, SCHED_OTHER | 0x40000000, &p), 0);
    IS(sched_getscheduler(0), SCHED_OTHER | 0x40000000);
    pid_t pid = fork();
    if (pid == 0)
        _exit(sched_getscheduler(0) == SCHED_OTHER ? 0 : 1);
    exits_with(pid, 0);
    loff_t in = -1, out = 0;
    FAILS(copy_file_range(fd, &in, two, &out, 10, 0), EOVERFLOW);
    in = 0;
    FAILS(copy_file_range(fd, &in, two, &out, 10, 1), EINVAL);
    char *m = mmap(NULL, 8 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    m[4096] = 7;
    char *moved = mremap(m + 4096, 4096, 4096, MREMAP_MAYMOVE | 4 /* MREMAP_DONTUNMAP */, NULL);
    HOLDS(moved != MAP_FAILED);
    IS(moved[0], 7);
    IS(m[4096], 0);
    FAILS((long)mremap(m, -1UL, 4096, MREMAP_MAYMOVE), EINVAL);
    FAILS((long)mremap(m, 4096, 1UL << 50, MREMAP_MAYMOVE), EINVAL);
    HOLDS(mremap(m, 8 * 4096, 4096, 0) == m); /* one area still */
    int ap = open("a", O_RDWR | O_APPEND);
    struct iovec iov = {"xy", 2};
    IS(write(fd, "abcdef", 6), 6);
    IS(pwritev2(ap, &iov, 1, 0, RWF_NOAPPEND), 2);
    char buf[8] = "";
    IS(pread(fd, buf, 8, 0), 6);
    IS(memcmp(buf, "xycdef", 6), 0);
    IS(pwritev2(ap, &iov, 1, 0, 0), 2);
    IS(pread(fd, buf, 8, 0), 8);
    return each_failed();
}
