// Threads that add, change and remove registrations, close files, write and wait at the same time: nothing is lost.
#include "expect.h"
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#define FILES 8
#define ROUNDS 400

static int ep, fds[FILES];
static long written, seen;
static int stop;

static void *writer(void *arg)
{
    uint64_t one = 1;
    for (int i = 0; i < ROUNDS; i++)
        for (int k = 0; k < FILES; k++)
            if (write(fds[k], &one, 8) == 8)
                __atomic_fetch_add(&written, 1, __ATOMIC_SEQ_CST);
    return arg;
}

static void *waiter(void *arg)
{
    struct epoll_event ev[3];
    uint64_t v;
    while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
        int n = epoll_wait(ep, ev, 3, 20);
        for (int i = 0; i < n; i++)
            if (read(ev[i].data.fd, &v, 8) == 8)
                __atomic_fetch_add(&seen, (long)v, __ATOMIC_SEQ_CST);
    }
    return arg;
}

static void *changer(void *arg)
{
    unsigned r = 1;
    while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
        r = r * 1103515245 + 12345;
        int fd = fds[r / 65536 % FILES];
        struct epoll_event e = {.events = EPOLLIN | (r & 4096 ? EPOLLET : 0), .data.fd = fd};
        if (r & 8192) {
            epoll_ctl(ep, EPOLL_CTL_DEL, fd, NULL);
            epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
        } else {
            epoll_ctl(ep, EPOLL_CTL_MOD, fd, &e);
        }
        int extra = eventfd(1, 0); // comes and goes
        e.data.fd = -1;
        epoll_ctl(ep, EPOLL_CTL_ADD, extra, &e);
        close(extra);
    }
    return arg;
}

int main(void)
{
    pthread_t t[5];
    ep = epoll_create1(0);
    for (int i = 0; i < FILES; i++) {
        fds[i] = eventfd(0, EFD_NONBLOCK);
        struct epoll_event e = {.events = EPOLLIN, .data.fd = fds[i]};
        CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, fds[i], &e), 0);
    }
    pthread_create(&t[0], NULL, waiter, NULL);
    pthread_create(&t[1], NULL, waiter, NULL);
    pthread_create(&t[2], NULL, changer, NULL);
    pthread_create(&t[3], NULL, writer, NULL);
    pthread_create(&t[4], NULL, writer, NULL);
    pthread_join(t[3], NULL);
    pthread_join(t[4], NULL);
    for (int i = 0; i < 300 && __atomic_load_n(&seen, __ATOMIC_SEQ_CST) < written; i++)
        check_sleep_ms(10);
    stop = 1;
    for (int i = 0; i < 3; i++)
        pthread_join(t[i], NULL);
    CHECK_EQ(written, 2 * ROUNDS * FILES);
    CHECK_EQ(seen, written);
    return check_done();
}
