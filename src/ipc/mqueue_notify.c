/*
 * mq_notify(3): one process asks to be told when a message arrives in an empty queue, once. SIGEV_THREAD is the C
 * library's: it waits on a netlink socket for a cookie of its own, whose last byte says what happened.
 */
#include "ipc/mqueue_private.h"
#include "kernel/fdtable.h"
#include "kernel/pid.h"
#include "kernel/task.h"
#include "mm/uaccess.h"
#include <signal.h>
#include <string.h>

#define COOKIE_WOKEN_UP 1
#define COOKIE_REMOVED 2

int (*mqueue_post)(struct file *socket, const void *bytes, size_t n);

static void post_cookie(struct mq_notify *n, char what)
{
    n->cookie[NOTIFY_COOKIE_LEN - 1] = what;
    (void)mqueue_post(n->socket, n->cookie, sizeof(n->cookie));
}

static void clear(struct mqueue *q)
{
    if (q->notify.socket)
        file_put(q->notify.socket);
    pid_put(q->notify.owner);
    q->notify = (struct mq_notify){0};
}

static void send_signal(const struct mqueue *q)
{
    const struct mq_notify *n = &q->notify;
    siginfo_t info;
    siginfo_user(&info, n->signo, SI_MESGQ);
    info.si_value.sival_ptr = (void *)(uintptr_t)n->value;
    spin_lock(&tasklist_lock);
    struct process *owner = n->owner->process;
    info.si_pid = pid_number_in(current->process->pid, n->owner->ns);
    if (owner)
        (void)signal_send_process_locked(owner, n->signo, &info);
    spin_unlock(&tasklist_lock);
}

void mqueue_tell_owner(struct mqueue *q)
{
    if (!q->notify.owner)
        return;
    if (q->notify.how == SIGEV_SIGNAL)
        send_signal(q);
    if (q->notify.how == SIGEV_THREAD)
        post_cookie(&q->notify, COOKIE_WOKEN_UP);
    clear(q);
}

void mqueue_forget_owner(struct mqueue *q, bool only_current)
{
    if (q->notify.owner && (!only_current || q->notify.owner == current->process->pid)) {
        if (q->notify.how == SIGEV_THREAD)
            post_cookie(&q->notify, COOKIE_REMOVED);
        clear(q);
    }
}

/* The socket and the cookie of a SIGEV_THREAD. */
static int read_thread(const struct sigevent *ev, struct mq_notify *ret)
{
    CLEANUP_FILE struct file *socket = NULL;
    if (copy_from_user(ret->cookie, (uaddr_t)(uintptr_t)ev->sigev_value.sival_ptr, sizeof(ret->cookie)))
        return -EFAULT;
    int err = fd_file(ev->sigev_signo, &socket);
    if (err == 0)
        err = mqueue_post ? mqueue_post(socket, NULL, 0) : -EINVAL;
    if (err == 0)
        ret->socket = TAKE_PTR(socket);
    return err;
}

static int check_event(const struct sigevent *ev)
{
    switch (ev->sigev_notify) {
    case SIGEV_NONE:
        return 0;
    case SIGEV_SIGNAL:
        return (unsigned)ev->sigev_signo <= SIGNAL_COUNT ? 0 : -EINVAL;
    case SIGEV_THREAD:
        return 0;
    default:
        return -EINVAL;
    }
}

static int set_owner(struct mqueue *q, const struct sigevent *ev)
{
    struct mq_notify n = {.how = ev->sigev_notify,
                          .signo = ev->sigev_signo,
                          .value = (uint64_t)(uintptr_t)ev->sigev_value.sival_ptr};
    if (q->notify.owner)
        return -EBUSY;
    int err = n.how == SIGEV_THREAD ? read_thread(ev, &n) : 0;
    if (err < 0)
        return err;
    n.owner = pid_get(current->process->pid);
    q->notify = n;
    q->inode.attr.atime = q->inode.attr.ctime = vfs_now();
    return 0;
}

int64_t do_mq_notify(int fd, uaddr_t event)
{
    CLEANUP_FILE struct file *file = NULL;
    struct sigevent ev;
    if (event && get_user(&ev, event))
        return -EFAULT;
    int err = event ? check_event(&ev) : 0;
    if (err == 0)
        err = mqueue_file(fd, 0, &file);
    if (err < 0)
        return err;
    struct mqueue *q = mqueue_of(file->inode);
    MUTEX_GUARD(&q->lock);
    if (event)
        return set_owner(q, &ev);
    mqueue_forget_owner(q, true);
    return 0;
}
