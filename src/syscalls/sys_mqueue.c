/* POSIX message queues: mq_overview(7). */
#include "base/cleanup.h"
#include "ipc/mqueue.h"
#include "mm/uaccess.h"
#include "sched/wait.h"
#include "syscalls/prototypes.h"
#include "syscalls/timespec.h"

int64_t sys_mq_open(const uint64_t *a)
{
    struct mq_attr_guest attr;
    CLEANUP_PATH char *name = NULL;
    if (a[3] && get_user(&attr, a[3]))
        return -EFAULT;
    int err = user_path(a[0], &name);
    return err < 0 ? err : do_mq_open(name, (int)a[1], (uint32_t)a[2], a[3] ? &attr : NULL);
}

int64_t sys_mq_unlink(const uint64_t *a)
{
    CLEANUP_PATH char *name = NULL;
    int err = user_path(a[0], &name);
    return err < 0 ? err : do_mq_unlink(name);
}

/* Absolute CLOCK_REALTIME, as a deadline for waits. */
static int deadline_from_user(uaddr_t from, int64_t *ret)
{
    int64_t when;
    *ret = NO_DEADLINE;
    if (!from)
        return 0;
    int err = timespec_from_user(from, &when);
    if (err == 0)
        *ret = when >= TIME_MAX_NS ? NO_DEADLINE : now_monotonic() + (when - now_realtime());
    return err;
}

int64_t sys_mq_timedsend(const uint64_t *a)
{
    int64_t deadline;
    int err = deadline_from_user(a[4], &deadline);
    return err < 0 ? err : do_mq_send((int)a[0], a[1], a[2], (unsigned)a[3], deadline);
}

int64_t sys_mq_timedreceive(const uint64_t *a)
{
    int64_t deadline;
    int err = deadline_from_user(a[4], &deadline);
    return err < 0 ? err : do_mq_receive((int)a[0], a[1], a[2], a[3], deadline);
}

int64_t sys_mq_notify(const uint64_t *a)
{
    return do_mq_notify((int)a[0], a[1]);
}

int64_t sys_mq_getsetattr(const uint64_t *a)
{
    struct mq_attr_guest fresh, old;
    if (a[1] && get_user(&fresh, a[1]))
        return -EFAULT;
    int64_t ret = do_mq_attr((int)a[0], a[1] ? &fresh : NULL, &old);
    if (ret < 0 || !a[2])
        return ret;
    return put_user(&old, a[2]) ? -EFAULT : 0;
}
