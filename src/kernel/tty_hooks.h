/*
 * What the process tree needs of terminals, without knowing them: fs/devpts fills the table at
 * boot. Until then (and in unit tests) nobody has a controlling terminal.
 */
#pragma once
#include "base/base.h"

struct tty;
struct pid;

struct tty_hooks {
    struct tty *(*get)(struct tty *tty);
    void (*put)(struct tty *tty);
    /* The session's leader ends: hang up (SIGHUP, SIGCONT to the foreground group). No lock held.
     * */
    void (*leader_exit)(struct tty *tty, struct pid *session);
    /* Its device number, and its foreground group (a reference) or NULL. */
    void (*describe)(struct tty *tty, uint64_t *ret_rdev, struct pid **ret_foreground);
};
extern struct tty_hooks tty_hooks;

static inline struct tty *tty_get(struct tty *tty)
{
    return tty && tty_hooks.get ? tty_hooks.get(tty) : NULL;
}

static inline void tty_put(struct tty *tty)
{
    if (tty && tty_hooks.put)
        tty_hooks.put(tty);
}
