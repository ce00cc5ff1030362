/*
 * What is written: the output half of the line discipline (OPOST), echo, flow control.
 */
#include "fs/devpts/private.h"
#include "kernel/signal.h"
#include <ctype.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>

#define CHUNK 1024
#define WORST 8 /* bytes that one character can become: an expanded tab */

#ifndef XTABS
#define XTABS 0014000
#endif

/* One character as it goes to the driver, in buf: its length. */
static size_t process(struct tty *t, uint8_t c, char *buf)
{
    uint32_t o = t->termios.oflag;
    size_t n = 0;
    switch (c) {
    case '\n':
        if (o & ONLCR)
            buf[n++] = '\r';
        if (o & (ONLCR | ONLRET))
            t->column = 0;
        break;
    case '\r':
        if ((o & ONOCR) && t->column == 0)
            return 0;
        if (o & OCRNL) {
            c = '\n';
            if (!(o & ONLRET))
                break;
        }
        t->column = 0;
        break;
    case '\t': {
        unsigned spaces = 8 - (t->column & 7);
        t->column += spaces;
        if ((o & TABDLY) == XTABS) {
            memset(buf, ' ', spaces);
            return spaces;
        }
        break;
    }
    case '\b':
        t->column -= t->column > 0;
        break;
    default:
        if (iscntrl(c))
            break;
        if (o & OLCUC)
            c = (uint8_t)toupper(c);
        if (!((t->termios.iflag & IUTF8) && (c & 0xc0) == 0x80))
            t->column++;
    }
    buf[n++] = (char)c;
    return n;
}

static size_t room_locked(struct tty *t)
{
    return t->stopped ? 0 : t->driver->room(t);
}

/* Hands as many of n bytes to the driver as it takes: how many. out_lock held. */
static size_t output_locked(struct tty *t, const char *bytes, size_t n)
{
    char buf[CHUNK];
    size_t done = 0, used = 0, room = room_locked(t);
    if (!(t->termios.oflag & OPOST)) {
        n = MIN(n, room);
        if (n > 0)
            t->driver->write(t, bytes, n);
        return n;
    }
    while (done < n && used + WORST <= room) {
        if (used + WORST > sizeof(buf)) {
            t->driver->write(t, buf, used);
            used = 0;
            room = room_locked(t);
            continue;
        }
        used += process(t, (uint8_t)bytes[done++], buf + used);
    }
    if (used > 0)
        t->driver->write(t, buf, used);
    return done;
}

void tty_echo(struct tty *t, const char *bytes, size_t n)
{
    mutex_lock(&t->out_lock);
    output_locked(t, bytes, n);
    mutex_unlock(&t->out_lock);
}

size_t tty_write_room(struct tty *t)
{
    MUTEX_GUARD(&t->out_lock);
    size_t room = room_locked(t);
    return room >= WORST ? room : 0;
}

void tty_set_stopped(struct tty *t, bool stopped)
{
    if (t->stopped == stopped)
        return;
    t->stopped = stopped;
    if (t->driver->packet)
        t->driver->packet(t, stopped ? TIOCPKT_STOP : TIOCPKT_START);
    if (!stopped)
        tty_output_ready(t);
}

/* All n bytes, waiting for room: how many got out, or -errno if none. */
static ssize_t write_all(struct file *file, struct tty *t, const char *buf, size_t n)
{
    size_t done = 0;
    for (;;) {
        if (tty_file_dead(file))
            return done > 0 ? (ssize_t)done : -EIO;
        mutex_lock(&t->out_lock);
        done += output_locked(t, buf + done, n - done);
        mutex_unlock(&t->out_lock);
        if (done == n)
            return (ssize_t)done;
        int err = -EAGAIN;
        if (!file_nonblock(file))
            err = wait_event_interruptible(&t->writers, tty_write_room(t) > 0 || tty_file_dead(file));
        if (err < 0)
            return done > 0 ? (ssize_t)done : err;
    }
}

ssize_t tty_write(struct file *file, struct uio *from, int64_t *pos)
{
    struct tty *t = file->private_data;
    char buf[CHUNK];
    ssize_t done = 0;
    if (tty_file_dead(file))
        return -EIO;
    int err = t->termios.lflag & TOSTOP ? tty_check_change(t) : 0;
    if (err == 0)
        err = mutex_lock_interruptible(&t->write_lock);
    if (err < 0)
        return err;
    while (from->remaining > 0) {
        ssize_t n = uio_take(from, buf, MIN(from->remaining, sizeof(buf)));
        ssize_t out = n > 0 ? write_all(file, t, buf, (size_t)n) : n;
        err = out < 0 ? (int)out : 0;
        done += out > 0 ? out : 0;
        if (out <= 0 || out < n)
            break;
    }
    mutex_unlock(&t->write_lock);
    return done > 0 ? done : err;
}
