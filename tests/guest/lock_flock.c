/* flock: shared, exclusive, conversion, inheritance by fork, release by the last close. */
#include "check.h"
#include <sys/file.h>

static int exclusive_is_refused(void)
{
    int fd = open("f", O_RDONLY);
    CHECK_ERR(flock(fd, LOCK_EX | LOCK_NB), EWOULDBLOCK);
    CHECK(flock(fd, LOCK_SH | LOCK_NB) == 0);
    return 0;
}

static int waits(void)
{
    int fd = open("f", O_RDONLY);
    return flock(fd, LOCK_EX) == 0 ? 5 : 1;
}

int main(void)
{
    int a = open("f", O_CREAT | O_RDWR, 0644), b = open("f", O_RDONLY);
    CHECK(flock(a, LOCK_SH) == 0 && flock(b, LOCK_SH | LOCK_NB) == 0);
    CHECK_ERR(flock(b, LOCK_EX | LOCK_NB), EWOULDBLOCK);
    CHECK(flock(b, LOCK_UN) == 0);
    exits_with(child(exclusive_is_refused), 0);
    CHECK(flock(a, LOCK_EX | LOCK_NB) == 0);
    CHECK_ERR(flock(b, LOCK_SH | LOCK_NB), EWOULDBLOCK);
    int c = dup(a);
    CHECK(close(a) == 0);
    CHECK_ERR(flock(b, LOCK_SH | LOCK_NB), EWOULDBLOCK);
    pid_t pid = child(waits);
    sleep_ms(50);
    CHECK(waitpid(pid, NULL, WNOHANG) == 0);
    CHECK(flock(c, LOCK_UN) == 0);
    exits_with(pid, 5);
    CHECK(flock(b, LOCK_EX | LOCK_NB) == 0);
    CHECK_ERR(flock(b, 77), EINVAL);
    CHECK_ERR(flock(99, LOCK_SH), EBADF);
    return 0;
}
