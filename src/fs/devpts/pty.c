/*
 * Pseudo-terminals: the master side, made by opening ptmx. pty(7).
 *
 * What the slave writes goes into a ring that the master reads; what the master writes is typed on
 * the slave. The struct pty belongs to the slave's tty as its driver data and goes with it; the
 * master's file holds a reference to the tty.
 */
#include "fs/devpts/private.h"
#include "base/cleanup.h"
#include "kernel/fdtable.h"
#include "kernel/signal.h"
#include "mm/uaccess.h"
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>

#define RING_SIZE 16384 /* a power of two */
#define CHUNK 1024
#define TIOCGPTLCK_ 0x80045439u
#define TIOCGPKT_ 0x80045438u
#define TIOCGPTPEER_ 0x5441u
#define TIOCSIG_ 0x40045436u

struct pty {
    struct tty *slave;          /* [I] weak */
    unsigned head, tail;        /* [slave->out_lock] of ring, free-running */
    char ring[RING_SIZE];       /* [slave->out_lock] what the slave wrote */
    struct wait_queue readers, writers; /* of the master */
    _Atomic bool locked;        /* TIOCSPTLCK: the slave cannot be opened */
    _Atomic bool slave_closed;  /* it was open and is not any more */
    _Atomic bool packet_mode;   /* TIOCPKT */
    _Atomic unsigned packet_bits; /* TIOCPKT_... to be read */
};

/* ---- the driver, as the slave sees it ---- */

static struct pty *pty_of(struct tty *t)
{
    return tty_data(t);
}

static void wake_master(struct pty *p, uint32_t events)
{
    wake_poll(&p->readers, events);
}

static size_t pty_room(struct tty *t)
{
    struct pty *p = pty_of(t);
    return RING_SIZE - (p->head - p->tail);
}

static void pty_show(struct tty *t, const char *buf, size_t n)
{
    struct pty *p = pty_of(t);
    for (size_t i = 0; i < n; i++)
        p->ring[p->head++ & (RING_SIZE - 1)] = buf[i];
    wake_master(p, EPOLLIN | EPOLLRDNORM);
}

static void pty_flush(struct tty *t)
{
    struct pty *p = pty_of(t);
    p->tail = p->head;
}

static size_t pty_pending(struct tty *t)
{
    struct pty *p = pty_of(t);
    return __atomic_load_n(&p->head, __ATOMIC_RELAXED) - __atomic_load_n(&p->tail, __ATOMIC_RELAXED);
}

static void pty_input_taken(struct tty *t)
{
    wake_poll(&pty_of(t)->writers, EPOLLOUT | EPOLLWRNORM);
}

static void pty_closed(struct tty *t)
{
    struct pty *p = pty_of(t);
    p->slave_closed = true;
    wake_master(p, EPOLLIN | EPOLLRDNORM | EPOLLHUP);
}

static void pty_opened(struct tty *t)
{
    pty_of(t)->slave_closed = false;
}

static void pty_packet(struct tty *t, unsigned bits)
{
    struct pty *p = pty_of(t);
    if (!p->packet_mode)
        return;
    if (bits & (TIOCPKT_STOP | TIOCPKT_START))
        p->packet_bits &= ~(unsigned)(TIOCPKT_STOP | TIOCPKT_START);
    if (bits & (TIOCPKT_NOSTOP | TIOCPKT_DOSTOP))
        p->packet_bits &= ~(unsigned)(TIOCPKT_NOSTOP | TIOCPKT_DOSTOP);
    p->packet_bits |= bits;
    wake_master(p, EPOLLIN | EPOLLRDNORM | EPOLLPRI);
}

static void pty_free(struct tty *t)
{
    free(pty_of(t));
}

const struct tty_driver pty_driver = {
    .room = pty_room,
    .write = pty_show,
    .flush_output = pty_flush,
    .pending = pty_pending,
    .input_taken = pty_input_taken,
    .closed = pty_closed,
    .opened = pty_opened,
    .packet = pty_packet,
    .free = pty_free,
};

bool pty_locked(struct tty *t)
{
    return t->driver == &pty_driver && pty_of(t)->locked;
}

/* ---- the master's file ---- */

static size_t take_ring(struct pty *p, char *buf, size_t n)
{
    mutex_lock(&p->slave->out_lock);
    n = MIN(n, (size_t)(p->head - p->tail));
    for (size_t i = 0; i < n; i++)
        buf[i] = p->ring[p->tail++ & (RING_SIZE - 1)];
    mutex_unlock(&p->slave->out_lock);
    if (n > 0)
        tty_output_ready(p->slave);
    return n;
}

static bool master_readable(struct pty *p)
{
    return pty_pending(p->slave) > 0 || (p->packet_mode && p->packet_bits) || p->slave_closed;
}

static int wait_readable(struct file *file, struct pty *p)
{
    if (p->slave_closed && pty_pending(p->slave) == 0)
        return -EIO;
    if (file_nonblock(file))
        return -EAGAIN;
    return wait_event_interruptible(&p->readers, master_readable(p));
}

