/*
 * Sending signals: is it ignored, queue it, pick who takes it, make that task look. Receiving is in
 * signal_deliver.c, dispositions in sighand.c, kill(2)'s choice of targets in kill.c.
 *
 * Against the mask that the stub changes by itself (platform.h) a sender publishes the pending set
 * first and reads the mask second; the stub does the opposite, so one of them sees the other.
 */
#include "kernel/signal.h"
#include "kernel/core_dump.h"
#include "kernel/pid.h"
#include "kernel/posix_timers.h"
#include "kernel/ptrace.h"
#include "kernel/signal_private.h"
#include "kernel/task.h"
#include "kernel/user_namespace.h"
#include <stdlib.h>
#include <string.h>

/* ---- queues ---- */

void pending_init(struct pending *q)
{
    list_init(&q->queue);
    q->set = 0;
}

void signal_flush_queue(struct pending *q)
{
    struct queued_signal *s, *next;
    list_for_each_safe (s, next, &q->queue, link) {
        list_del(&s->link);
        if (!s->timer)
            free(s);
    }
    q->set = 0;
}

/* Forgets every pending signal of `mask`. */
static void pending_remove(struct process *p, struct pending *q, sigmask_t mask)
{
    struct queued_signal *s, *next;
    if (!(q->set & mask))
        return;
    q->set &= ~mask;
    list_for_each_safe (s, next, &q->queue, link) {
        if (!(SIGBIT(s->info.si_signo) & mask))
            continue;
        list_del(&s->link);
        if (!s->timer) {
            p->sig.queued--;
            free(s);
        }
    }
}

static void pending_remove_everywhere(struct process *p, sigmask_t mask)
{
    struct task *t;
    pending_remove(p, &p->sig.shared, mask);
    list_for_each (t, &p->tasks, thread_link)
        pending_remove(p, &t->sig.own, mask);
}

static void info_default(siginfo_t *info, int sig, int code)
{
    memset(info, 0, sizeof(*info));
    info->si_signo = sig;
    info->si_code = code;
}

static bool pending_take(struct process *p, struct pending *q, int sig, siginfo_t *ret)
{
    struct queued_signal *s, *found = NULL;
    bool more = false;
    if (!(q->set & SIGBIT(sig)))
        return false;
    list_for_each (s, &q->queue, link) {
        if (s->info.si_signo != sig)
            continue;
        if (found) {
            more = true;
            break;
        }
        found = s;
    }
    if (!more)
        q->set &= ~SIGBIT(sig);
    if (!found) {
        info_default(
            ret, sig,
            SI_USER); /* it was counted although no memory or limit was left for its details */
        return true;
    }
    list_del(&found->link);
    if (found->timer)
        posix_timer_signal_taken(found->timer, &found->info);
    *ret = found->info;
    if (!found->timer) {
        p->sig.queued--;
        free(found);
    }
    return true;
}

int signal_take_locked(struct task *t, sigmask_t mask, siginfo_t *ret)
{
    struct process *p = t->process;
    struct pending *queues[] = {&t->sig.own, &p->sig.shared};
    for (unsigned i = 0; i < ARRAY_SIZE(queues); i++) {
        sigmask_t ready = queues[i]->set & mask;
        if (!ready)
            continue;
        sigmask_t first = ready & SYNCHRONOUS_SIGNALS ? ready & SYNCHRONOUS_SIGNALS : ready;
        int sig = __builtin_ctzll(first) + 1;
        if (pending_take(p, queues[i], sig, ret))
            return sig;
    }
    return 0;
}

/* Queues a signal; `fresh` is used up or left. 0, or -EAGAIN for a realtime signal beyond the
 * limit. */
static int pending_add(struct process *p, struct pending *q, int sig, const siginfo_t *info,
                       struct queued_signal **fresh)
{
    bool realtime = sig >= 32;
    if (!realtime && q->set & SIGBIT(sig))
        return 0;
    bool sent_by_kernel = !info || info->si_code > 0;
    bool room = *fresh && (p->sig.queued < p->limits.v[RLIMIT_SIGPENDING].cur ||
                           (!realtime && sent_by_kernel));
    if (!room && realtime && info && info->si_code != SI_USER)
        return -EAGAIN;
    q->set |= SIGBIT(sig);
    if (room) {
        struct queued_signal *s = TAKE_PTR(*fresh);
        if (info)
            s->info = *info;
        else
            info_default(&s->info, sig, SI_KERNEL);
        s->info.si_signo = sig;
        s->timer = NULL;
        p->sig.queued++;
        list_add_tail(&q->queue, &s->link);
    }
    return 0;
}

