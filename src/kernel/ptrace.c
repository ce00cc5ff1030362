/* ptrace(2), the tracee's side and who traces whom: see ptrace.h. Requests are in ptrace_request.c. */
#include "kernel/ptrace.h"
#include "base/cleanup.h"
#include "kernel/call_entry.h"
#include "kernel/pid.h"
#include "kernel/ptrace_private.h"
#include "kernel/signal_private.h"
#include "kernel/task_private.h"
#include <linux/ptrace.h>
#include <string.h>
#include <sys/wait.h>

#define EVENT_CODE(event) (SIGTRAP | (event) << 8)
#define TRAP_FLAG 0x100ULL

bool ptrace_is_traced(const struct task *t)
{
    return t->ptrace && __atomic_load_n(&t->ptrace->tracer, __ATOMIC_RELAXED);
}

struct process *ptrace_tracer_locked(const struct task *t)
{
    return t->ptrace ? t->ptrace->tracer : NULL;
}

/* ---- the state as an object; made once, kept as long as the task ---- */

static struct ptrace_state *state_new(struct task *t)
{
    struct ptrace_state *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->task = t;
    list_init(&s->link);
    wait_queue_init(&s->queue);
    wait_queue_init(&s->answered);
    return s;
}

int ptrace_prepare(struct task *t)
{
    struct ptrace_state *s = t->ptrace ? NULL : state_new(t);
    if (!t->ptrace && !s)
        return -ENOMEM;
    spin_lock(&tasklist_lock);
    if (!t->ptrace)
        t->ptrace = TAKE_PTR(s);
    spin_unlock(&tasklist_lock);
    free(s);
    return 0;
}

void ptrace_free(struct task *t)
{
    free(t->ptrace);
}

/* ---- who traces whom ---- */

void ptrace_link_locked(struct task *t, struct process *tracer, bool seized, unsigned options)
{
    struct ptrace_state *s = t->ptrace;
    s->tracer = tracer;
    s->seized = seized;
    s->options = options;
    s->syscalls = s->emulate = s->step = false;
    s->trap_stop = s->trap_notify = false;
    s->stop_seen = 0;
    task_get(t);
    list_add_tail(&tracer->tracees, &s->link);
}

static void update_call_work(struct task *t)
{
    spin_lock(&t->process->sig.lock);
    call_work_update(t);
    spin_unlock(&t->process->sig.lock);
}

/* The caller puts the task when the lock is free. */
void ptrace_unlink_locked(struct task *t)
{
    struct ptrace_state *s = t->ptrace;
    s->tracer = NULL;
    s->syscalls = s->emulate = s->step = false;
    s->trap_stop = s->trap_notify = s->listening = false;
    list_del(&s->link);
    if (s->stopped) {
        s->stopped = false;
        wake_all(&s->queue);
    }
    update_call_work(t);
    wake_all(&t->process->sig.stop_queue);
}

/* A thread that only its tracer kept. */
static void bury_thread_locked(struct task *t)
{
    t->ptrace->zombie = false;
    t->pid->task = NULL;
    pid_release_numbers_locked(t->pid);
}

/* The tracer has seen the end of it: its real parent's turn. Reaped processes go on `dead`. */
void ptrace_release_locked(struct task *t, struct list *dead)
{
    struct process *p = t->process, *tracer = t->ptrace->tracer;
    bool zombie_thread = t->ptrace->zombie;
    ptrace_unlink_locked(t);
    if (zombie_thread)
        bury_thread_locked(t);
    else if (t == p->leader && p->state == PROCESS_ZOMBIE && p->parent != tracer &&
             (!p->parent || exit_notify_parent_locked(p)))
        process_reap_locked(p, dead);
}

