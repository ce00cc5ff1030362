/*
 * timerfd: a timer whose expirations are counted and read.
 *
 * The kernel timer fires once and is set again only when somebody reads (or asks): what a periodic
 * timer missed meanwhile is computed, so that one nobody looks at costs no wake-ups.
 *
 * Locks: set_lock (mutex) serialises arming, since cancelling may wait for the callback; lock
 * protects the numbers.
 *
 * DEVIATION: a timer on CLOCK_REALTIME is converted to CLOCK_MONOTONIC when set and doesn't follow
 * later steps of the host's clock; TFD_TIMER_CANCEL_ON_SET is accepted, and never cancels: the
 * sandbox can't set the clock.
 */
#include "fs/timerfd/timerfd.h"
#include "kernel/cred.h"
#include "mm/uaccess.h"
#include "sched/timer.h"
#include <linux/capability.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/timerfd.h>
#include <time.h>

#ifndef TFD_IOC_SET_TICKS
#define TFD_IOC_SET_TICKS _IOW('T', 0, uint64_t)
#endif

struct timerfd {
    struct mutex set_lock;
    struct spinlock lock;
    struct timer timer;
    int64_t deadline;  /* [lock] monotonic; when it fires, or fired last */
    int64_t interval;  /* [lock] */
    uint64_t ticks;    /* [lock] expirations not yet read */
    bool armed;        /* [lock] the timer is pending */
    bool fired;        /* [lock] a periodic timer has fired and waits to be set again */
    int clock;         /* [I] */
    int settime_flags; /* [lock] for fdinfo */
    struct wait_queue queue;
};

static const struct file_ops timerfd_ops;

static bool clock_is_real(int clock)
{
    return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_ALARM;
}

static int64_t boottime_offset(void)
{
    struct timespec boot, mono;
    clock_gettime(CLOCK_BOOTTIME, &boot);
    clock_gettime(CLOCK_MONOTONIC, &mono);
    return (boot.tv_sec - mono.tv_sec) * NSEC_PER_SEC + boot.tv_nsec - mono.tv_nsec;
}

/* What to add to a monotonic time to get the clock's. */
static int64_t clock_offset(int clock)
{
    if (clock_is_real(clock))
        return now_realtime() - now_monotonic();
    return clock == CLOCK_MONOTONIC ? 0 : boottime_offset();
}

static void timer_fired(struct timer *timer)
{
    struct timerfd *t = container_of(timer, struct timerfd, timer);
    spin_lock(&t->lock);
    t->armed = false;
    t->fired = true;
    t->ticks++;
    spin_unlock(&t->lock);
    wake_poll(&t->queue, EPOLLIN);
}

/* A periodic timer that has fired: counts the periods missed and sets it again. lock held. */
static void catch_up_locked(struct timerfd *t)
{
    if (!t->fired || t->interval == 0)
        return;
    int64_t late = now_monotonic() - t->deadline;
    int64_t periods = late > 0 ? late / t->interval : 0;
    t->ticks += (uint64_t)periods;
    t->deadline += (periods + 1) * t->interval;
    t->fired = false;
    t->armed = true;
    timer_arm(&t->timer, t->deadline);
}

static uint64_t take_ticks(struct timerfd *t)
{
    spin_lock(&t->lock);
    if (t->ticks > 0)
        catch_up_locked(t);
    uint64_t ticks = t->ticks;
    t->ticks = 0;
    spin_unlock(&t->lock);
    return ticks;
}

static ssize_t timerfd_read(struct file *file, struct uio *to, int64_t *pos)
{
    struct timerfd *t = file->private_data;
    if (to->remaining < sizeof(uint64_t))
        return -EINVAL;
    uint64_t ticks = take_ticks(t);
    if (ticks == 0) {
        if (file_nonblock(file))
            return -EAGAIN;
        int err = wait_event_interruptible(&t->queue, (ticks = take_ticks(t)) != 0);
        if (err < 0)
            return err;
    }
    return uio_put(to, &ticks, sizeof(ticks));
}

static uint32_t timerfd_poll(struct file *file, struct poll_table *table)
{
    struct timerfd *t = file->private_data;
    poll_wait(table, &t->queue);
    spin_lock(&t->lock);
    bool expired = t->ticks > 0;
    spin_unlock(&t->lock);
    return expired ? EPOLLIN : 0;
}

