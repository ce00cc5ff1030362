// poll and ppoll: timeouts, wake-ups, signals, the remaining time, many descriptors.
#include "expect.h"
#include <poll.h>
#include <sys/syscall.h>

static volatile int got;

static void on_signal(int sig)
{
    got = sig;
}

int main(void)
{
    int p[2];
    CHECK_EQ(pipe(p), 0);
    struct pollfd pf = {p[0], POLLIN, 0};
    double t = check_now();
    CHECK_EQ(poll(&pf, 1, 60), 0);
    CHECK(check_now() - t >= 0.059 && check_now() - t < 2);
    CHECK_EQ(poll(NULL, 0, 10), 0);

    pid_t pid = fork();
    if (pid == 0) {
        check_sleep_ms(40);
        _exit(write(p[1], "x", 1) != 1);
    }
    CHECK_EQ(poll(&pf, 1, 5000), 1);
    CHECK_EQ(pf.revents, POLLIN);
    check_wait(pid);
    char c;
    CHECK_EQ(read(p[0], &c, 1), 1);

    struct sigaction sa = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &sa, NULL);
    pid = fork();
    if (pid == 0) {
        check_sleep_ms(40);
        kill(getppid(), SIGUSR1);
        _exit(0);
    }
    CHECK_ERR(poll(&pf, 1, 5000), EINTR); // SA_RESTART or not
    CHECK_EQ(got, SIGUSR1);
    check_wait(pid);

    // A signal that is blocked but for the wait
    sigset_t block, none;
    sigemptyset(&block);
    sigaddset(&block, SIGUSR1);
    sigprocmask(SIG_BLOCK, &block, &none);
    got = 0;
    raise(SIGUSR1);
    CHECK_EQ(got, 0);
    struct timespec ts = {5, 0};
    CHECK_ERR(ppoll(&pf, 1, &ts, &none), EINTR);
    CHECK_EQ(got, SIGUSR1);
    sigset_t now;
    sigprocmask(SIG_BLOCK, NULL, &now);
    CHECK(sigismember(&now, SIGUSR1));

    // The raw call writes the rest of the time back
    ts = (struct timespec){10, 0};
    CHECK_EQ(write(p[1], "x", 1), 1);
    CHECK_EQ(syscall(SYS_ppoll, &pf, 1, &ts, NULL, 8), 1);
    CHECK(ts.tv_sec == 9 && ts.tv_nsec > 0);
    ts = (struct timespec){0, 2000000000};
    CHECK_ERR(ppoll(&pf, 1, &ts, NULL), EINVAL);
    ts = (struct timespec){-1, 0};
    CHECK_ERR(ppoll(&pf, 1, &ts, NULL), EINVAL);

    static struct pollfd many[200];
    for (int i = 0; i < 200; i++)
        many[i] = (struct pollfd){i % 2 ? p[1] : p[0], POLLIN | POLLOUT, 0};
    CHECK_EQ(poll(many, 200, 0), 200);
    CHECK_EQ(read(p[0], &c, 1), 1);
    CHECK_EQ(poll(many, 200, 0), 100);
    return check_done();
}
