// Sets inside sets: readiness through two levels, loops and depth refused, EPOLLEXCLUSIVE's rules.
#include "expect.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

static int add(int ep, int fd, uint32_t events)
{
    struct epoll_event e = {.events = events, .data.fd = fd};
    return epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
}

int main(void)
{
    struct epoll_event ev[2];
    uint64_t one = 1;
    int inner = epoll_create1(0), outer = epoll_create1(0), e = eventfd(0, 0);
    CHECK_EQ(add(inner, e, EPOLLIN), 0);
    CHECK_EQ(add(outer, inner, EPOLLIN), 0);
    struct pollfd p = {outer, POLLIN, 0};
    CHECK_EQ(poll(&p, 1, 0), 0);
    CHECK_EQ(write(e, &one, 8), 8);
    CHECK_EQ(poll(&p, 1, 0), 1);
    CHECK_EQ(epoll_wait(outer, ev, 2, 0), 1);
    CHECK_EQ(ev[0].data.fd, inner);
    CHECK_EQ(epoll_wait(inner, ev, 2, 0), 1);
    CHECK_EQ(ev[0].data.fd, e);
    CHECK_EQ(read(e, &one, 8), 8);
    CHECK_EQ(epoll_wait(outer, ev, 2, 0), 0);
    pid_t pid = fork();
    if (pid == 0) {
        check_sleep_ms(40);
        _exit(write(e, &one, 8) != 8);
    }
    CHECK_EQ(epoll_wait(outer, ev, 2, 3000), 1);
    check_wait(pid);
    CHECK_ERR(add(inner, outer, EPOLLIN), ELOOP);
    int chain[6];
    for (int i = 0; i < 6; i++)
        chain[i] = epoll_create1(0);
    int refused = 0;
    for (int i = 0; i + 1 < 6; i++)
        refused += add(chain[i + 1], chain[i], EPOLLIN) < 0 && (errno == ELOOP || errno == EINVAL);
    CHECK_EQ(refused, 1);
    int x = epoll_create1(0), f = eventfd(1, 0);
    CHECK_EQ(add(x, f, EPOLLIN | EPOLLEXCLUSIVE), 0);
    CHECK_EQ(epoll_wait(x, ev, 2, 0), 1);
    struct epoll_event m = {.events = EPOLLIN};
    CHECK_ERR(epoll_ctl(x, EPOLL_CTL_MOD, f, &m), EINVAL);
    CHECK_ERR(add(x, inner, EPOLLIN | EPOLLEXCLUSIVE), EINVAL);
    CHECK_ERR(add(x, e, EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT), EINVAL);
    close(inner);
    CHECK_EQ(epoll_wait(outer, ev, 2, 0), 0);
    return check_done();
}
