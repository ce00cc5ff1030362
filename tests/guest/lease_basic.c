/* fcntl(2): F_SETLEASE and F_GETLEASE, and how a lease is broken. */
#include "each.h"
#include <sys/stat.h>

static volatile int told, told_fd;
static int fd;

static void on_signal(int sig, siginfo_t *info, void *ctx)
{
    told++;
    told_fd = info->si_fd;
}

static int reader(void)
{
    FAILS(open("file", O_RDONLY | O_NONBLOCK), EWOULDBLOCK);
    HOLDS(open("file", O_RDONLY) >= 0);
    return each_failed();
}

static int writer(void)
{
    FAILS(open("file", O_WRONLY | O_NONBLOCK), EWOULDBLOCK);
    HOLDS(open("file", O_WRONLY) >= 0);
    return each_failed();
}

static int truncater(void)
{
    return truncate("file", 0);
}

static void until_told(void)
{
    for (int i = 0; i < 1000 && !told; i++)
        sleep_ms(2);
    IS(told, 1);
    told = 0;
}

static void breaking(void)
{
    struct sigaction sa = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
    sigaction(SIGIO, &sa, NULL);
    sigaction(SIGUSR1, &sa, NULL);
    IS(fcntl(fd, F_SETLEASE, F_WRLCK), 0);
    IS(fcntl(fd, F_GETLEASE), F_WRLCK);
    pid_t pid = child(reader);
    until_told();
    IS(fcntl(fd, F_GETLEASE), F_RDLCK);
    IS(fcntl(fd, F_SETLEASE, F_RDLCK), -1 * (fcntl(fd, F_GETLEASE) != F_RDLCK));
    exits_with(pid, 0);
    IS(fcntl(fd, F_SETLEASE, F_UNLCK), 0);
    IS(fcntl(fd, F_SETSIG, SIGUSR1), 0);
    IS(fcntl(fd, F_SETLEASE, F_RDLCK), 0);
    pid = child(writer);
    until_told();
    IS(told_fd, fd);
    IS(fcntl(fd, F_GETLEASE), F_UNLCK);
    IS(fcntl(fd, F_SETLEASE, F_UNLCK), 0);
    exits_with(pid, 0);
    IS(fcntl(fd, F_SETLEASE, F_RDLCK), 0);
    pid = child(truncater);
    until_told();
    IS(fcntl(fd, F_SETLEASE, F_UNLCK), 0);
    exits_with(pid, 0);
}

int main(void)
{
    int p[2];
    CHECK(pipe(p) == 0);
    fd = open("file", O_RDWR | O_CREAT, 0666);
    CHECK(chmod("file", 0666) == 0);
    FAILS(fcntl(fd, F_SETLEASE, 99), EINVAL);
    FAILS(fcntl(p[0], F_SETLEASE, F_RDLCK), EINVAL);
    FAILS(fcntl(open(".", O_RDONLY), F_SETLEASE, 99), EINVAL);
    IS(fcntl(fd, F_GETLEASE), F_UNLCK);
    FAILS(fcntl(fd, F_SETLEASE, F_UNLCK), EAGAIN);
    FAILS(fcntl(fd, F_SETLEASE, F_RDLCK), EAGAIN); /* open for writing */
    int other = open("file", O_RDONLY);
    FAILS(fcntl(fd, F_SETLEASE, F_WRLCK), EAGAIN);
    close(other);
    IS(fcntl(fd, F_SETLEASE, F_WRLCK), 0);
    IS(fcntl(fd, F_GETLEASE), F_WRLCK);
    IS(fcntl(fd, F_SETLEASE, F_UNLCK), 0);
    IS(fcntl(fd, F_GETLEASE), F_UNLCK);
    close(fd);
    fd = open("file", O_RDONLY);
    IS(fcntl(fd, F_SETLEASE, F_RDLCK), 0);
    other = open("file", O_RDONLY);
    IS(fcntl(other, F_SETLEASE, F_RDLCK), 0);
    FAILS(fcntl(fd, F_SETLEASE, F_WRLCK), EAGAIN);
    close(other);
    IS(fcntl(fd, F_SETLEASE, F_UNLCK), 0);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK(setuid(65533) == 0);
        FAILS(fcntl(fd, F_SETLEASE, F_RDLCK), EACCES);
        _exit(each_failed());
    }
    exits_with(pid, 0);
    breaking();
    return each_failed();
}
