/* Processes and threads: making, ending, waiting for them, and who belongs to whom. exec is in
 * sys_exec.c. */
#include "kernel/fdtable.h"
#include "kernel/job_control.h"
#include "kernel/pid.h"
#include "kernel/pidfd.h"
#include "kernel/robust.h"
#include "kernel/setns.h"
#include "kernel/task.h"
#include "kernel/unshare.h"
#include "kernel/usage.h"
#include "mm/uaccess.h"
#include "syscalls/prototypes.h"
#include "vfs/file.h"
#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>

#ifndef CLONE_ARGS_SIZE_VER0
#define CLONE_ARGS_SIZE_VER0 64
#endif
#define CLONE_LEGACY_FLAGS 0xffffffffULL
#define CLONE_CLEAR_SIGHAND_FLAG 0x100000000ULL
#define CSIGNAL_WITHOUT_TIME (CSIGNAL & ~0x80) /* CLONE_NEWTIME */
#define CLONE_INTO_CGROUP_FLAG 0x200000000ULL

/* ---- making ---- */

int64_t sys_fork(const uint64_t *a)
{
    const struct clone_args args = {.exit_signal = SIGCHLD};
    return do_clone(&args);
}

int64_t sys_vfork(const uint64_t *a)
{
    const struct clone_args args = {.flags = CLONE_VFORK | CLONE_VM, .exit_signal = SIGCHLD};
    return do_clone(&args);
}

int64_t sys_clone(const uint64_t *a)
{
    const struct clone_args args = {
        .flags = a[0] & CLONE_LEGACY_FLAGS & ~(uint64_t)CSIGNAL,
        .exit_signal = (int)(a[0] & CSIGNAL),
        .stack = a[1],
        .parent_tid = a[2],
        .pidfd = a[2],
        .child_tid = a[3],
        .tls = a[4],
    };
    if (args.flags & CLONE_PIDFD && args.flags & CLONE_PARENT_SETTID)
        return -EINVAL; /* both would be written to the same place */
    return do_clone(&args);
}

/* clone3's struct clone_args, as the guest lays it out. */
struct guest_clone_args {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid,
        set_tid_size, cgroup;
};

static int check_clone3(const struct guest_clone_args *g)
{
    if (g->flags & ~(CLONE_LEGACY_FLAGS | CLONE_CLEAR_SIGHAND_FLAG | CLONE_INTO_CGROUP_FLAG))
        return -EINVAL;
    if (g->flags & CLONE_INTO_CGROUP_FLAG && g->cgroup > INT32_MAX)
        return -EINVAL;
    if (g->flags & (CSIGNAL_WITHOUT_TIME | 0x00400000 /* CLONE_DETACHED */))
        return -EINVAL;
    if (g->exit_signal > SIGNAL_COUNT ||
        (g->flags & (CLONE_THREAD | CLONE_PARENT) && g->exit_signal))
        return -EINVAL;
    if (!g->stack != !g->stack_size || (g->stack && !access_ok(g->stack, g->stack_size)))
        return -EINVAL;
    if (!g->set_tid != !g->set_tid_size || g->set_tid_size > PID_NS_DEPTH)
        return -EINVAL;
    return 0;
}

int64_t sys_clone3(const uint64_t *a)
{
    struct guest_clone_args g;
    if (a[1] > PAGE_SIZE)
        return -E2BIG;
    int err = copy_struct_from_user(&g, sizeof(g), a[0], a[1], CLONE_ARGS_SIZE_VER0);
    if (!err)
        err = check_clone3(&g);
    if (err)
        return err;
    const struct clone_args args = {
        .flags = g.flags,
        .exit_signal = (int)g.exit_signal,
        .stack = g.stack ? g.stack + g.stack_size : 0,
        .stack_size = g.stack_size,
        .parent_tid = g.parent_tid,
        .child_tid = g.child_tid,
        .pidfd = g.pidfd,
        .tls = g.tls,
        .set_tid = g.set_tid,
        .set_tid_size = g.set_tid_size,
        .cgroup = (int)g.cgroup,
    };
    return do_clone(&args);
}

