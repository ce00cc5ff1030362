/*
 * Files that signal events: eventfd(2), timerfd_create(2) and family, signalfd(2), memfd_create(2).
 */
#include "fs/eventfd/eventfd.h"
#include "fs/memfd/memfd.h"
#include "fs/signalfd/signalfd.h"
#include "fs/timerfd/timerfd.h"
#include "base/cleanup.h"
#include "kernel/fdtable.h"
#include "mm/uaccess.h"
#include "syscalls/prototypes.h"
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

/* A number for a fresh file; consumes it. All the *_CLOEXEC flags are O_CLOEXEC. */
static int64_t install(int err, struct file *file, bool cloexec)
{
    if (err < 0)
        return err;
    int fd = fd_install(file, cloexec ? O_CLOEXEC : 0);
    if (fd < 0)
        file_put(file);
    return fd;
}

/* ---- eventfd ---- */

static int64_t do_eventfd(unsigned count, unsigned flags)
{
    struct file *file = NULL;
    if (flags & ~(unsigned)(EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE))
        return -EINVAL;
    int err = eventfd_new(count, flags, &file);
    return install(err, file, flags & EFD_CLOEXEC);
}

int64_t sys_eventfd(const uint64_t *a)
{
    return do_eventfd((unsigned)a[0], 0);
}

int64_t sys_eventfd2(const uint64_t *a)
{
    return do_eventfd((unsigned)a[0], (unsigned)a[1]);
}

/* ---- timerfd ---- */

int64_t sys_timerfd_create(const uint64_t *a)
{
    struct file *file = NULL;
    unsigned flags = (unsigned)a[1];
    if (flags & ~(unsigned)(TFD_CLOEXEC | TFD_NONBLOCK))
        return -EINVAL;
    int err = timerfd_new((int)a[0], flags, &file);
    return install(err, file, flags & TFD_CLOEXEC);
}

static int time_from_guest(const struct timespec *ts, int64_t *ret)
{
    if (ts->tv_sec < 0 || ts->tv_nsec < 0 || ts->tv_nsec >= NSEC_PER_SEC)
        return -EINVAL;
    if (__builtin_mul_overflow(ts->tv_sec, NSEC_PER_SEC, ret) || __builtin_add_overflow(*ret, ts->tv_nsec, ret))
        *ret = INT64_MAX - 1;
    return 0;
}

static int setting_to_guest(const struct timerfd_setting *s, uaddr_t addr)
{
    struct itimerspec its = {
        .it_value = {s->value / NSEC_PER_SEC, s->value % NSEC_PER_SEC},
        .it_interval = {s->interval / NSEC_PER_SEC, s->interval % NSEC_PER_SEC},
    };
    return put_user(&its, addr);
}

int64_t sys_timerfd_settime(const uint64_t *a)
{
    CLEANUP_FILE struct file *file = NULL;
    struct itimerspec its;
    struct timerfd_setting setting, old;
    int flags = (int)a[1];
    int err = get_user(&its, a[2]);
    if (err == 0 && (flags & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)))
        err = -EINVAL;
    if (err == 0)
        err = time_from_guest(&its.it_value, &setting.value);
    if (err == 0)
        err = time_from_guest(&its.it_interval, &setting.interval);
    if (err == 0)
        err = fd_file((int)a[0], &file);
    if (err == 0)
        err = timerfd_set(file, flags & TFD_TIMER_ABSTIME, &setting, &old);
    if (err == 0 && a[3])
        err = setting_to_guest(&old, a[3]);
    return err;
}

int64_t sys_timerfd_gettime(const uint64_t *a)
{
    CLEANUP_FILE struct file *file = NULL;
    struct timerfd_setting now;
    int err = fd_file((int)a[0], &file);
    if (err == 0)
        err = timerfd_get(file, &now);
    return err < 0 ? err : setting_to_guest(&now, a[1]);
}

/* ---- signalfd ---- */

static int64_t do_signalfd(int fd, uaddr_t mask_addr, uint64_t size, unsigned flags)
{
    CLEANUP_FILE struct file *old = NULL;
    struct file *file = NULL;
    sigmask_t mask;
    if (size != sizeof(mask) || (flags & ~(unsigned)(SFD_CLOEXEC | SFD_NONBLOCK)))
        return -EINVAL;
    int err = get_user(&mask, mask_addr);
    if (err < 0)
        return err;
    if (fd == -1) {
        err = signalfd_new(mask, flags, &file);
        return install(err, file, flags & SFD_CLOEXEC);
    }
    err = fd_file(fd, &old);
    if (err == 0)
        err = signalfd_set_mask(old, mask);
    return err < 0 ? err : fd;
}

int64_t sys_signalfd(const uint64_t *a)
{
    return do_signalfd((int)a[0], a[1], a[2], 0);
}

int64_t sys_signalfd4(const uint64_t *a)
{
    return do_signalfd((int)a[0], a[1], a[2], (unsigned)a[3]);
}

/* ---- memfd ---- */

int64_t sys_memfd_create(const uint64_t *a)
{
    char name[MEMFD_NAME_MAX + 1];
    struct file *file = NULL;
    if (memfd_check_flags((unsigned)a[1]) < 0)
        return -EINVAL;
    ssize_t len = copy_string_from_user(name, a[0], sizeof(name));
    if (len < 0)
        return len == -ENAMETOOLONG ? -EINVAL : len;
    int err = memfd_new(name, (unsigned)a[1], &file);
    return install(err, file, a[1] & MFD_CLOEXEC);
}
