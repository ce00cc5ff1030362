/* The clocks of clock_gettime(2), those that count CPU time of a process or thread included. */
#pragma once
#include "base/base.h"
#include <time.h>

struct process;

bool clock_is_known(clockid_t clock);   /* one of the numbered clocks */
bool clock_has_timers(clockid_t clock); /* may clock_nanosleep() and timer_create() use it? */
/* ns; -EINVAL: no such clock, process or thread. */
NODISCARD int clock_read(clockid_t clock, int64_t *ret);
int64_t clock_read_for(clockid_t clock, struct process *p); /* one that has timers; CPU clocks are p's */
int64_t clock_resolution(clockid_t clock);                  /* ns, or -EINVAL */
/* When to look (CLOCK_MONOTONIC) whether `deadline` of this clock, whose time is `now`, has come.
 * */
int64_t clock_wakeup_time(clockid_t clock, struct process *p, int64_t now, int64_t deadline);
