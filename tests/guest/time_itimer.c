/* alarm and setitimer: real, virtual and profiling; intervals, remaining time, disarming. */
#include "check.h"
#include <sys/time.h>

static volatile sig_atomic_t count[65];

static void handler(int sig)
{
    count[sig]++;
}

static void arm(int which, int first_ms, int interval_ms)
{
    struct itimerval it = {{interval_ms / 1000, interval_ms % 1000 * 1000},
                           {first_ms / 1000, first_ms % 1000 * 1000}};
    CHECK(setitimer(which, &it, NULL) == 0);
}

static void spin_until(int sig, int n)
{
    int64_t end = clock_ms(CLOCK_MONOTONIC) + 5000;
    while (count[sig] < n && clock_ms(CLOCK_MONOTONIC) < end)
        ;
    CHECK(count[sig] >= n);
}

int main(void)
{
    struct itimerval it, old;
    signal(SIGALRM, handler);
    signal(SIGVTALRM, handler);
    signal(SIGPROF, handler);
    CHECK(alarm(10) == 0);
    CHECK(alarm(0) == 10 || alarm(0) == 0);
    CHECK(alarm(0) == 0);
    int64_t start = clock_ms(CLOCK_MONOTONIC);
    arm(ITIMER_REAL, 30, 0);
    pause();
    CHECK(count[SIGALRM] == 1 && clock_ms(CLOCK_MONOTONIC) - start >= 30);
    CHECK(getitimer(ITIMER_REAL, &it) == 0 && it.it_value.tv_sec == 0 && it.it_value.tv_usec == 0);
    arm(ITIMER_REAL, 10, 10);
    while (count[SIGALRM] < 5)
        pause();
    CHECK(getitimer(ITIMER_REAL, &it) == 0 && it.it_interval.tv_usec == 10000 &&
          it.it_value.tv_usec > 0 && it.it_value.tv_usec <= 10000);
    memset(&it, 0, sizeof(it));
    CHECK(setitimer(ITIMER_REAL, &it, &old) == 0 && old.it_interval.tv_usec == 10000);
    int n = count[SIGALRM];
    sleep_ms(40);
    CHECK(count[SIGALRM] - n <= 1);

    arm(ITIMER_VIRTUAL, 20, 20);
    spin_until(SIGVTALRM, 3);
    CHECK(setitimer(ITIMER_VIRTUAL, &it, NULL) == 0);
    arm(ITIMER_PROF, 20, 0);
    spin_until(SIGPROF, 1);
    it.it_value.tv_usec = 1000000;
    CHECK_ERR(setitimer(ITIMER_REAL, &it, NULL), EINVAL);
    CHECK_ERR(setitimer(7, &old, NULL), EINVAL);
    CHECK_ERR(getitimer(7, &it), EINVAL);
    /* Not inherited. */
    alarm(100);
    pid_t pid = fork();
    if (pid == 0)
        _exit((int)alarm(0));
    exits_with(pid, 0);
    return 0;
}
