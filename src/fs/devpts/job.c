/*
 * Sessions and job control: whose controlling terminal a tty is, which process group is in the
 * foreground.
 */
#include "fs/devpts/private.h"
#include "kernel/pid.h"
#include "kernel/signal.h"
#include "kernel/task.h"
#include "kernel/tty_hooks.h"
#include "mm/uaccess.h"
#include <linux/capability.h>
#include <sys/ioctl.h>

static bool is_controlling(struct tty *t)
{
    struct tty *mine = current_tty();
    if (mine)
        tty_unref(mine);
    return mine == t;
}

static struct pid *get_pid_of(struct tty *t, struct pid **field)
{
    spin_lock(&t->ctrl_lock);
    struct pid *pid = *field ? pid_get(*field) : NULL;
    spin_unlock(&t->ctrl_lock);
    return pid;
}

/* Consumes the new reference. */
static void set_pid_of(struct tty *t, struct pid **field, struct pid *pid)
{
    spin_lock(&t->ctrl_lock);
    struct pid *old = *field;
    *field = pid;
    spin_unlock(&t->ctrl_lock);
    if (old)
        pid_put(old);
}

bool tty_signal_foreground(struct tty *t, int sig)
{
    struct pid *group = get_pid_of(t, &t->foreground);
    if (!group)
        return false;
    (void)signal_send_group(group, sig, NULL);
    pid_put(group);
    return true;
}

void tty_start_session(struct tty *t, struct pid *leader)
{
    spin_lock(&t->ctrl_lock);
    bool fresh = !t->session;
    if (fresh) {
        t->session = pid_get(leader);
        t->foreground = pid_get(leader);
    }
    spin_unlock(&t->ctrl_lock);
}

/* The first process is born with its terminal: the terminal learns of it when it is first used. */
void tty_adopt_session(struct tty *t)
{
    if (t->session || !current || !is_controlling(t))
        return;
    struct pid *session = current_session();
    tty_start_session(t, session);
    pid_put(session);
}

/* 0 in the foreground or on a terminal that is not one's own; 1 in the background. */
static int in_background(struct tty *t)
{
    if (!current)
        return 0;
    tty_adopt_session(t);
    if (!is_controlling(t))
        return 0;
    struct pid *mine = current_group(), *foreground = get_pid_of(t, &t->foreground);
    bool background = foreground && foreground != mine;
    pid_put(mine);
    if (foreground)
        pid_put(foreground);
    return background;
}

int tty_check_change(struct tty *t)
{
    bool ignored;
    return in_background(t) ? tty_stop_current_group(SIGTTOU, &ignored) : 0;
}

int tty_check_read(struct tty *t)
{
    bool ignored;
    if (!in_background(t))
        return 0;
    int err = tty_stop_current_group(SIGTTIN, &ignored);
    return err == 0 ? -EIO : err;
}

static void acquire(struct tty *t)
{
    struct pid *session = current_session();
    session_set_tty(session, t);
    set_pid_of(t, &t->session, session);
    set_pid_of(t, &t->foreground, current_group());
}

/* A session leader without a terminal that opens one gets it. */
void tty_maybe_acquire(struct tty *t, struct file *file, uint32_t open_flags)
{
    if (!current || (open_flags & O_NOCTTY) || t->session || !file_readable(file) || !current_is_session_leader())
        return;
    struct tty *mine = current_tty();
    if (mine)
        tty_unref(mine);
    else
        acquire(t);
}

/* The session loses its terminal. Its leader (unless that is what ends) and its foreground group
 * are told. DEVIATION: Linux tells the group of a hung-up terminal only when the leader has ended.
 * */
