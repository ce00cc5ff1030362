/*
 * The end of tasks and processes. A task goes through task_exit() on its own fiber: what its memory
 * owes to others (futexes, the vfork parent), its host thread, its files; then it leaves its
 * process. The last one out turns the process into a zombie: children get a new parent, orphaned
 * groups are told, the parent is told, or nobody wants to know and the process is reaped at once.
 */
#include "base/cleanup.h"
#include "base/log.h"
#include "ipc/sem_undo.h"
#include "kernel/cgroup.h"
#include "kernel/container.h"
#include "kernel/cpu_limit.h"
#include "kernel/fdtable.h"
#include "kernel/futex_pi.h"
#include "kernel/itimer.h"
#include "kernel/job_control.h"
#include "kernel/pid.h"
#include "kernel/posix_timers.h"
#include "kernel/ptrace_private.h"
#include "kernel/robust.h"
#include "kernel/signal_private.h"
#include "kernel/task_private.h"
#include "kernel/tty_hooks.h"
#include "kernel/usage.h"
#include "mm/mm.h"
#include "vfs/fs_context.h"
#include <linux/ptrace.h>
#include <sys/wait.h>

/* ---- asking for the end ---- */

void do_exit(int wait_status)
{
    struct task *t = current;
    t->exit_code = wait_status;
    t->exit_requested = true;
    fiber_interrupt(t->fiber);
}

void do_exit_group(int wait_status)
{
    process_kill_group(current->process, wait_status);
    do_exit(wait_status);
}

/* ---- the task's parts ---- */

void task_release_memory(struct task *t)
{
    if (t->ctx) {
        rseq_release(t);
        robust_list_release(t);
    }
    futex_pi_exit(t);
    task_vfork_done(t);
}

static void drop_host_side(struct task *t)
{
    struct cpu_times times;
    task_cpu_times(t, &times);
    spin_lock(&t->platform_lock);
    struct context *ctx = TAKE_PTR(t->ctx);
    t->past_times = times;
    spin_unlock(&t->platform_lock);
    if (!ctx)
        return;
    mm_detach(t->mm);
    context_exit(ctx);
}

/* Its memory goes with the last task; somebody may want to know how much it was. */
static void measure_last(struct task *t)
{
    struct process *p = t->process;
    spin_lock(&tasklist_lock);
    bool wanted = p->task_count == 1 && p->parent && p->parent->measures_children;
    spin_unlock(&tasklist_lock);
    if (!wanted || !t->ctx)
        return;
    p->measured_at = 0; /* once more, however lately it was */
    (void)usage_peak(t);
}

static void drop_parts(struct task *t)
{
    spin_lock(&t->alloc_lock);
    struct mm *mm = TAKE_PTR(t->mm);
    struct fdtable *files = TAKE_PTR(t->files);
    struct fs_context *fs = TAKE_PTR(t->fs);
    spin_unlock(&t->alloc_lock);
    if (mm)
        mm_put(mm);
    fdtable_put(files);
    if (fs)
        fs_context_put(fs);
}

/* ---- reaping ---- */

void process_reap_locked(struct process *p, struct list *dead)
{
    struct task *leader = p->leader;
    p->state = PROCESS_REAPED;
    if (ptrace_tracer_locked(leader)) {
        ptrace_unlink_locked(leader);
        task_put(leader); /* the tracer's; the thread list still has one */
    }
    list_del(&p->child_link);
    list_del(&leader->thread_link);
    p->pid->task = NULL;
    p->pid->process = NULL;
    process_leave_groups_locked(p);
    container_leave_locked(p);
    pid_release_numbers_locked(p->pid);
    if (p->pid->ns->init == p)
        pid_namespace_end_locked(p->pid->ns);
    list_add_tail(dead, &p->child_link);
}

void process_bury(struct list *dead)
{
    struct process *p;
    while ((p = list_first(dead, struct process, child_link))) {
        list_del(&p->child_link);
        task_put(TAKE_PTR(p->leader));
        process_put(p);
    }
}

