/* POSIX timers: signal with value, to a thread, none; periodic with overruns; absolute; errors;
 * deletion. */
#include "check.h"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

static volatile sig_atomic_t count, value, code, overruns;

static void handler(int sig, siginfo_t *si, void *context)
{
    count++;
    value = si->si_value.sival_int;
    code = si->si_code;
    overruns += si->si_overrun;
}

static void set(timer_t t, int flags, long first_ns, long interval_ns)
{
    struct itimerspec it = {{interval_ns / 1000000000, interval_ns % 1000000000},
                            {first_ns / 1000000000, first_ns % 1000000000}};
    CHECK(timer_settime(t, flags, &it, NULL) == 0);
}

int main(void)
{
    timer_t t, t2;
    struct itimerspec it;
    struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    struct sigevent ev = {
        .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN, .sigev_value.sival_int = 321};
    CHECK(sigaction(SIGRTMIN, &sa, NULL) == 0);
    CHECK(timer_create(CLOCK_MONOTONIC, &ev, &t) == 0);
    CHECK(timer_gettime(t, &it) == 0 && it.it_value.tv_sec == 0 && it.it_value.tv_nsec == 0);
    int64_t start = clock_ms(CLOCK_MONOTONIC);
    set(t, 0, 30000000, 0);
    CHECK(timer_gettime(t, &it) == 0 && it.it_value.tv_nsec > 0 && it.it_value.tv_nsec <= 30000000);
    pause();
    CHECK(count == 1 && value == 321 && code == SI_TIMER &&
          clock_ms(CLOCK_MONOTONIC) - start >= 30);

    /* Expiries while the signal is blocked are overruns of one signal. */
    sigset_t set_;
    sigemptyset(&set_);
    sigaddset(&set_, SIGRTMIN);
    CHECK(sigprocmask(SIG_BLOCK, &set_, NULL) == 0);
    count = overruns = 0;
    set(t, 0, 5000000, 5000000);
    sleep_ms(60);
    CHECK(sigprocmask(SIG_UNBLOCK, &set_, NULL) == 0);
    set(t, 0, 0, 0);
    CHECK(count <= 2 && overruns >= 5);
    CHECK(timer_getoverrun(t) >= 0);
    CHECK(timer_delete(t) == 0);
    CHECK_ERR(syscall(SYS_timer_delete, 12345), EINVAL);

    ev.sigev_notify = SIGEV_THREAD_ID;
    ev.sigev_notify_thread_id = (pid_t)syscall(SYS_gettid);
    CHECK(timer_create(CLOCK_REALTIME, &ev, &t) == 0);
    count = 0;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    it = (struct itimerspec){.it_value = {now.tv_sec, now.tv_nsec}};
    CHECK(timer_settime(t, TIMER_ABSTIME, &it, NULL) == 0); /* at once */
    for (int i = 0; i < 1000 && !count; i++)
        sleep_ms(1);
    CHECK(count == 1);
    CHECK(timer_delete(t) == 0);

    ev.sigev_notify = SIGEV_NONE;
    CHECK(timer_create(CLOCK_MONOTONIC, &ev, &t) == 0 &&
          timer_create(CLOCK_MONOTONIC, NULL, &t2) == 0);
    set(t, 0, 10000000, 0);
    sleep_ms(20);
    CHECK(timer_gettime(t, &it) == 0 && it.it_value.tv_nsec == 0 && it.it_value.tv_sec == 0);
    CHECK(timer_delete(t) == 0 && timer_delete(t2) == 0);

    ev.sigev_signo = 99;
    ev.sigev_notify = SIGEV_SIGNAL;
    CHECK_ERR(timer_create(CLOCK_MONOTONIC, &ev, &t), EINVAL);
    CHECK_ERR(timer_create(99, NULL, &t), EINVAL);
    return 0;
}
