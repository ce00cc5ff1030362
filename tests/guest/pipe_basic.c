// Reading, writing and closing a pipe: counts, end of file, EPIPE, FIONREAD, what fstat and /proc say.
#include "expect.h"
#include <sys/ioctl.h>

int main(void)
{
    int p[2], n;
    char buf[100], link[64], want[64];
    struct stat a, b;
    CHECK_EQ(pipe(p), 0);
    CHECK_EQ(write(p[1], "hello", 5), 5);
    CHECK_EQ(write(p[1], " world", 6), 6);
    CHECK_EQ(ioctl(p[0], FIONREAD, &n), 0);
    CHECK_EQ(n, 11);
    CHECK_EQ(read(p[0], buf, 3), 3);
    CHECK_EQ(read(p[0], buf + 3, sizeof buf - 3), 8);
    CHECK(memcmp(buf, "hello world", 11) == 0);
    CHECK_EQ(read(p[0], buf, 0), 0);
    CHECK_EQ(write(p[1], buf, 0), 0);
    CHECK_ERR(read(p[1], buf, 1), EBADF);
    CHECK_ERR(write(p[0], buf, 1), EBADF);
    CHECK_ERR(lseek(p[0], 0, SEEK_CUR), ESPIPE);
    CHECK_ERR(pread(p[0], buf, 1, 0), ESPIPE);
    CHECK_ERR(pwrite(p[1], buf, 1, 0), ESPIPE);
    CHECK_EQ(fstat(p[0], &a), 0);
    CHECK_EQ(fstat(p[1], &b), 0);
    CHECK(S_ISFIFO(a.st_mode));
    CHECK_EQ(a.st_mode & 0777, 0600);
    CHECK_EQ(a.st_ino, b.st_ino);
    CHECK_EQ(a.st_dev, b.st_dev);
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", p[0]);
    ssize_t len = readlink(path, link, sizeof link - 1);
    link[len > 0 ? len : 0] = 0;
    snprintf(want, sizeof want, "pipe:[%llu]", (unsigned long long)a.st_ino);
    CHECK(strcmp(link, want) == 0);
    CHECK_EQ(fcntl(p[0], F_GETFL), O_RDONLY);
    CHECK_EQ(fcntl(p[1], F_GETFL), O_WRONLY);
    CHECK_EQ(write(p[1], "x", 1), 1);
    close(p[1]);
    CHECK_EQ(read(p[0], buf, 10), 1);
    CHECK_EQ(read(p[0], buf, 10), 0);
    close(p[0]);
    signal(SIGPIPE, SIG_IGN);
    CHECK_EQ(pipe(p), 0);
    close(p[0]);
    CHECK_ERR(write(p[1], "x", 1), EPIPE);
    signal(SIGPIPE, SIG_DFL);
    pid_t pid = fork();
    if (pid == 0) {
        if (write(p[1], "x", 1) < 0)
            _exit(1);
        _exit(0);
    }
    CHECK_EQ(check_wait(pid), 128 + SIGPIPE);
    CHECK_ERR(pipe2(p, O_APPEND), EINVAL);
    CHECK_ERR(pipe2((int *)1, 0), EFAULT);
    CHECK_EQ(pipe2(p, O_CLOEXEC | O_NONBLOCK), 0);
    CHECK_EQ(fcntl(p[0], F_GETFD), FD_CLOEXEC);
    CHECK_EQ(fcntl(p[1], F_GETFL), O_WRONLY | O_NONBLOCK);
    CHECK_ERR(read(p[0], buf, 1), EAGAIN);
    return check_done();
}
