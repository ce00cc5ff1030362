// Several timers in one set: they fire in order; an unread one-shot stays ready; edges come once an expiration.
#include "expect.h"
#include <sys/epoll.h>
#include <sys/timerfd.h>

static int timer(int ms, int interval_ms)
{
    int t = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    struct itimerspec its = {.it_value = {0, ms * 1000000L}, .it_interval = {0, interval_ms * 1000000L}};
    CHECK_EQ(timerfd_settime(t, 0, &its, NULL), 0);
    return t;
}

int main(void)
{
    int ep = epoll_create1(0), order[3], n = 0;
    struct epoll_event ev;
    uint64_t v;
    for (int i = 0; i < 3; i++) {
        struct epoll_event e = {.events = EPOLLIN | EPOLLONESHOT, .data.u32 = (unsigned)i};
        CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, timer(240 - i * 100, 0), &e), 0);
    }
    while (n < 3 && epoll_wait(ep, &ev, 1, 3000) == 1)
        order[n++] = (int)ev.data.u32;
    CHECK(n == 3 && order[0] == 2 && order[1] == 1 && order[2] == 0);
    int t = timer(10, 10);
    struct epoll_event e = {.events = EPOLLIN | EPOLLET, .data.fd = t};
    CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, t, &e), 0);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(epoll_wait(ep, &ev, 1, 3000), 1);
        CHECK_EQ(epoll_wait(ep, &ev, 1, 0), 0);
        CHECK_EQ(read(t, &v, 8), 8);
    }
    return check_done();
}
