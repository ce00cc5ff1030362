/*
 * What guest tests share: checks that say what failed and go on; main() ends with `return check_done();`.
 */
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Bad addresses and sizes are what many tests are about. */
#pragma GCC diagnostic ignored "-Wstringop-overflow"
#pragma GCC diagnostic ignored "-Wstringop-overread"
#pragma GCC diagnostic ignored "-Wnonnull"
#pragma GCC diagnostic ignored "-Wunused-result"

static int check_failures;

#define CHECK(cond)                                                                                        \
    do {                                                                                                   \
        if (!(cond)) {                                                                                     \
            printf("%s:%d: not true: %s (errno %d, %s)\n", __FILE__, __LINE__, #cond, errno, strerror(errno)); \
            check_failures++;                                                                              \
        }                                                                                                  \
    } while (0)

#define CHECK_EQ(a, b)                                                                                     \
    do {                                                                                                   \
        long long a_ = (long long)(a), b_ = (long long)(b);                                                \
        if (a_ != b_) {                                                                                    \
            printf("%s:%d: %s is %lld, not %lld (errno %d)\n", __FILE__, __LINE__, #a, a_, b_, errno);     \
            check_failures++;                                                                              \
        }                                                                                                  \
    } while (0)

/* The call fails with this errno. */
#define CHECK_ERR(call, err)                                                                               \
    do {                                                                                                   \
        errno = 0;                                                                                         \
        long long r_ = (long long)(call);                                                                  \
        if (r_ != -1 || errno != (err)) {                                                                  \
            printf("%s:%d: %s gives %lld, errno %d, not %d\n", __FILE__, __LINE__, #call, r_, errno, (err)); \
            check_failures++;                                                                              \
        }                                                                                                  \
    } while (0)

static inline int check_done(void)
{
    return check_failures != 0;
}

static inline double check_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static inline void check_sleep_ms(int ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000L};
    nanosleep(&t, NULL);
}

/* Exit status of a child, or 128 + its signal. */
static inline int check_wait(pid_t pid)
{
    int status;
    if (waitpid(pid, &status, 0) != pid)
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
