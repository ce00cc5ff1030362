/* Process groups and sessions: see job_control.h. */
#include "kernel/job_control.h"
#include "kernel/pid.h"
#include "kernel/signal_private.h"
#include "kernel/task.h"
#include "kernel/tty_hooks.h"

struct tty_hooks tty_hooks;

/* ---- membership ---- */

void process_join_group_locked(struct process *p, struct pid *group)
{
    struct pid *old = p->group;
    list_del(&p->group_link);
    p->group = pid_get(group);
    list_add_tail(&group->group_members, &p->group_link);
    if (old) {
        pid_release_numbers_locked(old);
        pid_put(old);
    }
}

void process_join_session_locked(struct process *p, struct pid *session)
{
    struct pid *old = p->session;
    list_del(&p->session_link);
    p->session = pid_get(session);
    list_add_tail(&session->session_members, &p->session_link);
    if (old) {
        pid_release_numbers_locked(old);
        pid_put(old);
    }
}

/* The references stay with the struct process: whoever looks at a reaped process still sees where
 * it was. */
void process_leave_groups_locked(struct process *p)
{
    list_del(&p->group_link);
    list_del(&p->session_link);
    if (p->group)
        pid_release_numbers_locked(p->group);
    if (p->session)
        pid_release_numbers_locked(p->session);
}

/* ---- orphaned groups ---- */

/* Is there a member, other than `leaving`, whose parent is in the session but outside the group? */
static bool group_is_orphaned_locked(struct pid *group, const struct process *leaving)
{
    struct process *p;
    list_for_each (p, &group->group_members, group_link) {
        const struct process *parent = p->parent;
        if (p == leaving || p->state != PROCESS_RUNNING || (leaving && parent == leaving))
            continue;
        if (!parent && p->exited &&
            !p->unkillable) /* the container's caller stands for a shell that can continue it */
            return false;
        if (!parent)
            continue;
        if (parent->group != group && parent->session == p->session)
            return false;
    }
    return true;
}

bool pid_group_is_orphaned(struct pid *group)
{
    spin_lock(&tasklist_lock);
    bool orphaned = group_is_orphaned_locked(group, NULL);
    spin_unlock(&tasklist_lock);
    return orphaned;
}

bool process_group_is_orphaned(struct process *p)
{
    spin_lock(&tasklist_lock);
    bool orphaned = group_is_orphaned_locked(p->group, NULL);
    spin_unlock(&tasklist_lock);
    return orphaned;
}

static bool has_stopped_member(struct pid *group)
{
    struct process *p;
    list_for_each (p, &group->group_members, group_link)
        if (p->sig.stopped && p->state == PROCESS_RUNNING)
            return true;
    return false;
}

static void hang_up_group(struct pid *group)
{
    struct process *p;
    list_for_each (p, &group->group_members, group_link) {
        (void)signal_send_process_locked(p, SIGHUP, NULL);
        (void)signal_send_process_locked(p, SIGCONT, NULL);
    }
}

/* Does p's end cut `member`'s group from its session? `parent` is who links them. */
static void check_orphaning(struct process *member, const struct process *parent,
                            const struct process *leaving)
{
    struct pid *group = member->group;
    if (!parent || parent->group == group || parent->session != member->session)
        return;
    if (group_is_orphaned_locked(group, leaving) && has_stopped_member(group))
        hang_up_group(group);
}

void process_orphan_groups_locked(struct process *p)
{
    struct process *child;
    check_orphaning(p, p->parent, p);
    list_for_each (child, &p->children, child_link)
        check_orphaning(child, p, p);
}

/* ---- the verbs ---- */

static int setpgid_locked(struct process *me, int32_t pid, int32_t pgid)
{
    struct pid_namespace *ns = me->pid->ns;
    struct process *p = me;
    if (pid) {
        struct pid *found = pid_find_locked(ns, pid);
        p = found ? found->process : NULL;
    }
    if (!p || p->state != PROCESS_RUNNING || (p != me && p->parent != me))
        return -ESRCH;
    if (p != me && p->session != me->session)
        return -EPERM;
    if (p != me && p->did_exec)
        return -EACCES;
    if (p->session == p->pid) /* a session leader */
        return -EPERM;
    struct pid *group = pgid ? pid_find_locked(ns, pgid) : p->pid;
    if (group != p->pid) {
        struct process *member =
            group ? list_first(&group->group_members, struct process, group_link) : NULL;
        if (!member || member->session != me->session)
            return -EPERM;
    }
    if (p->group != group)
        process_join_group_locked(p, group);
    return 0;
}

