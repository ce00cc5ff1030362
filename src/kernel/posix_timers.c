/*
 * POSIX timers. Each owns the one queued signal it can have pending, so that expiry allocates
 * nothing; expiries that find it still queued count as overruns.
 */
#include "kernel/posix_timers.h"
#include "base/strbuf.h"
#include "kernel/clocks.h"
#include "kernel/pid.h"
#include "kernel/task.h"
#include <stdlib.h>

#define TIMERS_MAX 1024 /* in a process, and never more than RLIMIT_SIGPENDING */
#define MIN_INTERVAL \
    (100 * NSEC_PER_USEC) /* faster ones fire this often and count the rest as overruns */

struct posix_timer {
    struct list link;           /* [process sig.lock] */
    int id;                     /* [I] */
    clockid_t clock;            /* [I] */
    struct timer_notify notify; /* [I] */
    struct process *process;    /* [I] weak: the process frees its timers first */
    struct task *task;          /* [I] reference: SIGEV_THREAD_ID, or NULL */
    struct timer timer;
    struct spinlock lock;
    bool busy;                   /* [lock] being set or deleted: the callback leaves it alone */
    int64_t deadline, interval;  /* [lock] in the timer's clock; deadline 0: disarmed */
    struct queued_signal signal; /* [process sig.lock] */
    int64_t overrun;             /* [a] since the signal was queued */
    int last_overrun;            /* [a] of the last one delivered */
};

/* ---- expiry ---- */

/* lock held. */
static void arm(struct posix_timer *pt, int64_t now)
{
    timer_arm(&pt->timer, clock_wakeup_time(pt->clock, pt->process, now, pt->deadline));
}

/* Moves the deadline beyond `now`; returns the extra periods skipped. lock held. */
static int64_t advance(struct posix_timer *pt, int64_t now)
{
    if (!pt->interval) {
        pt->deadline = 0;
        return 0;
    }
    int64_t limit = MAX(now, pt->deadline + MIN(pt->interval, MIN_INTERVAL) - pt->interval);
    if (pt->interval < MIN_INTERVAL)
        limit = now + MIN_INTERVAL;
    int64_t periods = (limit - pt->deadline) / pt->interval + 1;
    pt->deadline += periods * pt->interval;
    return periods - 1;
}

static void fire(struct timer *timer)
{
    struct posix_timer *pt = container_of(timer, struct posix_timer, timer);
    int64_t now = clock_read_for(pt->clock, pt->process), skipped = 0;
    spin_lock(&pt->lock);
    bool armed = !pt->busy && pt->deadline;
    bool expired = armed && now >= pt->deadline;
    if (expired)
        skipped = advance(pt, now);
    if (armed && pt->deadline)
        arm(pt, now);
    spin_unlock(&pt->lock);
    if (!expired || pt->notify.how == SIGEV_NONE)
        return;
    int overrun = signal_send_timer(pt->process, pt->task, &pt->signal);
    __atomic_fetch_add(&pt->overrun, skipped + overrun, __ATOMIC_RELAXED);
}

void posix_timer_signal_taken(void *timer, siginfo_t *info)
{
    struct posix_timer *pt = timer;
    int64_t n = __atomic_exchange_n(&pt->overrun, 0, __ATOMIC_RELAXED);
    pt->last_overrun = (int)MIN(n, (int64_t)INT32_MAX);
    info->si_overrun = pt->last_overrun;
}

/* Stops the callback and keeps it from arming itself again. */
static void quiesce(struct posix_timer *pt)
{
    spin_lock(&pt->lock);
    pt->busy = true;
    spin_unlock(&pt->lock);
    timer_cancel(&pt->timer);
    timer_cancel(
        &pt->timer); /* a callback that ran meanwhile may have armed it before it saw `busy` */
}

/* ---- life ---- */

static void timer_free(struct posix_timer *pt)
{
    quiesce(pt);
    signal_unqueue_timer(pt->process, pt->task, &pt->signal);
    task_put(pt->task);
    free(pt);
}

/* sig.lock held. */
static struct posix_timer *find_locked(struct process *p, int id)
{
    struct posix_timer *pt;
    list_for_each (pt, &p->posix_timers, link)
        if (pt->id == id)
            return pt;
    return NULL;
}

static int find_thread(const struct timer_notify *notify, struct task **ret)
{
    *ret = NULL;
    if (notify->how != SIGEV_THREAD_ID)
        return 0;
    struct task *t = task_find(notify->tid);
    if (!t || t->process != current->process) {
        task_put(t);
        return -EINVAL;
    }
    *ret = t;
    return 0;
}

static int timer_new(clockid_t clock, const struct timer_notify *notify, struct posix_timer **ret)
{
    struct task *target;
    int err = find_thread(notify, &target);
    if (err)
        return err;
    struct posix_timer *pt = calloc(1, sizeof(*pt));
    if (!pt) {
        task_put(target);
        return -EAGAIN;
    }
    list_init(&pt->link);
    list_init(&pt->signal.link);
    spin_init(&pt->lock);
    timer_init(&pt->timer, fire);
    pt->clock = clock;
    pt->notify = *notify;
    pt->process = current->process;
    pt->task = target;
    pt->signal.timer = pt;
    *ret = pt;
    return 0;
}

/* What the signal will carry, once the id is known. */
static void describe_signal(struct posix_timer *pt)
{
    siginfo_t *info = &pt->signal.info;
    info->si_signo = pt->notify.signo;
    info->si_code = SI_TIMER;
    info->si_timerid = pt->id;
    info->si_value.sival_ptr =
        (void *)(pt->notify.value_is_id ? (uint64_t)pt->id : pt->notify.value);
}

