/* fcntl record locks: conflicts, splitting, F_GETLK, release by close, deadlock. */
#include "check.h"

static int set(int fd, int cmd, short type, off_t start, off_t len)
{
    struct flock l = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};
    return fcntl(fd, cmd, &l);
}

static short test(int fd, short type, off_t start, off_t len, pid_t *pid)
{
    struct flock l = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};
    CHECK(fcntl(fd, F_GETLK, &l) == 0);
    if (pid)
        *pid = l.l_pid;
    return l.l_type;
}

static pid_t parent;
static int other(void)
{
    pid_t owner;
    int fd = open("f", O_RDWR);
    CHECK_ERR(set(fd, F_SETLK, F_WRLCK, 0, 10), EAGAIN);
    CHECK_ERR(set(fd, F_SETLK, F_RDLCK, 50, 1), EAGAIN);
    CHECK(set(fd, F_SETLK, F_RDLCK, 0, 10) == 0 && set(fd, F_SETLK, F_WRLCK, 10, 10) == 0);
    CHECK(test(fd, F_RDLCK, 50, 1, &owner) == F_WRLCK && owner == parent);
    CHECK(test(fd, F_WRLCK, 60, 5, NULL) == F_UNLCK && test(fd, F_WRLCK, 69, 0, NULL) == F_WRLCK);
    CHECK(close(open("f", O_RDONLY)) == 0); /* drops them all */
    return 0;
}

static int waiter(void)
{
    int fd = open("f", O_RDWR);
    return set(fd, F_SETLKW, F_WRLCK, 0, 0) == 0 ? 7 : 1;
}

static int dead(void)
{
    int fd = open("f", O_RDWR);
    CHECK(set(fd, F_SETLK, F_WRLCK, 1000, 1) == 0);
    CHECK(set(fd, F_SETLKW, F_WRLCK, 2000, 1) == 0);
    return 0;
}

int main(void)
{
    parent = getpid();
    int fd = open("f", O_CREAT | O_RDWR, 0644), ro = open("f", O_RDONLY);
    CHECK(set(fd, F_SETLK, F_RDLCK, 0, 10) == 0 && set(fd, F_SETLK, F_WRLCK, 40, 40) == 0);
    CHECK(set(fd, F_SETLK, F_UNLCK, 60, 10) == 0);
    CHECK_ERR(set(ro, F_SETLK, F_WRLCK, 0, 1), EBADF);
    CHECK_ERR(set(fd, F_SETLK, F_RDLCK, -1, 1), EINVAL);
    CHECK_ERR(set(fd, F_SETLK, 9, 0, 1), EINVAL);
    CHECK(test(fd, F_WRLCK, 0, 0, NULL) == F_UNLCK); /* one's own are not in the way */
    exits_with(child(other), 0);
    pid_t pid = child(waiter);
    sleep_ms(50);
    CHECK(waitpid(pid, NULL, WNOHANG) == 0 && set(fd, F_SETLK, F_UNLCK, 0, 0) == 0);
    exits_with(pid, 7);
    CHECK(set(fd, F_SETLK, F_WRLCK, 2000, 1) == 0);
    pid = child(dead);
    sleep_ms(50);
    CHECK_ERR(set(fd, F_SETLKW, F_WRLCK, 1000, 1), EDEADLK);
    CHECK(set(fd, F_SETLK, F_UNLCK, 0, 0) == 0);
    exits_with(pid, 0);
    return 0;
}
