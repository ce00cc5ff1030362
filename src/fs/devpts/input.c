/*
 * What is typed: the input half of the line discipline (N_TTY): signals, flow control, line
 * editing, echo. termios(3).
 */
#include "fs/devpts/private.h"
#include <ctype.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>

#define MASK (TTY_INPUT_SIZE - 1)
#define RESERVE 16u /* kept free in canonical mode for the characters that end a line */

static bool input_flag(const struct tty *t, uint32_t flag)
{
    return t->termios.iflag & flag;
}

static bool local_flag(const struct tty *t, uint32_t flag)
{
    return t->termios.lflag & flag;
}

/* Is c this special character, and is that one not disabled? */
static bool is_cc(const struct tty *t, uint8_t c, int index)
{
    return t->termios.cc[index] == c && c != 0; /* _POSIX_VDISABLE */
}

static bool is_continuation(const struct tty *t, uint8_t c)
{
    return input_flag(t, IUTF8) && (c & 0xc0) == 0x80;
}

static void set_mark(struct tty_input *in, unsigned at, bool on)
{
    uint64_t bit = 1ULL << (at % 64);
    uint64_t *word = &in->marks[(at & MASK) / 64];
    *word = on ? *word | bit : *word & ~bit;
}

void tty_input_reset(struct tty *t)
{
    t->in.tail = t->in.line_end = t->in.head;
    t->in.literal_next = t->in.erasing = false;
}

static void put(struct tty *t, uint8_t c)
{
    struct tty_input *in = &t->in;
    if (tty_input_used(t) >= TTY_INPUT_SIZE - 1)
        return;
    set_mark(in, in->head, false);
    in->bytes[in->head++ & MASK] = c;
}

static void wake_readers(struct tty *t)
{
    wake_poll(&t->readers, EPOLLIN | EPOLLRDNORM);
}

/* ---- echo ---- */

static void echo_raw(struct tty *t, uint8_t c)
{
    char byte = (char)c;
    tty_echo(t, &byte, 1);
}

/* Control characters show as ^X. */
static void echo_char(struct tty *t, uint8_t c)
{
    if (local_flag(t, ECHOCTL) && iscntrl(c) && c != '\t') {
        char pair[2] = {'^', (char)(c ^ 0100)};
        tty_echo(t, pair, 2);
    } else {
        echo_raw(t, c);
    }
}

static void finish_erasing(struct tty *t)
{
    if (t->in.erasing) {
        echo_raw(t, '/');
        t->in.erasing = false;
    }
}

/* ---- editing ---- */

static unsigned advance_column(const struct tty *t, unsigned column, uint8_t c)
{
    if (c == '\t')
        return (column | 7) + 1;
    if (iscntrl(c))
        return column + (local_flag(t, ECHOCTL) ? 2 : 0);
    return column + !is_continuation(t, c);
}

/* The screen column behind the line being edited up to `end`. */
static unsigned column_at(const struct tty *t, unsigned end)
{
    unsigned column = t->in.line_column;
    for (unsigned i = t->in.line_end; i != end; i++)
        column = advance_column(t, column, t->in.bytes[i & MASK]);
    return column;
}

/* Wipes the character that reached from `from` to `to` on the screen. */
static void wipe(struct tty *t, uint8_t c, unsigned from, unsigned to)
{
    for (unsigned n = to - from; n > 0; n--)
        tty_echo(t, c == '\t' ? "\b" : "\b \b", c == '\t' ? 1 : 3);
}

/* Takes the last character (all its bytes) off the line being edited: its first byte, or -1 if
 * there is none. */
