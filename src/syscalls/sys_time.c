/* Clocks, sleeping, timers. */
#include "kernel/clocks.h"
#include "kernel/itimer.h"
#include "kernel/posix_timers.h"
#include "kernel/task.h"
#include "mm/uaccess.h"
#include "syscalls/prototypes.h"
#include "syscalls/timespec.h"
#include <linux/capability.h>

int timespec_from_user(uaddr_t from, int64_t *ret)
{
    struct timespec ts;
    return get_user(&ts, from) ? -EFAULT : timespec_to_ns(&ts, ret);
}

int timeout_from_user(uaddr_t from, int64_t *ret_deadline)
{
    int64_t ns;
    int err = timespec_from_user(from, &ns);
    if (!err)
        *ret_deadline = ns ? now_monotonic() + ns : 0;
    return err;
}

int timespec_to_user(uaddr_t to, int64_t ns)
{
    struct timespec ts = ns_to_timespec(ns);
    return put_user(&ts, to);
}

/* ---- reading clocks ---- */

int64_t sys_clock_gettime(const uint64_t *a)
{
    int64_t now;
    int err = clock_read((clockid_t)a[0], &now);
    return err ? err : timespec_to_user(a[1], now);
}

int64_t sys_clock_getres(const uint64_t *a)
{
    int64_t ns = clock_resolution((clockid_t)a[0]);
    return ns < 0 || !a[1] ? MIN(ns, (int64_t)0) : timespec_to_user(a[1], ns);
}

int64_t sys_gettimeofday(const uint64_t *a)
{
    struct timeval tv = ns_to_timeval(now_realtime());
    struct timezone tz = {0};
    int err = a[0] ? put_user(&tv, a[0]) : 0;
    return err || !a[1] ? err : put_user(&tz, a[1]);
}

int64_t sys_time(const uint64_t *a)
{
    int64_t seconds = now_realtime() / NSEC_PER_SEC;
    int err = a[0] ? put_user(&seconds, a[0]) : 0;
    return err ? err : seconds;
}

/* The host's clock is not the container's to set. */
static int64_t refuse_setting(void)
{
    return -EPERM;
}

int64_t sys_clock_settime(const uint64_t *a)
{
    int64_t ns;
    if ((clockid_t)a[0] != CLOCK_REALTIME)
        return -EINVAL;
    int err = timespec_from_user(a[1], &ns);
    return err ? err : refuse_setting();
}

int64_t sys_settimeofday(const uint64_t *a)
{
    return refuse_setting();
}

int64_t sys_times(const uint64_t *a)
{
    struct process *p = current->process;
    struct cpu_times own, children;
    spin_lock(&tasklist_lock);
    process_cpu_times(p, &own);
    children = p->child_times;
    spin_unlock(&tasklist_lock);
    const int64_t tick = NSEC_PER_SEC / 100;
    int64_t v[4] = {own.user / tick, own.system / tick, children.user / tick,
                    children.system / tick};
    int err = a[0] ? copy_to_user(a[0], v, sizeof(v)) : 0;
    return err ? err : now_monotonic() / tick;
}

/* ---- sleeping ---- */

/* Sleeps until `deadline` of the clock. */
static int sleep_on_clock(clockid_t clock, int64_t deadline)
{
    struct process *p = current->process;
    for (;;) {
        int64_t now = clock_read_for(clock, p);
        if (now >= deadline)
            return 0;
        int err = sleep_until(clock_wakeup_time(clock, p, now, deadline));
        if (err)
            return err;
    }
}

/* After a stop or an ignored signal the rest is slept; a handler ends the sleep, and the rest is
 * reported. */
static int64_t sleep_again(struct restart_block *r)
{
    clockid_t clock = (clockid_t)r->args[0];
    int err = sleep_on_clock(clock, r->deadline);
    if (!err)
        return 0;
    int64_t rest = r->deadline - clock_read_for(clock, current->process);
    if (rest <= 0)
        return 0;
    if (r->args[1] && timespec_to_user(r->args[1], rest))
        return -EFAULT;
    return -ERESTART_RESTARTBLOCK;
}

static int64_t sleep_for(clockid_t clock, int64_t ns, uaddr_t rest)
{
    struct restart_block *r = &current->restart;
    r->func = sleep_again;
    r->args[0] = (uint64_t)clock;
    r->args[1] = rest;
    r->deadline = clock_read_for(clock, current->process) + ns;
    return sleep_again(r);
}

int64_t sys_nanosleep(const uint64_t *a)
{
    int64_t ns;
    int err = timespec_from_user(a[0], &ns);
    return err ? err : sleep_for(CLOCK_MONOTONIC, ns, a[1]);
}

