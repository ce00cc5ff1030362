/* seccomp(2): see seccomp.h. The listener's side is seccomp_notify.c. */
#include "kernel/seccomp.h"
#include "base/cleanup.h"
#include "kernel/call_entry.h"
#include "kernel/fdtable.h"
#include "kernel/pid.h"
#include "kernel/ptrace.h"
#include "kernel/signal_private.h"
#include "kernel/task.h"
#include "mm/uaccess.h"
#include "vfs/file.h"
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/syscall.h>

#define MAX_COST 32768     /* instructions of all of a task's filters */
#define COST_OF_A_FILTER 4 /* so many instructions are added for each of them */
#define MAX_ERRNO 4095
#define NR_FOREIGN 0x7fffffffu /* how the stub reports int $0x80 */

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif
#define KNOWN_FLAGS                                                                  \
    (SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_LOG |                           \
     SECCOMP_FILTER_FLAG_SPEC_ALLOW | SECCOMP_FILTER_FLAG_NEW_LISTENER |             \
     SECCOMP_FILTER_FLAG_TSYNC_ESRCH | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)

/* ---- filters as objects ---- */

static void drop_user(struct seccomp_filter *f)
{
    while (f && refcount_put(&f->users)) {
        if (f->notify)
            notify_hangup(f->notify);
        f = f->prev;
    }
}

void seccomp_filter_put(struct seccomp_filter *f)
{
    while (f && refcount_put(&f->ref)) {
        struct seccomp_filter *prev = f->prev;
        if (f->notify)
            notify_free(f->notify);
        free(f);
        f = prev;
    }
}

static struct seccomp_filter *filter_use(struct seccomp_filter *f)
{
    if (f) {
        refcount_get(&f->ref);
        refcount_get(&f->users);
    }
    return f;
}

static void filter_unuse(struct seccomp_filter *f)
{
    drop_user(f);
    seccomp_filter_put(f);
}

/* Of a program in kernel memory. */
static int filter_new(const struct sock_filter *prog, size_t len, struct seccomp_filter **ret)
{
    int err = cbpf_check(prog, len, CBPF_SECCOMP);
    if (err)
        return err;
    struct seccomp_filter *f = calloc(1, sizeof(*f) + len * sizeof(*prog));
    if (!f)
        return -ENOMEM;
    refcount_init(&f->ref);
    refcount_init(&f->users);
    f->len = (unsigned)len;
    memcpy(f->prog, prog, len * sizeof(*prog));
    *ret = f;
    return 0;
}

static int filter_from_user(uaddr_t from, struct seccomp_filter **ret)
{
    struct {
        uint16_t len, pad[3];
        uint64_t filter;
    } guest;
    if (get_user(&guest, from))
        return -EFAULT;
    if (guest.len == 0 || guest.len > CBPF_MAX_INSNS)
        return -EINVAL;
    if (!current->cred->no_new_privs && !capable(CAP_SYS_ADMIN))
        return -EACCES;
    if (!guest.filter)
        return -EINVAL;
    CLEANUP_FREE struct sock_filter *prog = calloc(guest.len, sizeof(*prog));
    if (!prog)
        return -ENOMEM;
    if (copy_from_user(prog, guest.filter, guest.len * sizeof(*prog)))
        return -EFAULT;
    return filter_new(prog, guest.len, ret);
}

/* ---- putting them in force ---- */

/* sig.lock held. f's one reference and user become the task's. */
static int attach_locked(struct task *t, struct seccomp_filter *f)
{
    struct seccomp_filter *old = t->seccomp.filter;
    f->cost = f->len + COST_OF_A_FILTER + (old ? old->cost : 0);
    f->depth = 1 + (old ? old->depth : 0);
    if (f->cost > MAX_COST)
        return -ENOMEM;
    f->prev = old;
    __atomic_store_n(&t->seccomp.filter, f, __ATOMIC_RELEASE);
    t->seccomp.mode = SECCOMP_MODE_FILTER;
    return 0;
}

static bool is_ancestor(const struct seccomp_filter *parent, const struct seccomp_filter *child)
{
    if (!parent)
        return true;
    while (child && child != parent)
        child = child->prev;
    return child;
}

/* Both locks held: a thread that has filters of its own, or NULL. */
static struct task *find_diverged_locked(struct task *me)
{
    struct task *t;
    list_for_each (t, &me->process->tasks, thread_link) {
        if (t == me || t->exiting || t->exited || t->seccomp.mode == SECCOMP_MODE_DISABLED)
            continue;
        if (t->seccomp.mode != SECCOMP_MODE_FILTER ||
            !is_ancestor(t->seccomp.filter, me->seccomp.filter))
            return t;
    }
    return NULL;
}

