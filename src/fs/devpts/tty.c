/*
 * Terminals: their life, and the files that are open on them. See private.h for the other parts.
 *
 * A tty is kept by its driver, its open files and the processes whose controlling terminal it is. A
 * hang-up makes every file opened before it dead: reads give end-of-file, everything else -EIO.
 */
#include "fs/devpts/private.h"
#include "kernel/pid.h"
#include "kernel/tty_hooks.h"
#include "mm/uaccess.h"
#include "vfs/dentry.h"
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>

int tty_new(const struct tty_driver *driver, void *data, struct tty **ret)
{
    struct tty *t = calloc(1, sizeof(*t));
    if (!t)
        return -ENOMEM;
    refcount_init(&t->ref);
    t->driver = driver;
    t->data = data;
    mutex_init(&t->write_lock);
    mutex_init(&t->lock);
    mutex_init(&t->out_lock);
    spin_init(&t->ctrl_lock);
    wait_queue_init(&t->readers);
    wait_queue_init(&t->writers);
    tty_default_termios(&t->termios);
    *ret = t;
    return 0;
}

struct tty *tty_ref(struct tty *t)
{
    refcount_get(&t->ref);
    return t;
}

void tty_unref(struct tty *t)
{
    if (!refcount_put(&t->ref))
        return;
    if (t->session)
        pid_put(t->session);
    if (t->foreground)
        pid_put(t->foreground);
    if (t->inode) {
        struct super_block *sb = t->inode->sb;
        inode_put(t->inode);
        sb_put(sb);
    }
    if (t->driver->free)
        t->driver->free(t);
    free(t);
}

void tty_set_utf8(struct tty *t)
{
    t->termios.iflag |= IUTF8;
}

void tty_set_owner(struct tty *t, uint32_t uid)
{
    t->inode->attr.uid = uid;
}

bool tty_has_session(struct tty *t)
{
    spin_lock(&t->ctrl_lock);
    bool has = t->session != NULL;
    spin_unlock(&t->ctrl_lock);
    return has;
}

bool tty_is_open(struct tty *t)
{
    spin_lock(&t->ctrl_lock);
    bool open = t->files > 0;
    spin_unlock(&t->ctrl_lock);
    return open;
}

void *tty_data(const struct tty *t)
{
    return t->data;
}

void tty_output_ready(struct tty *t)
{
    wake_poll(&t->writers, EPOLLOUT | EPOLLWRNORM);
}

void tty_hangup(struct tty *t)
{
    mutex_lock(&t->lock);
    t->hangups++;
    tty_input_reset(t);
    mutex_unlock(&t->lock);
    t->stopped = false;
    tty_drop_session(t, false);
    wake_poll(&t->readers, EPOLLIN | EPOLLRDNORM | EPOLLHUP | EPOLLERR);
    wake_poll(&t->writers, EPOLLOUT | EPOLLWRNORM | EPOLLHUP | EPOLLERR);
}

/* ---- files ---- */

bool tty_file_dead(const struct file *f)
{
    const struct tty *t = f->private_data;
    return t->dead || (unsigned)f->pos != t->hangups;
}

int tty_attach(struct tty *t, struct file *file)
{
    if (t->exclusive && !current_cred()->cap_effective)
        return -EBUSY;
    file->private_data = tty_ref(t);
    file->ops = &tty_ops;
    spin_lock(&t->ctrl_lock);
    file->pos = t->hangups; /* what tty_file_dead() compares */
    bool first = t->files++ == 0;
    spin_unlock(&t->ctrl_lock);
    if (first && t->driver->opened)
        t->driver->opened(t);
    return 0;
}

int tty_open_file(struct tty *t, uint32_t flags, struct file **ret)
{
    int err = file_new_on_inode(t->name, t->inode, &tty_ops, NULL, flags & (O_ACCMODE | O_NONBLOCK | O_APPEND), ret);
    if (err < 0)
        return err;
    err = tty_attach(t, *ret);
    assert_always(err == 0 || t->exclusive);
    return err;
}

static void tty_release(struct file *file)
{
    struct tty *t = file->private_data;
    if (!t)
        return;
    spin_lock(&t->ctrl_lock);
    bool last = --t->files == 0;
    spin_unlock(&t->ctrl_lock);
    if (last) {
        t->exclusive = false;
        if (t->driver->closed)
            t->driver->closed(t);
    }
    tty_unref(t);
}

static uint32_t tty_poll(struct file *file, struct poll_table *table)
{
    struct tty *t = file->private_data;
    uint32_t events = 0;
    poll_wait(table, &t->readers);
    poll_wait(table, &t->writers);
    if (tty_file_dead(file))
        return EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLRDNORM | EPOLLWRNORM;
    if (table && t->driver->input_wanted)
        t->driver->input_wanted(t, false);
    mutex_lock(&t->lock);
    unsigned need = 1;
    if (!(t->termios.lflag & ICANON) && t->termios.cc[VTIME] == 0 && t->termios.cc[VMIN] > 0)
        need = t->termios.cc[VMIN];
    if (tty_input_available(t) >= need || (t->termios.lflag & ICANON && t->in.line_end != t->in.tail))
        events |= EPOLLIN | EPOLLRDNORM;
    mutex_unlock(&t->lock);
    if (tty_write_room(t) > 0)
        events |= EPOLLOUT | EPOLLWRNORM;
    return events;
}

static int64_t tty_ioctl(struct file *file, unsigned cmd, uaddr_t arg)
{
    struct tty *t = file->private_data;
    if (tty_file_dead(file))
        return cmd == TIOCSPGRP ? -ENOTTY : -EIO;
    return tty_common_ioctl(t, file, false, cmd, arg);
}

const struct file_ops tty_ops = {
    .read = tty_read,
    .write = tty_write,
    .poll = tty_poll,
    .ioctl = tty_ioctl,
    .release = tty_release,
    .stream = true,
    .async = true,
};
