/*
 * The kernel's log. One line a call, with a level and a monotonic time stamp, to the descriptor
 * given to log_open() (stderr until then; nothing below the level is formatted). Safe from any
 * thread. A message that a hostile guest can cause is rate limited by the caller with
 * log_limited().
 */
#pragma once
#include "base/base.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

void log_open(int fd, enum log_level level);
bool log_enabled(enum log_level level);
void log_write(enum log_level level, const char *fmt, ...) PRINTF(2, 3);

#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log_write(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...)                                \
    do {                                              \
        if (log_enabled(LOG_DEBUG))                   \
            log_write(LOG_DEBUG, __VA_ARGS__);        \
    } while (0)

/* True at most `burst` times over the life of the process for each place that calls it. */
#define log_limited(burst)                                       \
    ({                                                           \
        static unsigned count_;                                  \
        __atomic_load_n(&count_, __ATOMIC_RELAXED) < (burst) &&  \
            __atomic_fetch_add(&count_, 1, __ATOMIC_RELAXED) < (burst); \
    })