int64_t sys_setns(const uint64_t *a)
{
    return do_setns((int)a[0], (uint32_t)a[1]);
}

int64_t sys_unshare(const uint64_t *a)
{
    return do_unshare(a[0]);
}

int64_t sys_set_tid_address(const uint64_t *a)
{
    current->clear_child_tid = a[0];
    return pid_number(current->pid);
}

int64_t sys_set_robust_list(const uint64_t *a)
{
    if (a[1] != 24)
        return -EINVAL;
    context_set_robust_list(current->ctx, a[0]);
    return 0;
}

int64_t sys_get_robust_list(const uint64_t *a)
{
    struct task *t = (int)a[0] ? task_find((int)a[0]) : task_get(current);
    if (!t)
        return -ESRCH;
    int err = t->process == current->process || capable(19 /* CAP_SYS_PTRACE */) ? 0 : -EPERM;
    uint64_t head = task_robust_list(t), size = 24;
    task_put(t);
    if (!err)
        err = put_user(&head, a[1]);
    return err ? err : put_user(&size, a[2]);
}

/* ---- ending ---- */

int64_t sys_exit(const uint64_t *a)
{
    do_exit((int)(a[0] & 0xff) << 8);
    return 0;
}

int64_t sys_exit_group(const uint64_t *a)
{
    do_exit_group((int)(a[0] & 0xff) << 8);
    return 0;
}

/* ---- waiting ---- */

static int put_rusage(uaddr_t where, const struct wait_result *result)
{
    struct rusage usage;
    if (!where)
        return 0;
    usage_from_times(&usage, &result->times);
    usage.ru_maxrss = result->max_rss;
    return put_user(&usage, where);
}

/* Which children `pid` means in wait4's way; *ret_pid is a reference or NULL. */
static int decode_wait_pid(int32_t pid, int *ret_type, struct pid **ret_pid)
{
    *ret_pid = NULL;
    *ret_type = P_ALL;
    if (pid == -1)
        return 0;
    if (pid == INT32_MIN)
        return -ESRCH;
    *ret_type = pid > 0 ? P_PID : P_PGID;
    *ret_pid = pid == 0 ? current_group() : pid_find(pid > 0 ? pid : -pid);
    return *ret_pid ? 0 : -ECHILD;
}

int64_t sys_wait4(const uint64_t *a)
{
    struct wait_args args = {.options = (int)a[2]};
    struct wait_result result;
    if (args.options & ~(WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL))
        return -EINVAL;
    int err = decode_wait_pid((int32_t)a[0], &args.type, &args.pid);
    if (err)
        return err;
    args.options |= WEXITED;
    if (a[3])
        current->process->measures_children = true;
    int found = do_wait(&args, &result);
    pid_put(args.pid);
    if (found <= 0)
        return found;
    if (a[1])
        err = put_user(&result.status, a[1]);
    if (!err)
        err = put_rusage(a[3], &result);
    return err ? err : result.pid;
}

static int decode_id(int type, int32_t id, int *ret_type, struct pid **ret_pid, int *options)
{
    uint32_t flags;
    int err;
    *ret_pid = NULL;
    *ret_type = type;
    switch (type) {
    case P_ALL:
        return 0;
    case P_PID:
        if (id <= 0)
            return -EINVAL;
        *ret_pid = pid_find(id);
        break;
    case P_PGID:
        if (id < 0)
            return -EINVAL;
        *ret_pid = id ? pid_find(id) : current_group();
        break;
    case 3: /* P_PIDFD */
        *ret_type = P_PID;
        if (id < 0)
            return -EINVAL;
        err = pidfd_pid_flags(id, ret_pid, &flags);
        if (!err && flags & O_NONBLOCK)
            *options |= WNOHANG;
        return err;
    default:
        return -EINVAL;
    }
    return *ret_pid ? 0 : -ECHILD;
}

