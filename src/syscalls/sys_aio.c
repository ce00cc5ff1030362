/* Linux's asynchronous I/O: io_setup(2) and its family. */
#include "fs/eventfd/eventfd.h"
#include "kernel/aio.h"
#include "kernel/signal.h"
#include "kernel/task.h"
#include "mm/uaccess.h"
#include "syscalls/prototypes.h"
#include "syscalls/timespec.h"
#include <linux/aio_abi.h>

int64_t sys_io_setup(const uint64_t *a)
{
    uint64_t id;
    if (get_user(&id, a[1]))
        return -EFAULT;
    if (id)
        return -EINVAL;
    int64_t err = aio_setup((unsigned)a[0], &id);
    if (err < 0)
        return err;
    if (copy_to_user_partial(a[1], &id, sizeof(id)) == sizeof(id))
        return 0;
    (void)aio_destroy(id);
    return -EFAULT;
}

int64_t sys_io_destroy(const uint64_t *a)
{
    return aio_destroy(a[0]);
}

static int64_t submit_each(struct aio_context *c, int64_t count, uaddr_t list)
{
    int64_t done = 0;
    int err = 0;
    for (; done < count; done++) {
        uint64_t from;
        err = get_user(&from, list + (uint64_t)done * sizeof(from)) ? -EFAULT
                                                                    : aio_submit_one(c, from, eventfd_file);
        if (err < 0)
            break;
    }
    return done ? done : err;
}

int64_t sys_io_submit(const uint64_t *a)
{
    struct aio_context *c;
    int64_t count = (int64_t)a[1];
    if (count < 0)
        return -EINVAL;
    int err = aio_find(a[0], &c);
    if (err < 0)
        return err;
    int64_t ret = submit_each(c, MIN(count, (int64_t)AIO_MAX_NR), a[2]);
    aio_put(c);
    return ret;
}

int64_t sys_io_cancel(const uint64_t *a)
{
    struct aio_context *c;
    uint32_t key;
    if (get_user(&key, a[1] + offsetof(struct iocb, aio_key)))
        return -EFAULT;
    int err = key ? -EINVAL : aio_find(a[0], &c);
    if (err < 0)
        return err;
    int64_t ret = aio_cancel(c, a[1]);
    aio_put(c);
    return ret;
}

static int wait_until(uaddr_t timeout, int64_t *ret_deadline)
{
    struct timespec ts;
    int64_t ns;
    *ret_deadline = NO_DEADLINE;
    if (!timeout)
        return 0;
    if (get_user(&ts, timeout))
        return -EFAULT;
    if (timespec_to_ns(&ts, &ns) < 0)
        ns = 0; /* Linux does not look; a time that has passed is the nearest to what it makes of it */
    *ret_deadline = now_monotonic() + ns;
    return 0;
}

static int64_t get_events(const uint64_t *a, int64_t deadline)
{
    struct aio_context *c;
    int err = aio_find(a[0], &c);
    if (err < 0)
        return err;
    int64_t ret = aio_get_events(c, (int64_t)a[1], (int64_t)a[2], a[3], deadline);
    aio_put(c);
    return ret;
}

int64_t sys_io_getevents(const uint64_t *a)
{
    int64_t deadline;
    int err = wait_until(a[4], &deadline);
    return err < 0 ? err : get_events(a, deadline);
}

struct guest_sigset {
    uint64_t mask, size;
};

int64_t sys_io_pgetevents(const uint64_t *a)
{
    struct guest_sigset set = {0};
    sigmask_t mask;
    int64_t deadline;
    int err = wait_until(a[4], &deadline);
    if (err == 0 && a[5] && get_user(&set, a[5]))
        err = -EFAULT;
    if (err == 0 && set.mask && set.size != sizeof(mask))
        err = -EINVAL;
    if (err == 0 && set.mask && get_user(&mask, set.mask))
        err = -EFAULT;
    if (err < 0)
        return err;
    if (set.mask)
        task_set_temporary_sigmask(current, mask);
    int64_t ret = get_events(a, deadline);
    if (set.mask && ret != -EINTR)
        task_restore_sigmask(current);
    return ret;
}