void ptrace_tracer_exit(struct process *tracer)
{
    struct list dead = LIST_INIT(dead);
    for (;;) {
        spin_lock(&tasklist_lock);
        struct ptrace_state *s = list_first(&tracer->tracees, struct ptrace_state, link);
        struct task *t = s ? s->task : NULL;
        if (t) {
            if (s->options & PTRACE_O_EXITKILL)
                (void)signal_send_process_locked(t->process, SIGKILL, NULL);
            ptrace_release_locked(t, &dead);
        }
        spin_unlock(&tasklist_lock);
        if (!t)
            break;
        task_put(t);
    }
    process_bury(&dead);
}

bool ptrace_event_enabled(const struct task *t, int event)
{
    return ptrace_is_traced(t) && t->ptrace->options & 1u << event;
}

void ptrace_new_child_locked(struct task *child, struct task *t, int event, bool clone_ptrace)
{
    struct ptrace_state *s = t->ptrace;
    if (!ptrace_is_traced(t) || !(clone_ptrace || (event && ptrace_event_enabled(t, event))))
        return;
    if (!child->ptrace && !(child->ptrace = state_new(child)))
        return;
    ptrace_link_locked(child, s->tracer, s->seized, s->options);
    if (s->seized)
        child->ptrace->trap_stop = true;
    else
        (void)signal_send_task_locked(child, SIGSTOP, NULL);
    fiber_interrupt(child->fiber); /* before its first instruction */
}

/* ---- telling the tracer ---- */

static void tell_tracer_locked(struct task *t, int code, int status)
{
    struct process *tracer = t->ptrace->tracer;
    siginfo_t info;
    memset(&info, 0, sizeof(info));
    info.si_signo = SIGCHLD;
    info.si_code = code;
    info.si_pid = pid_number_in(t->pid, tracer->pid->ns);
    info.si_uid = t->cred->uid;
    info.si_status = status;
    spin_lock(&tracer->sig.sighand->lock);
    struct guest_sigaction action = tracer->sig.sighand->action[SIGCHLD - 1];
    spin_unlock(&tracer->sig.sighand->lock);
    bool stop = code == CLD_TRAPPED || code == CLD_STOPPED;
    if (action.handler != (uint64_t)SIG_IGN && !(stop && action.flags & SA_NOCLDSTOP))
        (void)signal_send_process_locked(tracer, SIGCHLD, &info);
    wake_all(&tracer->child_wait);
}

/* ---- stopping ---- */

static void open_registers(struct task *t)
{
    struct ptrace_state *s = t->ptrace;
    (void)context_save_bases(t->ctx); /* carries out what is deferred, too */
    s->regs = *context_regs(t->ctx);
    s->regs_changed = false;
}

static void close_registers(struct task *t)
{
    struct ptrace_state *s = t->ptrace;
    struct regs *r = context_regs(t->ctx);
    if (s->regs_changed) {
        if (s->regs.fs_base != r->fs_base)
            order_defer_set_fs(t->ctx, s->regs.fs_base);
        if (s->regs.gs_base != r->gs_base)
            (void)!order_set_gs(t->ctx, s->regs.gs_base);
        if (s->regs.orig_rax != r->orig_rax) /* -1: whatever it was, it is not restarted */
            t->syscall_nr = (int)s->regs.orig_rax;
        *r = s->regs;
        context_set_regs_dirty(t->ctx);
    }
    if (s->step && s->tracer) {
        r->eflags |= TRAP_FLAG;
        s->stepping = true;
        context_set_regs_dirty(t->ctx);
    }
}

static bool has_request(struct ptrace_state *s)
{
    spin_lock(&tasklist_lock);
    bool found = s->request && !s->request_done;
    spin_unlock(&tasklist_lock);
    return found;
}

static bool is_stopped(struct ptrace_state *s)
{
    return __atomic_load_n(&s->stopped, __ATOMIC_ACQUIRE);
}

static void finish_request(struct ptrace_state *s, int result)
{
    spin_lock(&tasklist_lock);
    if (s->request && !s->request_done) {
        s->request_result = result;
        s->request_done = true;
        wake_all(&s->answered);
    }
    spin_unlock(&tasklist_lock);
}

