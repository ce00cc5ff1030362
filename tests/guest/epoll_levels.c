// epoll: level, edge and one shot on a pipe; modification; errors.
#include "expect.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>

static struct epoll_event ev[8];

static int ctl(int ep, int op, int fd, uint32_t events)
{
    struct epoll_event e = {.events = events, .data.u64 = 0x1234567890ULL + (unsigned)fd};
    return epoll_ctl(ep, op, fd, &e);
}

int main(void)
{
    int p[2], ep = epoll_create1(EPOLL_CLOEXEC);
    char c;
    CHECK(ep >= 0);
    CHECK_EQ(pipe2(p, O_NONBLOCK), 0);
    CHECK_EQ(ctl(ep, EPOLL_CTL_ADD, p[0], EPOLLIN), 0);
    CHECK_ERR(ctl(ep, EPOLL_CTL_ADD, p[0], EPOLLIN), EEXIST);
    CHECK_EQ(epoll_wait(ep, ev, 8, 0), 0);
    CHECK_EQ(write(p[1], "ab", 2), 2);
    for (int i = 0; i < 2; i++) { // level: again and again
        CHECK_EQ(epoll_wait(ep, ev, 8, 0), 1);
        CHECK_EQ(ev[0].events, EPOLLIN);
        CHECK_EQ(ev[0].data.u64, 0x1234567890ULL + (unsigned)p[0]);
    }
    CHECK_EQ(ctl(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLET), 0);
    CHECK_EQ(epoll_wait(ep, ev, 8, 0), 1);
    CHECK_EQ(epoll_wait(ep, ev, 8, 0), 0); // edge: once
    CHECK_EQ(read(p[0], &c, 1), 1);
    CHECK_EQ(epoll_wait(ep, ev, 8, 0), 0);
    CHECK_EQ(write(p[1], "c", 1), 1);
    CHECK_EQ(epoll_wait(ep, ev, 8, 0), 1); // a write is an edge although it was readable before
    CHECK_EQ(epoll_wait(ep, ev, 8, 0), 0);
    CHECK_EQ(ctl(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLONESHOT), 0);
    CHECK_EQ(epoll_wait(ep, ev, 8, 0), 1);
    CHECK_EQ(epoll_wait(ep, ev, 8, 0), 0);
    CHECK_EQ(write(p[1], "d", 1), 1);
    CHECK_EQ(epoll_wait(ep, ev, 8, 0), 0);
    CHECK_EQ(ctl(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLONESHOT), 0);
    CHECK_EQ(epoll_wait(ep, ev, 8, 0), 1);
    CHECK_EQ(ctl(ep, EPOLL_CTL_MOD, p[0], 0), 0);
    close(p[1]);
    CHECK_EQ(epoll_wait(ep, ev, 8, 0), 1); // HUP is always reported
    CHECK_EQ(ev[0].events, EPOLLHUP);
    CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_DEL, p[0], NULL), 0);
    CHECK_ERR(epoll_ctl(ep, EPOLL_CTL_DEL, p[0], NULL), ENOENT);
    CHECK_ERR(ctl(ep, EPOLL_CTL_MOD, p[0], EPOLLIN), ENOENT);
    CHECK_EQ(epoll_wait(ep, ev, 8, 0), 0);

    CHECK_ERR(ctl(ep, EPOLL_CTL_ADD, 999, EPOLLIN), EBADF);
    CHECK_ERR(ctl(999, EPOLL_CTL_ADD, p[0], EPOLLIN), EBADF);
    CHECK_ERR(ctl(ep, EPOLL_CTL_ADD, ep, EPOLLIN), EINVAL);
    CHECK_ERR(ctl(p[0], EPOLL_CTL_ADD, p[0], EPOLLIN), EINVAL);
    int f = open("file", O_CREAT | O_RDWR, 0600);
    CHECK_ERR(ctl(ep, EPOLL_CTL_ADD, f, EPOLLIN), EPERM);
    CHECK_ERR(ctl(ep, 77, p[0], EPOLLIN), EINVAL);
    CHECK_ERR(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], (void *)8), EFAULT);
    CHECK_ERR(epoll_wait(ep, ev, 0, 0), EINVAL);
    CHECK_ERR(epoll_wait(ep, (void *)-64, 8, 0), EFAULT);
    CHECK_ERR(epoll_wait(f, ev, 8, 0), EINVAL);
    CHECK_ERR(epoll_create(0), EINVAL);
    CHECK_ERR(epoll_create1(1), EINVAL);
    return check_done();
}
