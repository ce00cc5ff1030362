/* Signals: dispositions, masks, sending, waiting for them. */
#include "fs/proc/proc.h"
#include "kernel/fdtable.h"
#include "kernel/kill.h"
#include "kernel/pid.h"
#include "kernel/pidfd.h"
#include "kernel/task.h"
#include "mm/uaccess.h"
#include "syscalls/prototypes.h"
#include "vfs/file.h"
#include "syscalls/timespec.h"
#include <string.h>

/* struct sigaction as x86-64's rt_sigaction takes it. */
struct guest_rt_sigaction {
    uint64_t handler, flags, restorer, mask;
};

int64_t sys_rt_sigaction(const uint64_t *a)
{
    struct guest_rt_sigaction g;
    struct guest_sigaction action, old;
    if (a[3] != sizeof(sigmask_t))
        return -EINVAL;
    if (a[1]) {
        if (get_user(&g, a[1]))
            return -EFAULT;
        action = (struct guest_sigaction){
            .handler = g.handler, .flags = g.flags, .restorer = g.restorer, .mask = g.mask};
    }
    int err = signal_action(current, (int)a[0], a[1] ? &action : NULL, &old);
    if (err || !a[2])
        return err;
    g = (struct guest_rt_sigaction){
        .handler = old.handler, .flags = old.flags, .restorer = old.restorer, .mask = old.mask};
    return put_user(&g, a[2]);
}

int64_t sys_rt_sigprocmask(const uint64_t *a)
{
    struct task *t = current;
    sigmask_t set = 0, old = task_sigmask(t);
    if (a[3] != sizeof(sigmask_t))
        return -EINVAL;
    if (a[1]) {
        if (get_user(&set, a[1]))
            return -EFAULT;
        switch ((int)a[0]) {
        case SIG_BLOCK:
            set |= old;
            break;
        case SIG_UNBLOCK:
            set = old & ~set;
            break;
        case SIG_SETMASK:
            break;
        default:
            return -EINVAL;
        }
        task_set_sigmask(t, set);
    }
    return a[2] ? put_user(&old, a[2]) : 0;
}

int64_t sys_rt_sigreturn(const uint64_t *a)
{
    return signal_return(current);
}

int64_t sys_rt_sigpending(const uint64_t *a)
{
    sigmask_t set = signal_pending_set(current) & task_sigmask(current);
    if (a[1] > sizeof(set))
        return -EINVAL;
    return copy_to_user(a[0], &set, a[1]);
}

int64_t sys_rt_sigsuspend(const uint64_t *a)
{
    sigmask_t mask;
    if (a[1] != sizeof(mask))
        return -EINVAL;
    if (get_user(&mask, a[0]))
        return -EFAULT;
    task_set_temporary_sigmask(current, mask);
    (void)sleep_until(NO_DEADLINE);
    return -ERESTARTNOHAND;
}

int64_t sys_pause(const uint64_t *a)
{
    (void)sleep_until(NO_DEADLINE);
    return -ERESTARTNOHAND;
}

int64_t sys_sigaltstack(const uint64_t *a)
{
    stack_t fresh, old;
    if (a[0] && get_user(&fresh, a[0]))
        return -EFAULT;
    int err = signal_altstack(current, a[0] ? &fresh : NULL, &old);
    if (err || !a[1])
        return err;
    return put_user(&old, a[1]);
}

int64_t sys_restart_syscall(const uint64_t *a)
{
    struct restart_block *r = &current->restart;
    return r->func ? r->func(r) : -EINTR;
}

/* ---- waiting for signals ---- */

static void set_waiting_for(struct task *t, sigmask_t set)
{
    spin_lock(&t->process->sig.lock);
    t->sig.waiting_for = set;
    spin_unlock(&t->process->sig.lock);
}

/* Woken through signalfd_queue, which every new signal wakes whether it is blocked or not. */
static int wait_for_signal(struct task *t, sigmask_t set, int64_t deadline, siginfo_t *ret)
{
    int sig = signal_dequeue(t, set, ret);
    if (sig || deadline == 0)
        return sig ? sig : -EAGAIN;
    set_waiting_for(t, set);
    int err = wait_event_timeout(&t->process->sig.signalfd_queue,
                                 (sig = signal_dequeue(t, set, ret)) != 0, deadline);
    set_waiting_for(t, 0);
    if (sig) {
        signal_recalculate(t); /* the sender interrupted this fiber for the signal that was taken */
        return sig;
    }
    if (err == -ETIMEDOUT)
        return -EAGAIN;
    sig = signal_dequeue(t, set, ret);
    if (sig)
        signal_recalculate(t);
    return sig ? sig : -EINTR;
}

