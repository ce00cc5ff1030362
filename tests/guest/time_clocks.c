/* Clocks: they advance, agree with each other, have resolutions; errors; CPU-time clocks;
 * gettimeofday, time. */
#include "check.h"
#include <pthread.h>
#include <sys/time.h>

static void burn(int ms)
{
    int64_t end = clock_ms(CLOCK_PROCESS_CPUTIME_ID) + ms;
    while (clock_ms(CLOCK_PROCESS_CPUTIME_ID) < end)
        for (volatile int i = 0; i < 100000; i++)
            ;
}

int main(void)
{
    int all[] = {CLOCK_REALTIME,          CLOCK_MONOTONIC,     CLOCK_PROCESS_CPUTIME_ID,
                 CLOCK_THREAD_CPUTIME_ID, CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE,
                 CLOCK_MONOTONIC_COARSE,  CLOCK_BOOTTIME,      CLOCK_TAI};
    struct timespec a, b, res;
    for (unsigned i = 0; i < sizeof(all) / sizeof(*all); i++) {
        CHECK(clock_gettime(all[i], &a) == 0 && a.tv_nsec >= 0 && a.tv_nsec < 1000000000);
        CHECK(syscall(SYS_clock_gettime, all[i], &b) == 0);
        CHECK(b.tv_sec - a.tv_sec <= 5 &&
              (b.tv_sec > a.tv_sec || b.tv_nsec >= a.tv_nsec || all[i] == CLOCK_TAI));
        CHECK(clock_getres(all[i], &res) == 0 && res.tv_sec == 0 && res.tv_nsec > 0);
    }
    CHECK_ERR(clock_gettime(99, &a), EINVAL);
    CHECK_ERR(clock_getres(99, &a), EINVAL);
    CHECK(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, 8) == -1 && errno == EFAULT);
    CHECK(syscall(SYS_clock_getres, CLOCK_MONOTONIC, NULL) == 0);

    int64_t mono = clock_ms(CLOCK_MONOTONIC), real = clock_ms(CLOCK_REALTIME),
            boot = clock_ms(CLOCK_BOOTTIME);
    sleep_ms(50);
    CHECK(clock_ms(CLOCK_MONOTONIC) - mono >= 50 && clock_ms(CLOCK_REALTIME) - real >= 49 &&
          clock_ms(CLOCK_BOOTTIME) - boot >= 50);

    struct timeval tv;
    time_t t = time(NULL);
    CHECK(gettimeofday(&tv, NULL) == 0 && tv.tv_sec - t <= 5 && tv.tv_sec >= t - 1);
    CHECK(syscall(SYS_gettimeofday, &tv, NULL) == 0 && syscall(SYS_time, NULL) >= tv.tv_sec);

    int64_t before = clock_ms(CLOCK_THREAD_CPUTIME_ID);
    burn(30);
    CHECK(clock_ms(CLOCK_THREAD_CPUTIME_ID) - before >= 25);
    clockid_t id;
    CHECK(clock_getcpuclockid(0, &id) == 0 && clock_ms(id) >= 25);
    CHECK(clock_getcpuclockid(getpid(), &id) == 0 && clock_ms(id) >= 25);
    CHECK(pthread_getcpuclockid(pthread_self(), &id) == 0 && clock_ms(id) >= 25);
    CHECK(clock_getcpuclockid(1 << 23, &id) == ESRCH);
    return 0;
}