static ssize_t master_read(struct file *file, struct uio *to, int64_t *pos)
{
    struct pty *p = file->private_data;
    char buf[CHUNK];
    ssize_t done = 0;
    while (to->remaining > 0) {
        unsigned bits = p->packet_mode && done == 0 ? atomic_exchange(&p->packet_bits, 0) : 0;
        if (bits) {
            buf[0] = (char)bits;
            return uio_put(to, buf, 1);
        }
        size_t lead = p->packet_mode && done == 0; /* a data packet starts with a zero */
        buf[0] = TIOCPKT_DATA;
        size_t n = to->remaining > lead ? take_ring(p, buf + lead, MIN(to->remaining, sizeof(buf)) - lead) : 0;
        if (n > 0) {
            ssize_t put = uio_put(to, buf, n + lead);
            if (put < 0)
                return done > 0 ? done : put;
            done += put;
            continue;
        }
        int err = done > 0 ? 1 : wait_readable(file, p);
        if (err != 0)
            return done > 0 ? done : err;
    }
    return done;
}

static ssize_t master_write(struct file *file, struct uio *from, int64_t *pos)
{
    struct pty *p = file->private_data;
    char buf[CHUNK];
    ssize_t done = 0;
    while (from->remaining > 0) {
        ssize_t n = uio_take(from, buf, MIN(from->remaining, sizeof(buf)));
        if (n <= 0)
            return done > 0 ? done : n;
        size_t sent = 0;
        while (sent < (size_t)n) {
            size_t took = tty_receive(p->slave, buf + sent, (size_t)n - sent);
            sent += took;
            done += (ssize_t)took;
            if (took > 0)
                continue;
            int err = -EAGAIN;
            if (!file_nonblock(file))
                err = wait_event_interruptible(&p->writers, tty_receive_room(p->slave) > 0);
            if (err < 0)
                return done > 0 ? done : err;
        }
    }
    return done;
}

static uint32_t master_poll(struct file *file, struct poll_table *table)
{
    struct pty *p = file->private_data;
    uint32_t events = 0;
    poll_wait(table, &p->readers);
    poll_wait(table, &p->writers);
    bool closed = p->slave_closed; /* before looking at what it left */
    if (pty_pending(p->slave) > 0)
        events |= EPOLLIN | EPOLLRDNORM;
    if (p->packet_mode && p->packet_bits)
        events |= EPOLLPRI | EPOLLIN | EPOLLRDNORM;
    if (closed)
        events |= EPOLLHUP;
    if (tty_receive_room(p->slave) > 0)
        events |= EPOLLOUT | EPOLLWRNORM;
    return events;
}

static int64_t set_flag(_Atomic bool *flag, uaddr_t arg)
{
    int value;
    int err = get_user(&value, arg);
    if (err == 0)
        *flag = value != 0;
    return err;
}

static int64_t open_peer(struct tty *slave, unsigned flags)
{
    struct file *file;
    int err = tty_open_file(slave, flags, &file);
    if (err < 0)
        return err;
    tty_maybe_acquire(slave, file, flags);
    int fd = fd_install(file, flags & O_CLOEXEC);
    if (fd < 0)
        file_put(file);
    return fd;
}

static int64_t send_signal(struct tty *slave, uaddr_t sig)
{
    if (sig != SIGINT && sig != SIGQUIT && sig != SIGTSTP)
        return -EINVAL;
    tty_signal_foreground(slave, (int)sig);
    return 0;
}

static int64_t put_int(int value, uaddr_t arg)
{
    return put_user(&value, arg);
}

static int64_t master_ioctl(struct file *file, unsigned cmd, uaddr_t arg)
{
    struct pty *p = file->private_data;
    switch (cmd) {
    case TIOCGPTN:
        return put_int((int)p->slave->number, arg);
    case TIOCSPTLCK:
        return set_flag(&p->locked, arg);
    case TIOCGPTLCK_:
        return put_int(p->locked, arg);
    case TIOCPKT:
        return set_flag(&p->packet_mode, arg);
    case TIOCGPKT_:
        return put_int(p->packet_mode, arg);
    case TIOCGPTPEER_:
        return open_peer(p->slave, (unsigned)arg);
    case TIOCSIG_:
        return send_signal(p->slave, arg);
    case FIONREAD:
        return put_int((int)pty_pending(p->slave), arg);
    default:
        return tty_common_ioctl(p->slave, file, true, cmd, arg);
    }
}

static void master_release(struct file *file)
{
    struct pty *p = file->private_data;
    struct tty *slave = p->slave;
    devpts_remove(slave);
    slave->dead = true;
    tty_hangup(slave);
    tty_unref(slave);
}

static const struct file_ops master_ops = {
    .read = master_read,
    .write = master_write,
    .poll = master_poll,
    .ioctl = master_ioctl,
    .release = master_release,
    .stream = true,
    .async = true,
};

int pty_open_master(struct inode *inode, struct file *file)
{
    CLEANUP_FREE struct pty *p = calloc(1, sizeof(*p));
    struct tty *slave;
    if (!p)
        return -ENOMEM;
    wait_queue_init(&p->readers);
    wait_queue_init(&p->writers);
    p->locked = true;
    int err = tty_new(&pty_driver, p, &slave);
    if (err < 0)
        return err;
    p->slave = slave;
    file->private_data = TAKE_PTR(p); /* the tty's from here on */
    err = devpts_add(devpts_of_inode(inode), slave);
    if (err < 0) {
        tty_unref(slave);
        return err;
    }
    file->ops = &master_ops;
    return 0;
}
