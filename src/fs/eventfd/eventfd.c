/*
 * eventfd: a 64-bit counter that is a file.
 *
 * write(2) adds to it, read(2) takes all of it (or one, as a semaphore). Readers wait while it is
 * 0, writers while their sum would not fit. The counter lives as long as its open file.
 *
 * Locks: lock protects count; nothing is called under it.
 */
#include "fs/eventfd/eventfd.h"
#include "kernel/fdtable.h"
#include <stdlib.h>
#include <sys/eventfd.h>

#define COUNT_MAX (UINT64_MAX - 1)

struct eventfd {
    struct spinlock lock;
    uint64_t count; /* [lock] */
    bool semaphore; /* [I] */
    int id;         /* [I] for /proc/PID/fdinfo */
    struct wait_queue queue;
};

/* Takes from the counter: what a read returns, or 0 if there is nothing. */
static uint64_t counter_take(struct eventfd *e)
{
    spin_lock(&e->lock);
    uint64_t taken = e->semaphore ? e->count > 0 : e->count;
    e->count -= taken;
    spin_unlock(&e->lock);
    return taken;
}

static bool counter_add(struct eventfd *e, uint64_t n)
{
    spin_lock(&e->lock);
    bool fits = n <= COUNT_MAX - e->count;
    if (fits)
        e->count += n;
    spin_unlock(&e->lock);
    return fits;
}

static ssize_t counter_read(struct file *file, struct uio *to, int64_t *pos)
{
    struct eventfd *e = file->private_data;
    if (to->remaining < sizeof(uint64_t))
        return -EINVAL;
    uint64_t value = counter_take(e);
    if (value == 0) {
        if (file_nonblock(file))
            return -EAGAIN;
        int err = wait_event_interruptible(&e->queue, (value = counter_take(e)) != 0);
        if (err < 0)
            return err;
    }
    wake_poll(&e->queue, EPOLLOUT);
    return uio_put(to, &value, sizeof(value));
}

static ssize_t counter_write(struct file *file, struct uio *from, int64_t *pos)
{
    struct eventfd *e = file->private_data;
    uint64_t value;
    if (from->remaining < sizeof(value))
        return -EINVAL;
    if (uio_take(from, &value, sizeof(value)) != sizeof(value))
        return -EFAULT;
    if (value == UINT64_MAX)
        return -EINVAL;
    if (!counter_add(e, value)) {
        if (file_nonblock(file))
            return -EAGAIN;
        int err = wait_event_interruptible(&e->queue, counter_add(e, value));
        if (err < 0)
            return err;
    }
    wake_poll(&e->queue, EPOLLIN);
    return sizeof(value);
}

static uint32_t counter_poll(struct file *file, struct poll_table *table)
{
    struct eventfd *e = file->private_data;
    poll_wait(table, &e->queue);
    spin_lock(&e->lock);
    uint64_t count = e->count;
    spin_unlock(&e->lock);
    return (count > 0 ? EPOLLIN : 0) | (count < COUNT_MAX ? EPOLLOUT : 0);
}

static void eventfd_release(struct file *file)
{
    free(file->private_data);
}

static void eventfd_show(struct file *file, struct strbuf *out)
{
    struct eventfd *e = file->private_data;
    spin_lock(&e->lock);
    uint64_t count = e->count;
    spin_unlock(&e->lock);
    strbuf_printf(out, "eventfd-count: %16llx\neventfd-id: %d\neventfd-semaphore: %d\n", (unsigned long long)count,
                  e->id, e->semaphore);
}

static const struct file_ops eventfd_ops = {
    .read = counter_read,
    .write = counter_write,
    .poll = counter_poll,
    .release = eventfd_release,
    .show_fdinfo = eventfd_show,
    .lseek_is_noop = true,
    .stream = true,
};

int eventfd_new(unsigned count, unsigned flags, struct file **ret)
{
    static _Atomic int next_id;
    struct eventfd *e = calloc(1, sizeof(*e));
    if (!e)
        return -ENOMEM;
    e->count = count;
    e->semaphore = flags & EFD_SEMAPHORE;
    e->id = next_id++;
    wait_queue_init(&e->queue);
    int err = file_new_anon("anon_inode:[eventfd]", 0600, &eventfd_ops, e, O_RDWR | (flags & O_NONBLOCK), ret);
    if (err < 0)
        free(e);
    return err;
}

int eventfd_file(int fd, struct file **ret)
{
    CLEANUP_FILE struct file *file = NULL;
    int err = fd_file(fd, &file);
    if (err == 0 && file->ops != &eventfd_ops)
        err = -EINVAL;
    if (err == 0)
        *ret = TAKE_PTR(file);
    return err;
}