/* ---- who takes it ---- */

void signal_publish_pending(struct task *t)
{
    spin_lock(&t->platform_lock);
    if (t->ctx)
        context_set_sigpending(t->ctx, t->sig.own.set | t->process->sig.shared.set);
    spin_unlock(&t->platform_lock);
}

static bool task_wants(struct task *t, int sig)
{
    if (t->exited || t->exiting)
        return false;
    return !(task_sigmask(t) & ~t->sig.waiting_for & SIGBIT(sig));
}

/* Publishes the pending set, and wakes one task that does not block the signal. */
static void wake_somebody(struct process *p, struct task *only, int sig)
{
    struct task *t;
    if (only) {
        signal_publish_pending(only);
        if (task_wants(only, sig))
            task_kick(only);
        return;
    }
    list_for_each (t, &p->tasks, thread_link)
        signal_publish_pending(t);
    if (p->leader && task_wants(p->leader, sig)) {
        task_kick(p->leader);
        return;
    }
    list_for_each (t, &p->tasks, thread_link)
        if (task_wants(t, sig)) {
            task_kick(t);
            return;
        }
}

void signal_retarget_locked(struct task *t, sigmask_t blocked)
{
    struct process *p = t->process;
    sigmask_t left = p->sig.shared.set & blocked;
    struct task *other;
    if (!left || p->task_count < 2)
        return;
    list_for_each (other, &p->tasks, thread_link)
        if (other != t && !other->exited && !other->exiting && left & ~task_sigmask(other))
            task_kick(other);
}

/* ---- sending ---- */

static bool handler_ignores(struct process *p, int sig)
{
    spin_lock(&p->sig.sighand->lock);
    uint64_t handler = p->sig.sighand->action[sig - 1].handler;
    spin_unlock(&p->sig.sighand->lock);
    if (handler == (uint64_t)SIG_DFL && p->unkillable &&
        !(SIGBIT(sig) & (SIGBIT(SIGKILL) | SIGBIT(SIGSTOP))))
        return true;
    return handler == (uint64_t)SIG_IGN ||
           (handler == (uint64_t)SIG_DFL && SIGBIT(sig) & IGNORED_BY_DEFAULT);
}

/* A blocked signal is kept even when ignored: it may not be ignored any more when it is unblocked.
 */
static bool is_ignored(struct process *p, struct task *t, int sig)
{
    struct task *judge = t ? t : p->leader;
    if (judge && !judge->exited && task_sigmask(judge) & SIGBIT(sig))
        return false;
    if (judge && ptrace_tracer_locked(judge)) /* who may want to know even so */
        return false;
    return handler_ignores(p, sig);
}

/* Is it meant for an init from inside its own namespace? Then even SIGKILL does not count. */
static bool init_is_immune(struct process *p, int sig, const siginfo_t *info)
{
    if (!p->unkillable || !(SIGBIT(sig) & (SIGBIT(SIGKILL) | SIGBIT(SIGSTOP))))
        return false;
    struct task *sender = current;
    return info && sender && info->si_code <= 0 && sender->pid->ns == p->pid->ns;
}

/* SIGCONT: whoever was stopped goes on, whatever becomes of the signal itself. Returns true if the
 * parent is to know. */
static bool continue_locked(struct process *p)
{
    struct task *t;
    pending_remove_everywhere(p, STOP_SIGNALS);
    list_for_each (t, &p->tasks, thread_link)
        ptrace_job_control_locked(t, true);
    if (!p->sig.stopped)
        return false;
    p->sig.stopped = false;
    p->sig.continued = true;
    p->sig.continue_reported = false;
    wake_all(&p->sig.stop_queue);
    return true;
}

static void kill_all_locked(struct process *p, int wait_status)
{
    struct task *t;
    if (!p->exiting) {
        p->exiting = true;
        p->group_exit_status = wait_status;
    }
    list_for_each (t, &p->tasks, thread_link) {
        if (t->exited || t->sig.kill_pending)
            continue;
        t->sig.kill_pending = true;
        task_kick(t);
    }
    wake_all(&p->sig.stop_queue);
}

