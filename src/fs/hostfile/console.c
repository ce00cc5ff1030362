/*
 * The console: a guest terminal whose line ends at the host's terminal.
 *
 * The host's terminal is in raw mode (the runtime's doing), so the guest's line discipline sees
 * every key. Output goes to the host at once, from whoever writes; what the host does not take then
 * waits in a small buffer for the output fiber. Input is pumped by a fiber of its own, which starts
 * when the terminal is the first process's standard input or when a guest first reads, and stops
 * reading while the guest's buffer is full.
 *
 * A console ends when no file is open on it and no session has it: then its fibers finish and the
 * host's descriptors are closed, so that whoever reads the other end sees the end.
 *
 * DEVIATION: keys that were typed and not read when the sandbox ends are gone; on Linux the shell
 * would find them.
 *
 * Locks: console->lock (mutex, inside the tty's out_lock) protects the buffer and the host's
 * descriptors against the end. References: the set, the terminal, each fiber.
 */
#include "fs/hostfile/console.h"
#include "base/log.h"
#include "fs/hostfile/hostfile.h"
#include "fs/hostfile/hostio.h"
#include "fs/tty.h"
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define BUFFER_SIZE 8192
#define CHUNK 1024
#define BACKGROUND_RETRY NSEC_PER_SEC
#define DRAIN_TIME NSEC_PER_SEC

struct console {
    struct refcount ref;
    dev_t rdev;                 /* [I] of the host's terminal */
    struct tty *tty;            /* [I] reference until the end */
    struct hostio *in, *out;    /* [lock] may be one and the same, or NULL; stay while a fiber runs */
    struct mutex lock;
    unsigned fibers;            /* [lock] */
    _Atomic bool ended;         /* [lock to change] */
    size_t used;                /* [lock] bytes of buffer */
    char buffer[BUFFER_SIZE];   /* [lock] output the host has not taken */
    _Atomic size_t pending;     /* = used, to look at without the lock */
    struct wait_queue output;   /* the output fiber: there is something to flush */
    struct wait_queue input;    /* the input fiber: there is room, or the sandbox came to the foreground */
    _Atomic bool input_running;
    _Atomic unsigned nudges;
};

/* ---- life ---- */

static struct console *console_get(struct console *c)
{
    refcount_get(&c->ref);
    return c;
}

void console_put(struct console *c)
{
    if (!refcount_put(&c->ref))
        return;
    assert_always(!c->in && !c->out);
    free(c);
}

static void close_io(struct hostio *io)
{
    if (!io)
        return;
    hostio_fini(io);
    free(io);
}

/* The host's side is closed, and the terminal loses its number. */
static void console_close(struct console *c)
{
    mutex_lock(&c->lock);
    struct hostio *in = TAKE_PTR(c->in), *out = TAKE_PTR(c->out);
    struct tty *tty = TAKE_PTR(c->tty);
    c->pending = c->used = 0;
    mutex_unlock(&c->lock);
    close_io(in);
    if (out != in)
        close_io(out);
    if (tty) {
        devpts_remove(tty);
        tty_unref(tty);
    }
}

static void console_end(struct console *c)
{
    mutex_lock(&c->lock);
    bool idle = !c->ended && c->fibers == 0;
    c->ended = true;
    if (c->in)
        wake_all(&c->in->queue);
    if (c->out)
        wake_all(&c->out->queue);
    mutex_unlock(&c->lock);
    wake_all(&c->output);
    wake_all(&c->input);
    if (idle)
        console_close(c);
}

/* The last thing a fiber does. */
static void fiber_done(struct console *c)
{
    mutex_lock(&c->lock);
    bool last = --c->fibers == 0 && c->ended;
    mutex_unlock(&c->lock);
    if (last)
        console_close(c);
    console_put(c);
}

/* As hostio_wait(), but until the end at most: false then. */
static bool wait_io(struct console *c, struct hostio *io, uint32_t events)
{
    hostio_watch(io);
    wait_event(&io->queue, c->ended || hostio_poll(io, events) != 0);
    return !c->ended;
}

/* ---- output ---- */

/* Gives the host what it takes without blocking. lock held. */
static void flush_locked(struct console *c)
{
    while (c->used > 0) {
        ssize_t n = c->out ? hostio_write(c->out, c->buffer, c->used, false) : (ssize_t)c->used;
        if (n == -EAGAIN)
            break;
        if (n <= 0)
            n = (ssize_t)c->used; /* nobody will ever see it */
        c->used -= (size_t)n;
        memmove(c->buffer, c->buffer + n, c->used);
    }
    c->pending = c->used;
}

