// signalfd: standard and queued signals, children, masks, poll, no more than asked for.
#include "expect.h"
#include <poll.h>
#include <sys/signalfd.h>

int main(void)
{
    sigset_t mask;
    struct signalfd_siginfo si[4];
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR1);
    sigaddset(&mask, SIGRTMIN);
    sigaddset(&mask, SIGCHLD);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    int s = signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC);
    CHECK(s >= 0);
    struct pollfd p = {s, POLLIN, 0};
    CHECK_EQ(poll(&p, 1, 0), 0);
    CHECK_ERR(read(s, si, sizeof si), EAGAIN);
    CHECK_ERR(read(s, si, 100), EINVAL);
    CHECK_EQ(kill(getpid(), SIGUSR1), 0);
    CHECK_EQ(kill(getpid(), SIGUSR1), 0); // merged
    CHECK_EQ(poll(&p, 1, 0), 1);
    union sigval v = {.sival_int = 42};
    CHECK_EQ(sigqueue(getpid(), SIGRTMIN, v), 0);
    v.sival_int = 43;
    CHECK_EQ(sigqueue(getpid(), SIGRTMIN, v), 0);
    CHECK_EQ(read(s, si, sizeof si), 3 * sizeof *si);
    CHECK_EQ(si[0].ssi_signo, SIGUSR1);
    CHECK_EQ(si[0].ssi_code, SI_USER);
    CHECK_EQ(si[0].ssi_pid, getpid());
    CHECK_EQ(si[1].ssi_signo, SIGRTMIN);
    CHECK_EQ(si[1].ssi_code, SI_QUEUE);
    CHECK_EQ(si[1].ssi_int, 42);
    CHECK_EQ(si[2].ssi_int, 43);
    CHECK_EQ(poll(&p, 1, 0), 0);
    pid_t pid = fork();
    if (pid == 0)
        _exit(7);
    CHECK_EQ(poll(&p, 1, 5000), 1);
    CHECK_EQ(read(s, si, sizeof si), sizeof *si);
    CHECK_EQ(si[0].ssi_signo, SIGCHLD);
    CHECK_EQ(si[0].ssi_pid, pid);
    CHECK_EQ(si[0].ssi_status, 7);
    CHECK_EQ(si[0].ssi_code, CLD_EXITED);
    CHECK_EQ(check_wait(pid), 7);
    sigdelset(&mask, SIGUSR1);
    CHECK_EQ(signalfd(s, &mask, 0), s);
    CHECK_EQ(raise(SIGUSR1), 0);
    CHECK_ERR(read(s, si, sizeof si), EAGAIN);
    sigaddset(&mask, SIGUSR1);
    CHECK_EQ(signalfd(s, &mask, 0), s);
    CHECK_EQ(read(s, si, sizeof si), sizeof *si);
    CHECK_ERR(signalfd(0, &mask, 0), EINVAL);
    CHECK_ERR(signalfd(99, &mask, 0), EBADF);
    CHECK_ERR(signalfd(-1, &mask, 1), EINVAL);
    int b = signalfd(-1, &mask, 0);
    pid = fork();
    if (pid == 0) {
        check_sleep_ms(30);
        kill(getppid(), SIGUSR1);
        _exit(0);
    }
    CHECK_EQ(read(b, si, sizeof *si), sizeof *si);
    CHECK_EQ(si[0].ssi_pid, pid);
    check_wait(pid);
    return check_done();
}
