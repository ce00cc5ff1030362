// poll's events on pipes, files and bad descriptors.
#include "expect.h"
#include <poll.h>

static short look(int fd, short events)
{
    struct pollfd p = {fd, events, 0x7777};
    int n = poll(&p, 1, 0);
    CHECK(n == (p.revents != 0));
    CHECK_EQ(p.events, events);
    return p.revents;
}

int main(void)
{
    int p[2];
    static char big[65536];
    CHECK_EQ(pipe2(p, O_NONBLOCK), 0);
    CHECK_EQ(look(p[0], POLLIN), 0);
    CHECK_EQ(look(p[1], POLLOUT), POLLOUT);
    CHECK_EQ(look(p[0], POLLOUT), 0);
    CHECK_EQ(write(p[1], "x", 1), 1);
    CHECK_EQ(look(p[0], POLLIN | POLLRDNORM | POLLPRI), POLLIN | POLLRDNORM);
    CHECK_EQ(look(p[0], 0), 0);
    CHECK_EQ(write(p[1], big, sizeof big), 61440);
    CHECK_EQ(look(p[1], POLLOUT), 0);
    close(p[1]);
    CHECK_EQ(look(p[0], POLLIN), POLLIN | POLLHUP);
    CHECK_EQ(look(p[0], 0), POLLHUP);
    while (read(p[0], big, sizeof big) > 0)
        ;
    CHECK_EQ(look(p[0], POLLIN), POLLHUP);
    CHECK_EQ(look(p[1], POLLIN), POLLNVAL);
    CHECK_EQ(look(-1, POLLIN), 0);
    close(p[0]);
    CHECK_EQ(pipe(p), 0);
    close(p[0]);
    CHECK_EQ(look(p[1], POLLOUT), POLLOUT | POLLERR);
    int f = open("file", O_CREAT | O_RDWR, 0600);
    CHECK_EQ(look(f, POLLIN | POLLOUT | POLLPRI), POLLIN | POLLOUT);
    int path = open("file", O_PATH);
    CHECK_EQ(look(path, POLLIN), POLLNVAL);
    struct pollfd many[4] = {{f, POLLIN, 0}, {-5, POLLIN, 9}, {p[1], 0, 0}, {999, 0, 0}};
    CHECK_EQ(poll(many, 4, -1), 3);
    CHECK_EQ(many[1].revents, 0);
    CHECK_EQ(many[2].revents, POLLERR);
    CHECK_EQ(many[3].revents, POLLNVAL);
    CHECK_ERR(poll((struct pollfd *)8, 1, 0), EFAULT);
    CHECK_ERR(poll(many, 1u << 30, 0), EINVAL);
    return check_done();
}