/* Sleeps until the tracer lets go, serving it meanwhile. */
static void sleep_stopped(struct task *t, bool killable)
{
    struct ptrace_state *s = t->ptrace;
    for (;;) {
        int err = 0;
        if (killable)
            err = wait_event_killable(&s->queue, !is_stopped(s) || has_request(s));
        else
            wait_event(&s->queue, !is_stopped(s) || has_request(s));
        if (err || !has_request(s))
            break;
        finish_request(s, s->request(t, s->request_arg));
    }
    spin_lock(&tasklist_lock);
    s->stopped = false;
    s->listening = false;
    spin_unlock(&tasklist_lock);
    finish_request(s, -ESRCH);
}

struct stop {
    int code; /* of wait4's status, without its low byte */
    int why;  /* CLD_... */
    int op;   /* PTRACE_SYSCALL_INFO_... */
    const siginfo_t *info; /* or NULL: there is none */
    uint64_t message;
    bool at_exit; /* even a task that is told to end stops here */
};

/* False: nobody traces it, or it is dying. */
static bool stop(struct task *t, const struct stop *how)
{
    struct ptrace_state *s = t->ptrace;
    if (!ptrace_is_traced(t) || !t->ctx)
        return false;
    open_registers(t);
    spin_lock(&tasklist_lock);
    if (!s->tracer || (t->sig.kill_pending && !how->at_exit)) {
        spin_unlock(&tasklist_lock);
        return false;
    }
    s->code = how->code;
    s->why = how->why;
    s->op = how->op;
    s->message = how->message;
    s->in_event_stop = how->code >> 8 == PTRACE_EVENT_STOP;
    s->has_info = how->info;
    if (how->info)
        s->info = *how->info;
    s->reported = false;
    s->signal = 0;
    s->stopped = true;
    tell_tracer_locked(t, how->why, how->code & 0x7f);
    spin_unlock(&tasklist_lock);
    sleep_stopped(t, !how->at_exit);
    close_registers(t);
    update_call_work(t);
    return true;
}

static void fill_trap_info(struct task *t, int signo, int code, siginfo_t *ret)
{
    memset(ret, 0, sizeof(*ret));
    ret->si_signo = signo;
    ret->si_code = code;
    ret->si_pid = pid_number_in(t->pid, t->pid->ns);
    ret->si_uid = t->cred->uid;
}

/* A stop that reports itself as signal SIGTRAP with `code`. */
static bool stop_trapped(struct task *t, int code, uint64_t message, int op, bool at_exit)
{
    siginfo_t info;
    fill_trap_info(t, SIGTRAP, code, &info);
    const struct stop how = {.code = code, .why = CLD_TRAPPED, .op = op, .info = &info,
                             .message = message, .at_exit = at_exit};
    return stop(t, &how);
}

/* ---- events ---- */

void ptrace_event(struct task *t, int event, uint64_t message)
{
    if (ptrace_event_enabled(t, event))
        (void)stop_trapped(t, EVENT_CODE(event), message, 0, event == PTRACE_EVENT_EXIT);
    else if (event == PTRACE_EVENT_EXEC && ptrace_is_traced(t) && !t->ptrace->seized) {
        siginfo_t info;
        fill_trap_info(t, SIGTRAP, SI_USER, &info);
        (void)signal_send_task(t, SIGTRAP, &info);
    }
}

bool ptrace_event_seccomp(struct task *t, int data)
{
    if (!ptrace_event_enabled(t, PTRACE_EVENT_SECCOMP))
        return false;
    t->ptrace->seccomp_data = (uint32_t)data;
    return stop_trapped(t, EVENT_CODE(PTRACE_EVENT_SECCOMP), (uint64_t)data,
                        PTRACE_SYSCALL_INFO_SECCOMP, false);
}

/* ---- system calls and steps ---- */

