/*
 * Receiving signals: the blocked mask, taking a signal off the queues, and what it does to the
 * task: nothing, stop, the end of the process, or a handler (whose frame signal_frame.c builds).
 */
#include "kernel/cgroup.h"
#include "kernel/container.h"
#include "kernel/core_dump.h"
#include "kernel/job_control.h"
#include "kernel/ptrace.h"
#include "kernel/signal_private.h"
#include "kernel/task.h"

/* ---- the mask ---- */

sigmask_t task_sigmask(struct task *t)
{
    sigmask_t mask = ~0ULL;
    spin_lock(&t->platform_lock);
    if (t->ctx)
        mask = context_sigmask(t->ctx);
    spin_unlock(&t->platform_lock);
    return mask & ~UNBLOCKABLE;
}

/* Of the running task itself, whose context cannot go away. */
static sigmask_t own_mask(struct task *t)
{
    return context_sigmask(t->ctx) & ~UNBLOCKABLE;
}

/* A traced task runs on when its tracer wants so, whatever its group does. */
static bool must_stop(const struct task *t)
{
    if (t->freeze || core_wants(t))
        return true;
    return ptrace_is_traced(t) ? ptrace_trap_pending(t) : t->process->sig.stopped;
}

void signal_recalculate(struct task *t)
{
    struct process *p = t->process;
    fiber_clear_interrupt(t->fiber);
    if (!t->ctx)
        return;
    spin_lock(&p->sig.lock);
    sigmask_t pending = t->sig.own.set | p->sig.shared.set;
    context_set_sigpending(t->ctx, pending);
    bool work = (pending & ~own_mask(t)) || must_stop(t) || t->sig.kill_pending || task_frozen(t);
    spin_unlock(&p->sig.lock);
    if (work)
        fiber_interrupt(t->fiber);
}

void task_set_sigmask(struct task *t, sigmask_t mask)
{
    sigmask_t old = own_mask(t);
    mask &= ~UNBLOCKABLE;
    context_set_sigmask(t->ctx, mask);
    if (mask & ~old && t->process->sig.shared.set & mask) {
        spin_lock(&tasklist_lock);
        spin_lock(&t->process->sig.lock);
        signal_retarget_locked(t, mask);
        spin_unlock(&t->process->sig.lock);
        spin_unlock(&tasklist_lock);
    }
    signal_recalculate(t);
}

void task_set_temporary_sigmask(struct task *t, sigmask_t mask)
{
    t->sig.saved_mask = own_mask(t);
    t->sig.restore_mask = true;
    task_set_sigmask(t, mask);
}

void task_restore_sigmask(struct task *t)
{
    if (!t->sig.restore_mask)
        return;
    t->sig.restore_mask = false;
    task_set_sigmask(t, t->sig.saved_mask);
}

/* ---- looking and taking ---- */

sigmask_t signal_pending_set(struct task *t)
{
    spin_lock(&t->process->sig.lock);
    sigmask_t set = t->sig.own.set | t->process->sig.shared.set;
    spin_unlock(&t->process->sig.lock);
    return set;
}

bool signal_pending(struct task *t)
{
    return t->sig.kill_pending || must_stop(t) || (signal_pending_set(t) & ~task_sigmask(t));
}

int signal_dequeue(struct task *t, sigmask_t mask, siginfo_t *ret_info)
{
    struct process *p = t->process;
    spin_lock(&p->sig.lock);
    int sig = signal_take_locked(t, mask & ~UNBLOCKABLE, ret_info);
    if (sig)
        signal_publish_pending(t);
    spin_unlock(&p->sig.lock);
    return sig;
}

/* ---- interrupted calls ---- */

static void restart_call(struct task *t, uint64_t nr)
{
    struct regs *r = context_regs(t->ctx);
    r->rax = nr;
    r->rip -= 2;
    t->syscall_nr = -1;
    context_set_regs_dirty(t->ctx);
}

/* The result is a restart code and a handler is about to run, or (action NULL) none is. */
static void resolve_restart(struct task *t, const struct guest_sigaction *action)
{
    struct regs *r = context_regs(t->ctx);
    if (t->syscall_nr < 0)
        return;
    switch ((int64_t)r->rax) {
    case -ERESTARTNOINTR:
        restart_call(t, r->orig_rax);
        break;
    case -ERESTARTSYS:
        if (!action || action->flags & SA_RESTART)
            restart_call(t, r->orig_rax);
        else
            r->rax = (uint64_t)-EINTR;
        break;
    case -ERESTARTNOHAND:
        if (!action)
            restart_call(t, r->orig_rax);
        else
            r->rax = (uint64_t)-EINTR;
        break;
    case -ERESTART_RESTARTBLOCK:
        if (!action)
            restart_call(t, 219); /* restart_syscall */
        else
            r->rax = (uint64_t)-EINTR;
        break;
    default:
        break;
    }
}

/* ---- the default actions ---- */

