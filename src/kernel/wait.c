/* Waiting for children: wait4(2), waitid(2). One scan over the children decides; the wait queue
 * only says when to look again. */
#include "base/cleanup.h"
#include "kernel/pid.h"
#include "kernel/ptrace.h"
#include "kernel/task_private.h"
#include "kernel/user_namespace.h"
#include <sys/wait.h>

static bool matches(const struct process *child, const struct wait_args *args)
{
    if (args->type == P_PID && child->pid != args->pid)
        return false;
    return args->type != P_PGID || child->group == args->pid;
}

static bool wanted(const struct process *child, const struct wait_args *args)
{
    if (!matches(child, args))
        return false;
    if (args->options & __WALL)
        return true;
    return (child->exit_signal != SIGCHLD) == !!(args->options & __WCLONE);
}

static void fill(struct wait_result *ret, struct process *child, int status, int code)
{
    ret->pid = pid_number_in(child->pid, current->pid->ns);
    const struct cred *cred = task_get_cred(child->leader);
    ret->uid = uid_to_user(cred->uid);
    cred_put((struct cred *)cred);
    ret->status = status;
    ret->code = code;
    process_cpu_times(child, &ret->times);
    ret->max_rss = MAX(child->max_rss, child->child_max_rss);
    ret->times.user += child->child_times.user;
    ret->times.system += child->child_times.system;
}

/* A traced child's end is its tracer's to see first. */
static bool is_others(const struct process *child)
{
    struct process *tracer = ptrace_tracer_locked(child->leader);
    return tracer && tracer != current->process;
}

static bool take_zombie(struct process *child, const struct wait_args *args,
                        struct wait_result *ret, struct list *dead)
{
    struct process *me = current->process;
    int code, status;
    if (child->state != PROCESS_ZOMBIE || !(args->options & WEXITED) || is_others(child))
        return false;
    status_decode(child->exit_status, &code, &status);
    fill(ret, child, child->exit_status, code);
    if (args->options & WNOWAIT)
        return true;
    me->child_max_rss = MAX(me->child_max_rss, ret->max_rss);
    me->child_times.user += ret->times.user;
    me->child_times.system += ret->times.system;
    process_reap_locked(child, dead);
    return true;
}

static bool take_stopped(struct process *child, const struct wait_args *args,
                         struct wait_result *ret)
{
    if (!(args->options & WSTOPPED) || !child->sig.stopped || child->sig.stop_reported ||
        child->state != PROCESS_RUNNING ||
        ptrace_tracer_locked(child->leader) == current->process) /* that one sees its own stops */
        return false;
    fill(ret, child, child->sig.stop_signal << 8 | 0x7f, CLD_STOPPED);
    if (!(args->options & WNOWAIT))
        child->sig.stop_reported = true;
    return true;
}

static bool take_continued(struct process *child, const struct wait_args *args,
                           struct wait_result *ret)
{
    if (!(args->options & WCONTINUED) || !child->sig.continued || child->sig.continue_reported)
        return false;
    fill(ret, child, 0xffff, CLD_CONTINUED);
    if (!(args->options & WNOWAIT))
        child->sig.continue_reported = true;
    return true;
}

/* 1: ret is filled, 0: not yet, -ECHILD: there will never be one. */
static int scan(const struct wait_args *args, struct wait_result *ret)
{
    struct process *child;
    struct list dead = LIST_INIT(dead);
    struct task *tracee = NULL;
    int result = -ECHILD;
    spin_lock(&tasklist_lock);
    list_for_each (child, &current->process->children, child_link) {
        bool mine = ptrace_tracer_locked(child->leader) == current->process;
        if (!wanted(child, args) && !(mine && matches(child, args)))
            continue;
        result = 0;
        if (take_zombie(child, args, ret, &dead) || take_stopped(child, args, ret) ||
            take_continued(child, args, ret)) {
            result = 1;
            break;
        }
    }
    if (result != 1) {
        int traced = ptrace_wait_locked(args, ret, &dead, &tracee);
        result = traced == -ECHILD ? result : traced;
    }
    spin_unlock(&tasklist_lock);
    process_bury(&dead);
    task_put(tracee);
    return result;
}

int do_wait(const struct wait_args *args, struct wait_result *ret)
{
    int found = scan(args, ret);
    if (found || args->options & WNOHANG)
        return found;
    int err =
        wait_event_interruptible(&current->process->child_wait, (found = scan(args, ret)) != 0);
    return found ? found : err;
}
