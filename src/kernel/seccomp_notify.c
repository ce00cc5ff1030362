/*
 * The listener of a seccomp filter: seccomp_unotify(2).
 *
 * A task whose call got SECCOMP_RET_USER_NOTIF puts a question (struct question, on its stack) on
 * the filter's list and sleeps. Whoever holds the listener takes it (RECV), may put descriptors
 * into the asker's table (ADDFD, which the asker itself carries out), and answers (SEND). The
 * listener hangs up when no task uses the filter any more; closing it answers everything with
 * ENOSYS.
 */
#include "base/cleanup.h"
#include "kernel/fdtable.h"
#include "kernel/pid.h"
#include "kernel/seccomp.h"
#include "kernel/task.h"
#include "mm/mm.h"
#include "mm/uaccess.h"
#include "vfs/file.h"
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <string.h>

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#endif
#define SYNC_WAKE_UP 1UL /* SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP: a hint that changes nothing here */
#ifndef SECCOMP_ADDFD_FLAG_SEND
#define SECCOMP_ADDFD_FLAG_SEND (1UL << 1)
#endif
/* As it was numbered by mistake at first; Linux takes both. */
#define ID_VALID_WRONG_DIRECTION SECCOMP_IOR(2, __u64)
/* ADDFD's structure may grow: the command without its size. */
#define WITHOUT_SIZE(cmd) ((cmd) & ~(unsigned)(_IOC_SIZEMASK << _IOC_SIZESHIFT))
#define ADDFD_SIZE_MIN 24

enum question_state { ASKED, TAKEN, ANSWERED };

/* A descriptor on its way: on the stack of the listener's caller. */
struct gift {
    struct list link; /* [notify lock] of question.gifts */
    struct file *file;
    int fd; /* where, or -1: anywhere */
    uint32_t flags;
    bool answers; /* the number is the answer, too */
    bool done;
    int result;
};

struct question {
    struct list link; /* [notify lock] of notify.questions */
    struct task *task;
    uint64_t id;
    struct seccomp_data data;
    enum question_state state;
    int64_t value;
    int error;
    uint32_t flags;
    struct list gifts;
};

struct notify {
    struct mutex lock;
    struct list questions;
    uint64_t next_id;
    bool closed;                /* [lock] nobody can listen any more */
    _Atomic bool hung_up;       /* no task uses the filter any more */
    struct wait_queue listener; /* those who wait for questions, and polls */
    struct wait_queue asker;    /* those who wait for answers, and for their gifts to be taken */
};

int notify_new(struct notify **ret)
{
    struct notify *n = calloc(1, sizeof(*n));
    if (!n)
        return -ENOMEM;
    mutex_init(&n->lock);
    list_init(&n->questions);
    wait_queue_init(&n->listener);
    wait_queue_init(&n->asker);
    mm_random_bytes(&n->next_id, sizeof(n->next_id));
    *ret = n;
    return 0;
}

void notify_free(struct notify *n)
{
    free(n);
}

void notify_hangup(struct notify *n)
{
    atomic_store(&n->hung_up, true);
    wake_poll(&n->listener, EPOLLHUP);
}

/* ---- the asker ---- */

static void take_gift(struct notify *n, struct question *q, struct gift *g)
{
    list_del(&g->link);
    if (g->fd < 0)
        g->result = fd_install(file_get(g->file), g->flags);
    else
        g->result = fd_replace(g->fd, file_get(g->file), g->flags);
    if (g->result < 0)
        file_put(g->file);
    if (g->answers && g->result < 0) {
        q->state = TAKEN; /* it was not to be */
    } else if (g->answers) {
        q->state = ANSWERED;
        q->value = g->result;
    }
    g->done = true;
    wake_all(&n->asker);
}

static bool has_news(struct notify *n, struct question *q)
{
    mutex_lock(&n->lock);
    bool news = q->state == ANSWERED || !list_empty(&q->gifts);
    mutex_unlock(&n->lock);
    return news;
}

/* 0 when there is something to look at, or -ERESTARTSYS. */
static int wait_for_news(struct seccomp_filter *f, struct question *q)
{
    struct notify *n = f->notify;
    if (f->wait_killable && __atomic_load_n(&q->state, __ATOMIC_RELAXED) == TAKEN)
        return wait_event_killable(&n->asker, has_news(n, q)) ? -ERESTARTSYS : 0;
    int err = wait_event_interruptible(&n->asker, has_news(n, q));
    if (err && f->wait_killable && __atomic_load_n(&q->state, __ATOMIC_RELAXED) == TAKEN) {
        fiber_clear_interrupt(fiber_self());
        err = wait_event_killable(&n->asker, has_news(n, q)) ? -ERESTARTSYS : 0;
    }
    return err;
}

