/* Process groups and sessions: setpgid, setsid, getsid and what they refuse; kill to groups. */
#include "check.h"

static int forever(void)
{
    for (;;)
        pause();
    return 0;
}

static int session(void)
{
    CHECK(setsid() == getpid());
    CHECK(getsid(0) == getpid() && getpgrp() == getpid());
    CHECK_ERR(setsid(), EPERM);
    CHECK_ERR(setpgid(0, 0), EPERM); /* a session leader */
    pid_t a = child(forever), b = child(forever);
    CHECK(getpgid(a) == getpid() && getsid(a) == getpid());
    CHECK(setpgid(a, a) == 0 && getpgid(a) == a);
    CHECK(setpgid(b, a) == 0 && getpgid(b) == a);
    CHECK_ERR(setpgid(b, 1 << 30), EPERM);
    CHECK_ERR(setpgid(1 << 30, 0), ESRCH);
    CHECK_ERR(setpgid(a, -1), EINVAL);
    CHECK(kill(-a, SIGTERM) == 0);
    dies_by(a, SIGTERM);
    dies_by(b, SIGTERM);
    CHECK_ERR(kill(-a, SIGTERM), ESRCH);
    CHECK_ERR(getpgid(a), ESRCH);
    CHECK_ERR(getsid(a), ESRCH);
    CHECK_ERR(setpgid(getppid(), 0), ESRCH); /* not a child */
    return 0;
}

static int after_exec(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        execl("/bin/sleep", "sleep", "10", NULL);
        _exit(1);
    }
    sleep_ms(200);
    CHECK_ERR(setpgid(pid, pid), EACCES);
    kill(pid, SIGKILL);
    dies_by(pid, SIGKILL);
    return 0;
}

static int other_session(void)
{
    int fds[2];
    char byte;
    CHECK(pipe(fds) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        setsid();
        CHECK(write(fds[1], "x", 1) == 1);
        forever();
    }
    CHECK(read(fds[0], &byte, 1) == 1);
    CHECK_ERR(setpgid(pid, getpgrp()), EPERM);
    kill(pid, SIGKILL);
    dies_by(pid, SIGKILL);
    return 0;
}

int main(void)
{
    exits_with(child(session), 0);
    exits_with(child(after_exec), 0);
    exits_with(child(other_session), 0);
    return 0;
}
