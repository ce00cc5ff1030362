/*
 * For guest tests: CHECK() a condition, else print it with errno and exit 1. child() runs a
 * function in a forked child; exits_with() and dies_by() wait for it.
 */
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHECK(cond)                                                                                    \
    do {                                                                                               \
        if (!(cond)) {                                                                                 \
            int check_errno_ = errno;                                                                  \
            dprintf(2, "%s:%d: %s (errno %d: %s)\n", __FILE__, __LINE__, #cond, check_errno_,          \
                    strerror(check_errno_));                                                           \
            _exit(1);                                                                                  \
        }                                                                                              \
    } while (0)
#define CHECK_ERR(call, err) CHECK((call) == -1 && errno == (err))

/* A child that runs fn and exits with its result. */
__attribute__((unused)) static pid_t child(int (*fn)(void))
{
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0)
        _exit(fn());
    return pid;
}

__attribute__((unused)) static int wait_for(pid_t pid)
{
    int status;
    pid_t got;
    do
        got = waitpid(pid, &status, 0);
    while (got < 0 && errno == EINTR);
    CHECK(got == pid);
    return status;
}

#define exits_with(pid, code)                                                                      \
    do {                                                                                           \
        int status_ = wait_for(pid);                                                               \
        if (!WIFEXITED(status_) || WEXITSTATUS(status_) != (code)) {                               \
            dprintf(2, "%s:%d: wait status %#x, expected exit %d\n", __FILE__, __LINE__, status_, (code)); \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)
#define dies_by(pid, sig)                                                                          \
    do {                                                                                           \
        int status_ = wait_for(pid);                                                               \
        if (!WIFSIGNALED(status_) || WTERMSIG(status_) != (sig)) {                                 \
            dprintf(2, "%s:%d: wait status %#x, expected signal %d\n", __FILE__, __LINE__, status_, (sig)); \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

__attribute__((unused)) static void sleep_ms(long ms)
{
    struct timespec ts = {ms / 1000, ms % 1000 * 1000000};
    while (nanosleep(&ts, &ts) && errno == EINTR)
        ;
}

__attribute__((unused)) static int64_t clock_ms(clockid_t clock)
{
    struct timespec ts;
    CHECK(clock_gettime(clock, &ts) == 0);
    return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}