static void output_main(void *arg)
{
    struct console *c = arg;
    for (;;) {
        wait_event(&c->output, c->pending > 0 || c->ended);
        if (!wait_io(c, c->out, POLLOUT))
            break;
        mutex_lock(&c->lock);
        flush_locked(c);
        mutex_unlock(&c->lock);
        tty_output_ready(c->tty);
    }
    console_drain(c);
    fiber_done(c);
}

void console_drain(struct console *c)
{
    int64_t deadline = now_monotonic() + DRAIN_TIME;
    struct wait_queue idle = WAIT_QUEUE_INIT(idle);
    while (c->pending > 0 && now_monotonic() < deadline) {
        mutex_lock(&c->lock);
        flush_locked(c);
        mutex_unlock(&c->lock);
        /* Through signals: whoever waits here may be about to end. */
        (void)wait_event_full(&idle, c->pending == 0, now_monotonic() + 5 * NSEC_PER_MSEC, false);
    }
}

static size_t console_room(struct tty *t)
{
    struct console *c = tty_data(t);
    return BUFFER_SIZE - c->pending;
}

static void console_write(struct tty *t, const char *buf, size_t n)
{
    struct console *c = tty_data(t);
    mutex_lock(&c->lock);
    assert(n <= BUFFER_SIZE - c->used);
    memcpy(c->buffer + c->used, buf, n);
    c->used += n;
    flush_locked(c); /* after the end: nobody sees it */
    bool rest = c->used > 0;
    mutex_unlock(&c->lock);
    if (rest)
        wake_all(&c->output);
}

static void console_flush(struct tty *t)
{
    struct console *c = tty_data(t);
    mutex_lock(&c->lock);
    c->pending = c->used = 0;
    mutex_unlock(&c->lock);
}

static size_t console_pending(struct tty *t)
{
    return ((struct console *)tty_data(t))->pending;
}

/* ---- input ---- */

static void nudge_input(struct console *c)
{
    c->nudges++;
    wake_all(&c->input);
}

static void feed(struct console *c, const char *buf, size_t n)
{
    size_t done = 0;
    while (done < n) {
        size_t took = tty_receive(c->tty, buf + done, n - done);
        done += took;
        if (took == 0)
            wait_event(&c->input, c->ended || tty_receive_room(c->tty) > 0);
        if (c->ended)
            break;
    }
}

/* Reading failed: true if the terminal is gone, false after dealing with it. An end of file is a ^D
 * typed to a terminal that is not raw. -EIO: the host has us in the background. */
static bool line_is_dead(struct console *c, ssize_t result)
{
    bool gone = hostio_poll(c->in, POLLIN) & (POLLHUP | POLLERR);
    if (gone || (result != 0 && result != -EIO))
        return true;
    if (result == 0) {
        feed(c, "\004", 1);
        return false;
    }
    unsigned seen = c->nudges;
    int err = wait_event_timeout(&c->input, c->ended || c->nudges != seen, now_monotonic() + BACKGROUND_RETRY);
    (void)err; /* either way: try again */
    return false;
}

static void input_main(void *arg)
{
    struct console *c = arg;
    char buf[CHUNK];
    for (;;) {
        if (!wait_io(c, c->in, POLLIN))
            break;
        ssize_t n = hostio_read(c->in, buf, sizeof(buf));
        if (n > 0)
            feed(c, buf, (size_t)n);
        else if (n != -EAGAIN && n != -EINTR && line_is_dead(c, n))
            break;
    }
    if (!c->ended) {
        log_debug("the terminal is gone");
        tty_hangup(c->tty);
    }
    fiber_done(c);
}

static void start_fiber(const char *name, void (*fn)(void *), struct console *c)
{
    struct fiber *f = fiber_new(name, fn, c);
    if (!f)
        return;
    mutex_lock(&c->lock);
    bool start = !c->ended;
    c->fibers += start;
    mutex_unlock(&c->lock);
    if (!start) {
        fiber_discard(f);
        return;
    }
    console_get(c);
    fiber_start(f);
}

/* Reading nothing fails in the background of the host's terminal; whoever wanted to read more is
 * stopped there, as it would be natively. */
static void stop_in_background(struct console *c)
{
    char none;
    mutex_lock(&c->lock);
    bool background = c->in && hostio_read(c->in, &none, 0) == -EIO &&
                      !(hostio_poll(c->in, POLLIN) & (POLLHUP | POLLERR));
    mutex_unlock(&c->lock);
    if (background)
        tty_signal_foreground(c->tty, SIGTTIN);
}

