/* What the nameless files answer to calls that are not for them; pidfd_send_signal's targets. */
#include "each.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>

#define pidfd_send_signal(f, s, i, x) syscall(SYS_pidfd_send_signal, f, s, i, x)

static void positions(void)
{
    sigset_t none;
    char b[8];
    sigemptyset(&none);
    int fds[] = {eventfd(0, EFD_NONBLOCK), timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK),
                 signalfd(-1, &none, SFD_NONBLOCK), epoll_create1(0), inotify_init1(IN_NONBLOCK)};
    for (int i = 0; i < 5; i++) {
        for (int whence = SEEK_SET; whence <= SEEK_HOLE; whence++)
            IS(lseek(fds[i], 5, whence), 0);
        FAILS(lseek(fds[i], 0, 9), EINVAL);
        FAILS(pread(fds[i], b, 8, 0), ESPIPE);
        FAILS(pwrite(fds[i], b, 8, 0), ESPIPE);
        FAILS(fchmod(fds[i], 0600), EOPNOTSUPP);
        FAILS(fsync(fds[i]), EINVAL);
    }
    int p[2], s[2];
    struct stat st;
    CHECK(pipe(p) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
    FAILS(lseek(p[0], 0, SEEK_SET), ESPIPE);
    FAILS(lseek(s[0], 0, SEEK_SET), ESPIPE);
    FAILS(pread(p[1], b, 1, 0), ESPIPE);
    IS(fchmod(p[0], 0640), 0);
    IS(fstat(p[0], &st), 0);
    IS(st.st_mode, S_IFIFO | 0640);
    IS(fchown(p[0], 1, 2), 0);
    IS(fstat(p[1], &st), 0);
    IS(st.st_uid, 1);
    FAILS(fcntl(memfd_create("x", 0), F_GETPIPE_SZ), EBADF);
}

static volatile int caught;

static void on_signal(int sig)
{
    caught++;
}

static void pidfds(void)
{
    signal(SIGUSR1, on_signal);
    int fd = (int)syscall(SYS_pidfd_open, getpid(), 0), dir = open("/proc/self", O_RDONLY | O_DIRECTORY),
        other = open("/proc", O_RDONLY), status = open("/proc/self/status", O_RDONLY);
    FAILS(lseek(fd, 0, SEEK_SET), ESPIPE);
    IS(pidfd_send_signal(fd, SIGUSR1, NULL, 0), 0);
    IS(pidfd_send_signal(dir, SIGUSR1, NULL, 0), 0);
    IS(pidfd_send_signal(fd, 0, NULL, 0), 0);
    IS(pidfd_send_signal(fd, SIGUSR1, NULL, 1), 0); /* this thread */
    IS(pidfd_send_signal(fd, SIGUSR1, NULL, 2), 0);
    IS(caught, 4);
    FAILS(pidfd_send_signal(other, SIGUSR1, NULL, 0), EBADF);
    FAILS(pidfd_send_signal(status, SIGUSR1, NULL, 0), EBADF);
    FAILS(pidfd_send_signal(-1, SIGUSR1, NULL, 0), EBADF);
    FAILS(pidfd_send_signal(fd, 99, NULL, 0), EINVAL);
    FAILS(pidfd_send_signal(fd, SIGUSR1, NULL, 3), EINVAL);
    FAILS(pidfd_send_signal(fd, SIGUSR1, NULL, 8), EINVAL);
    FAILS(pidfd_send_signal(fd, SIGUSR1, 8, 0), EFAULT);
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    char path[32];
    snprintf(path, sizeof(path), "/proc/%d", pid);
    dir = open(path, O_RDONLY | O_DIRECTORY);
    exits_with(pid, 0);
    FAILS(pidfd_send_signal(dir, SIGUSR1, NULL, 0), ESRCH);
}

int main(void)
{
    positions();
    pidfds();
    return each_failed();
}