static int64_t timerfd_ioctl(struct file *file, unsigned cmd, uaddr_t arg)
{
    struct timerfd *t = file->private_data;
    uint64_t ticks;
    if (cmd != TFD_IOC_SET_TICKS)
        return -ENOTTY;
    int err = get_user(&ticks, arg);
    if (err < 0)
        return err;
    if (ticks == 0)
        return -EINVAL;
    spin_lock(&t->lock);
    t->ticks = ticks;
    spin_unlock(&t->lock);
    wake_poll(&t->queue, EPOLLIN);
    return 0;
}

static void left_locked(struct timerfd *t, struct timerfd_setting *ret)
{
    catch_up_locked(t);
    ret->interval = t->interval;
    ret->value = 0;
    if (t->armed)
        ret->value = MAX(t->deadline - now_monotonic(), (int64_t)1); /* 0 would say disarmed */
}

int timerfd_get(struct file *file, struct timerfd_setting *ret)
{
    if (file->ops != &timerfd_ops)
        return -EINVAL;
    struct timerfd *t = file->private_data;
    spin_lock(&t->lock);
    left_locked(t, ret);
    spin_unlock(&t->lock);
    return 0;
}

static int64_t deadline_of(const struct timerfd *t, bool absolute, int64_t value)
{
    int64_t base = absolute ? -clock_offset(t->clock) : now_monotonic();
    int64_t deadline;
    if (__builtin_add_overflow(base, value, &deadline))
        return INT64_MAX - 1;
    return deadline;
}

int timerfd_set(struct file *file, bool absolute, const struct timerfd_setting *setting,
                struct timerfd_setting *ret_old)
{
    if (file->ops != &timerfd_ops)
        return -EINVAL;
    struct timerfd *t = file->private_data;
    MUTEX_GUARD(&t->set_lock);
    spin_lock(&t->lock);
    left_locked(t, ret_old);
    spin_unlock(&t->lock);
    timer_cancel(&t->timer);
    spin_lock(&t->lock);
    t->ticks = 0;
    t->fired = false;
    t->interval = setting->interval;
    t->armed = setting->value != 0;
    t->settime_flags = absolute ? TFD_TIMER_ABSTIME : 0;
    if (t->armed) {
        t->deadline = deadline_of(t, absolute, setting->value);
        timer_arm(&t->timer, t->deadline);
    }
    spin_unlock(&t->lock);
    return 0;
}

static void timerfd_release(struct file *file)
{
    struct timerfd *t = file->private_data;
    timer_cancel(&t->timer);
    free(t);
}

static void timerfd_show(struct file *file, struct strbuf *out)
{
    struct timerfd *t = file->private_data;
    struct timerfd_setting s;
    spin_lock(&t->lock);
    uint64_t ticks = t->ticks;
    int flags = t->settime_flags;
    left_locked(t, &s);
    spin_unlock(&t->lock);
    strbuf_printf(out,
                  "clockid: %d\nticks: %llu\nsettime flags: 0%o\nit_value: (%llu, %llu)\nit_interval: (%llu, %llu)\n",
                  t->clock, (unsigned long long)ticks, (unsigned)flags, (unsigned long long)(s.value / NSEC_PER_SEC),
                  (unsigned long long)(s.value % NSEC_PER_SEC), (unsigned long long)(s.interval / NSEC_PER_SEC),
                  (unsigned long long)(s.interval % NSEC_PER_SEC));
}

static const struct file_ops timerfd_ops = {
    .read = timerfd_read,
    .poll = timerfd_poll,
    .ioctl = timerfd_ioctl,
    .release = timerfd_release,
    .show_fdinfo = timerfd_show,
    .lseek_is_noop = true,
    .stream = true,
};

static int check_clock(int clock)
{
    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_MONOTONIC:
    case CLOCK_BOOTTIME:
        return 0;
    case CLOCK_REALTIME_ALARM:
    case CLOCK_BOOTTIME_ALARM:
        return capable(CAP_WAKE_ALARM) ? 0 : -EPERM;
    default:
        return -EINVAL;
    }
}

int timerfd_new(int clock, unsigned flags, struct file **ret)
{
    int err = check_clock(clock);
    if (err < 0)
        return err;
    struct timerfd *t = calloc(1, sizeof(*t));
    if (!t)
        return -ENOMEM;
    mutex_init(&t->set_lock);
    wait_queue_init(&t->queue);
    timer_init(&t->timer, timer_fired);
    t->clock = clock;
    err = file_new_anon("anon_inode:[timerfd]", 0600, &timerfd_ops, t, O_RDWR | (flags & O_NONBLOCK), ret);
    if (err < 0)
        free(t);
    return err;
}
