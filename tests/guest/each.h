/*
 * For tests that go through a manual page line by line: a check that fails is printed and counted, and the rest goes
 * on. main() ends with `return each_failed();`.
 */
#pragma once
#include "check.h"

static int each_failures;

#define IS(expr, want)                                                                                     \
    do {                                                                                                   \
        errno = 0;                                                                                         \
        long long is_got_ = (long long)(expr), is_want_ = (long long)(want);                               \
        if (is_got_ != is_want_) {                                                                         \
            int is_errno_ = errno;                                                                         \
            dprintf(2, "%s:%d: %s is %lld, expected %lld (errno %d: %s)\n", __FILE__, __LINE__, #expr, is_got_, \
                    is_want_, is_errno_, strerror(is_errno_));                                             \
            each_failures++;                                                                               \
        }                                                                                                  \
    } while (0)

#define FAILS(expr, want)                                                                                  \
    do {                                                                                                   \
        errno = 0;                                                                                         \
        long long fails_got_ = (long long)(expr);                                                          \
        int fails_errno_ = errno;                                                                          \
        if (fails_got_ != -1 || fails_errno_ != (want)) {                                                  \
            dprintf(2, "%s:%d: %s gives %lld (%s), expected %s\n", __FILE__, __LINE__, #expr, fails_got_,   \
                    strerror(fails_errno_), strerror(want));                                               \
            each_failures++;                                                                               \
        }                                                                                                  \
    } while (0)

#define HOLDS(cond) IS(!!(cond), 1)

__attribute__((unused)) static int each_failed(void)
{
    return each_failures ? 1 : 0;
}
