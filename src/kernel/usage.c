/*
 * Resource use.
 * DEVIATION: a guest's system calls are carried out by Picket's own threads, so all of a task's CPU
 * time is user time; faults, context switches and block operations are not counted (the host knows
 * them for the stub process only).
 */
#include "kernel/usage.h"
#include "mm/mm.h"
#include <string.h>

/* Who asks more often gets the same answer: it costs several host calls. */
#define MEASURE_INTERVAL (2 * NSEC_PER_MSEC)

static struct timeval to_timeval(int64_t ns)
{
    return (struct timeval){.tv_sec = ns / NSEC_PER_SEC,
                            .tv_usec = ns % NSEC_PER_SEC / NSEC_PER_USEC};
}

void usage_from_times(struct rusage *ret, const struct cpu_times *times)
{
    memset(ret, 0, sizeof(*ret));
    ret->ru_utime = to_timeval(times->user);
    ret->ru_stime = to_timeval(times->system);
}

long usage_peak(struct task *t)
{
    struct process *p = t->process;
    struct memory_usage u;
    int64_t now = now_monotonic();
    if (p->measured_at && now - p->measured_at < MEASURE_INTERVAL)
        return p->max_rss;
    p->measured_at = now;
    if (mm_usage(t->mm, &u))
        p->max_rss = MAX(p->max_rss, (long)u.peak);
    return p->max_rss;
}

int usage_of_current(int who, struct rusage *ret)
{
    struct task *t = current;
    struct cpu_times times;
    if (who == RUSAGE_THREAD) {
        task_cpu_times(t, &times);
    } else if (who == RUSAGE_SELF || who == RUSAGE_CHILDREN) {
        spin_lock(&tasklist_lock);
        if (who == RUSAGE_SELF)
            process_cpu_times(t->process, &times);
        else
            times = t->process->child_times;
        spin_unlock(&tasklist_lock);
    } else {
        return -EINVAL;
    }
    usage_from_times(ret, &times);
    if (who == RUSAGE_CHILDREN)
        ret->ru_maxrss = t->process->child_max_rss;
    else
        ret->ru_maxrss = usage_peak(t);
    return 0;
}
