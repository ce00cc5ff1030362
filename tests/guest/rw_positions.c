/* read, write, lseek, pread, pwrite: positions, ends, holes, errors. */
#include "check.h"
#include <sys/stat.h>

int main(void)
{
    char buf[64];
    volatile uintptr_t bad = 8;
    struct stat st;
    int fd = open("f", O_CREAT | O_RDWR, 0644), dup_fd = dup(fd);
    CHECK(write(fd, "hello", 5) == 5 && lseek(dup_fd, 0, SEEK_CUR) == 5);
    CHECK(lseek(fd, -2, SEEK_END) == 3 && read(dup_fd, buf, 10) == 2 && !memcmp(buf, "lo", 2) &&
          read(fd, buf, 10) == 0);
    CHECK(pread(fd, buf, 10, 1) == 4 && pread(fd, buf, 10, 100) == 0 &&
          lseek(fd, 0, SEEK_CUR) == 5);
    CHECK_ERR(lseek(fd, -1, SEEK_SET), EINVAL);
    CHECK_ERR(lseek(fd, 0, 77), EINVAL);
    CHECK_ERR(pread(fd, buf, 1, -1), EINVAL);
    CHECK_ERR(pwrite(fd, buf, 1, -1), EINVAL);
    CHECK(pwrite(fd, "end", 3, 10000) == 3 && fstat(fd, &st) == 0 && st.st_size == 10003);
    memset(buf, 1, sizeof buf);
    CHECK(pread(fd, buf, 64, 4990) == 64);
    for (int i = 0; i < 64; i++)
        CHECK(buf[i] == 0);
    CHECK(lseek(fd, 20000, SEEK_SET) == 20000 && read(fd, buf, 1) == 0 && write(fd, "x", 1) == 1);
    CHECK(fstat(fd, &st) == 0 && st.st_size == 20001 && write(fd, buf, 0) == 0 &&
          read(fd, buf, 0) == 0);
    CHECK(lseek(fd, 0, SEEK_SET) == 0);
    CHECK_ERR(read(fd, (void *)bad, 10), EFAULT);
    CHECK_ERR(write(fd, (void *)bad, 10), EFAULT);
    CHECK_ERR(read(77, buf, 1), EBADF);
    return 0;
}
