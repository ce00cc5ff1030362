// A pseudo-terminal: numbers, names, echo, end of line, hang-ups on either side.
#include "ptypair.h"
#include <sys/sysmacros.h>

int main(void)
{
    char buf[64];
    int n = -1;
    struct stat st, st2;
    pty_make();
    CHECK_EQ(ioctl(master, TIOCGPTN, &n), 0);
    snprintf(buf, sizeof buf, "/dev/pts/%d", n);
    CHECK(strcmp(buf, ptsname(master)) == 0);
    CHECK_EQ(fstat(slave, &st) | stat(buf, &st2), 0);
    CHECK(S_ISCHR(st.st_mode) && major(st.st_rdev) == 136 && minor(st.st_rdev) == (unsigned)n);
    CHECK_EQ(st.st_ino, st2.st_ino);
    CHECK_EQ(st.st_dev, st2.st_dev);
    CHECK(isatty(slave) && isatty(master));
    CHECK(strcmp(ttyname(slave), buf) == 0);
    CHECK_EQ(write(slave, "a\nb", 3), 3);
    CHECK_SEEN(master, "a\\M\\Jb");
    pty_type("typed\r");
    CHECK_EQ(ioctl(slave, FIONREAD, &n), 0);
    CHECK_EQ(n, 6);
    CHECK_EQ(read(slave, buf, 3), 3);
    CHECK_EQ(read(slave, buf, sizeof buf), 3);
    CHECK(memcmp(buf, "ed\n", 3) == 0);
    CHECK_SEEN(master, "typed\\M\\J");
    int second = open(ptsname(master), O_RDWR | O_NOCTTY | O_NONBLOCK);
    CHECK_ERR(read(second, buf, 1), EAGAIN);
    close(second);
    struct pollfd p = {master, POLLIN | POLLOUT, 0};
    CHECK_EQ(poll(&p, 1, 0), 1);
    CHECK_EQ(p.revents, POLLOUT);
    CHECK_EQ(write(slave, "last", 4), 4);
    close(slave);
    CHECK_EQ(poll(&p, 1, 0), 1);
    CHECK_EQ(p.revents, POLLIN | POLLOUT | POLLHUP);
    CHECK_EQ(read(master, buf, sizeof buf), 4);
    CHECK_ERR(read(master, buf, sizeof buf), EIO);
    slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    CHECK(slave >= 0);
    CHECK_EQ(poll(&p, 1, 0), 1);
    CHECK_EQ(p.revents, POLLOUT);
    snprintf(buf, sizeof buf, "%s", ptsname(master));
    close(master);
    p = (struct pollfd){slave, POLLIN | POLLOUT, 0};
    CHECK_EQ(poll(&p, 1, 0), 1);
    CHECK(p.revents & POLLHUP);
    char c;
    CHECK_EQ(read(slave, &c, 1), 0);
    CHECK_ERR(write(slave, &c, 1), EIO);
    CHECK_ERR(ioctl(slave, TIOCGWINSZ, &c), EIO);
    CHECK_ERR(open(buf, O_RDWR | O_NOCTTY), ENOENT);
    int locked = open("/dev/ptmx", O_RDWR | O_NOCTTY);
    CHECK_ERR(open(ptsname(locked), O_RDWR | O_NOCTTY), EIO);
    return check_done();
}
