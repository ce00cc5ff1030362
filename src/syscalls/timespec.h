/* Times between guest structures and the kernel's nanoseconds. */
#pragma once
#include "base/base.h"
#include "mm/uaccess.h"
#include <sys/time.h>
#include <time.h>

/* The largest time that is counted; longer ones are as good as for ever. */
#define TIME_MAX_NS (INT64_MAX / 2)

static inline int timespec_to_ns(const struct timespec *ts, int64_t *ret)
{
    if (ts->tv_sec < 0 || ts->tv_nsec < 0 || ts->tv_nsec >= NSEC_PER_SEC)
        return -EINVAL;
    *ret = ts->tv_sec >= TIME_MAX_NS / NSEC_PER_SEC ? TIME_MAX_NS : ts->tv_sec * NSEC_PER_SEC + ts->tv_nsec;
    return 0;
}

static inline struct timespec ns_to_timespec(int64_t ns)
{
    return (struct timespec){.tv_sec = ns / NSEC_PER_SEC, .tv_nsec = ns % NSEC_PER_SEC};
}

static inline int timeval_to_ns(const struct timeval *tv, int64_t *ret)
{
    if (tv->tv_sec < 0 || tv->tv_usec < 0 || tv->tv_usec >= 1000000)
        return -EINVAL;
    *ret = tv->tv_sec >= TIME_MAX_NS / NSEC_PER_SEC ? TIME_MAX_NS
                                                    : tv->tv_sec * NSEC_PER_SEC + tv->tv_usec * NSEC_PER_USEC;
    return 0;
}

static inline struct timeval ns_to_timeval(int64_t ns)
{
    return (struct timeval){.tv_sec = ns / NSEC_PER_SEC, .tv_usec = ns % NSEC_PER_SEC / NSEC_PER_USEC};
}

/* A relative struct timespec from the guest, as ns. -EFAULT, -EINVAL. */
NODISCARD int timespec_from_user(uaddr_t from, int64_t *ret);
/* The same, as a deadline for waits; 0 when the time is nothing at all. */
NODISCARD int timeout_from_user(uaddr_t from, int64_t *ret_deadline);
NODISCARD int timespec_to_user(uaddr_t to, int64_t ns);
