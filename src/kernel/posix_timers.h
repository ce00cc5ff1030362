/* POSIX per-process timers: timer_create(2). */
#pragma once
#include "kernel/signal.h"
#include <time.h>

struct process;

/* As timer_create's struct sigevent, decoded. */
struct timer_notify {
    int how;        /* SIGEV_SIGNAL, SIGEV_NONE, SIGEV_THREAD_ID */
    int signo;
    uint64_t value;
    bool value_is_id; /* no sigevent given: the value is the timer's id */
    int32_t tid;    /* SIGEV_THREAD_ID */
};

struct timer_setting {
    int64_t value, interval; /* ns */
};

NODISCARD int posix_timer_create(clockid_t clock, const struct timer_notify *notify, int *ret_id);
NODISCARD int posix_timer_set(int id, bool absolute, const struct timer_setting *setting,
                              struct timer_setting *ret_old);
NODISCARD int posix_timer_get(int id, struct timer_setting *ret);
NODISCARD int posix_timer_overrun(int id);
NODISCARD int posix_timer_delete(int id);
/* /proc/PID/timers. */
struct strbuf;
struct pid_namespace;
void posix_timers_show(struct process *p, struct pid_namespace *ns, struct strbuf *out);
void posix_timers_free(struct process *p); /* exec, exit */
/* signal.c, under sig.lock: the timer's queued signal is being delivered; fills si_overrun. */
void posix_timer_signal_taken(void *timer, siginfo_t *info);