static int erase_one(struct tty *t, bool show, int erase_cc)
{
    struct tty_input *in = &t->in;
    if (in->head == in->line_end)
        return -1;
    unsigned at = in->head;
    uint8_t c;
    do {
        c = in->bytes[--at & MASK];
    } while (is_continuation(t, c) && at != in->line_end);
    unsigned to = column_at(t, in->head), from = column_at(t, at);
    if (show && local_flag(t, ECHOPRT)) {
        if (!in->erasing)
            echo_raw(t, '\\');
        in->erasing = true;
        for (unsigned i = at; i != in->head; i++)
            echo_char(t, in->bytes[i & MASK]);
    } else if (show && erase_cc == VERASE && !local_flag(t, ECHOE)) {
        echo_char(t, t->termios.cc[VERASE]);
    } else if (show) {
        wipe(t, c, from, to);
    }
    in->head = at;
    return c;
}

static void erase_word(struct tty *t, bool show)
{
    bool seen = false;
    while (t->in.head != t->in.line_end) {
        uint8_t c = t->in.bytes[(t->in.head - 1) & MASK];
        bool word = isalnum(c) || c == '_' || is_continuation(t, c);
        if (seen && !word)
            break;
        seen |= word;
        erase_one(t, show, VWERASE);
    }
}

static void kill_line(struct tty *t, bool show)
{
    bool wipe_it = local_flag(t, ECHOK) && local_flag(t, ECHOKE) && local_flag(t, ECHOE);
    if (show && wipe_it) {
        while (erase_one(t, true, VKILL) >= 0)
            ;
        return;
    }
    t->in.head = t->in.line_end;
    if (!show)
        return;
    finish_erasing(t);
    echo_char(t, t->termios.cc[VKILL]);
    if (local_flag(t, ECHOK))
        echo_raw(t, '\n');
}

static void reprint(struct tty *t, uint8_t c)
{
    finish_erasing(t);
    echo_char(t, c);
    echo_raw(t, '\n');
    for (unsigned i = t->in.line_end; i != t->in.head; i++)
        echo_char(t, t->in.bytes[i & MASK]);
}

static void end_line(struct tty *t, uint8_t c)
{
    unsigned at = t->in.head;
    put(t, c);
    set_mark(&t->in, at, true);
    t->in.line_end = t->in.head;
    wake_readers(t);
}

/* Canonical mode: true if c was one of the editing characters. */
static bool edit(struct tty *t, uint8_t c)
{
    bool ext = local_flag(t, IEXTEN), echo = local_flag(t, ECHO);
    if (is_cc(t, c, VERASE)) {
        erase_one(t, echo, VERASE);
    } else if (is_cc(t, c, VKILL)) {
        kill_line(t, echo);
    } else if (is_cc(t, c, VWERASE) && ext) {
        erase_word(t, echo);
    } else if (is_cc(t, c, VLNEXT) && ext) {
        t->in.literal_next = true;
        if (echo && local_flag(t, ECHOCTL))
            tty_echo(t, "^\b", 2);
    } else if (is_cc(t, c, VREPRINT) && ext && echo) {
        reprint(t, c);
    } else if (c == '\n') {
        if (echo || local_flag(t, ECHONL))
            echo_raw(t, '\n');
        end_line(t, c);
    } else if (is_cc(t, c, VEOF)) {
        end_line(t, 0); /* a marked NUL: the reader takes it for the end of the file */
    } else if (is_cc(t, c, VEOL) || (is_cc(t, c, VEOL2) && ext)) {
        if (echo)
            echo_char(t, c);
        end_line(t, c);
    } else {
        return false;
    }
    if (echo && t->in.erasing && t->in.head == t->in.line_end)
        finish_erasing(t);
    return true;
}

/* ---- one character ---- */

static void raise_signal(struct tty *t, int sig, uint8_t c)
{
    if (!local_flag(t, NOFLSH)) {
        tty_input_reset(t);
        mutex_lock(&t->out_lock);
        if (t->driver->flush_output)
            t->driver->flush_output(t);
        mutex_unlock(&t->out_lock);
        if (t->driver->packet)
            t->driver->packet(t, TIOCPKT_FLUSHREAD | TIOCPKT_FLUSHWRITE);
    }
    if (input_flag(t, IXON))
        tty_set_stopped(t, false);
    if (local_flag(t, ECHO))
        echo_char(t, c);
    tty_signal_foreground(t, sig);
}

