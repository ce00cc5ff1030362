// timerfd: one shot, periodic, absolute, disarming, what is left, missed expirations.
#include "expect.h"
#include <poll.h>
#include <sys/timerfd.h>

static struct itimerspec ms(long value, long interval)
{
    return (struct itimerspec){.it_value = {value / 1000, value % 1000 * 1000000},
                               .it_interval = {interval / 1000, interval % 1000 * 1000000}};
}

int main(void)
{
    uint64_t n = 0;
    struct itimerspec its, old;
    struct timespec now;
    int t = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    CHECK(t >= 0);
    CHECK_ERR(read(t, &n, 8), EAGAIN);
    CHECK_ERR(read(t, &n, 4), EINVAL);
    CHECK_ERR(write(t, &n, 8), EINVAL);
    CHECK_EQ(timerfd_gettime(t, &its), 0);
    CHECK(its.it_value.tv_sec == 0 && its.it_value.tv_nsec == 0);
    its = ms(50, 0);
    double start = check_now();
    CHECK_EQ(timerfd_settime(t, 0, &its, &old), 0);
    CHECK_EQ(old.it_value.tv_nsec, 0);
    CHECK_EQ(timerfd_gettime(t, &its), 0);
    CHECK(its.it_value.tv_nsec > 0 && its.it_value.tv_nsec <= 50000000);
    struct pollfd p = {t, POLLIN, 0};
    CHECK_EQ(poll(&p, 1, 5000), 1);
    CHECK(check_now() - start >= 0.049);
    CHECK_EQ(read(t, &n, 8), 8);
    CHECK_EQ(n, 1);
    CHECK_ERR(read(t, &n, 8), EAGAIN);
    its = ms(10, 20);
    CHECK_EQ(timerfd_settime(t, 0, &its, NULL), 0);
    check_sleep_ms(120);
    CHECK_EQ(read(t, &n, 8), 8);
    CHECK(n >= 5);
    CHECK_EQ(timerfd_gettime(t, &its), 0);
    CHECK_EQ(its.it_interval.tv_nsec, 20000000);
    CHECK(its.it_value.tv_nsec > 0 && its.it_value.tv_nsec <= 20000000);
    its = ms(0, 0);
    CHECK_EQ(timerfd_settime(t, 0, &its, &old), 0);
    CHECK_EQ(old.it_interval.tv_nsec, 20000000);
    check_sleep_ms(50);
    CHECK_ERR(read(t, &n, 8), EAGAIN);

    int r = timerfd_create(CLOCK_REALTIME, 0);
    clock_gettime(CLOCK_REALTIME, &now);
    its = (struct itimerspec){.it_value = now};
    its.it_value.tv_nsec += 40000000;
    if (its.it_value.tv_nsec >= 1000000000) {
        its.it_value.tv_sec++;
        its.it_value.tv_nsec -= 1000000000;
    }
    start = check_now();
    CHECK_EQ(timerfd_settime(r, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &its, NULL), 0);
    CHECK_EQ(read(r, &n, 8), 8);
    CHECK_EQ(n, 1);
    CHECK(check_now() - start >= 0.03);
    its.it_value.tv_sec -= 100; // long past
    CHECK_EQ(timerfd_settime(r, TFD_TIMER_ABSTIME, &its, NULL), 0);
    CHECK_EQ(read(r, &n, 8), 8);
    its.it_value.tv_nsec = 1000000000;
    CHECK_ERR(timerfd_settime(r, 0, &its, NULL), EINVAL);
    CHECK_ERR(timerfd_settime(r, 16, &its, NULL), EINVAL);
    CHECK_ERR(timerfd_settime(0, 0, &old, NULL), EINVAL);
    CHECK_ERR(timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0), EINVAL);
    CHECK_ERR(timerfd_create(CLOCK_MONOTONIC, 1), EINVAL);
    int b = timerfd_create(CLOCK_BOOTTIME, 0);
    its = ms(5, 0);
    CHECK_EQ(timerfd_settime(b, 0, &its, NULL), 0);
    CHECK_EQ(read(b, &n, 8), 8);
    return check_done();
}
