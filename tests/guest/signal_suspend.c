/* sigsuspend: waits with another mask and puts the old one back; the handler runs under the right one. */
#include "check.h"

static volatile sig_atomic_t calls, mask_ok;

static void handler(int sig)
{
    sigset_t set;
    sigprocmask(SIG_BLOCK, NULL, &set);
    mask_ok = sigismember(&set, SIGUSR1) && sigismember(&set, SIGHUP); /* what sigsuspend gave, and the signal itself */
    calls++;
}

int main(void)
{
    sigset_t blocked, wait_mask, now;
    signal(SIGUSR1, handler);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    CHECK(sigprocmask(SIG_BLOCK, &blocked, NULL) == 0);
    sigemptyset(&wait_mask);
    sigaddset(&wait_mask, SIGHUP);
    raise(SIGUSR1);
    CHECK_ERR(sigsuspend(&wait_mask), EINTR);
    CHECK(calls == 1 && mask_ok);
    CHECK(sigprocmask(SIG_BLOCK, NULL, &now) == 0 && sigismember(&now, SIGUSR1) && !sigismember(&now, SIGHUP));
    pid_t me = getpid(), pid = fork();
    if (pid == 0) {
        sleep_ms(30);
        kill(me, SIGHUP); /* stays blocked */
        sleep_ms(10);
        kill(me, SIGUSR1);
        _exit(0);
    }
    signal(SIGHUP, handler);
    CHECK_ERR(sigsuspend(&wait_mask), EINTR);
    CHECK(calls == 3 || calls == 2);
    exits_with(pid, 0);
    CHECK(calls == 3);
    return 0;
}
