/*
 * A terminal's settings: termios, window size, flow control, flushing. ioctl_tty(2).
 */
#include "fs/devpts/private.h"
#include "kernel/cred.h"
#include "mm/uaccess.h"
#include <linux/capability.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>

#define TCGETS2_ 0x802C542Au
#define TCSETS2_ 0x402C542Bu
#define TCSETSW2_ 0x402C542Cu
#define TCSETSF2_ 0x402C542Du
#define TIOCGEXCL_ 0x80045440u
#define TIOCGDEV_ 0x80045432u

void tty_default_termios(struct tty_termios *t)
{
    *t = (struct tty_termios){
        .iflag = ICRNL | IXON,
        .oflag = OPOST | ONLCR,
        .cflag = B38400 | CS8 | CREAD,
        .lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
        .cc = {[VINTR] = 3, [VQUIT] = 034, [VERASE] = 0177, [VKILL] = 025, [VEOF] = 4, [VMIN] = 1, [VSTART] = 021,
               [VSTOP] = 023, [VSUSP] = 032, [VREPRINT] = 022, [VDISCARD] = 017, [VWERASE] = 027, [VLNEXT] = 026},
        .ispeed = 38400,
        .ospeed = 38400,
    };
}

/* ---- termios ---- */

static int64_t get_termios(struct tty *t, uaddr_t arg, size_t size)
{
    mutex_lock(&t->lock);
    struct tty_termios copy = t->passes_through ? t->shown : t->termios;
    mutex_unlock(&t->lock);
    return copy_to_user(arg, &copy, size);
}

/* What changes when ICANON does: what was typed becomes readable at once, or lines start at what is
 * not read yet. */
static void mode_changed(struct tty *t, uint32_t old_lflag)
{
    struct tty_input *in = &t->in;
    bool canonical = t->termios.lflag & ICANON;
    in->literal_next = in->erasing = false;
    if (canonical == !!(old_lflag & ICANON))
        return;
    if (in->head != in->tail) {
        unsigned last = (in->head - 1) & (TTY_INPUT_SIZE - 1);
        if (canonical)
            in->marks[last / 64] |= 1ULL << (last % 64);
        in->line_end = in->head;
    } else {
        in->line_end = in->tail;
    }
}

/* What is left to do for a discipline above another one: lines are lines, and the rest has been
 * done. */
static struct tty_termios above(const struct tty_termios *below)
{
    struct tty_termios t = {.cflag = below->cflag, .lflag = below->lflag & (ICANON | TOSTOP | NOFLSH),
                            .ispeed = below->ispeed, .ospeed = below->ospeed};
    t.cc[VMIN] = below->cc[VMIN];
    t.cc[VTIME] = below->cc[VTIME];
    if (t.lflag & ICANON)
        t.cc[VEOF] = 4; /* how the driver tells of an end of file */
    return t;
}

void tty_pass_through(struct tty *t, const struct tty_termios *termios)
{
    mutex_lock(&t->lock);
    t->passes_through = true;
    t->shown = *termios;
    mutex_lock(&t->out_lock);
    t->termios = above(termios);
    mutex_unlock(&t->out_lock);
    mutex_unlock(&t->lock);
}

static void apply_termios(struct tty *t, const struct tty_termios *new_termios, bool flush)
{
    mutex_lock(&t->lock);
    uint32_t old_lflag = t->termios.lflag, old_iflag = t->termios.iflag;
    if (flush)
        tty_input_reset(t);
    bool passes_through = t->passes_through;
    t->shown = *new_termios;
    mutex_lock(&t->out_lock);
    t->termios = passes_through ? above(new_termios) : *new_termios;
    mutex_unlock(&t->out_lock);
    mode_changed(t, old_lflag);
    bool ixon = new_termios->iflag & IXON, had_ixon = old_iflag & IXON;
    mutex_unlock(&t->lock);
    if (passes_through)
        t->driver->settings(t, new_termios);
    if (had_ixon && !ixon)
        tty_set_stopped(t, false);
    if (t->driver->packet && ixon != had_ixon)
        t->driver->packet(t, ixon ? TIOCPKT_DOSTOP : TIOCPKT_NOSTOP);
    wake_poll(&t->readers, EPOLLIN | EPOLLRDNORM);
}

static int64_t set_termios(struct tty *t, uaddr_t arg, size_t size, bool flush)
{
    int err = tty_check_change(t);
    if (err < 0)
        return err;
    mutex_lock(&t->lock);
    struct tty_termios fresh = t->passes_through ? t->shown : t->termios;
    mutex_unlock(&t->lock);
    err = copy_from_user(&fresh, arg, size);
    if (err < 0)
        return err;
    /* A pseudo-terminal has 8 bits and no parity. */
    fresh.cflag = (fresh.cflag & ~(uint32_t)(CSIZE | PARENB)) | CS8 | CREAD;
    apply_termios(t, &fresh, flush);
    return 0;
}

