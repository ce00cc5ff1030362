/* getrlimit, setrlimit, prlimit: values, inheritance, refusals; RLIMIT_NOFILE takes effect. */
#include "check.h"
#include <sys/resource.h>

static int lowered(void)
{
    struct rlimit l = {20, 30}, got;
    CHECK(setrlimit(RLIMIT_NOFILE, &l) == 0);
    CHECK(getrlimit(RLIMIT_NOFILE, &got) == 0 && got.rlim_cur == 20 && got.rlim_max == 30);
    int fd;
    while ((fd = dup(2)) >= 0)
        CHECK(fd < 20);
    CHECK(errno == EMFILE);
    CHECK_ERR(dup2(2, 20), EBADF);
    CHECK_ERR(fcntl(2, F_DUPFD, 20), EINVAL);
    pid_t pid = fork();
    if (pid == 0)
        _exit(getrlimit(RLIMIT_NOFILE, &got) == 0 && got.rlim_cur == 20 ? 0 : 1);
    exits_with(pid, 0);
    l.rlim_cur = 40; /* above the hard limit given with it */
    CHECK_ERR(setrlimit(RLIMIT_NOFILE, &l), EINVAL);
    return 0;
}

static int as_user(void)
{
    struct rlimit l = {10, 10};
    CHECK(setrlimit(RLIMIT_NOFILE, &l) == 0);
    CHECK(setuid(1000) == 0);
    l.rlim_max = 11;
    CHECK_ERR(setrlimit(RLIMIT_NOFILE, &l), EPERM);
    CHECK_ERR(prlimit(1, RLIMIT_NOFILE, NULL, &l), EPERM);
    return 0;
}

static int with_prlimit(void)
{
    struct rlimit fresh = {5000, 6000}, old, got;
    int fds[2];
    char byte;
    CHECK(pipe(fds) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK(read(fds[0], &byte, 1) == 1);
        CHECK(getrlimit(RLIMIT_CORE, &got) == 0 && got.rlim_cur == 5000 && got.rlim_max == 6000);
        _exit(0);
    }
    CHECK(prlimit(pid, RLIMIT_CORE, &fresh, &old) == 0);
    CHECK(write(fds[1], "x", 1) == 1);
    exits_with(pid, 0);
    return 0;
}

int main(void)
{
    struct rlimit l;
    for (int i = 0; i < 16; i++)
        CHECK(getrlimit(i, &l) == 0 && l.rlim_cur <= l.rlim_max);
    CHECK_ERR(syscall(SYS_getrlimit, 16, &l), EINVAL);
    CHECK_ERR(prlimit(1 << 30, RLIMIT_CORE, NULL, &l), ESRCH);
    CHECK_ERR(syscall(SYS_prlimit64, 0, RLIMIT_CORE, 8, 0), EFAULT);
    exits_with(child(lowered), 0);
    exits_with(child(with_prlimit), 0);
    if (getuid() == 0)
        exits_with(child(as_user), 0);
    return 0;
}
