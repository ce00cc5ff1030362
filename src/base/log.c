/*
 * The log: formats a line on the stack and hands it to the host in one write(), so that lines of
 * several threads never mix. A line longer than the buffer is cut.
 */
#include "base/log.h"
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static _Atomic int log_fd = STDERR_FILENO;
static _Atomic int log_level = LOG_WARN;

void log_open(int fd, enum log_level level)
{
    atomic_store(&log_fd, fd);
    atomic_store(&log_level, (int)level);
}

bool log_enabled(enum log_level level)
{
    return (int)level <= atomic_load_explicit(&log_level, memory_order_relaxed);
}

/* Out of line: its buffer must not sit in the frames of callers that log nothing. */
static void __attribute__((noinline)) write_line(enum log_level level, const char *fmt, va_list ap)
{
    static const char letters[] = "EWID";
    char line[1024];
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    int n = snprintf(line, sizeof(line), "%c %lld.%06ld ", letters[level], (long long)ts.tv_sec, ts.tv_nsec / 1000);
    int body = vsnprintf(line + n, sizeof(line) - n, fmt, ap);
    n = body < 0 ? n : MIN(n + body, (int)sizeof(line) - 2);
    line[n++] = '\n';
    if (write(atomic_load(&log_fd), line, n) != n) {
        /* a log that cannot be written must not stop the kernel */
    }
}

void log_write(enum log_level level, const char *fmt, ...)
{
    if (!log_enabled(level))
        return;
    int saved_errno = errno;
    va_list ap;
    va_start(ap, fmt);
    write_line(level, fmt, ap);
    va_end(ap);
    errno = saved_errno;
}