static int64_t termios_ioctl(struct tty *t, unsigned cmd, uaddr_t arg)
{
    switch (cmd) {
    case TCGETS:
        return get_termios(t, arg, TERMIOS_SIZE);
    case TCSETS:
    case TCSETSW: /* nothing to drain: what is written is on its way */
        return set_termios(t, arg, TERMIOS_SIZE, false);
    case TCSETSF:
        return set_termios(t, arg, TERMIOS_SIZE, true);
    case TCGETS2_:
        return get_termios(t, arg, sizeof(struct tty_termios));
    case TCSETS2_:
    case TCSETSW2_:
        return set_termios(t, arg, sizeof(struct tty_termios), false);
    case TCSETSF2_:
        return set_termios(t, arg, sizeof(struct tty_termios), true);
    default:
        return NOT_MINE;
    }
}

/* ---- window size ---- */

void tty_set_window(struct tty *t, const struct tty_window *w)
{
    mutex_lock(&t->lock);
    bool changed = memcmp(&t->window, w, sizeof(*w)) != 0;
    t->window = *w;
    mutex_unlock(&t->lock);
    if (changed)
        tty_signal_foreground(t, SIGWINCH);
}

static int64_t get_window(struct tty *t, uaddr_t arg)
{
    mutex_lock(&t->lock);
    struct tty_window w = t->window;
    mutex_unlock(&t->lock);
    return put_user(&w, arg);
}

static int64_t set_window(struct tty *t, uaddr_t arg)
{
    struct tty_window w;
    int err = get_user(&w, arg);
    if (err == 0)
        tty_set_window(t, &w);
    return err;
}

/* ---- flow and flushing ---- */

static int64_t flush_queues(struct tty *t, uaddr_t which)
{
    int err = tty_check_change(t);
    if (err < 0)
        return err;
    if (which != TCIFLUSH && which != TCOFLUSH && which != TCIOFLUSH)
        return -EINVAL;
    if (which != TCOFLUSH) {
        mutex_lock(&t->lock);
        tty_input_reset(t);
        mutex_unlock(&t->lock);
        if (t->driver->input_taken)
            t->driver->input_taken(t);
    }
    if (which != TCIFLUSH) {
        mutex_lock(&t->out_lock);
        if (t->driver->flush_output)
            t->driver->flush_output(t);
        mutex_unlock(&t->out_lock);
        tty_output_ready(t);
    }
    unsigned bits = (which != TCOFLUSH ? TIOCPKT_FLUSHREAD : 0) | (which != TCIFLUSH ? TIOCPKT_FLUSHWRITE : 0);
    if (t->driver->packet)
        t->driver->packet(t, bits);
    return 0;
}

static int64_t flow(struct tty *t, uaddr_t action)
{
    int err = tty_check_change(t);
    if (err < 0)
        return err;
    switch (action) {
    case TCOOFF:
    case TCOON:
        tty_set_stopped(t, action == TCOOFF);
        return 0;
    case TCIOFF:
    case TCION:
        return 0; /* would send ^S or ^Q to a device that has no flow control */
    default:
        return -EINVAL;
    }
}

static int64_t put_int(int value, uaddr_t arg)
{
    return put_user(&value, arg);
}

static int64_t input_waiting(struct tty *t, uaddr_t arg)
{
    mutex_lock(&t->lock);
    int n = (int)tty_input_available(t);
    mutex_unlock(&t->lock);
    return put_int(n, arg);
}

static int64_t set_discipline(uaddr_t arg)
{
    int n;
    int err = get_user(&n, arg);
    return err < 0 ? err : n == 0 ? 0 : -EINVAL; /* N_TTY is all there is */
}

static int64_t hang_up(struct tty *t)
{
    if (!capable(CAP_SYS_ADMIN))
        return -EPERM;
    tty_hangup(t);
    return 0;
}

int64_t tty_common_ioctl(struct tty *t, struct file *file, bool master, unsigned cmd, uaddr_t arg)
{
    int64_t result = termios_ioctl(t, cmd, arg);
    if (result == NOT_MINE)
        result = tty_job_ioctl(t, file, master, cmd, arg);
    if (result != NOT_MINE)
        return result;
    switch (cmd) {
    case TIOCGWINSZ:
        return get_window(t, arg);
    case TIOCSWINSZ:
        return set_window(t, arg);
    case TCFLSH:
        return flush_queues(t, arg);
    case TCXONC:
        return flow(t, arg);
    case TCSBRK:
    case TCSBRKP:
    case TIOCSBRK:
    case TIOCCBRK:
        return tty_check_change(t); /* a break has nowhere to go, and nothing is waiting to be sent */
    case FIONREAD:
        return input_waiting(t, arg);
    case TIOCOUTQ:
        return put_int((int)t->driver->pending(t), arg);
    case TIOCEXCL:
    case TIOCNXCL:
        t->exclusive = cmd == TIOCEXCL;
        return 0;
    case TIOCGEXCL_:
        return put_int(t->exclusive, arg);
    case TIOCGETD:
        return put_int(0, arg);
    case TIOCSETD:
        return set_discipline(arg);
    case TIOCGDEV_:
        return put_int((int)t->inode->attr.rdev, arg);
    case TIOCVHANGUP:
        return hang_up(t);
    case TIOCSTI:
        return -EIO; /* as Linux with legacy_tiocsti off: typing for others is an attack */
    default:
        return -ENOTTY;
    }
}
