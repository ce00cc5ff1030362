/* SIGCHLD: its siginfo for exit, death, stop and continue; SA_NOCLDSTOP. */
#include "check.h"

static volatile sig_atomic_t count;
static volatile siginfo_t last;

static void handler(int sig, siginfo_t *info, void *context)
{
    memcpy((void *)&last, info, sizeof(*info));
    count++;
}

static int forever(void)
{
    for (;;)
        pause();
    return 0;
}

static void expect(pid_t pid, int n, int code, int status)
{
    for (int i = 0; i < 2000 && count < n; i++)
        sleep_ms(1);
    CHECK(count == n && last.si_code == code && last.si_pid == pid && last.si_status == status &&
          last.si_uid == getuid());
}

int main(void)
{
    struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART};
    CHECK(sigaction(SIGCHLD, &sa, NULL) == 0);
    pid_t pid = fork();
    if (pid == 0)
        _exit(42);
    expect(pid, 1, CLD_EXITED, 42);
    exits_with(pid, 42);
    pid = child(forever);
    kill(pid, SIGSTOP);
    expect(pid, 2, CLD_STOPPED, SIGSTOP);
    kill(pid, SIGCONT);
    expect(pid, 3, CLD_CONTINUED, SIGCONT);
    kill(pid, SIGKILL);
    expect(pid, 4, CLD_KILLED, SIGKILL);
    dies_by(pid, SIGKILL);

    sa.sa_flags |= SA_NOCLDSTOP;
    CHECK(sigaction(SIGCHLD, &sa, NULL) == 0);
    pid = child(forever);
    kill(pid, SIGSTOP);
    int status;
    CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
    kill(pid, SIGCONT);
    CHECK(waitpid(pid, &status, WCONTINUED) == pid && WIFCONTINUED(status));
    CHECK(count == 4);
    kill(pid, SIGKILL);
    dies_by(pid, SIGKILL);
    return 0;
}
