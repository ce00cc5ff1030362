/*
 * Sending to and receiving from POSIX message queues: mq_send(3), mq_receive(3).
 *
 * A receiver that finds the queue empty waits in q->receivers and is handed its message by the sender; a sender that
 * finds it full waits in q->senders with its message, which the next receiver moves into the queue for it. Locks: the
 * queue's.
 */
#include "ipc/mqueue_private.h"
#include "kernel/fdtable.h"
#include "kernel/task.h"
#include "mm/uaccess.h"
#include <stdlib.h>

struct mq_waiter {
    struct ipc_waiter wait;
    struct mq_message *message; /* a sender's own; what a receiver got */
};

int mqueue_file(int fd, int mask, struct file **ret)
{
    CLEANUP_FILE struct file *file = NULL;
    if (fd_file(fd, &file) < 0 || file->ops != &mqueue_file_ops)
        return -EBADF;
    if ((mask & MAY_READ && !file_readable(file)) || (mask & MAY_WRITE && !file_writable(file)))
        return -EBADF;
    *ret = TAKE_PTR(file);
    return 0;
}

/* ---- the queue ---- */

static void insert(struct mqueue *q, struct mq_message *m)
{
    struct list *at = &q->messages;
    while (at->prev != &q->messages && list_entry(at->prev, struct mq_message, link)->priority < m->priority)
        at = at->prev;
    list_add_tail(at, &m->link);
    q->count++;
    q->bytes += m->size;
}

static struct mq_message *take_first(struct mqueue *q)
{
    struct mq_message *m = list_first(&q->messages, struct mq_message, link);
    list_del(&m->link);
    q->count--;
    q->bytes -= m->size;
    return m;
}

static struct mq_waiter *first_waiter(struct list *waiters)
{
    struct ipc_waiter *w = list_first(waiters, struct ipc_waiter, link);
    return w ? container_of(w, struct mq_waiter, wait) : NULL;
}

static int sleep_on(struct mqueue *q, struct list *waiters, struct mq_waiter *w, int64_t deadline)
{
    ipc_waiter_init(&w->wait);
    list_add_tail(waiters, &w->wait.link);
    return ipc_wait_locked(&q->lock, &w->wait, deadline);
}

/* ---- sending ---- */

static int message_read(uaddr_t from, uint64_t size, unsigned priority, struct mq_message **ret)
{
    CLEANUP_FREE struct mq_message *m = malloc(sizeof(*m) + size);
    if (!m)
        return -ENOMEM;
    list_init(&m->link);
    m->priority = priority;
    m->size = size;
    if (copy_from_user(m->text, from, size))
        return -EFAULT;
    *ret = TAKE_PTR(m);
    return 0;
}

/* Consumes the message on success. */
static int send_locked(struct mqueue *q, struct mq_message *m, bool nonblock, int64_t deadline)
{
    struct mq_waiter *receiver = first_waiter(&q->receivers);
    q->inode.attr.mtime = q->inode.attr.ctime = vfs_now();
    if (q->count == q->maxmsg) {
        struct mq_waiter self = {.message = m};
        return nonblock ? -EAGAIN : sleep_on(q, &q->senders, &self, deadline);
    }
    if (receiver) {
        receiver->message = m;
        ipc_settle(&receiver->wait, 0);
        return 0;
    }
    insert(q, m);
    if (q->count == 1)
        mqueue_tell_owner(q);
    return 0;
}

int64_t do_mq_send(int fd, uaddr_t text, uint64_t size, unsigned priority, int64_t deadline)
{
    CLEANUP_FILE struct file *file = NULL;
    CLEANUP_FREE struct mq_message *m = NULL;
    if (priority >= MQ_PRIORITIES)
        return -EINVAL;
    int err = mqueue_file(fd, MAY_WRITE, &file);
    if (err < 0)
        return err;
    struct mqueue *q = mqueue_of(file->inode);
    if (size > (uint64_t)q->msgsize)
        return -EMSGSIZE;
    err = message_read(text, size, priority, &m);
    if (err < 0)
        return err;
    mutex_lock(&q->lock);
    err = send_locked(q, m, file_nonblock(file), deadline);
    mutex_unlock(&q->lock);
    if (err < 0)
        return err;
    (void)TAKE_PTR(m);
    wake_poll(&q->poll_queue, EPOLLIN | EPOLLRDNORM);
    return 0;
}

/* ---- receiving ---- */

static int receive_locked(struct mqueue *q, bool nonblock, int64_t deadline, struct mq_message **ret)
{
    struct mq_waiter *sender = first_waiter(&q->senders);
    if (q->count == 0) {
        struct mq_waiter self = {.message = NULL};
        int err = nonblock ? -EAGAIN : sleep_on(q, &q->receivers, &self, deadline);
        *ret = self.message;
        return err;
    }
    *ret = take_first(q);
    q->inode.attr.atime = q->inode.attr.ctime = vfs_now();
    if (sender) {
        insert(q, sender->message);
        ipc_settle(&sender->wait, 0);
    }
    return 0;
}

int64_t do_mq_receive(int fd, uaddr_t text, uint64_t size, uaddr_t ret_priority, int64_t deadline)
{
    CLEANUP_FILE struct file *file = NULL;
    CLEANUP_FREE struct mq_message *m = NULL;
    int err = mqueue_file(fd, MAY_READ, &file);
    if (err < 0)
        return err;
    struct mqueue *q = mqueue_of(file->inode);
    if (size < (uint64_t)q->msgsize)
        return -EMSGSIZE;
    mutex_lock(&q->lock);
    err = receive_locked(q, file_nonblock(file), deadline, &m);
    mutex_unlock(&q->lock);
    if (err < 0)
        return err;
    wake_poll(&q->poll_queue, EPOLLOUT | EPOLLWRNORM);
    if ((ret_priority && put_user(&m->priority, ret_priority)) || copy_to_user(text, m->text, m->size))
        return -EFAULT;
    return (int64_t)m->size;
}

/* ---- attributes ---- */

int64_t do_mq_attr(int fd, const struct mq_attr_guest *fresh, struct mq_attr_guest *ret_old)
{
    CLEANUP_FILE struct file *file = NULL;
    if (fresh && fresh->flags & ~(int64_t)O_NONBLOCK)
        return -EINVAL;
    int err = mqueue_file(fd, 0, &file);
    if (err < 0)
        return err;
    struct mqueue *q = mqueue_of(file->inode);
    MUTEX_GUARD(&q->lock);
    *ret_old = (struct mq_attr_guest){
        .flags = file->flags & O_NONBLOCK, .maxmsg = q->maxmsg, .msgsize = q->msgsize, .curmsgs = q->count};
    if (!fresh)
        return 0;
    if (fresh->flags & O_NONBLOCK)
        atomic_fetch_or(&file->flags, (uint32_t)O_NONBLOCK);
    else
        atomic_fetch_and(&file->flags, ~(uint32_t)O_NONBLOCK);
    return 0;
}