static bool flow_or_signal(struct tty *t, uint8_t c)
{
    if (input_flag(t, IXON) && (is_cc(t, c, VSTART) || is_cc(t, c, VSTOP))) {
        tty_set_stopped(t, is_cc(t, c, VSTOP) && !is_cc(t, c, VSTART));
        return true;
    }
    if (!local_flag(t, ISIG))
        return false;
    int sig = is_cc(t, c, VINTR) ? SIGINT : is_cc(t, c, VQUIT) ? SIGQUIT : is_cc(t, c, VSUSP) ? SIGTSTP : 0;
    if (sig)
        raise_signal(t, sig, c);
    return sig != 0;
}

static void plain(struct tty *t, uint8_t c)
{
    if (local_flag(t, ICANON) && tty_input_used(t) >= TTY_INPUT_SIZE - RESERVE) {
        if (input_flag(t, IMAXBEL))
            echo_raw(t, '\a');
        return;
    }
    if (local_flag(t, ECHO)) {
        finish_erasing(t);
        if (t->in.head == t->in.line_end)
            t->in.line_column = t->column;
        if (c == '\n')
            echo_raw(t, c);
        else
            echo_char(t, c);
    }
    if (c == 0377 && input_flag(t, PARMRK))
        put(t, c);
    put(t, c);
    if (!local_flag(t, ICANON))
        t->in.line_end = t->in.head;
}

static void receive_char(struct tty *t, uint8_t c)
{
    if (input_flag(t, ISTRIP))
        c &= 0x7f;
    if (input_flag(t, IUCLC) && local_flag(t, IEXTEN))
        c = (uint8_t)tolower(c);
    if (t->in.literal_next) {
        t->in.literal_next = false;
        plain(t, c);
        return;
    }
    if (flow_or_signal(t, c))
        return;
    if (t->stopped && input_flag(t, IXON) && input_flag(t, IXANY))
        tty_set_stopped(t, false);
    if (c == '\r') {
        if (input_flag(t, IGNCR))
            return;
        if (input_flag(t, ICRNL))
            c = '\n';
    } else if (c == '\n' && input_flag(t, INLCR)) {
        c = '\r';
    }
    if (!(local_flag(t, ICANON) && edit(t, c)))
        plain(t, c);
}

/* ---- from the driver ---- */

/* In canonical mode an unfinished line never fills the buffer for good: what is too much is dropped
 * as it is typed. */
static size_t room_locked(const struct tty *t)
{
    size_t room = TTY_INPUT_SIZE - RESERVE - MIN(tty_input_used(t), TTY_INPUT_SIZE - RESERVE);
    if (room == 0 && local_flag(t, ICANON) && t->in.line_end == t->in.tail)
        return 1;
    return local_flag(t, ICANON) ? room : room / (input_flag(t, PARMRK) ? 2 : 1);
}

size_t tty_receive_room(struct tty *t)
{
    MUTEX_GUARD(&t->lock);
    return room_locked(t);
}

size_t tty_receive(struct tty *t, const char *buf, size_t n)
{
    size_t done = 0;
    MUTEX_GUARD(&t->lock);
    while (done < n && room_locked(t) > 0)
        receive_char(t, (uint8_t)buf[done++]);
    if (done > 0 && !local_flag(t, ICANON))
        wake_readers(t);
    return done;
}

unsigned tty_input_available(const struct tty *t)
{
    if (!local_flag(t, ICANON))
        return tty_input_used(t);
    unsigned n = 0;
    for (unsigned i = t->in.tail; i != t->in.line_end; i++) {
        bool mark = t->in.marks[(i & MASK) / 64] >> (i % 64) & 1;
        n += !(mark && t->in.bytes[i & MASK] == 0); /* an end-of-file is no byte */
    }
    return n;
}
