/* pidfds: open, poll, waitid(P_PIDFD), sending signals, fetching a descriptor, errors. */
#include "check.h"
#include <poll.h>

static int forever(void)
{
    for (;;)
        pause();
    return 0;
}

static int pidfd_open_(pid_t pid, unsigned flags)
{
    return (int)syscall(SYS_pidfd_open, pid, flags);
}

static int send(int fd, int sig)
{
    return (int)syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0);
}

int main(void)
{
    CHECK_ERR(pidfd_open_(-1, 0), EINVAL);
    CHECK_ERR(pidfd_open_(1 << 30, 0), ESRCH);
    CHECK_ERR(pidfd_open_(getpid(), 1), EINVAL);
    pid_t pid = child(forever);
    int fd = pidfd_open_(pid, 0);
    CHECK(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
    struct pollfd p = {.fd = fd, .events = POLLIN};
    CHECK(poll(&p, 1, 0) == 0);
    char byte;
    CHECK_ERR(read(fd, &byte, 1), EINVAL);
    CHECK(send(fd, 0) == 0);
    CHECK_ERR(send(fd, 99), EINVAL);
    CHECK_ERR(send(2, 0), EBADF);
    CHECK(send(fd, SIGTERM) == 0);
    CHECK(poll(&p, 1, 5000) == 1 && p.revents == POLLIN);
    siginfo_t info;
    CHECK(waitid((idtype_t)3 /* P_PIDFD */, (id_t)fd, &info, WEXITED) == 0);
    CHECK(info.si_pid == pid && info.si_code == CLD_KILLED && info.si_status == SIGTERM);
    CHECK_ERR(send(fd, 0), ESRCH);
    CHECK_ERR(waitid((idtype_t)3, (id_t)fd, &info, WEXITED), ECHILD);
    CHECK(poll(&p, 1, 0) == 1 && p.revents & POLLIN);
    close(fd);

    int pipefd[2];
    CHECK(pipe(pipefd) == 0);
    pid = child(forever);
    fd = pidfd_open_(pid, O_NONBLOCK);
    CHECK(fd >= 0);
    CHECK_ERR(waitid((idtype_t)3, (id_t)fd, &info, WEXITED), EAGAIN);
    int copy = (int)syscall(SYS_pidfd_getfd, fd, pipefd[1], 0);
    CHECK(copy >= 0 && write(copy, "x", 1) == 1 && read(pipefd[0], &byte, 1) == 1);
    CHECK_ERR(syscall(SYS_pidfd_getfd, fd, 500, 0), EBADF);
    CHECK(send(fd, SIGKILL) == 0);
    dies_by(pid, SIGKILL);
    return 0;
}