static void stop_at_call(struct task *t, int op, uint64_t message)
{
    int code = SIGTRAP | (t->ptrace->options & PTRACE_O_TRACESYSGOOD ? 0x80 : 0);
    if (!stop_trapped(t, code, message, op, false))
        return;
    if (t->ptrace->signal)
        (void)signal_send_task(t, t->ptrace->signal, NULL);
}

bool ptrace_call_entry(struct task *t)
{
    struct ptrace_state *s = t->ptrace;
    bool emulate = s->emulate;
    if (!emulate && !s->syscalls) /* a single step: it is seen when the call is over */
        return true;
    stop_at_call(t, PTRACE_SYSCALL_INFO_ENTRY, PTRACE_EVENTMSG_SYSCALL_ENTRY);
    return !emulate && !t->sig.kill_pending;
}

void ptrace_call_exit(struct task *t)
{
    struct ptrace_state *s = t->ptrace;
    if (t->exit_requested || t->sig.kill_pending || !ptrace_is_traced(t) || s->emulate)
        return;
    if (s->step) {
        siginfo_t info = {.si_signo = SIGTRAP, .si_code = TRAP_TRACE};
        info.si_addr = (void *)context_regs(t->ctx)->rip;
        ptrace_clear_step(t);
        signal_force(t, SIGTRAP, &info);
    } else if (s->syscalls) {
        stop_at_call(t, PTRACE_SYSCALL_INFO_EXIT, PTRACE_EVENTMSG_SYSCALL_EXIT);
    }
}

void ptrace_clear_step(struct task *t)
{
    struct ptrace_state *s = t->ptrace;
    if (!s || !s->stepping || !t->ctx)
        return;
    s->stepping = false;
    context_regs(t->ctx)->eflags &= ~TRAP_FLAG;
    context_set_regs_dirty(t->ctx);
}

/* ---- signals and job control ---- */

int ptrace_signal(struct task *t, int signo, siginfo_t *info)
{
    struct ptrace_state *s = t->ptrace;
    if (!ptrace_is_traced(t) || signo == SIGKILL)
        return signo;
    const struct stop how = {.code = signo, .why = CLD_TRAPPED, .info = info};
    if (!stop(t, &how))
        return signo;
    int given = s->signal;
    if (!given)
        return 0;
    if (given != s->info.si_signo) { /* the tracer did not describe it */
        fill_trap_info(t, given, SI_USER, info);
        spin_lock(&tasklist_lock);
        info->si_pid = s->tracer ? pid_number_in(s->tracer->pid, t->pid->ns) : 0;
        spin_unlock(&tasklist_lock);
    } else {
        *info = s->info;
    }
    if (task_sigmask(t) & SIGBIT(given)) {
        (void)signal_send_task(t, given, info);
        return 0;
    }
    return given;
}

bool ptrace_trap_pending(const struct task *t)
{
    const struct ptrace_state *s = t->ptrace;
    if (!ptrace_is_traced(t))
        return false;
    const struct process_signals *sig = &t->process->sig;
    return s->trap_stop || s->trap_notify || (sig->stopped && s->stop_seen != sig->stop_count);
}

/* As Linux's do_jobctl_trap(): who was seized sees an event, who was attached to a bare signal. */
void ptrace_trap(struct task *t)
{
    struct ptrace_state *s = t->ptrace;
    struct process *p = t->process;
    siginfo_t info;
    spin_lock(&tasklist_lock);
    s->trap_stop = s->trap_notify = false;
    int signo = p->sig.stopped ? p->sig.stop_signal : SIGTRAP;
    bool seized = s->seized;
    s->stop_seen = p->sig.stop_count;
    spin_unlock(&tasklist_lock);
    int code = seized ? signo | PTRACE_EVENT_STOP << 8 : signo;
    fill_trap_info(t, signo, code, &info);
    const struct stop how = {.code = code, .why = CLD_STOPPED, .info = seized ? &info : NULL};
    (void)stop(t, &how);
}

