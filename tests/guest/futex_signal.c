/* Signals and futex waits: EINTR, SA_RESTART, and time-outs that go on. */
#include <linux/futex.h>
#include <sys/time.h>
#include <time.h>
#include "mm_check.h"

static int word;
static volatile int handled;
static void handler(int sig)
{
    handled++;
}
static void waking_handler(int sig)
{
    handled++;
    __atomic_store_n(&word, 1, __ATOMIC_SEQ_CST); /* the restarted wait finds another value */
}
static void after_ms(int ms)
{
    struct itimerval v = {.it_value = {0, ms * 1000}};
    setitimer(ITIMER_REAL, &v, NULL);
}
static long wait_for(int op, struct timespec *ts)
{
    return syscall(SYS_futex, &word, op, 0, ts, NULL, -1);
}

int main(void)
{
    struct sigaction sa = {.sa_handler = handler};
    sigaction(SIGALRM, &sa, NULL);
    after_ms(30);
    CHECK_ERR(wait_for(FUTEX_WAIT, NULL), EINTR);
    CHECK(handled == 1);
    struct timespec ts = {1, 0};
    sa.sa_flags = SA_RESTART;
    sigaction(SIGALRM, &sa, NULL);
    after_ms(30);
    CHECK_ERR(wait_for(FUTEX_WAIT, &ts), EINTR); /* with a time-out: not restarted after a handler */
    CHECK(handled == 2);
    clock_gettime(CLOCK_MONOTONIC, &ts);
    ts.tv_sec += 1;
    after_ms(30);
    CHECK_ERR(wait_for(FUTEX_WAIT_BITSET, &ts), EINTR);
    CHECK(handled == 3);
    sa.sa_handler = waking_handler;
    sigaction(SIGALRM, &sa, NULL);
    after_ms(30);
    CHECK_ERR(wait_for(FUTEX_WAIT, NULL), EAGAIN);
    CHECK(handled == 4);
    CHECK_EXIT();
}