/* Returns with the lock held. */
static int wait_for_answer(struct seccomp_filter *f, struct question *q)
{
    struct notify *n = f->notify;
    struct gift *g;
    for (;;) {
        mutex_unlock(&n->lock);
        int err = wait_for_news(f, q);
        mutex_lock(&n->lock);
        if (err && q->state != ANSWERED)
            return err;
        while ((g = list_first(&q->gifts, struct gift, link)))
            take_gift(n, q, g);
        if (q->state == ANSWERED)
            return 0;
    }
}

static void refuse_gifts(struct notify *n, struct question *q)
{
    struct gift *g;
    while ((g = list_first(&q->gifts, struct gift, link))) {
        list_del(&g->link);
        g->result = -ESRCH;
        g->done = true;
    }
    wake_all(&n->asker);
}

bool notify_ask(struct seccomp_filter *f, struct task *t, struct call *c,
                const struct seccomp_data *data)
{
    struct notify *n = f->notify;
    struct question q = {.task = t, .data = *data, .state = ASKED};
    c->result = -ENOSYS;
    if (!n)
        return false;
    list_init(&q.gifts);
    mutex_lock(&n->lock);
    if (n->closed) {
        mutex_unlock(&n->lock);
        return false;
    }
    q.id = n->next_id++;
    list_add_tail(&n->questions, &q.link);
    wake_poll(&n->listener, EPOLLIN | EPOLLRDNORM);
    int err = wait_for_answer(f, &q);
    if (!err)
        c->result = q.error ? q.error : q.value;
    else
        c->result = err;
    refuse_gifts(n, &q);
    list_del(&q.link);
    mutex_unlock(&n->lock);
    return !err && q.flags & SECCOMP_USER_NOTIF_FLAG_CONTINUE;
}

/* ---- the listener ---- */

static struct question *find_question(struct notify *n, uint64_t id)
{
    struct question *q;
    list_for_each (q, &n->questions, link)
        if (q->id == id)
            return q;
    return NULL;
}

static struct question *find_state(struct notify *n, enum question_state state)
{
    struct question *q;
    list_for_each (q, &n->questions, link)
        if (q->state == state)
            return q;
    return NULL;
}

static bool has_question(struct notify *n)
{
    mutex_lock(&n->lock);
    bool found = find_state(n, ASKED);
    mutex_unlock(&n->lock);
    return found || atomic_load(&n->hung_up);
}

static int64_t receive(struct notify *n, uaddr_t to)
{
    struct seccomp_notif out, zero = {0};
    if (get_user(&out, to))
        return -EFAULT;
    if (memcmp(&out, &zero, sizeof(out)) != 0)
        return -EINVAL;
    int err = wait_event_interruptible(&n->listener, has_question(n));
    if (err)
        return err;
    MUTEX_GUARD(&n->lock);
    struct question *q = find_state(n, ASKED);
    if (!q)
        return -ENOENT;
    out.id = q->id;
    out.pid = (uint32_t)pid_number(q->task->pid);
    out.data = q->data;
    if (copy_to_user_partial(to, &out, sizeof(out)) != sizeof(out))
        return -EFAULT;
    __atomic_store_n(&q->state, TAKEN, __ATOMIC_RELAXED);
    wake_poll(&n->listener, EPOLLOUT | EPOLLWRNORM);
    return 0;
}

static int64_t respond(struct notify *n, uaddr_t from)
{
    struct seccomp_notif_resp in;
    if (get_user(&in, from))
        return -EFAULT;
    if (in.flags & ~(uint32_t)SECCOMP_USER_NOTIF_FLAG_CONTINUE)
        return -EINVAL;
    if (in.flags & SECCOMP_USER_NOTIF_FLAG_CONTINUE && (in.error || in.val))
        return -EINVAL;
    MUTEX_GUARD(&n->lock);
    struct question *q = find_question(n, in.id);
    if (!q)
        return -ENOENT;
    if (q->state != TAKEN)
        return -EINPROGRESS;
    q->error = in.error;
    q->value = in.val;
    q->flags = in.flags;
    q->state = ANSWERED;
    wake_all(&n->asker);
    return 0;
}

static int64_t is_valid(struct notify *n, uaddr_t from)
{
    uint64_t id;
    if (get_user(&id, from))
        return -EFAULT;
    MUTEX_GUARD(&n->lock);
    struct question *q = find_question(n, id);
    return q && q->state == TAKEN ? 0 : -ENOENT;
}