void ptrace_job_control_locked(struct task *t, bool continued)
{
    struct ptrace_state *s = t->ptrace;
    if (!s || !s->tracer)
        return;
    if (continued && s->seized) {
        s->trap_notify = true;
        task_kick(t);
    }
    if (s->listening && s->stopped) { /* it reports anew */
        s->trap_notify = true;
        s->stopped = false;
        wake_all(&s->queue);
    }
}

/* ---- the end ---- */

bool ptrace_thread_exit_locked(struct task *t, int status)
{
    struct ptrace_state *s = t->ptrace;
    if (!s || !s->tracer)
        return false;
    s->zombie = true;
    s->zombie_status = status;
    int code, value;
    status_decode(status, &code, &value);
    tell_tracer_locked(t, code, value);
    return true;
}

bool ptrace_notify_exit_locked(struct process *p)
{
    struct task *t = p->leader;
    struct process *tracer = ptrace_tracer_locked(t);
    if (!tracer || tracer == p->parent)
        return false;
    int code, status;
    status_decode(p->exit_status, &code, &status);
    tell_tracer_locked(t, code, status);
    return true;
}

/* ---- waiting for tracees ---- */

static bool wanted(const struct task *t, const struct wait_args *args)
{
    if (args->type == P_PID)
        return t->pid == args->pid;
    return args->type != P_PGID || t->process->group == args->pid;
}

static void fill(const struct task *t, int status, int code, struct wait_result *ret)
{
    memset(ret, 0, sizeof(*ret));
    ret->pid = pid_number_in(t->pid, current->pid->ns);
    ret->uid = t->cred->uid;
    ret->status = status;
    ret->code = code;
}

static bool take_zombie_thread(struct task *t, const struct wait_args *args,
                               struct wait_result *ret, struct task **ret_put)
{
    struct ptrace_state *s = t->ptrace;
    int code, value;
    if (!s->zombie || !(args->options & WEXITED))
        return false;
    status_decode(s->zombie_status, &code, &value);
    fill(t, s->zombie_status, code, ret);
    if (args->options & WNOWAIT)
        return true;
    ptrace_unlink_locked(t);
    bury_thread_locked(t);
    *ret_put = t;
    return true;
}

static bool take_zombie_process(struct task *t, const struct wait_args *args,
                                struct wait_result *ret, struct list *dead, struct task **ret_put)
{
    struct process *p = t->process;
    int code, value;
    if (t != p->leader || p->state != PROCESS_ZOMBIE || !(args->options & WEXITED))
        return false;
    if (p->parent == current->process) /* a child: wait.c does it, with all its accounts */
        return false;
    status_decode(p->exit_status, &code, &value);
    fill(t, p->exit_status, code, ret);
    if (args->options & WNOWAIT)
        return true;
    ptrace_release_locked(t, dead);
    *ret_put = t;
    return true;
}

static bool take_stopped(struct task *t, const struct wait_args *args, struct wait_result *ret)
{
    struct ptrace_state *s = t->ptrace;
    if (!s->stopped || s->reported || s->listening || t->exited)
        return false;
    fill(t, s->code << 8 | 0x7f, CLD_TRAPPED, ret);
    if (!(args->options & WNOWAIT))
        s->reported = true;
    return true;
}

int ptrace_wait_locked(const struct wait_args *args, struct wait_result *ret, struct list *dead,
                       struct task **ret_put)
{
    struct ptrace_state *s, *next;
    int result = -ECHILD;
    list_for_each_safe (s, next, &current->process->tracees, link) {
        struct task *t = s->task;
        if (!wanted(t, args))
            continue;
        result = 0;
        if (take_zombie_thread(t, args, ret, ret_put) ||
            take_zombie_process(t, args, ret, dead, ret_put) || take_stopped(t, args, ret))
            return 1;
    }
    return result;
}