void tty_drop_session(struct tty *t, bool leader_exit)
{
    spin_lock(&t->ctrl_lock);
    struct pid *session = TAKE_PTR(t->session), *group = TAKE_PTR(t->foreground);
    spin_unlock(&t->ctrl_lock);
    if (session && !leader_exit) {
        spin_lock(&tasklist_lock);
        struct process *leader = session->process ? process_get(session->process) : NULL;
        spin_unlock(&tasklist_lock);
        if (leader) {
            (void)signal_send_process(leader, SIGHUP, NULL);
            (void)signal_send_process(leader, SIGCONT, NULL);
            process_put(leader);
        }
    }
    if (group) {
        (void)signal_send_group(group, SIGHUP, NULL);
        (void)signal_send_group(group, SIGCONT, NULL);
        pid_put(group);
    }
    if (session) {
        session_clear_tty(session);
        pid_put(session);
    }
}

/* ---- ioctls ---- */

static int64_t set_controlling(struct tty *t, struct file *file, uaddr_t arg)
{
    struct pid *session = current_session(), *owner = get_pid_of(t, &t->session);
    struct tty *mine = current_tty();
    bool leader = current_is_session_leader(), already = leader && owner == session;
    bool steal = owner && !already && arg == 1 && capable(CAP_SYS_ADMIN);
    int64_t err = 0;
    if (already)
        err = 0;
    else if (!leader || mine || (owner && !steal) || !(file_readable(file) || capable(CAP_SYS_ADMIN)))
        err = -EPERM;
    if (err == 0 && steal)
        session_clear_tty(owner);
    if (err == 0 && !already)
        acquire(t);
    pid_put(session);
    if (owner)
        pid_put(owner);
    if (mine)
        tty_unref(mine);
    return err;
}

static int64_t give_up_controlling(struct tty *t)
{
    struct process *p = current->process;
    if (!is_controlling(t))
        return -ENOTTY;
    if (current_is_session_leader()) {
        tty_drop_session(t, true);
        return 0;
    }
    spin_lock(&tasklist_lock);
    struct tty *mine = TAKE_PTR(p->tty);
    spin_unlock(&tasklist_lock);
    tty_put(mine);
    return 0;
}

static int64_t put_number(struct pid *pid, uaddr_t arg)
{
    int number = pid ? pid_number(pid) : 0;
    if (pid)
        pid_put(pid);
    return put_user(&number, arg);
}

static int64_t get_session(struct tty *t, bool master, uaddr_t arg)
{
    if (!master && !is_controlling(t))
        return -ENOTTY;
    struct pid *session = get_pid_of(t, &t->session);
    return session ? put_number(session, arg) : -ENOTTY;
}

static int64_t set_foreground(struct tty *t, uaddr_t arg)
{
    int number;
    int64_t err = tty_check_change(t);
    if (err < 0)
        return err;
    if (!is_controlling(t))
        return -ENOTTY;
    struct pid *session = current_session(), *owner = get_pid_of(t, &t->session), *group = NULL;
    if (owner != session)
        err = -ENOTTY;
    if (err == 0)
        err = get_user(&number, arg);
    if (err == 0 && number < 0)
        err = -EINVAL;
    if (err == 0) {
        group = pid_find(number);
        if (!group)
            err = -ESRCH;
        else if (!pid_in_session(group, session))
            err = -EPERM;
    }
    if (err == 0)
        set_pid_of(t, &t->foreground, TAKE_PTR(group));
    pid_put(session);
    if (owner)
        pid_put(owner);
    if (group)
        pid_put(group);
    return err;
}

int64_t tty_job_ioctl(struct tty *t, struct file *file, bool master, unsigned cmd, uaddr_t arg)
{
    tty_adopt_session(t);
    switch (cmd) {
    case TIOCSCTTY:
        return set_controlling(t, file, arg);
    case TIOCNOTTY:
        return give_up_controlling(t);
    case TIOCGPGRP:
        if (!master && !is_controlling(t))
            return -ENOTTY;
        return put_number(get_pid_of(t, &t->foreground), arg);
    case TIOCSPGRP:
        return set_foreground(t, arg);
    case TIOCGSID:
        return get_session(t, master, arg);
    default:
        return NOT_MINE;
    }
}