static void set_no_new_privs(struct task *t, struct cred *spare)
{
    spin_lock(&t->alloc_lock);
    t->cred = spare;
    spin_unlock(&t->alloc_lock);
}

#define MAX_REPLACED 128
struct sync {
    struct seccomp_filter *old[MAX_REPLACED]; /* to be dropped when the locks are free */
    unsigned count;
};

/* Both locks held: every other thread gets what the caller has. */
static void sync_threads_locked(struct task *me, struct sync *s)
{
    struct task *t;
    list_for_each (t, &me->process->tasks, thread_link) {
        if (t == me || t->exiting || t->exited)
            continue;
        struct seccomp_filter *old = t->seccomp.filter;
        __atomic_store_n(&t->seccomp.filter, filter_use(me->seccomp.filter), __ATOMIC_RELEASE);
        t->seccomp.mode = SECCOMP_MODE_FILTER;
        call_work_update(t);
        if (!old)
            continue;
        if (s->count < MAX_REPLACED)
            s->old[s->count++] = old;
        else /* it is an ancestor of the new one: never the last user */
            filter_unuse(old);
    }
}

/* no_new_privs of the caller is every thread's then. Credentials are made outside the locks. */
static void sync_no_new_privs(struct task *me)
{
    struct task *t;
    if (!me->cred->no_new_privs)
        return;
    for (;;) {
        struct task *found = NULL;
        spin_lock(&tasklist_lock);
        list_for_each (t, &me->process->tasks, thread_link)
            if (!t->exited && !t->exiting && !t->cred->no_new_privs && !found)
                found = task_get(t);
        spin_unlock(&tasklist_lock);
        if (!found)
            return;
        const struct cred *old = task_get_cred(found);
        struct cred *fresh;
        int err = cred_copy(old, &fresh);
        if (!err) {
            fresh->no_new_privs = true;
            set_no_new_privs(found, fresh);
            cred_put((struct cred *)old); /* the task's */
        }
        cred_put((struct cred *)old);
        task_put(found);
        if (err)
            return;
    }
}

static int64_t diverged_result(struct task *culprit, unsigned flags)
{
    return flags & SECCOMP_FILTER_FLAG_TSYNC_ESRCH ? -ESRCH : pid_number(culprit->pid);
}

/* 0, an error, or the number of the thread that cannot be brought in line. */
static int64_t install(struct task *me, struct seccomp_filter *f, unsigned flags)
{
    struct sync s = {.count = 0};
    struct process *p = me->process;
    bool sync = flags & SECCOMP_FILTER_FLAG_TSYNC;
    int64_t ret = 0;
    spin_lock(&tasklist_lock);
    spin_lock(&p->sig.lock);
    if (me->seccomp.mode != SECCOMP_MODE_DISABLED && me->seccomp.mode != SECCOMP_MODE_FILTER)
        ret = -EINVAL;
    struct task *culprit = !ret && sync ? find_diverged_locked(me) : NULL;
    if (culprit)
        ret = diverged_result(culprit, flags);
    if (!ret)
        ret = attach_locked(me, f);
    if (!ret) {
        call_work_update(me);
        if (sync)
            sync_threads_locked(me, &s);
    }
    spin_unlock(&p->sig.lock);
    spin_unlock(&tasklist_lock);
    while (s.count)
        filter_unuse(s.old[--s.count]);
    if (!ret && sync)
        sync_no_new_privs(me);
    return ret;
}

static bool has_listener(const struct seccomp_filter *f)
{
    while (f && !f->notify)
        f = f->prev;
    return f;
}

/* The descriptor of the new filter's listener. */
static int64_t install_with_listener(struct task *me, struct seccomp_filter *f, unsigned flags)
{
    if (has_listener(me->seccomp.filter))
        return -EBUSY;
    struct file *file;
    int fd = fd_reserve(O_CLOEXEC);
    if (fd < 0)
        return fd;
    int64_t ret = notify_new(&f->notify);
    if (!ret)
        ret = notify_listener(f, &file);
    if (ret) {
        fd_unreserve(fd);
        return ret;
    }
    ret = install(me, f, flags);
    if (ret) {
        file_put(file);
        fd_unreserve(fd);
        return ret;
    }
    fd_publish(fd, file);
    return fd;
}

