/*
 * Requests of asynchronous I/O: what a struct iocb asks for, checked and done. A poll that finds nothing yet goes on in
 * a fiber, which cancelling interrupts.
 */
#include "base/cleanup.h"
#include "kernel/aio_private.h"
#include "kernel/fdtable.h"
#include "kernel/task.h"
#include "mm/uaccess.h"
#include "vfs/file.h"
#include "vfs/poll_many.h"
#include <stdlib.h>

#ifndef IOCB_FLAG_IOPRIO
#define IOCB_FLAG_IOPRIO 2
#endif
#define CMD_POLL 5
#define RWF_KNOWN 0x1f

struct aio_poll {
    struct list link; /* [context lock] */
    struct aio_context *context; /* reference */
    struct file *file, *eventfd; /* references; eventfd may be NULL */
    struct fiber *fiber;
    uint64_t data;
    uaddr_t iocb;
    uint32_t events;
    bool cancelled; /* [context lock] */
};

/* ---- reading, writing, syncing ---- */

static int init_uio(const struct iocb *io, bool vectored, struct uio *u)
{
    int err = 0;
    if (vectored)
        err = uio_init_iovec(u, io->aio_buf, io->aio_nbytes);
    else
        uio_init_user(u, io->aio_buf, io->aio_nbytes);
    u->sync = true; /* the result goes into an event: it must be the true one */
    return err;
}

/* 0 and the request's result, or -errno for io_submit itself. */
static int do_rw(struct file *f, const struct iocb *io, bool writing, bool vectored, int64_t *ret_result)
{
    CLEANUP_UIO struct uio u = {0};
    if (writing ? !file_writable(f) : !file_readable(f))
        return -EBADF;
    if (writing ? !f->ops->write : !f->ops->read)
        return -EINVAL;
    if ((unsigned)io->aio_rw_flags & ~(unsigned)RWF_KNOWN)
        return -EOPNOTSUPP;
    if (io->aio_offset < 0 && !f->ops->stream)
        return -EINVAL;
    int err = init_uio(io, vectored, &u);
    if (err < 0)
        return err;
    ssize_t n;
    if (writing)
        n = f->ops->stream ? vfs_write(f, &u) : vfs_pwrite(f, &u, io->aio_offset);
    else
        n = f->ops->stream ? vfs_read(f, &u) : vfs_pread(f, &u, io->aio_offset);
    *ret_result = n == -ERESTARTSYS ? -EINTR : n;
    return 0;
}

static int do_sync(struct file *f, const struct iocb *io, bool data_only, int64_t *ret_result)
{
    if (io->aio_buf || io->aio_offset || io->aio_nbytes || io->aio_rw_flags || !f->ops->fsync)
        return -EINVAL;
    *ret_result = vfs_fsync(f, data_only);
    return 0;
}

/* ---- polling ---- */

static void poll_free(struct aio_poll *p)
{
    file_put(p->file);
    if (p->eventfd)
        file_put(p->eventfd);
    aio_put(p->context);
    free(p);
}

static void poll_main(void *arg)
{
    struct aio_poll *p = arg;
    struct poll_item item = {.file = p->file, .wanted = p->events};
    int ready = poll_many(&item, 1, NO_DEADLINE);
    mutex_lock(&p->context->lock);
    list_del(&p->link);
    mutex_unlock(&p->context->lock);
    aio_complete(p->context, p->data, p->iocb, ready > 0 ? (int64_t)item.got : 0, p->eventfd);
    poll_free(p);
}

void aio_cancel_polls(struct aio_context *c)
{
    struct aio_poll *p;
    list_for_each (p, &c->polls, link)
        fiber_interrupt(p->fiber);
}