static int give(struct notify *n, uint64_t id, struct gift *g)
{
    MUTEX_GUARD(&n->lock);
    struct question *q = find_question(n, id);
    if (!q)
        return -ENOENT;
    if (q->state != TAKEN)
        return -EINPROGRESS;
    if (g->answers) {
        if (!list_empty(&q->gifts))
            return -EBUSY;
        q->state = ANSWERED;
    }
    list_add_tail(&q->gifts, &g->link);
    wake_all(&n->asker);
    return 0;
}

static int wait_until_taken(struct notify *n, struct gift *g)
{
    int err = wait_event_interruptible(&n->asker, __atomic_load_n(&g->done, __ATOMIC_ACQUIRE));
    MUTEX_GUARD(&n->lock);
    if (g->done)
        return g->result;
    list_del(&g->link);
    return err;
}

static int64_t add_fd(struct notify *n, unsigned cmd, uaddr_t from)
{
    CLEANUP_FILE struct file *file = NULL;
    struct seccomp_notif_addfd in;
    size_t size = _IOC_SIZE(cmd);
    if (size < ADDFD_SIZE_MIN || size >= PAGE_SIZE)
        return -EINVAL;
    int err = copy_struct_from_user(&in, sizeof(in), from, size, ADDFD_SIZE_MIN);
    if (err)
        return err;
    if (in.newfd_flags & ~(uint32_t)O_CLOEXEC ||
        in.flags & ~(uint32_t)(SECCOMP_ADDFD_FLAG_SETFD | SECCOMP_ADDFD_FLAG_SEND) ||
        (in.newfd && !(in.flags & SECCOMP_ADDFD_FLAG_SETFD)))
        return -EINVAL;
    err = fd_file((int)in.srcfd, &file);
    if (err)
        return err;
    struct gift g = {
        .file = file,
        .fd = in.flags & SECCOMP_ADDFD_FLAG_SETFD ? (int)in.newfd : -1,
        .flags = in.newfd_flags,
        .answers = in.flags & SECCOMP_ADDFD_FLAG_SEND,
    };
    list_init(&g.link);
    err = give(n, in.id, &g);
    return err ? err : wait_until_taken(n, &g);
}

static int64_t notify_ioctl(struct file *file, unsigned cmd, uaddr_t arg)
{
    struct notify *n = ((struct seccomp_filter *)file->private_data)->notify;
    switch (cmd) {
    case SECCOMP_IOCTL_NOTIF_RECV:
        return receive(n, arg);
    case SECCOMP_IOCTL_NOTIF_SEND:
        return respond(n, arg);
    case SECCOMP_IOCTL_NOTIF_ID_VALID:
    case ID_VALID_WRONG_DIRECTION:
        return is_valid(n, arg);
    case SECCOMP_IOCTL_NOTIF_SET_FLAGS:
        return arg & ~SYNC_WAKE_UP ? -EINVAL : 0;
    }
    if (WITHOUT_SIZE(cmd) == WITHOUT_SIZE((unsigned)SECCOMP_IOCTL_NOTIF_ADDFD))
        return add_fd(n, cmd, arg);
    return -EINVAL;
}

static uint32_t notify_poll(struct file *file, struct poll_table *table)
{
    struct notify *n = ((struct seccomp_filter *)file->private_data)->notify;
    uint32_t events = 0;
    poll_wait(table, &n->listener);
    MUTEX_GUARD(&n->lock);
    if (find_state(n, ASKED))
        events |= EPOLLIN | EPOLLRDNORM;
    if (find_state(n, TAKEN))
        events |= EPOLLOUT | EPOLLWRNORM;
    return atomic_load(&n->hung_up) ? events | EPOLLHUP : events;
}

static void notify_release(struct file *file)
{
    struct seccomp_filter *f = file->private_data;
    struct notify *n = f->notify;
    struct question *q;
    mutex_lock(&n->lock);
    n->closed = true;
    list_for_each (q, &n->questions, link) {
        if (q->state == ANSWERED)
            continue;
        q->state = ANSWERED;
        q->error = -ENOSYS;
    }
    wake_all(&n->asker);
    mutex_unlock(&n->lock);
    seccomp_filter_put(f);
}

static const struct file_ops notify_ops = {
    .ioctl = notify_ioctl,
    .poll = notify_poll,
    .release = notify_release,
    .stream = true,
};

int notify_listener(struct seccomp_filter *f, struct file **ret)
{
    int err = file_new_anon("anon_inode:seccomp notify", S_IFREG | 0600, &notify_ops, f, O_RDWR, ret);
    if (!err)
        refcount_get(&f->ref);
    return err;
}
