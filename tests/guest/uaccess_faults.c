/* Bad addresses in reads and writes are EFAULT, and never more than that. */
#include <sys/uio.h>
#include "mm_check.h"

int main(void)
{
    int fd = scratch_file("file", 2 * PAGE), zero = open("/dev/zero", O_RDONLY), null = open("/dev/null", O_WRONLY);
    char *p = map_anon(2 * PAGE, PROT_READ | PROT_WRITE), *bad = (char *)8;
    munmap(p + PAGE, PAGE);
    CHECK_ERR(pread(fd, bad, 10, 0), EFAULT);
    CHECK_ERR(read(zero, bad, 10), EFAULT);
    CHECK_ERR(pwrite(fd, bad, 10, 0), EFAULT);
    CHECK_ERR(open(bad, O_RDONLY), EFAULT);
    CHECK_ERR(stat(bad, (struct stat *)p), EFAULT);
    CHECK_ERR(stat("file", (struct stat *)bad), EFAULT);
    CHECK_ERR(pipe((int *)bad), EFAULT);
    CHECK_ERR(open((char *)0xffffffff81000000, O_RDONLY), EFAULT);
    CHECK_ERR(pread(fd, (char *)0xffffffff81000000, 10, 0), EFAULT);
    CHECK_ERR(syscall(SYS_getcwd, 8, 100), EFAULT);
    /* A string that ends with the page is fine, one that runs into the hole is not. */
    memcpy(p + PAGE - 5, "file", 5);
    CHECK(open(p + PAGE - 5, O_RDONLY) >= 0);
    p[PAGE - 1] = 'x';
    CHECK_ERR(open(p + PAGE - 5, O_RDONLY), EFAULT);
    /* Exactly up to the hole. */
    CHECK(pread(fd, p + PAGE - 100, 100, 0) == 100 && p[PAGE - 1] == 1);
    CHECK(pwrite(fd, p + PAGE - 100, 100, 0) == 100);
    struct iovec v[2] = {{p, 10}, {bad, 10}};
    CHECK(writev(null, v, 1) == 10);
    CHECK_ERR(readv(fd, v, -1), EINVAL);
    CHECK_ERR(readv(fd, v, 1025), EINVAL);
    CHECK_ERR(readv(fd, (struct iovec *)8, 1), EFAULT);
    v[0].iov_len = (size_t)-1;
    CHECK_ERR(readv(fd, v, 1), EINVAL);
    CHECK(readv(fd, v, 0) == 0);
    CHECK_EXIT();
}