/* ---- telling the parent ---- */

void status_decode(int wait_status, int *ret_code, int *ret_status)
{
    if (WIFEXITED(wait_status)) {
        *ret_code = CLD_EXITED;
        *ret_status = WEXITSTATUS(wait_status);
    } else {
        *ret_code = wait_status & 0x80 ? CLD_DUMPED : CLD_KILLED;
        *ret_status = WTERMSIG(wait_status);
    }
}

bool exit_notify_parent_locked(struct process *p)
{
    struct process *parent = p->parent;
    siginfo_t info;
    int code, status;
    spin_lock(&parent->sig.sighand->lock);
    struct guest_sigaction action = parent->sig.sighand->action[SIGCHLD - 1];
    spin_unlock(&parent->sig.sighand->lock);
    bool ignored = action.handler == (uint64_t)SIG_IGN;
    bool autoreap = (p->exit_signal == SIGCHLD && (ignored || action.flags & SA_NOCLDWAIT)) ||
                    (parent->pid->ns->dying && parent->pid->ns->init == parent);
    if (p->exit_signal && !(p->exit_signal == SIGCHLD && ignored)) {
        status_decode(p->exit_status, &code, &status);
        siginfo_child(&info, p, code, status);
        (void)signal_send_process_locked(parent, p->exit_signal, &info);
    }
    wake_all(&parent->child_wait);
    return autoreap;
}

/* Somebody is told of the zombie: its tracer first. True: it is to be reaped at once. */
static bool notify_exit_locked(struct process *p)
{
    return !ptrace_notify_exit_locked(p) && exit_notify_parent_locked(p);
}

/* ---- the children's new parent ---- */

static bool can_adopt(const struct process *p)
{
    return p->state == PROCESS_RUNNING && p->task_count > 0;
}

static struct process *find_reaper(struct process *p)
{
    struct pid_namespace *ns = p->pid->ns;
    for (struct process *up = p->parent; up && up->pid->ns == ns; up = up->parent)
        if (up->child_subreaper && can_adopt(up))
            return up;
    return ns->init != p ? ns->init : NULL;
}

static void tell_parent_changed(struct process *child)
{
    struct task *t;
    uint32_t ppid = child->parent ? (uint32_t)pid_number_in(child->parent->pid, child->pid->ns) : 0;
    list_for_each (t, &child->tasks, thread_link) {
        spin_lock(&t->platform_lock);
        if (t->ctx)
            context_set_ppid(t->ctx, ppid);
        spin_unlock(&t->platform_lock);
        if (t->pdeath_signal && !t->exited)
            (void)signal_send_process_locked(child, t->pdeath_signal, NULL);
    }
}

static void reparent_children_locked(struct process *p, struct list *dead)
{
    struct process *reaper = find_reaper(p), *child, *next;
    list_for_each_safe (child, next, &p->children, child_link) {
        list_del(&child->child_link);
        child->parent = reaper;
        child->exit_signal = SIGCHLD;
        if (reaper)
            list_add_tail(&reaper->children, &child->child_link);
        tell_parent_changed(child);
        if (child->state == PROCESS_ZOMBIE && (!reaper || notify_exit_locked(child)))
            process_reap_locked(child, dead);
    }
}

/* ---- the end of a pid namespace ---- */

static void kill_namespace_locked(struct process *init, struct list *dead)
{
    struct process *p, *next;
    int32_t at = 0;
    init->pid->ns->dying = true;
    while ((p = process_next_locked(init->pid->ns, at, &at)))
        if (p != init)
            (void)signal_send_process_locked(p, SIGKILL, NULL);
    list_for_each_safe (p, next, &init->children, child_link)
        if (p->state == PROCESS_ZOMBIE)
            process_reap_locked(p, dead);
}

