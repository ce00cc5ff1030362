/*
 * Interval timers: ITIMER_REAL in wall time, ITIMER_VIRTUAL and ITIMER_PROF in CPU time.
 *
 * A timer in CPU time looks at the clock when it could have run out at the earliest, that is after
 * the rest divided by the number of threads, and again until it has.
 */
#include "kernel/itimer.h"
#include "kernel/task.h"
#include <stdlib.h>
#include <sys/time.h>

#define ITIMERS 3
#define MIN_INTERVAL \
    (100 * NSEC_PER_USEC) /* how often a timer fires at most: the signal is pending anyway */

struct itimer {
    struct timer timer;
    struct process *process; /* [I] weak: itimers_free() comes first */
    int which;               /* [I] */
    struct spinlock lock;
    bool busy;                  /* [lock] being set: the callback leaves it alone */
    int64_t deadline, interval; /* [lock] in the timer's own clock; deadline 0: disarmed */
};

struct itimers {
    struct itimer t[ITIMERS];
};

static const int signals[ITIMERS] = {SIGALRM, SIGVTALRM, SIGPROF};

static int64_t clock_now(struct itimer *it, unsigned *ret_threads)
{
    struct cpu_times times;
    *ret_threads = 1;
    if (it->which == ITIMER_REAL)
        return now_monotonic();
    spin_lock(&tasklist_lock);
    process_cpu_times(it->process, &times);
    *ret_threads = MAX(it->process->task_count, 1u);
    spin_unlock(&tasklist_lock);
    return it->which == ITIMER_PROF ? times.user + times.system : times.user;
}

/* lock held. */
static void arm(struct itimer *it, int64_t now, unsigned threads)
{
    int64_t rest = MAX(it->deadline - now, 0);
    if (it->which == ITIMER_REAL)
        timer_arm(&it->timer, it->deadline);
    else
        timer_arm(&it->timer, now_monotonic() + MAX(rest / threads, MIN_INTERVAL));
}

static void fire(struct timer *timer)
{
    struct itimer *it = container_of(timer, struct itimer, timer);
    unsigned threads;
    int64_t now = clock_now(it, &threads);
    spin_lock(&it->lock);
    bool armed = !it->busy && it->deadline;
    bool expired = armed && now >= it->deadline;
    if (expired && it->interval) {
        int64_t step = MAX(it->interval, MIN_INTERVAL);
        it->deadline += step;
        if (it->deadline <= now)
            it->deadline += (now - it->deadline) / step * step + step;
    } else if (expired) {
        it->deadline = 0;
    }
    if (armed && it->deadline)
        arm(it, now, threads);
    spin_unlock(&it->lock);
    if (expired)
        (void)signal_send_process(it->process, signals[it->which], NULL);
}

static int itimers_make(struct process *p)
{
    if (__atomic_load_n(&p->itimers, __ATOMIC_ACQUIRE))
        return 0;
    struct itimers *all = calloc(1, sizeof(*all)), *none = NULL;
    if (!all)
        return -ENOMEM;
    for (int i = 0; i < ITIMERS; i++) {
        all->t[i].process = p;
        all->t[i].which = i;
        spin_init(&all->t[i].lock);
        timer_init(&all->t[i].timer, fire);
    }
    if (!__atomic_compare_exchange_n(&p->itimers, &none, all, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE))
        free(all);
    return 0;
}

/* Stops the callback and keeps it from arming itself again. */
static void quiesce(struct itimer *it)
{
    spin_lock(&it->lock);
    it->busy = true;
    spin_unlock(&it->lock);
    timer_cancel(&it->timer);
    timer_cancel(
        &it->timer); /* a callback that ran meanwhile may have armed it before it saw `busy` */
}

void itimers_free(struct process *p)
{
    struct itimers *all = p->itimers;
    if (!all)
        return;
    for (int i = 0; i < ITIMERS; i++)
        quiesce(&all->t[i]);
    p->itimers = NULL;
    free(all);
}

/* lock held. */
static void describe(const struct itimer *it, int64_t now, struct itimer_value *ret)
{
    ret->interval = it->interval;
    ret->value = it->deadline ? MAX(it->deadline - now, NSEC_PER_USEC) : 0;
}

int itimer_get(struct process *p, int which, struct itimer_value *ret)
{
    if (which < 0 || which >= ITIMERS)
        return -EINVAL;
    int err = itimers_make(p);
    if (err)
        return err;
    struct itimer *it = &p->itimers->t[which];
    unsigned threads;
    int64_t now = clock_now(it, &threads);
    spin_lock(&it->lock);
    describe(it, now, ret);
    spin_unlock(&it->lock);
    return 0;
}

int itimer_set(struct process *p, int which, const struct itimer_value *value,
               struct itimer_value *ret_old)
{
    if (which < 0 || which >= ITIMERS)
        return -EINVAL;
    int err = itimers_make(p);
    if (err)
        return err;
    struct itimer *it = &p->itimers->t[which];
    quiesce(it);
    unsigned threads;
    int64_t now = clock_now(it, &threads);
    spin_lock(&it->lock);
    describe(it, now, ret_old);
    it->interval = value->interval;
    it->deadline =
        value->value ? (value->value > INT64_MAX - now ? INT64_MAX : now + value->value) : 0;
    it->busy = false;
    if (it->deadline)
        arm(it, now, threads);
    spin_unlock(&it->lock);
    return 0;
}
