// A signalfd in an epoll set, before and after a fork: the reader's own signals, and waking by them.
#include "expect.h"
#include <sys/epoll.h>
#include <sys/signalfd.h>

int main(void)
{
    sigset_t mask;
    struct signalfd_siginfo si;
    struct epoll_event ev, e = {.events = EPOLLIN, .data.u32 = 7};
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR1);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    int s = signalfd(-1, &mask, SFD_NONBLOCK), ep = epoll_create1(0);
    CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, s, &e), 0);
    CHECK_EQ(epoll_wait(ep, &ev, 1, 0), 0);
    pid_t pid = fork();
    if (pid == 0) {
        check_sleep_ms(40);
        kill(getppid(), SIGUSR1);
        _exit(0);
    }
    CHECK_EQ(epoll_wait(ep, &ev, 1, 3000), 1);
    CHECK_EQ(read(s, &si, sizeof si), sizeof si);
    CHECK_EQ(si.ssi_pid, pid);
    CHECK_EQ(check_wait(pid), 0);
    raise(SIGUSR1);
    pid = fork();
    if (pid == 0) // the signal is pending in the parent only
        _exit(read(s, &si, sizeof si) == -1 && errno == EAGAIN ? 0 : 1);
    CHECK_EQ(check_wait(pid), 0);
    CHECK_EQ(read(s, &si, sizeof si), sizeof si);
    return check_done();
}
