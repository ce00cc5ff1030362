/* fcntl(F_GETFL) shows what open was asked for; F_SETFL changes only some of it. */
#include "check.h"

static void make(const char *name, const char *text)
{
    int fd = open(name, O_CREAT | O_WRONLY | O_TRUNC, 0644);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && close(fd) == 0);
}

#define LARGE 0100000
int main(void)
{
    make("f", "x");
    int fd = open("f", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_APPEND, 0644);
    CHECK(fd >= 0 && fcntl(fd, F_GETFL) == (O_RDWR | O_APPEND | LARGE));
    CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC);
    CHECK(fcntl(fd, F_SETFL, O_NONBLOCK | O_WRONLY | O_CREAT) == 0);
    CHECK(fcntl(fd, F_GETFL) == (O_RDWR | O_NONBLOCK | LARGE));
    int dir = open(".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    CHECK(fcntl(dir, F_GETFL) == (O_DIRECTORY | O_NOFOLLOW | LARGE));
    int path = open("f", O_PATH);
    CHECK(path >= 0 && fcntl(path, F_GETFL) == O_PATH);
    CHECK_ERR(fcntl(path, F_SETFL, O_NONBLOCK), EBADF);
    int copy = fcntl(fd, F_DUPFD, 100);
    CHECK(copy >= 100 && fcntl(copy, F_GETFD) == 0 && fcntl(copy, F_SETFD, FD_CLOEXEC) == 0);
    CHECK(fcntl(copy, F_GETFD) == FD_CLOEXEC && fcntl(fd, F_DUPFD_CLOEXEC, 200) >= 200);
    CHECK_ERR(fcntl(fd, F_DUPFD, 1 << 30), EINVAL);
    CHECK_ERR(fcntl(fd, 9999, 0), EINVAL);
    CHECK_ERR(fcntl(-1, F_GETFL), EBADF);
    return 0;
}
