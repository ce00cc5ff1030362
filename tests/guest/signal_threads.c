/* Signals and threads: tgkill reaches one, kill reaches whoever does not block, masks are per thread. */
#include "check.h"
#include <pthread.h>

static volatile pid_t handled_by[2];
static volatile pid_t tids[3];

static void handler(int sig)
{
    handled_by[sig == SIGUSR2] = (pid_t)syscall(SYS_gettid);
}

static void *thread(void *arg)
{
    long i = (long)arg;
    sigset_t set;
    sigemptyset(&set);
    if (i != 2)
        sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_SETMASK, &set, NULL);
    tids[i] = (pid_t)syscall(SYS_gettid);
    for (;;)
        pause();
    return NULL;
}

static pid_t wait_handled(int which)
{
    for (int i = 0; i < 2000 && !handled_by[which]; i++)
        sleep_ms(1);
    pid_t by = handled_by[which];
    handled_by[which] = 0;
    return by;
}

int main(void)
{
    pthread_t t;
    sigset_t set;
    signal(SIGUSR1, handler);
    signal(SIGUSR2, handler);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
    for (long i = 0; i < 3; i++)
        CHECK(pthread_create(&t, NULL, thread, (void *)i) == 0);
    while (!tids[0] || !tids[1] || !tids[2])
        sleep_ms(1);
    sleep_ms(20);
    /* Only thread 2 takes SIGUSR1. */
    CHECK(kill(getpid(), SIGUSR1) == 0 && wait_handled(0) == tids[2]);
    /* To one thread, and to one that blocks it. */
    CHECK(syscall(SYS_tgkill, getpid(), tids[1], SIGUSR2) == 0 && wait_handled(1) == tids[1]);
    CHECK(syscall(SYS_tgkill, getpid(), tids[0], SIGUSR1) == 0);
    sleep_ms(20);
    CHECK(!handled_by[0]);
    CHECK(syscall(SYS_tgkill, getpid(), 1 << 30, SIGUSR2) == -1 && errno == ESRCH);
    CHECK(syscall(SYS_tgkill, getpid() + 1, tids[1], SIGUSR2) == -1 && errno == ESRCH);
    /* Blocked by everybody: stays with the process until somebody unblocks. */
    CHECK(syscall(SYS_tkill, getpid(), SIGUSR1) == 0);
    CHECK(sigpending(&set) == 0 && sigismember(&set, SIGUSR1));
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK(pthread_sigmask(SIG_UNBLOCK, &set, NULL) == 0);
    CHECK(wait_handled(0) == getpid());
    return 0;
}
