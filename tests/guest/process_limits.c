/* RLIMIT_NPROC for an ordinary user: fork gives EAGAIN beyond it. Needs root to become that user. */
#include "check.h"
#include <grp.h>
#include <sys/resource.h>

static int as_user(void)
{
    struct rlimit limit = {8, 8};
    pid_t pids[20];
    int n = 0;
    CHECK(setgroups(0, NULL) == 0 && setgid(54321) == 0 && setuid(54321) == 0);
    CHECK(setrlimit(RLIMIT_NPROC, &limit) == 0);
    for (; n < 20; n++) {
        pids[n] = fork();
        if (pids[n] < 0)
            break;
        if (pids[n] == 0)
            for (;;)
                pause();
    }
    CHECK(errno == EAGAIN && n == 7); /* with this process itself: 8 */
    for (int i = 0; i < n; i++) {
        kill(pids[i], SIGKILL);
        dies_by(pids[i], SIGKILL);
    }
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    exits_with(pid, 0);
    return 0;
}

int main(void)
{
    if (getuid() != 0)
        return 0;
    exits_with(child(as_user), 0);
    return 0;
}