static void stop_begin(struct task *t, int sig)
{
    struct process *p = t->process;
    struct task *other;
    spin_lock(&tasklist_lock);
    spin_lock(&p->sig.lock);
    /* A SIGCONT or SIGKILL that came since the signal was taken wins. */
    bool stop =
        !p->exiting && !((p->sig.shared.set | t->sig.own.set) & SIGBIT(SIGCONT)) && !p->sig.stopped;
    if (stop) {
        p->sig.stopped = true;
        p->sig.stop_count++;
        p->sig.stop_signal = sig;
        p->sig.stop_reported = false;
        p->sig.continued = false;
        list_for_each (other, &p->tasks, thread_link)
            if (other != t && !other->exited)
                task_kick(other);
    }
    spin_unlock(&p->sig.lock);
    if (stop) {
        list_for_each (other, &p->tasks, thread_link)
            ptrace_job_control_locked(other, false);
        if (!p->parent || ptrace_tracer_locked(p->leader) != p->parent) /* else it sees the tracee's own stop */
            signal_notify_parent_locked(p, CLD_STOPPED, sig);
    }
    spin_unlock(&tasklist_lock);
    if (stop && p->stopped)
        p->stopped(p->exited_arg, sig);
}

static void stop_wait(struct task *t)
{
    struct process *p = t->process;
    (void)wait_event_killable(&p->sig.stop_queue,
                              !p->sig.stopped || t->sig.kill_pending || ptrace_is_traced(t) || core_wants(t));
}

static void stop_now(struct task *t)
{
    if (core_wants(t))
        core_park(t);
    else if (t->freeze)
        cgroup_freeze_wait(t);
    else if (ptrace_is_traced(t))
        ptrace_trap(t);
    else
        stop_wait(t);
}

static bool stops_by_default(struct task *t, int sig)
{
    if (!(SIGBIT(sig) & STOP_SIGNALS))
        return false;
    if (sig != SIGSTOP && process_group_is_orphaned(t->process)) /* nobody could continue it */
        return true;
    stop_begin(t, sig);
    return true;
}

static void default_action(struct task *t, int sig, const siginfo_t *info)
{
    if (SIGBIT(sig) & IGNORED_BY_DEFAULT ||
        (t->process->unkillable && !(SIGBIT(sig) & UNBLOCKABLE)))
        return;
    if (!stops_by_default(t, sig))
        do_exit_group(sig | core_dump(t, sig, info));
}

/* ---- handlers ---- */

static void run_handler(struct task *t, int sig, const struct guest_sigaction *action,
                        const siginfo_t *info)
{
    sigmask_t saved = t->sig.restore_mask ? t->sig.saved_mask : own_mask(t);
    t->sig.restore_mask = false;
    resolve_restart(t, action);
    t->syscall_nr = -1;
    if (signal_push_frame(t, action, info, saved)) {
        signal_force(t, SIGSEGV, NULL);
        return;
    }
    sigmask_t blocked = own_mask(t) | action->mask;
    if (!(action->flags & SA_NODEFER))
        blocked |= SIGBIT(sig);
    context_set_sigmask(t->ctx, blocked & ~UNBLOCKABLE);
}

/* What is to be done about the signal; SA_RESETHAND takes effect. */
static struct guest_sigaction use_action(struct task *t, int sig)
{
    struct process *p = t->process;
    spin_lock(&p->sig.lock);
    struct sighand *hand = p->sig.sighand;
    spin_lock(&hand->lock);
    struct guest_sigaction *action = &hand->action[sig - 1], used = *action;
    if (action->flags & (uint32_t)SA_RESETHAND && action->handler > (uint64_t)SIG_IGN)
        action->handler = (uint64_t)SIG_DFL;
    spin_unlock(&hand->lock);
    spin_unlock(&p->sig.lock);
    return used;
}

/* Takes the next deliverable signal: its number, 0: none, -1: the tracer had it. */
static int take_next(struct task *t, siginfo_t *ret_info)
{
    struct process *p = t->process;
    spin_lock(&p->sig.lock);
    int sig = signal_take_locked(t, ~own_mask(t), ret_info);
    spin_unlock(&p->sig.lock);
    if (!sig || !ptrace_is_traced(t))
        return sig;
    sig = ptrace_signal(t, sig, ret_info);
    return sig ? sig : -1;
}

static void deliver_one(struct task *t, int sig, const struct guest_sigaction *action,
                        const siginfo_t *info)
{
    if (action->handler == (uint64_t)SIG_IGN)
        return;
    if (action->handler == (uint64_t)SIG_DFL)
        default_action(t, sig, info);
    else
        run_handler(t, sig, action, info);
}

/* Signals meant for the process that this task has come to block are some other task's business. */
static void offer_blocked(struct task *t)
{
    struct process *p = t->process;
    if (!(p->sig.shared.set & own_mask(t)) || p->task_count < 2)
        return;
    spin_lock(&tasklist_lock);
    spin_lock(&p->sig.lock);
    signal_retarget_locked(t, own_mask(t));
    spin_unlock(&p->sig.lock);
    spin_unlock(&tasklist_lock);
}

void signal_deliver(struct task *t)
{
    struct guest_sigaction action;
    siginfo_t info;
    int sig;
    do {
        fiber_clear_interrupt(t->fiber);
        while (!t->sig.kill_pending && must_stop(t))
            stop_now(t);
        if (t->sig.kill_pending || t->exit_requested) {
            t->exit_requested = true;
            return;
        }
        sig = take_next(t, &info);
        if (sig > 0) {
            action = use_action(t, sig);
            deliver_one(t, sig, &action, &info);
        }
    } while (sig);
    resolve_restart(t, NULL);
    if (t->sig.restore_mask) {
        task_restore_sigmask(t);
        if (fiber_interrupted(t->fiber)) {
            signal_deliver(t); /* the mask that is back lets something through */
            return;
        }
    }
    offer_blocked(t);
    signal_recalculate(t);
}