static int64_t set_filter(unsigned flags, uaddr_t args)
{
    struct seccomp_filter *f;
    bool listener = flags & SECCOMP_FILTER_FLAG_NEW_LISTENER;
    if (flags & ~(unsigned)KNOWN_FLAGS)
        return -EINVAL;
    if (flags & SECCOMP_FILTER_FLAG_TSYNC && listener && !(flags & SECCOMP_FILTER_FLAG_TSYNC_ESRCH))
        return -EINVAL;
    if (flags & SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV && !listener)
        return -EINVAL;
    int64_t ret = filter_from_user(args, &f);
    if (ret)
        return ret;
    f->wait_killable = flags & SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    ret = listener ? install_with_listener(current, f, flags) : install(current, f, flags);
    if (listener ? ret < 0 : ret != 0) /* an error, or the number of a thread that is in the way */
        filter_unuse(f);
    return ret;
}

static int64_t set_strict(void)
{
    struct task *t = current;
    int64_t ret = 0;
    spin_lock(&t->process->sig.lock);
    if (t->seccomp.mode == SECCOMP_MODE_FILTER)
        ret = -EINVAL;
    else
        t->seccomp.mode = SECCOMP_MODE_STRICT;
    call_work_update(t);
    spin_unlock(&t->process->sig.lock);
    return ret;
}

int seccomp_install(struct task *t, const struct sock_filter *prog, size_t len)
{
    struct seccomp_filter *f;
    int err = filter_new(prog, len, &f);
    if (err)
        return err;
    spin_lock(&t->process->sig.lock);
    err = attach_locked(t, f);
    if (!err)
        call_work_update(t);
    spin_unlock(&t->process->sig.lock);
    if (err)
        filter_unuse(f);
    return err;
}

void seccomp_inherit_locked(struct task *child, struct task *from)
{
    child->seccomp.mode = from->seccomp.mode;
    child->seccomp.filter = filter_use(from->seccomp.filter);
    call_work_update(child);
}

void seccomp_exit(struct task *t)
{
    spin_lock(&t->process->sig.lock);
    struct seccomp_filter *f = TAKE_PTR(t->seccomp.filter);
    spin_unlock(&t->process->sig.lock);
    filter_unuse(f);
}

/* ---- judging a call ---- */

/* The strictest verdict of all filters, and whose it was. Actions are compared as signed numbers:
 * KILL_PROCESS is the lowest. */
static uint32_t run_filters(struct seccomp_filter *f, const struct seccomp_data *data,
                            struct seccomp_filter **ret_match)
{
    uint32_t verdict = SECCOMP_RET_ALLOW;
    *ret_match = f;
    for (; f; f = f->prev) {
        uint32_t one = cbpf_run_seccomp(f->prog, data);
        if ((int32_t)(one & SECCOMP_RET_ACTION_FULL) <
            (int32_t)(verdict & SECCOMP_RET_ACTION_FULL)) {
            verdict = one;
            *ret_match = f;
        }
    }
    return verdict;
}

static void fill_data(struct task *t, const struct call *c, struct seccomp_data *ret)
{
    const struct regs *r = context_regs(t->ctx);
    memset(ret, 0, sizeof(*ret));
    ret->nr = (int)c->nr;
    ret->arch = AUDIT_ARCH_X86_64;
    ret->instruction_pointer = r->rip;
    memcpy(ret->args, c->args, sizeof(ret->args));
    if (c->nr == NR_FOREIGN) {
        ret->arch = AUDIT_ARCH_I386;
        ret->nr = -1; /* that table does not exist here: whatever a filter lets pass is ENOSYS */
    }
}

/* As if the instruction had not been executed: the number is back in rax. */
static int64_t rolled_back(struct task *t)
{
    t->syscall_nr = -1;
    return (int64_t)context_regs(t->ctx)->orig_rax;
}

static void fill_sigsys(siginfo_t *info, const struct seccomp_data *data, int reason)
{
    memset(info, 0, sizeof(*info));
    info->si_signo = SIGSYS;
    info->si_code = 1; /* SYS_SECCOMP */
    info->si_errno = reason;
    info->si_call_addr = (void *)data->instruction_pointer;
    info->si_syscall = data->nr;
    info->si_arch = data->arch;
}

static void kill_for(struct task *t, const struct seccomp_data *data, bool whole_process,
                     struct call *c)
{
    siginfo_t info;
    fill_sigsys(&info, data, 0);
    if (whole_process || t->process->task_count == 1) {
        c->result = rolled_back(t);
        signal_kill_self(t, SIGSYS, &info);
    } else {
        do_exit(SIGSYS);
    }
}

