/* Handlers, siginfo, masks during handlers, SA_NODEFER, SA_RESETHAND, ignored and default signals, errors. */
#include "check.h"

static volatile sig_atomic_t calls, depth, max_depth, saw_blocked;
static volatile int code, from, number;

static void count(int sig)
{
    calls++;
}

static void info(int sig, siginfo_t *si, void *context)
{
    sigset_t set;
    number = si->si_signo;
    code = si->si_code;
    from = si->si_pid;
    sigprocmask(SIG_BLOCK, NULL, &set);
    saw_blocked = sigismember(&set, sig) * 2 + sigismember(&set, SIGUSR2);
}

static void nest(int sig)
{
    if (++depth > max_depth)
        max_depth = depth;
    if (calls++ < 3)
        raise(sig);
    depth--;
}

static void set_action(int sig, void (*fn)(int), int flags)
{
    struct sigaction sa = {.sa_handler = fn, .sa_flags = flags};
    CHECK(sigaction(sig, &sa, NULL) == 0);
}

int main(void)
{
    struct sigaction sa = {.sa_sigaction = info, .sa_flags = SA_SIGINFO}, old;
    sigset_t set;
    sigaddset(&sa.sa_mask, SIGUSR2);
    CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
    CHECK(sigaction(SIGUSR1, NULL, &old) == 0 && old.sa_sigaction == info && old.sa_flags & SA_SIGINFO);
    CHECK(kill(getpid(), SIGUSR1) == 0);
    CHECK(number == SIGUSR1 && code == SI_USER && from == getpid() && saw_blocked == 3);
    CHECK(raise(SIGUSR1) == 0 && code == SI_TKILL);
    CHECK(sigprocmask(SIG_BLOCK, NULL, &set) == 0 && !sigismember(&set, SIGUSR1) && !sigismember(&set, SIGUSR2));

    set_action(SIGUSR1, nest, 0);
    raise(SIGUSR1);
    CHECK(calls == 4 && max_depth == 1);
    calls = max_depth = 0;
    set_action(SIGUSR1, nest, SA_NODEFER);
    raise(SIGUSR1);
    CHECK(calls == 4 && max_depth == 4);

    calls = 0;
    set_action(SIGUSR1, count, SA_RESETHAND);
    raise(SIGUSR1);
    CHECK(calls == 1 && sigaction(SIGUSR1, NULL, &old) == 0 && old.sa_handler == SIG_DFL);

    set_action(SIGUSR1, SIG_IGN, 0);
    raise(SIGUSR1);
    raise(SIGCHLD), raise(SIGURG), raise(SIGWINCH), raise(SIGCONT);

    /* Blocked, then ignored: forgotten. */
    calls = 0;
    set_action(SIGUSR1, count, 0);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    raise(SIGUSR1);
    raise(SIGUSR1);
    sigpending(&set);
    CHECK(sigismember(&set, SIGUSR1) && calls == 0);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    CHECK(calls == 1); /* standard signals do not queue */
    sigprocmask(SIG_BLOCK, &set, NULL);
    raise(SIGUSR1);
    set_action(SIGUSR1, SIG_IGN, 0);
    set_action(SIGUSR1, count, 0);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    CHECK(calls == 1);

    CHECK_ERR(sigaction(SIGKILL, &sa, NULL), EINVAL);
    CHECK_ERR(sigaction(SIGSTOP, &sa, NULL), EINVAL);
    CHECK(syscall(SYS_rt_sigaction, 65, NULL, NULL, 8) == -1 && errno == EINVAL);
    CHECK(syscall(SYS_rt_sigaction, SIGUSR1, NULL, NULL, 4) == -1 && errno == EINVAL);
    CHECK(syscall(SYS_rt_sigprocmask, 9, &set, NULL, 8) == -1 && errno == EINVAL);
    CHECK_ERR(kill(getpid(), 65), EINVAL);
    CHECK_ERR(kill(1 << 30, 0), ESRCH);
    CHECK(kill(getpid(), 0) == 0);
    return 0;
}