/* tasklist_lock and p->sig.lock held. */
static int send_locked(struct process *p, struct task *t, int sig, const siginfo_t *info,
                       struct queued_signal **fresh, bool *ret_continued)
{
    if (p->state != PROCESS_RUNNING || init_is_immune(p, sig, info))
        return 0;
    if (sig == SIGKILL) {
        kill_all_locked(p, SIGKILL);
        return 0;
    }
    if (p->exiting)
        return 0;
    if (SIGBIT(sig) & STOP_SIGNALS)
        pending_remove_everywhere(p, SIGBIT(SIGCONT));
    else if (sig == SIGCONT)
        *ret_continued = continue_locked(p);
    if (is_ignored(p, t, sig))
        return 0;
    int err = pending_add(p, t ? &t->sig.own : &p->sig.shared, sig, info, fresh);
    if (err)
        return err;
    wake_somebody(p, t, sig);
    wake_poll(&p->sig.signalfd_queue, EPOLLIN);
    return 0;
}

/* The sender as the target's namespaces know it: no pid for one out of sight, its user by the
 * target's names. */
static const siginfo_t *for_target(struct process *p, const siginfo_t *info, siginfo_t *copy)
{
    struct task *me = current;
    bool from_user = info && me && (info->si_code == SI_USER || info->si_code == SI_TKILL || info->si_code == SI_QUEUE);
    if (!from_user || !p->leader || (p->pid->ns == me->pid->ns && p->leader->cred->user_ns == me->cred->user_ns))
        return info;
    const struct cred *his = task_get_cred(p->leader);
    *copy = *info;
    copy->si_uid = id_to_ns_munged(his->user_ns, ID_UID, uid_from_user(info->si_uid));
    if (!pid_number_in(me->process->pid, p->pid->ns))
        copy->si_pid = 0;
    cred_put((struct cred *)his);
    return copy;
}

/* tasklist_lock held. */
static int send(struct process *p, struct task *t, int sig, const siginfo_t *info,
                struct queued_signal **fresh)
{
    siginfo_t copy;
    bool continued = false;
    info = for_target(p, info, &copy);
    spin_lock(&p->sig.lock);
    int err = send_locked(p, t, sig, info, fresh, &continued);
    spin_unlock(&p->sig.lock);
    if (continued)
        signal_notify_parent_locked(p, CLD_CONTINUED, SIGCONT);
    return err;
}

int signal_send_process_locked(struct process *p, int sig, const siginfo_t *info)
{
    if (sig == 0)
        return 0;
    struct queued_signal *fresh = calloc(1, sizeof(*fresh));
    int err = send(p, NULL, sig, info, &fresh);
    free(fresh);
    return err;
}

int signal_send_task_locked(struct task *t, int sig, const siginfo_t *info)
{
    if (sig == 0)
        return 0;
    struct queued_signal *fresh = calloc(1, sizeof(*fresh));
    int err = t->exited ? -ESRCH : send(t->process, t, sig, info, &fresh);
    free(fresh);
    return err;
}

int signal_send_task(struct task *t, int sig, const siginfo_t *info)
{
    spin_lock(&tasklist_lock);
    int err = signal_send_task_locked(t, sig, info);
    spin_unlock(&tasklist_lock);
    return err;
}

int signal_send_process(struct process *p, int sig, const siginfo_t *info)
{
    spin_lock(&tasklist_lock);
    int err = p->state == PROCESS_REAPED ? -ESRCH : signal_send_process_locked(p, sig, info);
    spin_unlock(&tasklist_lock);
    return err;
}

int signal_send_group(struct pid *group, int sig, const siginfo_t *info)
{
    struct process *p;
    int err = -ESRCH;
    spin_lock(&tasklist_lock);
    list_for_each (p, &group->group_members, group_link) {
        int one = signal_send_process_locked(p, sig, info);
        err = err == 0 ? 0 : one;
    }
    spin_unlock(&tasklist_lock);
    return err;
}

int signal_send_timer(struct process *p, struct task *t, struct queued_signal *q)
{
    struct pending *queue = t ? &t->sig.own : &p->sig.shared;
    int sig = q->info.si_signo, overrun = 0;
    spin_lock(&tasklist_lock);
    spin_lock(&p->sig.lock);
    if (!list_empty(&q->link)) {
        overrun = 1;
    } else if (p->state == PROCESS_RUNNING && !p->exiting && !(t && t->exited) &&
               !is_ignored(p, t, sig)) {
        queue->set |= SIGBIT(sig);
        list_add_tail(&queue->queue, &q->link);
        wake_somebody(p, t, sig);
        wake_poll(&p->sig.signalfd_queue, EPOLLIN);
    }
    spin_unlock(&p->sig.lock);
    spin_unlock(&tasklist_lock);
    return overrun;
}