static bool trap(struct task *t, const struct seccomp_data *data, int reason, struct call *c)
{
    siginfo_t info;
    fill_sigsys(&info, data, reason);
    c->result = rolled_back(t);
    signal_force(t, SIGSYS, &info);
    return false;
}

static bool admit(struct task *t, struct call *c, bool after_trace);

/* The tracer decides; what it has changed is judged again. */
static bool trace(struct task *t, int reason, struct call *c)
{
    if (!ptrace_event_seccomp(t, reason)) {
        c->result = -ENOSYS;
        return false;
    }
    if (task_dying(t)) {
        c->result = -ENOSYS;
        return false;
    }
    call_reload(t, c);
    if ((int64_t)c->nr < 0 || c->nr == UINT32_MAX) {
        c->result = (int64_t)context_regs(t->ctx)->rax;
        return false;
    }
    return admit(t, c, true);
}

static bool admit(struct task *t, struct call *c, bool after_trace)
{
    struct seccomp_filter *match, *f = __atomic_load_n(&t->seccomp.filter, __ATOMIC_ACQUIRE);
    struct seccomp_data data;
    fill_data(t, c, &data);
    uint32_t verdict = run_filters(f, &data, &match);
    int reason = (int)(verdict & SECCOMP_RET_DATA);
    switch (verdict & SECCOMP_RET_ACTION_FULL) {
    case SECCOMP_RET_ALLOW:
    case SECCOMP_RET_LOG:
        return true;
    case SECCOMP_RET_ERRNO:
        c->result = -MIN(reason, MAX_ERRNO);
        return false;
    case SECCOMP_RET_TRAP:
        return trap(t, &data, reason, c);
    case SECCOMP_RET_TRACE:
        return after_trace || trace(t, reason, c);
    case SECCOMP_RET_USER_NOTIF:
        return notify_ask(match, t, c, &data);
    case SECCOMP_RET_KILL_THREAD:
        kill_for(t, &data, false, c);
        return false;
    default:
        kill_for(t, &data, true, c);
        return false;
    }
}

static bool admit_strict(struct call *c)
{
    switch (c->nr) {
    case SYS_read:
    case SYS_write:
    case SYS_exit:
    case SYS_rt_sigreturn:
        return true;
    }
    do_exit(SIGKILL);
    return false;
}

bool seccomp_admit(struct task *t, struct call *c)
{
    c->result = -ENOSYS;
    return t->seccomp.mode == SECCOMP_MODE_STRICT ? admit_strict(c) : admit(t, c, false);
}

/* ---- the calls ---- */

static int64_t action_available(uaddr_t from)
{
    uint32_t action;
    if (get_user(&action, from))
        return -EFAULT;
    switch (action) {
    case SECCOMP_RET_KILL_PROCESS:
    case SECCOMP_RET_KILL_THREAD:
    case SECCOMP_RET_TRAP:
    case SECCOMP_RET_ERRNO:
    case SECCOMP_RET_USER_NOTIF:
    case SECCOMP_RET_TRACE:
    case SECCOMP_RET_LOG:
    case SECCOMP_RET_ALLOW:
        return 0;
    default:
        return -EOPNOTSUPP;
    }
}

static int64_t notification_sizes(uaddr_t to)
{
    struct seccomp_notif_sizes sizes = {
        .seccomp_notif = sizeof(struct seccomp_notif),
        .seccomp_notif_resp = sizeof(struct seccomp_notif_resp),
        .seccomp_data = sizeof(struct seccomp_data),
    };
    return put_user(&sizes, to);
}

int64_t do_seccomp(unsigned op, unsigned flags, uaddr_t args)
{
    switch (op) {
    case SECCOMP_SET_MODE_STRICT:
        return flags || args ? -EINVAL : set_strict();
    case SECCOMP_SET_MODE_FILTER:
        return set_filter(flags, args);
    case SECCOMP_GET_ACTION_AVAIL:
        return flags ? -EINVAL : action_available(args);
    case SECCOMP_GET_NOTIF_SIZES:
        return flags ? -EINVAL : notification_sizes(args);
    default:
        return -EINVAL;
    }
}

int64_t prctl_set_seccomp(uint64_t mode, uaddr_t prog)
{
    switch (mode) {
    case SECCOMP_MODE_STRICT: /* its other argument is not looked at */
        return do_seccomp(SECCOMP_SET_MODE_STRICT, 0, 0);
    case SECCOMP_MODE_FILTER:
        return do_seccomp(SECCOMP_SET_MODE_FILTER, 0, prog);
    default:
        return -EINVAL;
    }
}
