/* Open file description locks belong to the description, not the process. */
#include "check.h"

static int set(int fd, int cmd, short type, off_t start, off_t len)
{
    struct flock l = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};
    return fcntl(fd, cmd, &l);
}

int main(void)
{
    int a = open("f", O_CREAT | O_RDWR, 0644), b = open("f", O_RDWR);
    CHECK(set(a, F_OFD_SETLK, F_WRLCK, 0, 100) == 0);
    CHECK_ERR(set(b, F_OFD_SETLK, F_RDLCK, 50, 1), EAGAIN);
    CHECK(set(b, F_OFD_SETLK, F_WRLCK, 100, 0) == 0);
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 0};
    CHECK(fcntl(b, F_OFD_GETLK, &l) == 0 && l.l_type == F_WRLCK && l.l_pid == -1 &&
          l.l_start == 0 && l.l_len == 100);
    CHECK_ERR(set(a, F_SETLK, F_WRLCK, 0, 1), EAGAIN);
    int c = dup(a);
    CHECK(close(a) == 0);
    CHECK_ERR(set(b, F_OFD_SETLK, F_RDLCK, 50, 1), EAGAIN);
    CHECK(close(c) == 0 && set(b, F_OFD_SETLK, F_RDLCK, 50, 1) == 0);
    l = (struct flock){.l_type = F_RDLCK, .l_pid = 1};
    CHECK_ERR(fcntl(b, F_OFD_SETLK, &l), EINVAL);
    return 0;
}