int64_t sys_clock_nanosleep(const uint64_t *a)
{
    clockid_t clock = (clockid_t)a[0];
    int64_t ns;
    if (!clock_has_timers(clock))
        return clock_is_known(clock) ? (clock == CLOCK_THREAD_CPUTIME_ID ? -EINVAL : -EOPNOTSUPP)
                                     : -EINVAL;
    int err = timespec_from_user(a[2], &ns);
    if (err)
        return err;
    if ((int)a[1] & TIMER_ABSTIME)
        return sleep_on_clock(clock, ns) ? -ERESTARTNOHAND : 0;
    return sleep_for(clock, ns, a[3]);
}

/* ---- interval timers ---- */

static int put_itimer(uaddr_t to, const struct itimer_value *v)
{
    struct itimerval out = {.it_value = ns_to_timeval(v->value),
                            .it_interval = ns_to_timeval(v->interval)};
    return put_user(&out, to);
}

int64_t sys_getitimer(const uint64_t *a)
{
    struct itimer_value v;
    int err = itimer_get(current->process, (int)a[0], &v);
    return err ? err : put_itimer(a[1], &v);
}

int64_t sys_setitimer(const uint64_t *a)
{
    struct itimerval in = {0};
    struct itimer_value v, old;
    if (a[1] && get_user(&in, a[1]))
        return -EFAULT;
    int err = timeval_to_ns(&in.it_value, &v.value);
    if (!err)
        err = timeval_to_ns(&in.it_interval, &v.interval);
    if (!err)
        err = itimer_set(current->process, (int)a[0], &v, &old);
    return err || !a[2] ? err : put_itimer(a[2], &old);
}

int64_t sys_alarm(const uint64_t *a)
{
    struct itimer_value v = {.value = (int64_t)(uint32_t)a[0] * NSEC_PER_SEC}, old;
    int err = itimer_set(current->process, ITIMER_REAL, &v, &old);
    if (err)
        return err;
    int64_t seconds = (old.value + NSEC_PER_SEC / 2) / NSEC_PER_SEC;
    return old.value && !seconds ? 1 : seconds;
}

/* ---- POSIX timers ---- */

/* struct sigevent's first fields, as the kernel reads them. */
struct guest_sigevent {
    uint64_t value;
    int32_t signo, notify, tid;
    int32_t pad[11];
};

static int notify_from_user(uaddr_t from, struct timer_notify *ret)
{
    struct guest_sigevent ev;
    if (!from) {
        *ret = (struct timer_notify){.how = SIGEV_SIGNAL, .signo = SIGALRM, .value_is_id = true};
        return 0;
    }
    if (get_user(&ev, from))
        return -EFAULT;
    *ret = (struct timer_notify){
        .how = ev.notify, .signo = ev.signo, .value = ev.value, .tid = ev.tid};
    if (ev.notify != SIGEV_SIGNAL && ev.notify != SIGEV_NONE && ev.notify != SIGEV_THREAD_ID)
        return -EINVAL;
    if (ev.notify != SIGEV_NONE && (ev.signo <= 0 || ev.signo > SIGNAL_COUNT))
        return -EINVAL;
    return 0;
}

int64_t sys_timer_create(const uint64_t *a)
{
    struct timer_notify notify;
    int32_t id;
    clockid_t clock = (clockid_t)a[0];
    int err = notify_from_user(a[1], &notify);
    if (err == -EFAULT)
        return err;
    if (clock == CLOCK_REALTIME_COARSE || clock == CLOCK_MONOTONIC_COARSE || clock == CLOCK_MONOTONIC_RAW)
        return -EOPNOTSUPP;
    if (!err)
        err = posix_timer_create((clockid_t)a[0], &notify, &id);
    return err ? err : put_user(&id, a[2]);
}

static int put_setting(uaddr_t to, const struct timer_setting *s)
{
    struct itimerspec out = {.it_value = ns_to_timespec(s->value),
                             .it_interval = ns_to_timespec(s->interval)};
    return put_user(&out, to);
}

int64_t sys_timer_settime(const uint64_t *a)
{
    struct itimerspec in;
    struct timer_setting setting, old;
    if (!a[2])
        return -EINVAL;
    if (get_user(&in, a[2]))
        return -EFAULT;
    int err = timespec_to_ns(&in.it_value, &setting.value);
    if (!err)
        err = timespec_to_ns(&in.it_interval, &setting.interval);
    if (!err)
        err = posix_timer_set((int)a[0], (int)a[1] & TIMER_ABSTIME, &setting, &old);
    return err || !a[3] ? err : put_setting(a[3], &old);
}

int64_t sys_timer_gettime(const uint64_t *a)
{
    struct timer_setting setting;
    int err = posix_timer_get((int)a[0], &setting);
    return err ? err : put_setting(a[1], &setting);
}

int64_t sys_timer_getoverrun(const uint64_t *a)
{
    return posix_timer_overrun((int)a[0]);
}

int64_t sys_timer_delete(const uint64_t *a)
{
    return posix_timer_delete((int)a[0]);
}
