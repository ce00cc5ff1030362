/*
 * Clocks. Wall clocks are the host's: the guest's vDSO reads the same ones. CPU clocks are sums
 * over host threads. Dynamic clock ids encode a pid or tid: (~id << 3) | kind, kind with bit 2 set
 * for a thread (clock_getcpuclockid(3)).
 */
#include "kernel/clocks.h"
#include "kernel/pid.h"

#define CPU_POLL_MIN (100 * NSEC_PER_USEC)

bool clock_is_known(clockid_t clock)
{
    return clock >= CLOCK_REALTIME && clock <= CLOCK_TAI && clock != 10;
}

bool clock_has_timers(clockid_t clock)
{
    return clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC || clock == CLOCK_BOOTTIME ||
           clock == CLOCK_TAI || clock == CLOCK_PROCESS_CPUTIME_ID;
}

static int64_t host_clock(clockid_t clock)
{
    struct timespec ts;
    if (clock_gettime(clock, &ts))
        return 0;
    return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

static int64_t process_clock(struct process *p)
{
    struct cpu_times times;
    spin_lock(&tasklist_lock);
    process_cpu_times(p, &times);
    spin_unlock(&tasklist_lock);
    return times.user + times.system;
}

static int64_t thread_clock(struct task *t)
{
    struct cpu_times times;
    task_cpu_times(t, &times);
    return times.user + times.system;
}

/* A clock named by a pid or tid; 0 is the caller. */
static int dynamic_clock(clockid_t clock, int64_t *ret)
{
    int32_t id = ~(clock >> 3);
    bool thread = clock & 4;
    if ((clock & 3) == 3) /* a device's */
        return -EINVAL;
    if (thread) {
        struct task *t = id ? task_find(id) : task_get(current);
        bool own = t && t->process == current->process;
        if (own)
            *ret = thread_clock(t);
        task_put(t);
        return own ? 0 : -EINVAL;
    }
    struct process *p = id ? process_find(id) : process_get(current->process);
    if (!p)
        return -EINVAL;
    *ret = process_clock(p);
    process_put(p);
    return 0;
}

int clock_read(clockid_t clock, int64_t *ret)
{
    if (clock < 0)
        return dynamic_clock(clock, ret);
    if (!clock_is_known(clock))
        return -EINVAL;
    if (clock == CLOCK_THREAD_CPUTIME_ID)
        *ret = thread_clock(current);
    else
        *ret = clock_read_for(clock, current->process);
    return 0;
}

int64_t clock_read_for(clockid_t clock, struct process *p)
{
    return clock == CLOCK_PROCESS_CPUTIME_ID ? process_clock(p) : host_clock(clock);
}

int64_t clock_resolution(clockid_t clock)
{
    int64_t ignored;
    if (clock < 0)
        return dynamic_clock(clock, &ignored) ? -EINVAL : 1;
    if (!clock_is_known(clock))
        return -EINVAL;
    return clock == CLOCK_REALTIME_COARSE || clock == CLOCK_MONOTONIC_COARSE ? 4 * NSEC_PER_MSEC
                                                                             : 1;
}

int64_t clock_wakeup_time(clockid_t clock, struct process *p, int64_t now, int64_t deadline)
{
    int64_t rest = deadline > now ? deadline - now : 0, at = now_monotonic();
    if (clock == CLOCK_PROCESS_CPUTIME_ID) {
        int64_t threads = p->task_count ? p->task_count : 1;
        rest = MAX(rest / threads, CPU_POLL_MIN);
    }
    return rest > INT64_MAX - 1 - at ? INT64_MAX - 1 : at + rest;
}
