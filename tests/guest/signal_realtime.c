/* Realtime signals: queued, in order, lowest first, with values; SIGQUEUE's limits; sigwaitinfo and sigtimedwait. */
#include "check.h"
#include <sys/resource.h>

static int got[64], sigs[64];
static volatile int n;

static void handler(int sig, siginfo_t *si, void *context)
{
    sigs[n] = sig;
    got[n++] = si->si_value.sival_int;
    if (si->si_code != SI_QUEUE || si->si_pid != getpid())
        n = 60;
}

int main(void)
{
    struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    sigset_t set;
    sigfillset(&sa.sa_mask);
    sigemptyset(&set);
    for (int i = 0; i < 3; i++) {
        CHECK(sigaction(SIGRTMIN + i, &sa, NULL) == 0);
        sigaddset(&set, SIGRTMIN + i);
    }
    CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
    for (int v = 0; v < 4; v++)
        for (int i = 2; i >= 0; i--)
            CHECK(sigqueue(getpid(), SIGRTMIN + i, (union sigval){.sival_int = v}) == 0);
    CHECK(sigprocmask(SIG_UNBLOCK, &set, NULL) == 0);
    CHECK(n == 12);
    for (int i = 0; i < 12; i++)
        CHECK(sigs[i] == SIGRTMIN + i / 4 && got[i] == i % 4);

    siginfo_t info;
    struct timespec soon = {0, 20000000}, zero = {0, 0};
    CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
    CHECK_ERR(sigtimedwait(&set, &info, &zero), EAGAIN);
    int64_t start = clock_ms(CLOCK_MONOTONIC);
    CHECK_ERR(sigtimedwait(&set, &info, &soon), EAGAIN);
    CHECK(clock_ms(CLOCK_MONOTONIC) - start >= 19);
    soon.tv_nsec = 1000000000;
    CHECK_ERR(sigtimedwait(&set, &info, &soon), EINVAL);
    CHECK(sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = 99}) == 0);
    CHECK(sigwaitinfo(&set, &info) == SIGRTMIN + 1 && info.si_value.sival_int == 99 && info.si_code == SI_QUEUE);

    pid_t me = getpid(), pid = fork();
    if (pid == 0) {
        sleep_ms(30);
        kill(me, SIGRTMIN);
        _exit(0);
    }
    CHECK(sigwaitinfo(&set, &info) == SIGRTMIN && info.si_pid == pid && info.si_code == SI_USER);
    exits_with(pid, 0);

    struct rlimit limit = {5, 5};
    CHECK(setrlimit(RLIMIT_SIGPENDING, &limit) == 0);
    int sent = 0;
    while (sent < 100 && sigqueue(getpid(), SIGRTMIN, (union sigval){0}) == 0)
        sent++;
    CHECK(sent < 100 && errno == EAGAIN);

    /* Nobody may pose as the kernel. */
    memset(&info, 0, sizeof(info));
    info.si_code = SI_USER;
    pid = fork();
    if (pid == 0) {
        sleep_ms(2000);
        _exit(0);
    }
    CHECK(syscall(SYS_rt_sigqueueinfo, pid, SIGTERM, &info) == -1 && errno == EPERM);
    info.si_code = SI_QUEUE;
    CHECK(syscall(SYS_rt_sigqueueinfo, pid, SIGTERM, &info) == 0);
    dies_by(pid, SIGTERM);
    return 0;
}
