// epoll: many files, fairness, maxevents, closing, dup, fork, threads waiting, timeouts, signals.
#include "expect.h"
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#define N 100
static struct epoll_event ev[N + 1];
static int ep, woken;

static void *waiter(void *arg)
{
    struct epoll_event e;
    if (epoll_wait(ep, &e, 1, 3000) == 1)
        __atomic_fetch_add(&woken, 1, __ATOMIC_SEQ_CST);
    return arg;
}

static void on_signal(int sig)
{
    (void)sig;
}

int main(void)
{
    int fd[N];
    uint64_t one = 1;
    ep = epoll_create1(0);
    for (int i = 0; i < N; i++) {
        struct epoll_event e = {.events = EPOLLIN, .data.u32 = (unsigned)i};
        fd[i] = eventfd(0, EFD_NONBLOCK);
        CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, fd[i], &e), 0);
    }
    CHECK_EQ(epoll_wait(ep, ev, N, 0), 0);
    for (int i = 0; i < N; i += 2)
        CHECK_EQ(write(fd[i], &one, 8), 8);
    CHECK_EQ(epoll_wait(ep, ev, N + 1, 0), N / 2);
    char seen[N] = {0};
    for (int round = 0; round < N / 2; round++) { // level and one at a time: everybody gets a turn
        CHECK_EQ(epoll_wait(ep, ev, 1, 0), 1);
        seen[ev[0].data.u32]++;
    }
    for (int i = 0; i < N; i++)
        CHECK_EQ(seen[i], i % 2 == 0);
    int copy = dup(fd[0]);
    close(fd[0]); // still open as `copy`: still registered
    CHECK_EQ(epoll_wait(ep, ev, N + 1, 0), N / 2);
    close(copy);
    CHECK_EQ(epoll_wait(ep, ev, N + 1, 0), N / 2 - 1);
    for (int i = 2; i < N; i += 2)
        close(fd[i]);
    CHECK_EQ(epoll_wait(ep, ev, N + 1, 0), 0);

    double t = check_now();
    CHECK_EQ(epoll_wait(ep, ev, 1, 40), 0);
    CHECK(check_now() - t >= 0.039);
    struct timespec ts = {0, 30000000};
    t = check_now();
    CHECK_EQ(epoll_pwait2(ep, ev, 1, &ts, NULL), 0);
    CHECK(check_now() - t >= 0.029);

    pthread_t th[4];
    for (int i = 0; i < 4; i++)
        pthread_create(&th[i], NULL, waiter, NULL);
    check_sleep_ms(50);
    CHECK_EQ(write(fd[1], &one, 8), 8); // level triggered: all of them may see it
    for (int i = 0; i < 4; i++)
        pthread_join(th[i], NULL);
    CHECK_EQ(woken, 4);
    CHECK_EQ(read(fd[1], &one, 8), 8);

    struct sigaction sa = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &sa, NULL);
    pid_t pid = fork();
    if (pid == 0) {
        check_sleep_ms(40);
        kill(getppid(), SIGUSR1);
        _exit(0);
    }
    CHECK_ERR(epoll_wait(ep, ev, 1, 3000), EINTR);
    check_wait(pid);
    sigset_t block, old;
    sigemptyset(&block);
    sigaddset(&block, SIGUSR1);
    sigprocmask(SIG_BLOCK, &block, &old);
    raise(SIGUSR1);
    CHECK_EQ(epoll_wait(ep, ev, 1, 10), 0);
    CHECK_ERR(epoll_pwait(ep, ev, 1, 3000, &old), EINTR);
    sigprocmask(SIG_BLOCK, NULL, &old);
    CHECK(sigismember(&old, SIGUSR1));
    return check_done();
}