static void console_input_wanted(struct tty *t, bool reading)
{
    struct console *c = tty_data(t);
    if (reading && c->in)
        stop_in_background(c);
    if (c->in && !c->input_running && !atomic_exchange(&c->input_running, true))
        start_fiber("console input", input_main, c);
}

static void console_input_taken(struct tty *t)
{
    nudge_input(tty_data(t));
}

/* Passing through: the guest's settings are the host's. */
static void console_settings(struct tty *t, const struct tty_termios *termios)
{
    struct console *c = tty_data(t);
    MUTEX_GUARD(&c->lock);
    struct hostio *io = c->in ? c->in : c->out;
    if (io && ioctl(io->fd, TCSETS, termios) < 0)
        log_debug("cannot set the terminal: %d", errno);
}

static void console_closed(struct tty *t)
{
    if (!tty_has_session(t) && !tty_is_open(t))
        console_end(tty_data(t));
}

static void console_free(struct tty *t)
{
    console_put(tty_data(t));
}

static const struct tty_driver console_driver = {
    .room = console_room,
    .write = console_write,
    .flush_output = console_flush,
    .pending = console_pending,
    .input_taken = console_input_taken,
    .input_wanted = console_input_wanted,
    .settings = console_settings,
    .closed = console_closed,
    .free = console_free,
};

/* ---- setting up ---- */

void console_take_window(struct console *c)
{
    struct winsize w;
    mutex_lock(&c->lock);
    struct hostio *io = c->out ? c->out : c->in;
    struct tty *tty = io && ioctl(io->fd, TIOCGWINSZ, &w) == 0 ? tty_ref(c->tty) : NULL;
    mutex_unlock(&c->lock);
    if (!tty)
        return;
    tty_set_window(tty, &(struct tty_window){w.ws_row, w.ws_col, w.ws_xpixel, w.ws_ypixel});
    tty_unref(tty);
    nudge_input(c);
}

int console_new(dev_t rdev, struct super_block *devpts, uint32_t uid, struct console **ret)
{
    struct console *c = calloc(1, sizeof(*c));
    if (!c)
        return -ENOMEM;
    refcount_init(&c->ref);
    c->rdev = rdev;
    mutex_init(&c->lock);
    wait_queue_init(&c->output);
    wait_queue_init(&c->input);
    int err = tty_new(&console_driver, c, &c->tty);
    if (err < 0) {
        free(c);
        return err;
    }
    console_get(c); /* the terminal's */
    tty_set_utf8(c->tty);
    err = devpts_add_console(devpts, c->tty);
    if (err < 0) {
        tty_unref(TAKE_PTR(c->tty));
        console_put(c);
        return err;
    }
    tty_set_owner(c->tty, uid);
    *ret = c;
    return 0;
}

dev_t console_device(const struct console *c)
{
    return c->rdev;
}

/* Uses the descriptor for what the console lacks: false if it has both ways already. */
static bool use_descriptor(struct console *c, int fd, uint32_t mode)
{
    int access = fcntl(fd, F_GETFL) & O_ACCMODE;
    bool in = !c->in && access != O_WRONLY, out = !c->out && access != O_RDONLY;
    struct hostio *io = in || out ? calloc(1, sizeof(*io)) : NULL;
    if (!io)
        return false;
    hostio_init(io, fd, mode);
    if (in)
        c->in = io;
    if (out) {
        c->out = io;
        start_fiber("console output", output_main, c);
    }
    return true;
}

int console_open_fd(struct console *c, int host_fd, const struct stat *st, struct file **ret)
{
    uint32_t flags = (uint32_t)fcntl(host_fd, F_GETFL) & (O_ACCMODE | O_APPEND);
    if (use_descriptor(c, host_fd, st->st_mode))
        console_take_window(c);
    else
        close(host_fd);
    return tty_open_file(c->tty, flags, ret);
}

void console_has_keyboard(struct console *c, bool keyboard)
{
    struct tty_termios termios = {.ispeed = B38400, .ospeed = B38400};
    if (keyboard)
        console_input_wanted(c->tty, false);
    else if (ioctl((c->in ? c->in : c->out)->fd, TCGETS, &termios) == 0)
        tty_pass_through(c->tty, &termios);
}

struct tty *console_tty(struct console *c)
{
    mutex_lock(&c->lock);
    struct tty *tty = c->tty ? tty_ref(c->tty) : NULL;
    mutex_unlock(&c->lock);
    return tty;
}

void console_finish(struct console *c)
{
    struct tty *tty = console_tty(c);
    if (!tty)
        return;
    console_closed(tty);
    tty_unref(tty);
}
