/*
 * epoll_create(2), epoll_ctl(2), epoll_wait(2) and their variants.
 */
#include "fs/epoll/epoll.h"
#include "kernel/fdtable.h"
#include "kernel/signal.h"
#include "kernel/task.h"
#include "mm/uaccess.h"
#include "syscalls/prototypes.h"
#include <limits.h>
#include <stdlib.h>

#define INLINE_EVENTS 16

static int64_t do_epoll_create(unsigned flags)
{
    struct file *file;
    int err = epoll_new(&file);
    if (err < 0)
        return err;
    int fd = fd_install(file, flags);
    if (fd < 0)
        file_put(file);
    return fd;
}

int64_t sys_epoll_create(const uint64_t *a)
{
    return (int)a[0] <= 0 ? -EINVAL : do_epoll_create(0);
}

int64_t sys_epoll_create1(const uint64_t *a)
{
    return (int)a[0] & ~EPOLL_CLOEXEC ? -EINVAL : do_epoll_create((unsigned)a[0] & O_CLOEXEC);
}

int64_t sys_epoll_ctl(const uint64_t *a)
{
    CLEANUP_FILE struct file *set_file = NULL, *file = NULL;
    struct epoll_event event = {0};
    int op = (int)a[1];
    int err = op != EPOLL_CTL_DEL ? get_user(&event, a[3]) : 0;
    if (err == 0)
        err = fd_file((int)a[0], &set_file);
    if (err == 0)
        err = fd_file((int)a[2], &file);
    if (err < 0)
        return err;
    if (!file->ops->poll)
        return -EPERM;
    struct epoll *set = epoll_of(set_file);
    if (!set || set_file == file)
        return -EINVAL;
    return epoll_control(set, op, (int)a[2], file, &event);
}

static int64_t wait_on(struct epoll *set, uaddr_t addr, int max, int64_t deadline)
{
    struct epoll_event small[INLINE_EVENTS];
    int room = MIN(max, (int)MAX(set->count, (unsigned)INLINE_EVENTS)); /* more than that can't be ready */
    CLEANUP_FREE struct epoll_event *large = room > INLINE_EVENTS ? malloc((size_t)room * sizeof(*large)) : NULL;
    struct epoll_event *events = large ? large : small;
    int n = epoll_wait_events(set, events, large ? room : MIN(room, INLINE_EVENTS), deadline);
    if (n <= 0)
        return n;
    int err = copy_to_user(addr, events, (size_t)n * sizeof(*events));
    return err < 0 ? err : n;
}

static int64_t do_epoll_wait(int fd, uaddr_t addr, int max, int64_t deadline)
{
    CLEANUP_FILE struct file *file = NULL;
    int err = fd_file(fd, &file);
    if (err < 0)
        return err;
    if (max <= 0 || max > INT_MAX / (int)sizeof(struct epoll_event))
        return -EINVAL;
    if (!access_ok(addr, (size_t)max * sizeof(struct epoll_event)))
        return -EFAULT;
    struct epoll *set = epoll_of(file);
    return set ? wait_on(set, addr, max, deadline) : -EINVAL;
}

static int64_t deadline_from_ms(int timeout)
{
    if (timeout < 0)
        return NO_DEADLINE;
    return timeout == 0 ? 0 : now_monotonic() + timeout * NSEC_PER_MSEC;
}

int64_t sys_epoll_wait(const uint64_t *a)
{
    return do_epoll_wait((int)a[0], a[1], (int)a[2], deadline_from_ms((int)a[3]));
}

static int64_t with_mask(const uint64_t *a, int64_t deadline)
{
    sigmask_t mask;
    if (a[4]) {
        if (a[5] != sizeof(mask))
            return -EINVAL;
        int err = get_user(&mask, a[4]);
        if (err < 0)
            return err;
        task_set_temporary_sigmask(current, mask);
    }
    int64_t result = do_epoll_wait((int)a[0], a[1], (int)a[2], deadline);
    if (a[4] && result != -EINTR)
        task_restore_sigmask(current);
    return result;
}

int64_t sys_epoll_pwait(const uint64_t *a)
{
    return with_mask(a, deadline_from_ms((int)a[3]));
}

int64_t sys_epoll_pwait2(const uint64_t *a)
{
    struct timespec ts;
    if (!a[3])
        return with_mask(a, NO_DEADLINE);
    int err = get_user(&ts, a[3]);
    if (err < 0)
        return err;
    if (ts.tv_sec < 0 || ts.tv_nsec < 0 || ts.tv_nsec >= NSEC_PER_SEC)
        return -EINVAL;
    if (ts.tv_sec == 0 && ts.tv_nsec == 0)
        return with_mask(a, 0);
    int64_t ns;
    if (__builtin_mul_overflow(ts.tv_sec, NSEC_PER_SEC, &ns) || __builtin_add_overflow(ns, ts.tv_nsec, &ns) ||
        __builtin_add_overflow(ns, now_monotonic(), &ns))
        ns = NO_DEADLINE;
    return with_mask(a, ns);
}
