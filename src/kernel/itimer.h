/* Interval timers of a process: setitimer(2). */
#pragma once
#include "base/base.h"

struct process;

struct itimer_value {
    int64_t value, interval; /* ns; value 0: disarmed */
};

void itimers_free(struct process *p); /* the process ends: no callback runs afterwards. May be called twice. */
/* which: ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF. */
NODISCARD int itimer_get(struct process *p, int which, struct itimer_value *ret);
NODISCARD int itimer_set(struct process *p, int which, const struct itimer_value *value, struct itimer_value *ret_old);
