/*
 * The watch over RLIMIT_CPU. Processes without a limit have none. The timer looks at the CPU time
 * when the limit could have been reached at the earliest, and again until it has been.
 */
#include "kernel/cpu_limit.h"
#include "kernel/signal_private.h"
#include "kernel/task.h"

#define LOOK_MIN (1 * NSEC_PER_MSEC)

struct cpu_limit {
    struct timer timer;
    struct process *process; /* [I] weak: cpu_limit_free() comes first */
    struct spinlock lock;
    bool stopped;         /* [lock] being freed */
    int64_t next_warning; /* [lock] CPU time of the next SIGXCPU; 0: the soft limit */
};

static int64_t limit_ns(uint64_t seconds)
{
    if (seconds >= INT64_MAX / NSEC_PER_SEC)
        return INT64_MAX;
    return (int64_t)MAX(seconds, (uint64_t)1) * NSEC_PER_SEC; /* 0 counts as 1, as on Linux */
}

static int64_t used_by(struct process *p, int64_t *ret_threads)
{
    struct cpu_times times;
    spin_lock(&tasklist_lock);
    process_cpu_times(p, &times);
    *ret_threads = MAX(p->task_count, 1u);
    spin_unlock(&tasklist_lock);
    return times.user + times.system;
}

/* When to look again; lock held. */
static void arm(struct cpu_limit *l, int64_t used, int64_t threads, int64_t soft, int64_t hard)
{
    int64_t next = MIN(l->next_warning ? l->next_warning : soft, hard);
    if (l->stopped || next == INT64_MAX)
        return;
    int64_t rest = next > used ? next - used : 0;
    timer_arm(&l->timer, now_monotonic() + MAX(rest / threads, LOOK_MIN));
}

static void look(struct timer *timer)
{
    struct cpu_limit *l = container_of(timer, struct cpu_limit, timer);
    struct process *p = l->process;
    int64_t threads, used = used_by(p, &threads);
    int64_t soft = limit_ns(p->limits.v[RLIMIT_CPU].cur),
            hard = limit_ns(p->limits.v[RLIMIT_CPU].max);
    spin_lock(&l->lock);
    bool kill = used >= hard;
    bool warn = !kill && used >= (l->next_warning ? l->next_warning : soft);
    if (warn)
        l->next_warning = used - used % NSEC_PER_SEC + NSEC_PER_SEC;
    if (!kill)
        arm(l, used, threads, soft, hard);
    spin_unlock(&l->lock);
    if (kill)
        process_kill_group(p, SIGKILL);
    else if (warn)
        (void)signal_send_process(p, SIGXCPU, NULL);
}

static struct cpu_limit *limit_make(struct process *p)
{
    struct cpu_limit *l = __atomic_load_n(&p->cpu_limit, __ATOMIC_ACQUIRE);
    if (l)
        return l;
    struct cpu_limit *fresh = calloc(1, sizeof(*fresh));
    if (!fresh)
        return NULL;
    fresh->process = p;
    spin_init(&fresh->lock);
    timer_init(&fresh->timer, look);
    if (__atomic_compare_exchange_n(&p->cpu_limit, &l, fresh, false, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE))
        return fresh;
    free(fresh);
    return l;
}

void cpu_limit_update(struct process *p)
{
    uint64_t cur = p->limits.v[RLIMIT_CPU].cur, max = p->limits.v[RLIMIT_CPU].max;
    if (cur == RLIM_INFINITY && max == RLIM_INFINITY && !p->cpu_limit)
        return;
    struct cpu_limit *l = limit_make(p);
    if (!l)
        return;
    int64_t threads, used = used_by(p, &threads);
    spin_lock(&l->lock);
    l->next_warning = 0;
    arm(l, used, threads, limit_ns(cur), limit_ns(max));
    spin_unlock(&l->lock);
}

void cpu_limit_free(struct process *p)
{
    struct cpu_limit *l = p->cpu_limit;
    if (!l)
        return;
    spin_lock(&l->lock);
    l->stopped = true;
    spin_unlock(&l->lock);
    timer_cancel(&l->timer);
    timer_cancel(
        &l->timer); /* a callback that ran meanwhile may have armed it before it saw `stopped` */
    p->cpu_limit = NULL;
    free(l);
}
