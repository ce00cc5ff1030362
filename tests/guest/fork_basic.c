/* fork: return values, copied memory, own pid, exit statuses of many children. */
#include "check.h"

static int shared_value = 1;

static int change(void)
{
    shared_value = 2;
    return getppid() == getpid();
}

int main(void)
{
    pid_t me = getpid();
    exits_with(child(change), 0);
    CHECK(shared_value == 1);
    pid_t pid = fork();
    if (pid == 0)
        _exit(getppid() == me && getpid() != me && syscall(SYS_gettid) == getpid() ? 0 : 1);
    exits_with(pid, 0);
    for (int i = 0; i < 40; i++) {
        pid_t p = fork();
        CHECK(p >= 0);
        if (p == 0)
            _exit(i);
        exits_with(p, i);
    }
    return 0;
}
