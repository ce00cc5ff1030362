// Edges on a socket pair: in, out, read hang-up, hang-up, in the combinations that servers rely on.
#include "expect.h"
#include <sys/epoll.h>
#include <sys/socket.h>

static struct epoll_event ev[2];

static uint32_t now(int ep)
{
    return epoll_wait(ep, ev, 2, 0) == 1 ? ev[0].events : 0;
}

int main(void)
{
    int s[2], ep = epoll_create1(0);
    static char big[1 << 20];
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s), 0);
    struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET};
    CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, s[0], &e), 0);
    CHECK_EQ(now(ep), EPOLLOUT);
    CHECK_EQ(now(ep), 0);
    CHECK_EQ(write(s[1], "x", 1), 1);
    CHECK_EQ(now(ep), EPOLLIN | EPOLLOUT);
    CHECK_EQ(now(ep), 0);
    CHECK_EQ(write(s[1], "y", 1), 1);
    CHECK_EQ(now(ep), EPOLLIN | EPOLLOUT);
    CHECK_EQ(read(s[0], big, 10), 2);
    ssize_t n = write(s[0], big, sizeof big);
    CHECK(n > 0 && n < (ssize_t)sizeof big);
    CHECK_ERR(write(s[0], big, 1), EAGAIN);
    CHECK_EQ(now(ep), 0);
    while (read(s[1], big, sizeof big) > 0)
        ;
    CHECK_EQ(now(ep), EPOLLOUT);
    CHECK_EQ(shutdown(s[1], SHUT_WR), 0);
    CHECK_EQ(now(ep), EPOLLIN | EPOLLOUT | EPOLLRDHUP);
    close(s[1]);
    CHECK_EQ(now(ep), EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLHUP);
    return check_done();
}
