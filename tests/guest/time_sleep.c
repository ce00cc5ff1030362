/* nanosleep and clock_nanosleep: lengths, absolute times, the past, invalid times. */
#include "check.h"

int main(void)
{
    struct timespec ts = {0, 30000000}, bad = {0, 1000000000}, negative = {-1, 0}, now;
    int64_t start = clock_ms(CLOCK_MONOTONIC);
    CHECK(nanosleep(&ts, NULL) == 0 && clock_ms(CLOCK_MONOTONIC) - start >= 30);
    CHECK_ERR(nanosleep(&bad, NULL), EINVAL);
    CHECK_ERR(nanosleep(&negative, NULL), EINVAL);
    CHECK(syscall(SYS_nanosleep, 8, 0) == -1 && errno == EFAULT);
    ts = (struct timespec){0, 0};
    CHECK(nanosleep(&ts, NULL) == 0);

    int clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME};
    for (int i = 0; i < 3; i++) {
        start = clock_ms(CLOCK_MONOTONIC);
        CHECK(clock_gettime(clocks[i], &now) == 0);
        now.tv_nsec += 30000000;
        now.tv_sec += now.tv_nsec / 1000000000;
        now.tv_nsec %= 1000000000;
        CHECK(clock_nanosleep(clocks[i], TIMER_ABSTIME, &now, NULL) == 0);
        CHECK(clock_ms(CLOCK_MONOTONIC) - start >= 29);
        CHECK(clock_nanosleep(clocks[i], TIMER_ABSTIME, &now, NULL) == 0); /* the past */
        ts = (struct timespec){0, 20000000};
        start = clock_ms(CLOCK_MONOTONIC);
        CHECK(clock_nanosleep(clocks[i], 0, &ts, NULL) == 0 && clock_ms(CLOCK_MONOTONIC) - start >= 20);
    }
    CHECK(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &ts, NULL) == EINVAL);
    CHECK(clock_nanosleep(99, 0, &ts, NULL) == EINVAL);
    CHECK(clock_nanosleep(CLOCK_MONOTONIC_RAW, 0, &ts, NULL) == ENOTSUP);
    CHECK(clock_nanosleep(CLOCK_MONOTONIC, 0, &bad, NULL) == EINVAL);
    return 0;
}
