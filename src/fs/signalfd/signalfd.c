/*
 * signalfd: pending signals of whoever reads, taken off the queues one struct signalfd_siginfo
 * each.
 *
 * The file holds only a mask; the signals are the reading task's. Pollers sleep on their process's
 * signalfd_queue. An epoll registration may outlive that process's other users, so the file keeps a
 * reference to each process that ever polled it.
 */
#include "fs/signalfd/signalfd.h"
#include "kernel/task.h"
#include <stdlib.h>
#include <sys/signalfd.h>

#define UNMASKABLE (SIGBIT(SIGKILL) | SIGBIT(SIGSTOP))

struct poller {
    struct list link;
    struct process *process; /* [I] reference */
};

struct signalfd {
    _Atomic sigmask_t mask;
    struct mutex lock;
    struct list pollers; /* [lock] of poller.link */
};

static const struct file_ops signalfd_ops;

static void fill_timer_or_child(struct signalfd_siginfo *out, const siginfo_t *in)
{
    switch (in->si_signo) {
    case SIGCHLD:
        out->ssi_status = in->si_status;
        out->ssi_utime = (uint64_t)in->si_utime;
        out->ssi_stime = (uint64_t)in->si_stime;
        break;
    case SIGSEGV:
    case SIGBUS:
    case SIGILL:
    case SIGFPE:
    case SIGTRAP:
        out->ssi_addr = (uintptr_t)in->si_addr;
        break;
    }
}

static void convert(struct signalfd_siginfo *out, const siginfo_t *in)
{
    *out = (struct signalfd_siginfo){.ssi_signo = (uint32_t)in->si_signo, .ssi_errno = in->si_errno,
                                     .ssi_code = in->si_code};
    if (in->si_code == SI_TIMER) {
        out->ssi_tid = (uint32_t)in->si_timerid;
        out->ssi_overrun = (uint32_t)in->si_overrun;
    } else if (in->si_code == POLL_IN && in->si_signo == SIGIO) {
        out->ssi_band = (uint32_t)in->si_band;
        out->ssi_fd = in->si_fd;
    } else {
        out->ssi_pid = (uint32_t)in->si_pid;
        out->ssi_uid = in->si_uid;
        fill_timer_or_child(out, in);
    }
    if (in->si_code == SI_TIMER || in->si_code == SI_QUEUE || in->si_code == SI_MESGQ) {
        out->ssi_ptr = (uintptr_t)in->si_value.sival_ptr;
        out->ssi_int = in->si_value.sival_int;
    }
}

static ssize_t signalfd_read(struct file *file, struct uio *to, int64_t *pos)
{
    struct signalfd *s = file->private_data;
    struct task *t = current;
    struct signalfd_siginfo out;
    ssize_t done = 0;
    if (to->remaining < sizeof(out))
        return -EINVAL;
    while (to->remaining >= sizeof(out)) {
        siginfo_t info;
        int sig = signal_dequeue(t, s->mask, &info);
        if (sig == 0 && done > 0)
            break;
        if (sig == 0) {
            if (file_nonblock(file))
                return -EAGAIN;
            int err = wait_event_interruptible(&t->process->sig.signalfd_queue, signal_pending_set(t) & s->mask);
            if (err < 0)
                return err;
            continue;
        }
        convert(&out, &info);
        ssize_t n = uio_put(to, &out, sizeof(out));
        if (n < 0)
            return done > 0 ? done : n;
        done += n;
    }
    return done;
}

static bool remembers(struct signalfd *s, struct process *p)
{
    struct poller *it;
    list_for_each(it, &s->pollers, link)
        if (it->process == p)
            return true;
    return false;
}

/* Keeps p's queue alive as long as this file. False when out of memory. */
static bool remember(struct signalfd *s, struct process *p)
{
    MUTEX_GUARD(&s->lock);
    if (remembers(s, p))
        return true;
    struct poller *poller = malloc(sizeof(*poller));
    if (!poller)
        return false;
    poller->process = process_get(p);
    list_add(&s->pollers, &poller->link);
    return true;
}

static uint32_t signalfd_poll(struct file *file, struct poll_table *table)
{
    struct signalfd *s = file->private_data;
    struct task *t = current;
    if (!t)
        return 0;
    if (table && remember(s, t->process))
        poll_wait(table, &t->process->sig.signalfd_queue);
    return signal_pending_set(t) & s->mask ? EPOLLIN : 0;
}

static void signalfd_release(struct file *file)
{
    struct signalfd *s = file->private_data;
    struct poller *it, *tmp;
    list_for_each_safe(it, tmp, &s->pollers, link) {
        process_put(it->process);
        free(it);
    }
    free(s);
}

static void signalfd_show(struct file *file, struct strbuf *out)
{
    struct signalfd *s = file->private_data;
    strbuf_printf(out, "sigmask:\t%016llx\n", (unsigned long long)s->mask);
}

int signalfd_set_mask(struct file *file, sigmask_t mask)
{
    if (file->ops != &signalfd_ops)
        return -EINVAL;
    struct signalfd *s = file->private_data;
    s->mask = mask & ~UNMASKABLE;
    wake_all(&current->process->sig.signalfd_queue);
    return 0;
}

static const struct file_ops signalfd_ops = {
    .read = signalfd_read,
    .poll = signalfd_poll,
    .release = signalfd_release,
    .show_fdinfo = signalfd_show,
    .lseek_is_noop = true,
    .stream = true,
};

int signalfd_new(sigmask_t mask, unsigned flags, struct file **ret)
{
    struct signalfd *s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    s->mask = mask & ~UNMASKABLE;
    mutex_init(&s->lock);
    list_init(&s->pollers);
    int err = file_new_anon("anon_inode:[signalfd]", 0600, &signalfd_ops, s, O_RDWR | (flags & O_NONBLOCK), ret);
    if (err < 0)
        free(s);
    return err;
}
