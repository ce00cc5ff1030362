/*
 * Owners of files and their signals. See async.h.
 *
 * Locks, in order: async_lock (mutex), wait queue locks, owner->lock, tasklist_lock. Queues that
 * are woken under tasklist_lock are out: only files that say so (file_ops.async) send signals.
 */
#include "vfs/async.h"
#include "kernel/pid.h"
#include "kernel/signal_private.h"
#include <stdlib.h>

#define ENTRIES_MAX 4 /* queues of one file */

struct file_async {
    struct poll_table table;
    struct file *file; /* [I] weak: it ends us first */
    int fd;            /* [I] */
    unsigned count;
    struct async_entry {
        struct wait_entry wait;
        struct file_async *async;
    } entries[ENTRIES_MAX];
};

static struct mutex async_lock = MUTEX_INIT(async_lock);

static struct file_owner *owner_of(struct file *f)
{
    struct file_owner *o = f->owner, *none = NULL;
    if (o)
        return o;
    o = calloc(1, sizeof(*o));
    if (!o)
        return NULL;
    spin_init(&o->lock);
    if (atomic_compare_exchange_strong(&f->owner, &none, o))
        return o;
    free(o);
    return none;
}

/* ---- who ---- */

int file_set_owner(struct file *f, int type, int32_t id)
{
    struct file_owner *o = owner_of(f);
    struct pid *pid = NULL;
    if (!o)
        return -ENOMEM;
    if (id) {
        pid = pid_find(id);
        if (!pid)
            return -ESRCH;
    }
    const struct cred *c = current_cred();
    spin_lock(&o->lock);
    struct pid *old = o->pid;
    o->pid = pid;
    o->type = type;
    o->uid = c->uid;
    o->euid = c->euid;
    spin_unlock(&o->lock);
    if (old)
        pid_put(old);
    return 0;
}

void file_get_owner(struct file *f, int *ret_type, int32_t *ret_id)
{
    struct file_owner *o = f->owner;
    struct pid *pid = NULL;
    *ret_type = F_OWNER_TID;
    *ret_id = 0;
    if (!o)
        return;
    spin_lock(&o->lock);
    *ret_type = o->type;
    if (o->pid)
        pid = pid_get(o->pid);
    spin_unlock(&o->lock);
    if (pid) {
        *ret_id = pid_number(pid);
        pid_put(pid);
    }
}

int file_set_signal(struct file *f, int sig)
{
    struct file_owner *o = owner_of(f);
    if (!o)
        return -ENOMEM;
    spin_lock(&o->lock);
    o->signal = sig;
    spin_unlock(&o->lock);
    return 0;
}

int file_get_signal(struct file *f)
{
    struct file_owner *o = f->owner;
    return o ? o->signal : 0;
}

/* ---- sending ---- */

/* Was whoever set the owner allowed to send signals to p? */
static bool may_send(const struct file_owner *o, struct process *p)
{
    if (o->euid == 0 || !p->leader)
        return true;
    const struct cred *his = task_get_cred(p->leader);
    if (!his)
        return false;
    bool may = o->euid == his->suid || o->euid == his->uid || o->uid == his->suid || o->uid == his->uid;
    cred_put((struct cred *)his);
    return may;
}

static void send_to_process(const struct file_owner *o, struct process *p, int sig, const siginfo_t *info)
{
    if (!p || p->state == PROCESS_REAPED || !may_send(o, p))
        return;
    int err = signal_send_process_locked(p, sig, info);
    if (err == -EAGAIN && sig != SIGIO) /* the queue is full: at least that something happened */
        err = signal_send_process_locked(p, SIGIO, NULL);
    (void)err;
}

/* tasklist_lock held. */
static void send_to_owner(const struct file_owner *o, int sig, const siginfo_t *info)
{
    struct process *p;
    struct task *t = o->pid->task;
    switch (o->type) {
    case F_OWNER_TID:
        if (t && !t->exited && may_send(o, t->process))
            signal_send_task_locked(t, sig, info);
        break;
    case F_OWNER_PGRP:
        list_for_each(p, &o->pid->group_members, group_link)
            send_to_process(o, p, sig, info);
        break;
    default:
        send_to_process(o, o->pid->process, sig, info);
    }
}

