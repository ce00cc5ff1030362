/* times, getrusage and wait4 agree that CPU was used, here and by children. */
#include "check.h"
#include <sys/resource.h>
#include <sys/times.h>

static int64_t us(struct timeval *tv)
{
    return tv->tv_sec * 1000000LL + tv->tv_usec;
}

static int burn(void)
{
    int64_t end = clock_ms(CLOCK_PROCESS_CPUTIME_ID) + 120;
    while (clock_ms(CLOCK_PROCESS_CPUTIME_ID) < end)
        for (volatile int i = 0; i < 100000; i++)
            ;
    return 0;
}

int main(void)
{
    struct rusage self, children, thread, one;
    struct tms t;
    int status;
    burn();
    CHECK(getrusage(RUSAGE_SELF, &self) == 0 && us(&self.ru_utime) + us(&self.ru_stime) >= 100000);
    CHECK(getrusage(RUSAGE_THREAD, &thread) == 0 && us(&thread.ru_utime) + us(&thread.ru_stime) >= 100000);
    CHECK(getrusage(RUSAGE_CHILDREN, &children) == 0 && us(&children.ru_utime) == 0);
    CHECK_ERR(getrusage(77, &self), EINVAL);
    pid_t pid = child(burn);
    CHECK(wait4(pid, &status, 0, &one) == pid && us(&one.ru_utime) + us(&one.ru_stime) >= 100000);
    CHECK(getrusage(RUSAGE_CHILDREN, &children) == 0 && us(&children.ru_utime) + us(&children.ru_stime) >= 100000);
    CHECK(times(&t) != (clock_t)-1 && t.tms_utime + t.tms_stime >= 10 && t.tms_cutime + t.tms_cstime >= 10);
    clock_t a = times(NULL);
    sleep_ms(100);
    CHECK(times(NULL) - a >= 9);
    return 0;
}
