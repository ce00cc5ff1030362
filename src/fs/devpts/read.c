/*
 * Reading from a terminal: by lines in canonical mode, else by VMIN and VTIME. termios(3).
 */
#include "fs/devpts/private.h"
#include "kernel/signal.h"
#include <termios.h>

#define MASK (TTY_INPUT_SIZE - 1)
#define CHUNK 1024
#define TENTH (NSEC_PER_SEC / 10)

static bool take_mark(struct tty_input *in, unsigned at)
{
    return in->marks[(at & MASK) / 64] >> (at % 64) & 1;
}

/* Up to n bytes, to the end of the line in canonical mode. *ret_end: the line (or a VEOF) ended. */
static size_t take_bytes(struct tty *t, char *buf, size_t n, bool *ret_end)
{
    struct tty_input *in = &t->in;
    bool canonical = t->termios.lflag & ICANON;
    unsigned end = canonical ? in->line_end : in->head;
    size_t got = 0;
    while (got < n && in->tail != end) {
        bool mark = canonical && take_mark(in, in->tail);
        uint8_t c = in->bytes[in->tail & MASK];
        in->tail++;
        if (!(mark && c == 0))
            buf[got++] = (char)c;
        if (mark) {
            *ret_end = true;
            break;
        }
    }
    /* A line that filled the caller's buffer exactly may leave its VEOF: it would be an end-of-file
     * of its own. */
    bool eof_next = in->tail != end && take_mark(in, in->tail) && in->bytes[in->tail & MASK] == 0;
    if (canonical && got == n && !*ret_end && eof_next) {
        in->tail++;
        *ret_end = true;
    }
    return got;
}

static bool has_input(struct tty *t)
{
    MUTEX_GUARD(&t->lock);
    return t->in.tail != (t->termios.lflag & ICANON ? t->in.line_end : t->in.head);
}

/* Waits for a first or a next byte: 0, -ETIMEDOUT, -EAGAIN, -ERESTARTSYS, or 1 when the file is
 * dead. */
static int wait_input(struct file *file, struct tty *t, int64_t deadline)
{
    if (file_nonblock(file))
        return -EAGAIN;
    int err = wait_event_timeout(&t->readers, has_input(t) || tty_file_dead(file), deadline);
    return err == 0 && tty_file_dead(file) ? 1 : err;
}

struct read_rules {
    bool canonical;
    size_t minimum;
    int64_t first, next; /* how long to wait for the first byte and between bytes; 0: for ever */
    bool look_once;      /* VMIN 0, VTIME 0 */
};

static void load_rules(struct tty *t, struct read_rules *r)
{
    MUTEX_GUARD(&t->lock);
    int64_t time = t->termios.cc[VTIME] * TENTH;
    *r = (struct read_rules){.canonical = t->termios.lflag & ICANON, .minimum = 1};
    if (r->canonical)
        return;
    if (t->termios.cc[VMIN] > 0) {
        r->minimum = t->termios.cc[VMIN];
        r->next = time;
    } else {
        r->first = time;
        r->look_once = time == 0;
    }
}

static size_t take_locked(struct tty *t, char *buf, size_t n, bool *ret_end)
{
    mutex_lock(&t->lock);
    size_t got = take_bytes(t, buf, n, ret_end);
    mutex_unlock(&t->lock);
    if ((got > 0 || *ret_end) && t->driver->input_taken)
        t->driver->input_taken(t);
    return got;
}

ssize_t tty_read(struct file *file, struct uio *to, int64_t *pos)
{
    struct tty *t = file->private_data;
    struct read_rules rules;
    char buf[CHUNK];
    ssize_t done = 0;
    bool end = false;
    if (tty_file_dead(file))
        return 0;
    int err = tty_check_read(t);
    if (err < 0 || to->remaining == 0)
        return err;
    if (t->driver->input_wanted)
        t->driver->input_wanted(t, true);
    load_rules(t, &rules);
    int64_t deadline = rules.first ? now_monotonic() + rules.first : NO_DEADLINE;
    while (to->remaining > 0 && !end) {
        size_t n = take_locked(t, buf, MIN(to->remaining, sizeof(buf)), &end);
        if (n > 0) {
            ssize_t put = uio_put(to, buf, n);
            if (put < 0)
                return done > 0 ? done : put;
            done += put;
            if (rules.next)
                deadline = now_monotonic() + rules.next;
            continue;
        }
        if (end || (size_t)done >= rules.minimum || (done > 0 && rules.canonical) || (rules.look_once && done == 0))
            break;
        err = wait_input(file, t, deadline);
        if (err != 0)
            break;
    }
    if (done > 0 || end || err >= 0 || err == -ETIMEDOUT)
        return done;
    return err;
}