int posix_timer_create(clockid_t clock, const struct timer_notify *notify, int *ret_id)
{
    struct process *p = current->process;
    struct posix_timer *pt, *other;
    unsigned count = 0;
    if (!clock_has_timers(clock))
        return clock_is_known(clock) ? -EOPNOTSUPP : -EINVAL;
    int err = timer_new(clock, notify, &pt);
    if (err)
        return err;
    spin_lock(&p->sig.lock);
    list_for_each (other, &p->posix_timers, link)
        count++;
    bool room = count < MIN((uint64_t)TIMERS_MAX, (uint64_t)p->limits.v[RLIMIT_SIGPENDING].cur);
    if (room) {
        while (find_locked(p, p->next_timer_id))
            p->next_timer_id = (p->next_timer_id + 1) & INT32_MAX;
        pt->id = p->next_timer_id;
        p->next_timer_id = (p->next_timer_id + 1) & INT32_MAX;
        describe_signal(pt);
        list_add_tail(&p->posix_timers, &pt->link);
    }
    spin_unlock(&p->sig.lock);
    if (!room) {
        timer_free(pt);
        return -EAGAIN;
    }
    *ret_id = pt->id;
    return 0;
}

/* Takes the timer off the list so that nobody else touches it; put_back() returns it. NULL: no such
 * timer. */
static struct posix_timer *take(int id)
{
    struct process *p = current->process;
    spin_lock(&p->sig.lock);
    struct posix_timer *pt = find_locked(p, id);
    if (pt)
        list_del(&pt->link);
    spin_unlock(&p->sig.lock);
    return pt;
}

static void put_back(struct posix_timer *pt)
{
    struct process *p = pt->process;
    spin_lock(&p->sig.lock);
    list_add_tail(&p->posix_timers, &pt->link);
    spin_unlock(&p->sig.lock);
}

int posix_timer_delete(int id)
{
    struct posix_timer *pt = take(id);
    if (!pt)
        return -EINVAL;
    timer_free(pt);
    return 0;
}

void posix_timers_free(struct process *p)
{
    for (;;) {
        spin_lock(&p->sig.lock);
        struct posix_timer *pt = list_first(&p->posix_timers, struct posix_timer, link);
        if (pt)
            list_del(&pt->link);
        spin_unlock(&p->sig.lock);
        if (!pt)
            return;
        timer_free(pt);
    }
}

/* ---- setting and reading ---- */

/* lock held. */
static void describe(const struct posix_timer *pt, int64_t now, struct timer_setting *ret)
{
    ret->interval = pt->interval;
    ret->value = pt->deadline ? MAX(pt->deadline - now, (int64_t)1) : 0;
}

int posix_timer_set(int id, bool absolute, const struct timer_setting *setting,
                    struct timer_setting *ret_old)
{
    struct posix_timer *pt = take(id);
    if (!pt)
        return -EINVAL;
    quiesce(pt);
    signal_unqueue_timer(pt->process, pt->task, &pt->signal);
    int64_t now = clock_read_for(pt->clock, pt->process);
    spin_lock(&pt->lock);
    describe(pt, now, ret_old);
    pt->overrun = 0;
    pt->interval = setting->interval;
    if (!setting->value)
        pt->deadline = 0;
    else if (absolute)
        pt->deadline = setting->value;
    else
        pt->deadline = setting->value > INT64_MAX - now ? INT64_MAX : now + setting->value;
    pt->busy = false;
    if (pt->deadline)
        arm(pt, now);
    spin_unlock(&pt->lock);
    put_back(pt);
    return 0;
}

int posix_timer_get(int id, struct timer_setting *ret)
{
    struct posix_timer *pt = take(id);
    if (!pt)
        return -EINVAL;
    int64_t now = clock_read_for(pt->clock, pt->process);
    spin_lock(&pt->lock);
    describe(pt, now, ret);
    spin_unlock(&pt->lock);
    put_back(pt);
    return 0;
}

int posix_timer_overrun(int id)
{
    struct posix_timer *pt = take(id);
    if (!pt)
        return -EINVAL;
    int n = pt->last_overrun;
    put_back(pt);
    return n;
}

/* ---- /proc/PID/timers ---- */

struct shown {
    int id;
    clockid_t clock;
    struct timer_notify notify;
    int32_t tid; /* or 0 */
};

static void show_one(const struct shown *t, int32_t pid, struct strbuf *out)
{
    static const char *const how[] = {
        [SIGEV_SIGNAL] = "signal", [SIGEV_NONE] = "none", [SIGEV_THREAD] = "thread"};
    unsigned kind = (unsigned)t->notify.how & ~(unsigned)SIGEV_THREAD_ID;
    strbuf_printf(out, "ID: %d\nsignal: %d/%016llx\nnotify: %s/%s.%d\nClockID: %d\n", t->id,
                  t->notify.signo, (unsigned long long)t->notify.value,
                  kind < ARRAY_SIZE(how) ? how[kind] : "signal", t->tid ? "tid" : "pid",
                  t->tid ? t->tid : pid, (int)t->clock);
}

void posix_timers_show(struct process *p, struct pid_namespace *ns, struct strbuf *out)
{
    struct posix_timer *pt;
    struct shown found[32]; /* so many are shown: nothing is allocated under the lock */
    size_t count = 0;
    spin_lock(&p->sig.lock);
    list_for_each (pt, &p->posix_timers, link) {
        if (count == ARRAY_SIZE(found))
            break;
        found[count++] = (struct shown){.id = pt->id,
                                        .clock = pt->clock,
                                        .notify = pt->notify,
                                        .tid = pt->task ? pid_number_in(pt->task->pid, ns) : 0};
    }
    spin_unlock(&p->sig.lock);
    for (size_t i = 0; i < count; i++)
        show_one(&found[i], pid_number_in(p->pid, ns), out);
}
