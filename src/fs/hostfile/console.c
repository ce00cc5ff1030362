/*
 * The console: a guest terminal whose line ends at the host's terminal.
 *
 * The host's terminal is in raw mode (the runtime's doing), so the guest's line discipline sees
 * every key. Output goes to the host at once, from whoever writes; what the host does not take then
 * waits in a small buffer for the output fiber. Input is pumped by a fiber of its own, which starts
 * when the terminal is the first process's standard input or when a guest first reads, and stops
 * reading while the guest's buffer is full.
 *
 * DEVIATION: keys that were typed and not read when the sandbox ends are gone; on Linux the shell
 * would find them.
 *
 * Locks: console->lock (mutex, inside the tty's out_lock) protects the buffer.
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
#define MAX_CONSOLES 3
#define BACKGROUND_RETRY NSEC_PER_SEC
#define DRAIN_MS 1000

struct console {
    dev_t rdev;                 /* [I] of the host's terminal */
    struct tty *tty;            /* [I] reference */
    struct hostio *in, *out;    /* [I] after boot; may be one and the same, or NULL */
    struct mutex lock;
    size_t used;                /* [lock] bytes of buffer */
    char buffer[BUFFER_SIZE];   /* [lock] output the host has not taken */
    _Atomic size_t pending;     /* = used, to look at without the lock */
    struct wait_queue output;   /* the output fiber: there is something to flush */
    struct wait_queue input;    /* the input fiber: there is room, or the sandbox came to the foreground */
    _Atomic bool input_running;
    _Atomic unsigned nudges;
};

static struct console *consoles[MAX_CONSOLES]; /* filled before the first guest instruction */

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
        wait_event(&c->output, c->pending > 0);
        if (hostio_wait(c->out, POLLOUT) < 0)
            continue;
        mutex_lock(&c->lock);
        flush_locked(c);
        mutex_unlock(&c->lock);
        tty_output_ready(c->tty);
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
    flush_locked(c);
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
            wait_event(&c->input, tty_receive_room(c->tty) > 0);
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
    int err = wait_event_timeout(&c->input, c->nudges != seen, now_monotonic() + BACKGROUND_RETRY);
    (void)err; /* either way: try again */
    return false;
}

static void input_main(void *arg)
{
    struct console *c = arg;
    char buf[CHUNK];
    for (;;) {
        if (hostio_wait(c->in, POLLIN) < 0)
            continue;
        ssize_t n = hostio_read(c->in, buf, sizeof(buf));
        if (n > 0)
            feed(c, buf, (size_t)n);
        else if (n != -EAGAIN && n != -EINTR && line_is_dead(c, n))
            break;
    }
    log_debug("the terminal is gone");
    tty_hangup(c->tty);
}

static void start_fiber(const char *name, void (*fn)(void *), struct console *c)
{
    struct fiber *f = fiber_new(name, fn, c);
    if (f)
        fiber_start(f);
}

/* Reading nothing fails in the background of the host's terminal; whoever wanted to read more is
 * stopped there, as it would be natively. */
static void stop_in_background(struct console *c)
{
    char none;
    if (hostio_read(c->in, &none, 0) == -EIO && !(hostio_poll(c->in, POLLIN) & (POLLHUP | POLLERR)))
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
    struct hostio *io = c->in ? c->in : c->out;
    if (ioctl(io->fd, TCSETS, termios) < 0)
        log_debug("cannot set the terminal: %d", errno);
}

static const struct tty_driver console_driver = {
    .room = console_room,
    .write = console_write,
    .flush_output = console_flush,
    .pending = console_pending,
    .input_taken = console_input_taken,
    .input_wanted = console_input_wanted,
    .settings = console_settings,
};

/* ---- setting up ---- */

static void take_window_size(struct console *c)
{
    struct winsize w;
    struct hostio *io = c->out ? c->out : c->in;
    if (ioctl(io->fd, TIOCGWINSZ, &w) == 0)
        tty_set_window(c->tty, &(struct tty_window){w.ws_row, w.ws_col, w.ws_xpixel, w.ws_ypixel});
}

static int console_new(dev_t rdev, struct console **ret)
{
    struct console *c = calloc(1, sizeof(*c));
    if (!c)
        return -ENOMEM;
    c->rdev = rdev;
    mutex_init(&c->lock);
    wait_queue_init(&c->output);
    wait_queue_init(&c->input);
    int err = tty_new(&console_driver, c, &c->tty);
    if (err < 0) {
        free(c);
        return err;
    }
    tty_set_utf8(c->tty);
    err = devpts_add_console(c->tty);
    if (err < 0) {
        tty_unref(c->tty);
        free(c);
        return err;
    }
    *ret = c;
    return 0;
}

static int find_console(dev_t rdev, struct console **ret)
{
    for (unsigned i = 0; i < MAX_CONSOLES; i++) {
        if (!consoles[i]) {
            int err = console_new(rdev, &consoles[i]);
            if (err < 0)
                return err;
        }
        if (consoles[i]->rdev == rdev) {
            *ret = consoles[i];
            return 0;
        }
    }
    return -ENOSPC;
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

int console_open_fd(int host_fd, const struct stat *st, struct file **ret)
{
    struct console *c = NULL;
    uint32_t flags = (uint32_t)fcntl(host_fd, F_GETFL) & (O_ACCMODE | O_APPEND);
    int err = find_console(st->st_rdev, &c);
    bool used = err == 0 && use_descriptor(c, host_fd, st->st_mode);
    if (used)
        take_window_size(c);
    if (!used)
        close(host_fd);
    return err < 0 ? err : tty_open_file(c->tty, flags, ret);
}

void console_has_keyboard(bool keyboard)
{
    struct console *c = consoles[0];
    struct tty_termios termios = {.ispeed = B38400, .ospeed = B38400};
    if (!c)
        return;
    if (keyboard)
        console_input_wanted(c->tty, false);
    else if (ioctl((c->in ? c->in : c->out)->fd, TCGETS, &termios) == 0)
        tty_pass_through(c->tty, &termios);
}

void hostfile_own_console(uint32_t uid)
{
    for (unsigned i = 0; i < MAX_CONSOLES && consoles[i]; i++)
        tty_set_owner(consoles[i]->tty, uid);
}

void hostfile_start_session(struct pid *leader)
{
    if (consoles[0])
        tty_start_session(consoles[0]->tty, leader);
}

bool hostfile_signal_foreground(int sig)
{
    return consoles[0] && tty_signal_foreground(consoles[0]->tty, sig);
}

struct tty *hostfile_console(void)
{
    return consoles[0] ? tty_ref(consoles[0]->tty) : NULL;
}

void hostfile_winsize_changed(void)
{
    for (unsigned i = 0; i < MAX_CONSOLES && consoles[i]; i++) {
        take_window_size(consoles[i]);
        nudge_input(consoles[i]);
    }
}

void hostfile_drain(void)
{
    for (unsigned i = 0; i < MAX_CONSOLES && consoles[i]; i++) {
        struct console *c = consoles[i];
        mutex_lock(&c->lock);
        flush_locked(c);
        while (c->used > 0) {
            struct pollfd p = {.fd = c->out->fd, .events = POLLOUT};
            if (poll(&p, 1, DRAIN_MS) != 1)
                break;
            flush_locked(c);
        }
        mutex_unlock(&c->lock);
    }
}