static void signal_owner(struct file_owner *o, int sig, const siginfo_t *info)
{
    spin_lock(&o->lock);
    if (o->pid) {
        spin_lock(&tasklist_lock);
        send_to_owner(o, sig, info);
        spin_unlock(&tasklist_lock);
    }
    spin_unlock(&o->lock);
}

/* What happened, as si_code and si_band say it. */
static void describe(uint32_t events, int fd, siginfo_t *ret)
{
    static const struct {
        uint32_t events, band;
        int code;
    } bands[] = {
        {EPOLLPRI, EPOLLPRI | EPOLLRDBAND, POLL_PRI},
        {EPOLLIN, EPOLLIN | EPOLLRDNORM, POLL_IN},
        {EPOLLOUT, EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND, POLL_OUT},
        {EPOLLHUP, EPOLLHUP | EPOLLERR, POLL_HUP},
        {EPOLLERR, EPOLLERR, POLL_ERR},
    };
    size_t i = 0;
    while (i < ARRAY_SIZE(bands) - 1 && !(events & bands[i].events))
        i++;
    if (!events)
        i = 1;
    *ret = (siginfo_t){.si_code = bands[i].code};
    ret->si_band = bands[i].band;
    ret->si_fd = fd;
}

static bool async_woken(struct wait_entry *e, uint32_t events)
{
    struct file_async *a = container_of(e, struct async_entry, wait)->async;
    struct file_owner *o = a->file->owner;
    siginfo_t info;
    int sig = o->signal;
    describe(events, a->fd, &info);
    info.si_signo = sig;
    signal_owner(o, sig ? sig : SIGIO, sig ? &info : NULL);
    return false;
}

int file_own_by_caller(struct file *f)
{
    int type;
    int32_t id;
    file_get_owner(f, &type, &id);
    return id ? 0 : file_set_owner(f, F_OWNER_PID, pid_number(current->process->pid));
}

void file_signal_lease(struct file *f, int fd)
{
    struct file_owner *o = f->owner;
    siginfo_t info = {.si_code = POLL_MSG};
    if (!o)
        return;
    info.si_signo = o->signal;
    info.si_band = EPOLLIN | EPOLLRDNORM | EPOLLMSG;
    info.si_fd = fd;
    signal_owner(o, o->signal ? o->signal : SIGIO, o->signal ? &info : NULL);
}

void file_signal_urgent(struct file *f)
{
    struct file_owner *o = f->owner;
    if (o)
        signal_owner(o, SIGURG, NULL);
}

/* ---- O_ASYNC ---- */

static void enqueue(struct poll_table *table, struct wait_queue *q)
{
    struct file_async *a = container_of(table, struct file_async, table);
    if (a->count == ENTRIES_MAX)
        return;
    struct async_entry *entry = &a->entries[a->count++];
    wait_entry_init(&entry->wait, async_woken);
    entry->async = a;
    wait_add(q, &entry->wait);
}

static void stop(struct file_owner *o)
{
    struct file_async *a = o->async;
    if (!a)
        return;
    o->async = NULL;
    for (unsigned i = 0; i < a->count; i++)
        wait_remove(&a->entries[i].wait);
    free(a);
}

static int start(struct file *f, struct file_owner *o, int fd)
{
    struct file_async *a = o->async ? NULL : calloc(1, sizeof(*a));
    if (o->async)
        return 0;
    if (!a)
        return -ENOMEM;
    a->table.queue = enqueue;
    a->file = f;
    a->fd = fd;
    o->async = a;
    vfs_poll(f, &a->table);
    return 0;
}

int file_set_async(struct file *f, int fd, bool on)
{
    int err = 0;
    if (!f->ops->async || !f->ops->poll)
        return 0; /* as on Linux the flag is kept, and nothing comes of it */
    struct file_owner *o = on ? owner_of(f) : f->owner;
    if (!o)
        return on ? -ENOMEM : 0;
    mutex_lock(&async_lock);
    if (on)
        err = start(f, o, fd);
    else
        stop(o);
    mutex_unlock(&async_lock);
    return err;
}

void file_owner_release(struct file *f)
{
    struct file_owner *o = f->owner;
    if (!o)
        return;
    mutex_lock(&async_lock);
    stop(o);
    mutex_unlock(&async_lock);
    if (o->pid)
        pid_put(o->pid);
    f->owner = NULL;
    free(o);
}