int do_setpgid(int32_t pid, int32_t pgid)
{
    if (pgid < 0)
        return -EINVAL;
    if (pid < 0)
        return -ESRCH;
    spin_lock(&tasklist_lock);
    int err = setpgid_locked(current->process, pid, pgid);
    spin_unlock(&tasklist_lock);
    return err;
}

int64_t do_setsid(void)
{
    struct process *p = current->process;
    struct tty *tty = NULL;
    int64_t result = -EPERM;
    spin_lock(&tasklist_lock);
    if (list_empty(&p->pid->group_members) && p->session != p->pid) {
        process_join_session_locked(p, p->pid);
        process_join_group_locked(p, p->pid);
        tty = p->tty;
        p->tty = NULL;
        result = pid_number_in(p->pid, p->pid->ns);
    }
    spin_unlock(&tasklist_lock);
    tty_put(tty);
    return result;
}

/* The group or session of a process (0: the caller) as the caller sees it. */
static int64_t number_of(int32_t pid, bool session)
{
    int64_t result = -ESRCH;
    spin_lock(&tasklist_lock);
    struct process *p = current->process;
    if (pid) {
        struct pid *found = pid_find_locked(p->pid->ns, pid);
        p = found && found->task ? found->task->process : NULL;
    }
    if (p)
        result = pid_number_in(session ? p->session : p->group, current->pid->ns);
    spin_unlock(&tasklist_lock);
    return result;
}

int64_t do_getpgid(int32_t pid)
{
    return number_of(pid, false);
}

int64_t do_getsid(int32_t pid)
{
    return number_of(pid, true);
}

/* ---- terminals ---- */

struct tty *current_tty(void)
{
    spin_lock(&tasklist_lock);
    struct tty *tty = tty_get(current->process->tty);
    spin_unlock(&tasklist_lock);
    return tty;
}

struct pid *current_group(void)
{
    spin_lock(&tasklist_lock);
    struct pid *pid = pid_get(current->process->group);
    spin_unlock(&tasklist_lock);
    return pid;
}

struct pid *current_session(void)
{
    spin_lock(&tasklist_lock);
    struct pid *pid = pid_get(current->process->session);
    spin_unlock(&tasklist_lock);
    return pid;
}

bool current_is_session_leader(void)
{
    struct process *p = current->process;
    spin_lock(&tasklist_lock);
    bool leader = p->session == p->pid;
    spin_unlock(&tasklist_lock);
    return leader;
}

bool pid_in_session(struct pid *group, struct pid *session)
{
    spin_lock(&tasklist_lock);
    struct process *member = list_first(&group->group_members, struct process, group_link);
    bool in = member && member->session == session;
    spin_unlock(&tasklist_lock);
    return in;
}

void session_set_tty(struct pid *session, struct tty *tty)
{
    struct process *p;
    spin_lock(&tasklist_lock);
    list_for_each (p, &session->session_members, session_link)
        if (!p->tty)
            p->tty = tty_get(tty);
    spin_unlock(&tasklist_lock);
}

void session_clear_tty(struct pid *session)
{
    for (;;) {
        struct process *p;
        struct tty *tty = NULL;
        spin_lock(&tasklist_lock);
        list_for_each (p, &session->session_members, session_link)
            if (p->tty) {
                tty = p->tty;
                p->tty = NULL;
                break;
            }
        spin_unlock(&tasklist_lock);
        if (!tty)
            return;
        tty_put(tty); /* may be the last: not under the lock */
    }
}

int tty_stop_current_group(int sig, bool *ret_ignored)
{
    struct task *t = current;
    struct guest_sigaction action;
    *ret_ignored = false;
    int err = signal_action(t, sig, NULL, &action);
    assert_always(!err);
    if (task_sigmask(t) & SIGBIT(sig) || action.handler == (uint64_t)SIG_IGN) {
        *ret_ignored = true;
        return 0;
    }
    if (process_group_is_orphaned(t->process))
        return -EIO;
    struct pid *group = current_group();
    (void)signal_send_group(group, sig, NULL);
    pid_put(group);
    return -ERESTARTSYS;
}
