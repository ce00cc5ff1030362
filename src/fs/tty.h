/*
 * Terminals, seen by what is behind them: the pseudo-terminal's master (fs/devpts) and the host's terminal
 * (fs/hostfile/console.c).
 *
 * A struct tty is a terminal's slave side: the line discipline, its settings, its session. A driver feeds it
 * what is typed (tty_receive()) and shows what it writes (tty_driver.write).
 *
 *     tty_new(&driver, data, &tty)      one reference, the driver's
 *     devpts_add(...)                   gives it a number and a node
 *     tty_receive(tty, buf, n)          as often as something is typed
 *     tty_hangup(tty)                   the line is gone: files on it are dead, the session gets SIGHUP
 *     tty_free_ref(tty)
 */
#pragma once
#include "vfs/file.h"

struct tty;

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
    /* Somebody waits for input; any lock but out_lock; may be NULL. */
    void (*input_wanted)(struct tty *t);
    /* The last file on it was closed / the first opened; no lock held; may be NULL. */
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
void *tty_data(const struct tty *t); /* the driver's */

/* Typed bytes: how many were taken; fewer than n when the reader lags behind (driver->input_taken tells when
 * to go on). */
size_t tty_receive(struct tty *t, const char *buf, size_t n);
size_t tty_receive_room(struct tty *t);
/* The driver has room for output again. */
void tty_output_ready(struct tty *t);
void tty_hangup(struct tty *t);
void tty_set_window(struct tty *t, const struct tty_window *w); /* SIGWINCH if it is another size */

/* A file on the terminal, without a walk. */
NODISCARD int tty_open_file(struct tty *t, uint32_t flags, struct file **ret);

/* A number and a node in the first devpts instance for a terminal that is not a pair (the console). */
NODISCARD int devpts_add_console(struct tty *t);
int devpts_init(void); /* at boot: registers the file system, /dev/tty, /dev/ptmx, /dev/console */