int64_t sys_rt_sigtimedwait(const uint64_t *a)
{
    sigmask_t set;
    siginfo_t info;
    int64_t deadline = NO_DEADLINE;
    if (a[3] != sizeof(set))
        return -EINVAL;
    if (get_user(&set, a[0]))
        return -EFAULT;
    int err = a[2] ? timeout_from_user(a[2], &deadline) : 0;
    if (err)
        return err;
    int sig = wait_for_signal(current, set & ~(SIGBIT(SIGKILL) | SIGBIT(SIGSTOP)), deadline, &info);
    if (sig <= 0 || !a[1])
        return sig;
    err = put_user(&info, a[1]);
    return err ? err : sig;
}

/* ---- sending ---- */

int64_t sys_kill(const uint64_t *a)
{
    siginfo_t info;
    siginfo_user(&info, (int)a[1], SI_USER);
    return do_kill((int32_t)a[0], (int)a[1], &info);
}

int64_t sys_tkill(const uint64_t *a)
{
    siginfo_t info;
    siginfo_user(&info, (int)a[1], SI_TKILL);
    return do_tgkill(0, (int32_t)a[0], (int)a[1], &info);
}

int64_t sys_tgkill(const uint64_t *a)
{
    siginfo_t info;
    if ((int32_t)a[0] <= 0)
        return -EINVAL;
    siginfo_user(&info, (int)a[2], SI_TKILL);
    return do_tgkill((int32_t)a[0], (int32_t)a[1], (int)a[2], &info);
}

/* Nobody may pose as the kernel, or as kill(2), towards others. */
static int queued_info(uaddr_t from, int sig, int32_t target, siginfo_t *ret)
{
    if (get_user(ret, from))
        return -EFAULT;
    ret->si_signo = sig;
    if ((ret->si_code >= 0 || ret->si_code == SI_TKILL) &&
        target != pid_number(current->process->pid))
        return -EPERM;
    return 0;
}

int64_t sys_rt_sigqueueinfo(const uint64_t *a)
{
    siginfo_t info;
    int err = queued_info(a[2], (int)a[1], (int32_t)a[0], &info);
    if (err)
        return err;
    return (int32_t)a[0] > 0 ? do_kill((int32_t)a[0], (int)a[1], &info) : -ESRCH;
}

int64_t sys_rt_tgsigqueueinfo(const uint64_t *a)
{
    siginfo_t info;
    int err = queued_info(a[3], (int)a[2], (int32_t)a[0], &info);
    if (err == -EFAULT)
        return err;
    if ((int32_t)a[0] <= 0 || (int32_t)a[1] <= 0)
        return -EINVAL;
    return err ? err : do_tgkill((int32_t)a[0], (int32_t)a[1], (int)a[2], &info);
}

#define SCOPE_THREAD 1u
#define SCOPE_PROCESS 2u
#define SCOPE_GROUP 4u
#define SIGNAL_SCOPES (SCOPE_THREAD | SCOPE_PROCESS | SCOPE_GROUP)

/* A pidfd, or the directory of a process in /proc. */
static int pid_behind(int fd, struct pid **ret)
{
    CLEANUP_FILE struct file *file = NULL;
    int err = pidfd_pid(fd, ret);
    if (err != -EBADF || fd_file(fd, &file) < 0)
        return err;
    return proc_file_pid(file, ret);
}

static int send_in_scope(struct pid *pid, unsigned scope, int sig, const siginfo_t *info)
{
    int32_t number = pid_number(pid);
    if (scope == SCOPE_THREAD)
        return number ? do_tgkill(0, number, sig, info) : -ESRCH;
    if (scope == SCOPE_GROUP)
        return number > 1 ? do_kill(-number, sig, info) : -ESRCH;
    return do_kill_pid(pid, sig, info);
}

int64_t sys_pidfd_send_signal(const uint64_t *a)
{
    struct pid *pid;
    siginfo_t info;
    int sig = (int)a[1];
    unsigned flags = (unsigned)a[3];
    if (flags & ~(unsigned)SIGNAL_SCOPES || flags & (flags - 1))
        return -EINVAL;
    int err = pid_behind((int)a[0], &pid);
    if (err)
        return err;
    if (!a[2])
        siginfo_user(&info, sig, SI_USER);
    else
        err = queued_info(a[2], sig, pid_number(pid), &info);
    if (!err && a[2] && info.si_signo != sig)
        err = -EINVAL;
    if (!err)
        err = send_in_scope(pid, flags, sig, &info);
    pid_put(pid);
    return err;
}