static int start_poll(struct aio_context *c, struct file *f, const struct iocb *io, uaddr_t from, struct file *eventfd)
{
    if (io->aio_buf > UINT16_MAX || io->aio_offset || io->aio_nbytes || io->aio_rw_flags || !f->ops->poll)
        return -EINVAL;
    struct aio_poll *p = calloc(1, sizeof(*p));
    struct fiber *fiber = p ? fiber_new("aio poll", poll_main, p) : NULL;
    if (!fiber) {
        free(p);
        return -ENOMEM;
    }
    refcount_get(&c->ref);
    *p = (struct aio_poll){.context = c,
                           .file = file_get(f),
                           .eventfd = eventfd ? file_get(eventfd) : NULL,
                           .fiber = fiber,
                           .data = io->aio_data,
                           .iocb = from,
                           .events = (uint32_t)io->aio_buf | EPOLLERR | EPOLLHUP};
    mutex_lock(&c->lock);
    list_add_tail(&c->polls, &p->link);
    mutex_unlock(&c->lock);
    fiber_start(fiber);
    return 0;
}

int64_t aio_cancel(struct aio_context *c, uaddr_t from)
{
    struct aio_poll *p;
    MUTEX_GUARD(&c->lock);
    list_for_each (p, &c->polls, link)
        if (p->iocb == from && !p->cancelled) {
            p->cancelled = true;
            fiber_interrupt(p->fiber);
            return -EINPROGRESS;
        }
    return -EINVAL;
}

/* ---- one request ---- */

static bool reserve(struct aio_context *c)
{
    MUTEX_GUARD(&c->lock);
    if (c->dead || c->active + c->count >= c->max)
        return false;
    c->active++;
    return true;
}

static void unreserve(struct aio_context *c)
{
    mutex_lock(&c->lock);
    c->active--;
    mutex_unlock(&c->lock);
    wake_all(&c->queue);
}

static int run_request(struct aio_context *c, struct file *f, const struct iocb *io, uaddr_t from, struct file *eventfd)
{
    int64_t result = 0;
    int err;
    switch (io->aio_lio_opcode) {
    case IOCB_CMD_PREAD:
    case IOCB_CMD_PREADV:
        err = do_rw(f, io, false, io->aio_lio_opcode == IOCB_CMD_PREADV, &result);
        break;
    case IOCB_CMD_PWRITE:
    case IOCB_CMD_PWRITEV:
        err = do_rw(f, io, true, io->aio_lio_opcode == IOCB_CMD_PWRITEV, &result);
        break;
    case IOCB_CMD_FSYNC:
    case IOCB_CMD_FDSYNC:
        err = do_sync(f, io, io->aio_lio_opcode == IOCB_CMD_FDSYNC, &result);
        break;
    case CMD_POLL:
        return start_poll(c, f, io, from, eventfd);
    default:
        return -EINVAL;
    }
    if (err == 0)
        aio_complete(c, io->aio_data, from, result, eventfd);
    return err;
}

static int start_request(struct aio_context *c, const struct iocb *io, uaddr_t from,
                         int (*eventfd_of)(int fd, struct file **ret))
{
    CLEANUP_FILE struct file *f = NULL, *eventfd = NULL;
    const uint32_t key = 0;
    int err = fd_file((int)io->aio_fildes, &f);
    if (err == 0 && io->aio_flags & IOCB_FLAG_RESFD)
        err = eventfd_of((int)io->aio_resfd, &eventfd);
    if (err == 0 && copy_to_user(from + offsetof(struct iocb, aio_key), &key, sizeof(key)))
        err = -EFAULT;
    return err < 0 ? err : run_request(c, f, io, from, eventfd);
}

int aio_submit_one(struct aio_context *c, uaddr_t from, int (*eventfd_of)(int fd, struct file **ret))
{
    struct iocb io;
    if (get_user(&io, from))
        return -EFAULT;
    if (io.aio_reserved2 || (int64_t)io.aio_nbytes < 0)
        return -EINVAL;
    if (!reserve(c))
        return -EAGAIN;
    int err = start_request(c, &io, from, eventfd_of);
    if (err < 0)
        unreserve(c);
    return err;
}