void signal_unqueue_timer(struct process *p, struct task *t, struct queued_signal *q)
{
    struct pending *queue = t ? &t->sig.own : &p->sig.shared;
    struct queued_signal *s;
    bool others = false;
    spin_lock(&p->sig.lock);
    if (!list_empty(&q->link)) {
        list_del(&q->link);
        list_for_each (s, &queue->queue, link)
            others = others || s->info.si_signo == q->info.si_signo;
        if (!others)
            queue->set &= ~SIGBIT(q->info.si_signo);
    }
    spin_unlock(&p->sig.lock);
}

void process_kill_group(struct process *p, int wait_status)
{
    spin_lock(&tasklist_lock);
    spin_lock(&p->sig.lock);
    if (p->state == PROCESS_RUNNING)
        kill_all_locked(p, wait_status);
    spin_unlock(&p->sig.lock);
    spin_unlock(&tasklist_lock);
}

void signal_kill_other_tasks_locked(struct task *survivor)
{
    struct task *t;
    list_for_each (t, &survivor->process->tasks, thread_link) {
        if (t == survivor || t->exited || t->sig.kill_pending)
            continue;
        t->sig.kill_pending = true;
        task_kick(t);
    }
    wake_all(&survivor->process->sig.stop_queue);
}

/* ---- the guest's own faults ---- */

void signal_force(struct task *t, int sig, const siginfo_t *info)
{
    struct process *p = t->process;
    bool blocked = task_sigmask(t) & SIGBIT(sig);
    spin_lock(&p->sig.sighand->lock);
    struct guest_sigaction *action = &p->sig.sighand->action[sig - 1];
    if (blocked || action->handler == (uint64_t)SIG_IGN)
        action->handler = (uint64_t)SIG_DFL;
    bool fatal = action->handler == (uint64_t)SIG_DFL;
    spin_unlock(&p->sig.sighand->lock);
    if (blocked)
        task_set_sigmask(t, task_sigmask(t) & ~SIGBIT(sig));
    if (fatal && !ptrace_is_traced(t)) { /* else its tracer sees the signal first */
        signal_kill_self(t, sig, info); /* an init too */
        return;
    }
    (void)signal_send_task(t, sig, info);
}

void signal_kill_self(struct task *t, int sig, const siginfo_t *info)
{
    process_kill_group(t->process, sig | (t == current ? core_dump(t, sig, info) : 0));
}

/* ---- telling the parent ---- */

void siginfo_user(siginfo_t *info, int sig, int code)
{
    struct task *t = current;
    info_default(info, sig, code);
    if (t) {
        info->si_pid = pid_number(t->process->pid);
        info->si_uid = uid_to_user(t->cred->uid);
    }
}

void siginfo_child(siginfo_t *info, struct process *p, int code, int status)
{
    struct cpu_times times;
    process_cpu_times(p, &times);
    info_default(info, SIGCHLD, code);
    info->si_pid = p->parent ? pid_number_in(p->pid, p->parent->pid->ns) : 0;
    const struct cred *cred = task_get_cred(p->leader);
    const struct cred *seer = task_get_cred(p->parent ? p->parent->leader : p->leader);
    info->si_uid = id_to_ns_munged(seer->user_ns, ID_UID, cred->uid);
    cred_put((struct cred *)seer);
    cred_put((struct cred *)cred);
    info->si_status = status;
    info->si_utime = times.user / (NSEC_PER_SEC / 100);
    info->si_stime = times.system / (NSEC_PER_SEC / 100);
}

void signal_notify_parent_locked(struct process *p, int code, int status)
{
    struct process *parent = p->parent;
    siginfo_t info;
    if (!parent)
        return;
    siginfo_child(&info, p, code, status);
    spin_lock(&parent->sig.sighand->lock);
    struct guest_sigaction action = parent->sig.sighand->action[SIGCHLD - 1];
    spin_unlock(&parent->sig.sighand->lock);
    if (action.handler != (uint64_t)SIG_IGN && !(action.flags & SA_NOCLDSTOP))
        (void)signal_send_process_locked(parent, SIGCHLD, &info);
    wake_all(&parent->child_wait);
}