static int put_wait_info(uaddr_t where, const struct wait_result *result, int found)
{
    siginfo_t info = {.si_signo = 0};
    if (!where)
        return 0;
    if (found > 0) {
        info.si_signo = SIGCHLD;
        info.si_code = result->code;
        info.si_pid = result->pid;
        info.si_uid = result->uid;
        if (WIFEXITED(result->status))
            info.si_status = WEXITSTATUS(result->status);
        else if (WIFSTOPPED(result->status))
            info.si_status = WSTOPSIG(result->status);
        else
            info.si_status = WIFCONTINUED(result->status) ? SIGCONT : WTERMSIG(result->status);
    }
    /* Only the fields that waitid sets: the rest of the caller's structure stays as it is. */
    return copy_to_user(where, &info, offsetof(siginfo_t, si_status) + sizeof(info.si_status));
}

int64_t sys_waitid(const uint64_t *a)
{
    struct wait_args args = {.options = (int)a[3]};
    struct wait_result result;
    if (args.options & ~(WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED | __WNOTHREAD |
                         __WCLONE | __WALL) ||
        !(args.options & (WEXITED | WSTOPPED | WCONTINUED)))
        return -EINVAL;
    bool asked_nohang = args.options & WNOHANG;
    int err = decode_id((int)a[0], (int32_t)a[1], &args.type, &args.pid, &args.options);
    if (err)
        return err;
    int found = do_wait(&args, &result);
    pid_put(args.pid);
    if (found == 0 && !asked_nohang)
        return -EAGAIN; /* a non-blocking pidfd */
    if (found < 0)
        return found;
    err = put_wait_info(a[2], &result, found);
    if (!err && found)
        err = put_rusage(a[4], &result);
    return err;
}

/* ---- names and groups ---- */

int64_t sys_getpid(const uint64_t *a)
{
    return pid_number(current->process->pid);
}

int64_t sys_gettid(const uint64_t *a)
{
    return pid_number(current->pid);
}

int64_t sys_getppid(const uint64_t *a)
{
    struct process *p = current->process;
    spin_lock(&tasklist_lock);
    int32_t number = p->parent ? pid_number_in(p->parent->pid, p->pid->ns) : 0;
    spin_unlock(&tasklist_lock);
    return number;
}

int64_t sys_getpgrp(const uint64_t *a)
{
    return do_getpgid(0);
}

int64_t sys_getpgid(const uint64_t *a)
{
    return do_getpgid((int32_t)a[0]);
}

int64_t sys_setpgid(const uint64_t *a)
{
    return do_setpgid((int32_t)a[0], (int32_t)a[1]);
}

int64_t sys_getsid(const uint64_t *a)
{
    return do_getsid((int32_t)a[0]);
}

int64_t sys_setsid(const uint64_t *a)
{
    return do_setsid();
}

/* ---- pidfds ---- */

int64_t sys_pidfd_open(const uint64_t *a)
{
    unsigned flags = (unsigned)a[1];
    if (flags & ~(unsigned)O_NONBLOCK || (int32_t)a[0] <= 0)
        return -EINVAL;
    struct pid *pid = pid_find((int32_t)a[0]);
    if (!pid)
        return -ESRCH;
    struct file *file;
    int err = pid->process ? pidfd_new(pid, O_RDWR | flags, &file)
                           : -ENOENT; /* a thread, or only a group */
    pid_put(pid);
    if (err)
        return err;
    int fd = fd_install(file, O_CLOEXEC);
    if (fd < 0)
        file_put(file);
    return fd;
}

int64_t sys_pidfd_getfd(const uint64_t *a)
{
    struct pid *pid;
    if (a[2])
        return -EINVAL;
    int err = pidfd_pid((int)a[0], &pid);
    if (err)
        return err;
    struct file *file;
    err = pidfd_get_file(pid, (int)a[1], &file);
    pid_put(pid);
    if (err)
        return err;
    int fd = fd_install(file, O_CLOEXEC);
    if (fd < 0)
        file_put(file);
    return fd;
}
