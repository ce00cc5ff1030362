/* /dev/null, zero, full: reading, writing, seeking, mapping, numbers. */
#include "check.h"
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>

static int open_node(const char *path, unsigned minor_number)
{
    struct stat st;
    CHECK(stat(path, &st) == 0 && S_ISCHR(st.st_mode) && (st.st_mode & 0777) == 0666);
    CHECK(st.st_rdev == makedev(1, minor_number));
    int fd = open(path, O_RDWR);
    CHECK(fd >= 0);
    return fd;
}

int main(void)
{
    static char buf[100000];
    void *volatile bad = (void *)8;
    int null = open_node("/dev/null", 3), zero = open_node("/dev/zero", 5), full = open_node("/dev/full", 7);
    CHECK(read(null, buf, 10) == 0 && write(null, buf, sizeof(buf)) == sizeof(buf));
    CHECK(write(null, bad, 100) == 100); /* nobody looks at it */
    memset(buf, 'x', sizeof(buf));
    CHECK(read(zero, buf, sizeof(buf)) == sizeof(buf) && buf[0] == 0 && buf[sizeof(buf) - 1] == 0);
    CHECK(write(zero, buf, 7) == 7);
    CHECK_ERR(read(zero, bad, 100), EFAULT);
    memset(buf, 'x', 10);
    CHECK(read(full, buf, 5) == 5 && buf[4] == 0 && buf[5] == 'x');
    CHECK_ERR(write(full, buf, 1), ENOSPC);
    CHECK(lseek(zero, 1000, SEEK_SET) == 0 && lseek(null, 5, SEEK_END) == 0);
    CHECK(pread(zero, buf, 4, 1 << 20) == 4 && pwrite(null, buf, 4, 5) == 4);
    struct iovec v[3] = {{buf, 3}, {buf + 10, 0}, {buf + 20, 4}};
    memset(buf, 'x', 30);
    CHECK(readv(zero, v, 3) == 7 && buf[2] == 0 && buf[3] == 'x' && buf[23] == 0 && buf[24] == 'x');
    struct pollfd p = {.fd = null, .events = POLLIN | POLLOUT};
    CHECK(poll(&p, 1, 0) == 1 && p.revents == (POLLIN | POLLOUT));
    CHECK_ERR(ftruncate(null, 0), EINVAL);
    int fd = open("/dev/null", O_WRONLY | O_TRUNC | O_CREAT, 0644);
    CHECK(fd >= 0 && write(fd, "x", 1) == 1);

    char *m = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, zero, 0);
    CHECK(m != MAP_FAILED && m[0] == 0 && m[8191] == 0);
    m[5] = 1;
    char *s = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, zero, 0);
    CHECK(s != MAP_FAILED);
    pid_t pid = fork();
    if (pid == 0) {
        s[1] = 42;
        m[5] = 2;
        _exit(0);
    }
    exits_with(pid, 0);
    CHECK(s[1] == 42 && m[5] == 1);
    CHECK(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, null, 0) == MAP_FAILED && errno == ENODEV);
    return 0;
}
