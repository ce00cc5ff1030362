/*
 * Terminals, seen by what is behind them: the pseudo-terminal's master (fs/devpts) and the host's
 * terminal (fs/hostfile/console.c).
 *
 * A struct tty is a terminal's slave side: the line discipline, its settings, its session. A driver
 * feeds it what is typed (tty_receive()) and shows what it writes (tty_driver.write).
 *
 *     tty_new(&driver, data, &tty)      one reference, the driver's
 *     devpts_add(...)                   gives it a number and a node
 *     tty_receive(tty, buf, n)          as often as something is typed
 *     tty_hangup(tty)                   the line is gone: files on it are dead, the session gets SIGHUP
 *     tty_free_ref(tty)
 */
#pragma once
#include "vfs/file.h"

struct pid;
struct tty;

#define TTY_CC_COUNT 19

/* The kernel's struct termios2; struct termios is its first TERMIOS_SIZE bytes. */
struct tty_termios {
    uint32_t iflag, oflag, cflag, lflag;
    uint8_t line;
    uint8_t cc[TTY_CC_COUNT];
    uint32_t ispeed, ospeed;
};
#define TERMIOS_SIZE 36

struct tty_window {
    unsigned short rows, cols, xpixel, ypixel; /* struct winsize */
};

/* Called in fibers, with tty->out_lock held unless said otherwise; must not wait. */
struct tty_driver {
    /* How many bytes write() takes now. */
    size_t (*room)(struct tty *t);
    /* Shows n bytes, n <= room(). */
    void (*write)(struct tty *t, const char *buf, size_t n);
    /* Throws away what was written and not yet shown; may be NULL. */
    void (*flush_output)(struct tty *t);
    /* What is written and not yet shown (TIOCOUTQ). Any lock. */
    size_t (*pending)(struct tty *t);
    /* There is room for input again; no lock held; may be NULL. */
    void (*input_taken)(struct tty *t);
    /* Somebody polls for input, or is about to read it; no lock held; may be NULL. */
    void (*input_wanted)(struct tty *t, bool reading);
    /* A terminal that passes through (below) was given new settings; no lock held. */
    void (*settings)(struct tty *t, const struct tty_termios *termios);
    /* The last file on it was closed (or its session left it, with no file open) / the first opened; no lock held;
     * may be NULL. */
    void (*closed)(struct tty *t);
    void (*opened)(struct tty *t);
    /* The state changed: TIOCPKT_... bits; any lock; may be NULL. */
    void (*packet)(struct tty *t, unsigned bits);
    /* The last reference is gone. */
    void (*free)(struct tty *t);
};

NODISCARD int tty_new(const struct tty_driver *driver, void *data, struct tty **ret);
struct tty *tty_ref(struct tty *t);
void tty_unref(struct tty *t);
void tty_set_utf8(struct tty *t); /* IUTF8 from the start */
/* Another line discipline is at work below, whose settings are these: ours leaves bytes alone, and
 * the guest's changes go to driver->settings(). */
void tty_pass_through(struct tty *t, const struct tty_termios *termios);
void tty_set_owner(struct tty *t, uint32_t uid); /* of its node */
/* The session's leader (whose process was given the terminal at birth) and its group in the
 * foreground. */
void tty_start_session(struct tty *t, struct pid *leader);
/* A signal for the foreground group: false if there is none. */
bool tty_signal_foreground(struct tty *t, int sig);
void *tty_data(const struct tty *t); /* the driver's */

/* Typed bytes: how many were taken; fewer than n when the reader lags behind (driver->input_taken
 * tells when to go on). */
size_t tty_receive(struct tty *t, const char *buf, size_t n);
size_t tty_receive_room(struct tty *t);
/* The driver has room for output again. */
void tty_output_ready(struct tty *t);
void tty_hangup(struct tty *t);
void tty_set_window(struct tty *t, const struct tty_window *w); /* SIGWINCH if it is another size */

/* A file on the terminal, without a walk. */
NODISCARD int tty_open_file(struct tty *t, uint32_t flags, struct file **ret);

bool tty_has_session(struct tty *t); /* is it somebody's controlling terminal? */
bool tty_is_open(struct tty *t);     /* are there files on it? */

struct super_block;
/* A number and a node for a terminal that is not a pair (the console), in this devpts instance; NULL or another file
 * system: in the first one. */
NODISCARD int devpts_add_console(struct super_block *sb, struct tty *t);
void devpts_remove(struct tty *t); /* its number and node are gone; once, before the driver's reference */
unsigned tty_number(const struct tty *t);
int devpts_init(void); /* at boot: registers the file system, /dev/tty, /dev/ptmx, /dev/console */