/* An init is gone: everybody in its namespace ends before it does. */
static void namespace_end(struct process *init)
{
    struct pid_namespace *ns = init->pid->ns;
    struct list dead = LIST_INIT(dead);
    if (ns->init != init)
        return;
    spin_lock(&tasklist_lock);
    kill_namespace_locked(init, &dead);
    spin_unlock(&tasklist_lock);
    process_bury(&dead);
    wait_event(&init->child_wait, ns->count <= 1);
}

/* ---- the process ---- */

static void leave_terminal(struct process *p)
{
    spin_lock(&tasklist_lock);
    struct tty *tty = TAKE_PTR(p->tty);
    bool leader = p->session == p->pid;
    spin_unlock(&tasklist_lock);
    if (tty && leader && tty_hooks.leader_exit)
        tty_hooks.leader_exit(tty, p->session);
    tty_put(tty);
}

static void become_zombie_locked(struct process *p, int last_exit_code, struct list *dead)
{
    process_orphan_groups_locked(p);
    reparent_children_locked(p, dead);
    p->exit_status = p->exiting ? p->group_exit_status : last_exit_code;
    p->state = PROCESS_ZOMBIE;
    bool reap = p->parent || ptrace_tracer_locked(p->leader) ? notify_exit_locked(p) : true;
    wake_poll(&p->pid->exit_queue, EPOLLIN);
    if (reap)
        process_reap_locked(p, dead);
}

/* Its last task is gone. The caller's reference keeps p. */
static void process_end(struct process *p, int last_exit_code)
{
    struct list dead = LIST_INIT(dead);
    itimers_free(p);
    cpu_limit_free(p);
    posix_timers_free(p);
    ptrace_tracer_exit(p);
    leave_terminal(p);
    namespace_end(p);
    spin_lock(&tasklist_lock);
    become_zombie_locked(p, last_exit_code, &dead);
    int status = p->exit_status;
    spin_unlock(&tasklist_lock);
    process_bury(&dead);
    wake_all(&p->child_wait); /* of one that never came to life: first.c */
    if (p->parent || p->exited) /* not of one that never came to life */
        container_watch(p, false);
    if (p->exited)
        p->exited(p->exited_arg, status);
}

static int exit_status_of(const struct task *t)
{
    return t->process->exiting ? t->process->group_exit_status : t->exit_code;
}

/* Leaves the process; true if it was the last. */
static bool leave_process_locked(struct task *t)
{
    struct process *p = t->process;
    t->exited = true;
    cgroup_task_exited_locked(t);
    p->dead_times.user += t->past_times.user;
    p->dead_times.system += t->past_times.system;
    io_counts_add(&p->dead_io, &t->io);
    p->task_count--;
    if (t != p->leader) {
        list_del(&t->thread_link);
        if (!ptrace_thread_exit_locked(t, exit_status_of(t))) {
            t->pid->task = NULL;
            pid_release_numbers_locked(t->pid);
        }
    }
    wake_all(&p->sig.stop_queue); /* an exec waits for the others to go */
    if (p->task_count == 0 && p->container)
        wake_all(&p->container->changed);
    return p->task_count == 0;
}

void task_exit(struct task *t)
{
    struct process *p = process_get(t->process);
    ptrace_event(t, PTRACE_EVENT_EXIT, (uint64_t)exit_status_of(t));
    spin_lock(&tasklist_lock);
    t->exiting = true;
    spin_unlock(&tasklist_lock);
    task_release_memory(t);
    measure_last(t);
    drop_host_side(t);
    sem_undo_exit(t);
    drop_parts(t);
    seccomp_exit(t);

    spin_lock(&tasklist_lock);
    bool leader = t == p->leader;
    bool last = leave_process_locked(t);
    spin_unlock(&tasklist_lock);
    if (last)
        process_end(p, t->exit_code);
    spin_lock(&t->platform_lock);
    t->fiber = NULL;
    spin_unlock(&t->platform_lock);
    fiber_set_local(fiber_self(), NULL);
    if (!leader)
        task_put(t); /* the thread list's */
    task_put(t);     /* the fiber's */
    process_put(p);
}
