/* ptrace(2), what the tracer asks for: attaching, resuming, memory, signals. Registers are in ptrace_regs.c. */
#include "base/cleanup.h"
#include "kernel/pid.h"
#include "kernel/ptrace_private.h"
#include "kernel/seccomp.h"
#include "kernel/signal_private.h"
#include "kernel/task_private.h"
#include "kernel/trace_access.h"
#include "mm/mm.h"
#include "mm/uaccess.h"
#include <linux/capability.h>
#include <linux/ptrace.h>
#include <linux/seccomp.h>
#include <string.h>

#define KNOWN_OPTIONS (0xffu | PTRACE_O_EXITKILL | PTRACE_O_SUSPEND_SECCOMP)
#define PTRACE_GETREGS_ 12 /* arch's own numbers */
#define PTRACE_GETFPXREGS_ 18
#define PTRACE_SYSEMU_ 31
#define PTRACE_SYSEMU_SINGLESTEP_ 32
#define PTRACE_SINGLEBLOCK_ 33

DEFINE_CLEANUP(struct task *, task_put)

static struct task *find_task(int32_t number)
{
    spin_lock(&tasklist_lock);
    struct pid *pid = number > 0 ? pid_find_locked(current->pid->ns, number) : NULL;
    struct task *t = pid && pid->task ? task_get(pid->task) : NULL;
    spin_unlock(&tasklist_lock);
    return t;
}

static bool is_mine_locked(struct task *t)
{
    return t->ptrace && t->ptrace->tracer == current->process;
}

static bool is_stopped_locked(struct task *t)
{
    return is_mine_locked(t) && t->ptrace->stopped && !t->ptrace->listening;
}

bool ptrace_is_stopped(struct task *t)
{
    spin_lock(&tasklist_lock);
    bool stopped = is_stopped_locked(t);
    spin_unlock(&tasklist_lock);
    return stopped;
}

struct task *ptrace_find_stopped(const struct mm *mm)
{
    struct ptrace_state *s;
    struct task *found = NULL;
    if (!current)
        return NULL;
    spin_lock(&tasklist_lock);
    list_for_each (s, &current->process->tracees, link)
        if (!found && s->task->mm == mm && is_stopped_locked(s->task))
            found = task_get(s->task);
    spin_unlock(&tasklist_lock);
    return found;
}

/* ---- on the tracee's own fiber ---- */

static bool place_request(struct task *t, int (*fn)(struct task *t, void *arg), void *arg)
{
    struct ptrace_state *s = t->ptrace;
    spin_lock(&tasklist_lock);
    bool placed = is_stopped_locked(t) && !s->request;
    if (placed) {
        s->request = fn;
        s->request_arg = arg;
        s->request_done = false;
    }
    spin_unlock(&tasklist_lock);
    return placed;
}

int ptrace_call(struct task *t, int (*fn)(struct task *t, void *arg), void *arg)
{
    struct ptrace_state *s = t->ptrace;
    while (!place_request(t, fn, arg)) {
        if (!ptrace_is_stopped(t))
            return -ESRCH;
        fiber_yield(); /* another thread of the tracer asks just now */
    }
    wake_all(&s->queue);
    wait_event(&s->answered, __atomic_load_n(&s->request_done, __ATOMIC_ACQUIRE));
    spin_lock(&tasklist_lock);
    int result = s->request_result;
    s->request = NULL;
    spin_unlock(&tasklist_lock);
    return result;
}

/* ---- attaching ---- */

static int may_attach(struct task *t)
{
    if (t->process == current->process)
        return -EPERM;
    return trace_access(t, TRACE_ATTACH | TRACE_REALCREDS);
}

static int attach_locked(struct task *t, bool seize, unsigned options)
{
    if (t->ptrace->tracer || t->exited || t->exiting)
        return -EPERM;
    ptrace_link_locked(t, current->process, seize, options);
    if (!seize)
        (void)signal_send_task_locked(t, SIGSTOP, NULL);
    wake_all(&t->process->sig.stop_queue); /* stopped already: it reports that */
    return 0;
}

static int64_t attach(struct task *t, bool seize, uaddr_t addr, uint64_t options)
{
    if (seize && (addr || options & ~(uint64_t)KNOWN_OPTIONS))
        return -EIO;
    int err = may_attach(t);
    if (!err)
        err = ptrace_prepare(t);
    if (err)
        return err;
    spin_lock(&tasklist_lock);
    err = attach_locked(t, seize, seize ? (unsigned)options : 0);
    spin_unlock(&tasklist_lock);
    return err;
}

static int64_t trace_me(void)
{
    struct task *t = current;
    int err = ptrace_prepare(t);
    if (err)
        return err;
    spin_lock(&tasklist_lock);
    struct process *parent = t->process->parent;
    struct task *leader = parent ? task_get(parent->leader) : NULL;
    spin_unlock(&tasklist_lock);
    err = leader ? yama_may_be_traced_by(leader) : -EPERM;
    task_put(leader);
    if (err)
        return err;
    spin_lock(&tasklist_lock);
    if (t->ptrace->tracer || !t->process->parent)
        err = -EPERM;
    else if (t->process->parent->task_count) /* else it has just ended: nobody is there to trace */
        ptrace_link_locked(t, t->process->parent, false, 0);
    spin_unlock(&tasklist_lock);
    return err;
}

/* ---- letting go ---- */

/* The tracee goes on; what it is to do is set by then. */
static void wake_locked(struct task *t, int signo)
{
    struct ptrace_state *s = t->ptrace;
    s->signal = signo;
    s->stopped = false;
    wake_all(&s->queue);
}

static int64_t resume(struct task *t, int64_t request, uint64_t signo)
{
    if (signo > SIGNAL_COUNT)
        return -EIO;
    spin_lock(&tasklist_lock);
    bool stopped = is_stopped_locked(t);
    if (stopped) {
        struct ptrace_state *s = t->ptrace;
        s->syscalls = request == PTRACE_SYSCALL;
        s->emulate = request == PTRACE_SYSEMU_ || request == PTRACE_SYSEMU_SINGLESTEP_;
        s->step = request == PTRACE_SINGLESTEP || request == PTRACE_SYSEMU_SINGLESTEP_;
        wake_locked(t, (int)signo);
    }
    spin_unlock(&tasklist_lock);
    return stopped ? 0 : -ESRCH;
}

static int64_t detach(struct task *t, uint64_t signo)
{
    struct list dead = LIST_INIT(dead);
    if (signo > SIGNAL_COUNT)
        return -EIO;
    spin_lock(&tasklist_lock);
    bool stopped = is_stopped_locked(t);
    if (stopped) {
        t->ptrace->signal = (int)signo;
        ptrace_release_locked(t, &dead);
    }
    spin_unlock(&tasklist_lock);
    process_bury(&dead);
    if (stopped)
        task_put(t); /* the link's */
    return stopped ? 0 : -ESRCH;
}

static int64_t interrupt(struct task *t)
{
    int64_t ret = 0;
    spin_lock(&tasklist_lock);
    struct ptrace_state *s = t->ptrace;
    if (!is_mine_locked(t)) {
        ret = -ESRCH;
    } else if (!s->seized) {
        ret = -EIO;
    } else if (s->listening) {
        ptrace_job_control_locked(t, false);
    } else {
        s->trap_stop = true;
        spin_lock(&t->process->sig.lock);
        task_kick(t);
        spin_unlock(&t->process->sig.lock);
    }
    spin_unlock(&tasklist_lock);
    return ret;
}

static int64_t listen_(struct task *t)
{
    int64_t ret = -EIO;
    spin_lock(&tasklist_lock);
    struct ptrace_state *s = t->ptrace;
    if (!is_stopped_locked(t)) {
        ret = -ESRCH;
    } else if (s->seized && s->in_event_stop) {
        s->listening = true;
        ret = 0;
        if (s->trap_notify) /* something has happened since it stopped */
            ptrace_job_control_locked(t, false);
    }
    spin_unlock(&tasklist_lock);
    return ret;
}

static int64_t kill_tracee(struct task *t)
{
    spin_lock(&tasklist_lock);
    bool mine = is_mine_locked(t);
    if (mine)
        (void)signal_send_process_locked(t->process, SIGKILL, NULL);
    spin_unlock(&tasklist_lock);
    return mine ? 0 : -ESRCH;
}

/* ---- memory ---- */

struct force {
    uaddr_t addr;
    char *buf;
    size_t n;
    bool write;
};

/* On the tracee's fiber: opens the page for a moment. What the host maps privately becomes the
 * process's own copy. */
static int move_by_force(struct task *t, void *arg)
{
    struct force *f = arg;
    return mm_force_copy(t->mm, t->ctx, f->addr, f->buf, f->n, f->write);
}

static ssize_t by_force(struct task *t, uaddr_t addr, char *buf, size_t n, bool write)
{
    struct force f = {addr, buf, n, write};
    int err = t == current ? move_by_force(t, &f) : ptrace_call(t, move_by_force, &f);
    return err ? err : (ssize_t)n;
}

/* The bytes up to the end of the page. */
static size_t page_rest(uaddr_t addr, size_t n)
{
    return MIN(n, PAGE_SIZE - (addr & (PAGE_SIZE - 1)));
}

ssize_t ptrace_peek(struct task *t, uaddr_t addr, void *buf, size_t n)
{
    size_t done = 0;
    struct mm *mm = task_get_mm(t);
    while (mm && done < n) {
        size_t piece = page_rest(addr + done, n - done);
        ssize_t got = mm_read(mm, addr + done, (char *)buf + done, piece);
        if (got < (ssize_t)piece)
            got = by_force(t, addr + done, (char *)buf + done, piece, false);
        if (got < 0)
            break;
        done += piece;
    }
    if (mm)
        mm_put(mm);
    return done ? (ssize_t)done : -EIO;
}

ssize_t ptrace_poke(struct task *t, uaddr_t addr, const void *buf, size_t n)
{
    size_t done = 0;
    struct mm *mm = task_get_mm(t);
    while (mm && done < n) {
        size_t piece = page_rest(addr + done, n - done);
        ssize_t put = mm_write(mm, addr + done, (const char *)buf + done, piece);
        if (put < (ssize_t)piece)
            put = by_force(t, addr + done, (char *)(uintptr_t)buf + done, piece, true);
        if (put < 0)
            break;
        done += piece;
    }
    if (mm)
        mm_put(mm);
    return done ? (ssize_t)done : -EIO;
}

static int64_t peek(struct task *t, uaddr_t addr, uaddr_t data)
{
    uint64_t word;
    if (ptrace_peek(t, addr, &word, sizeof(word)) != sizeof(word))
        return -EIO;
    return put_user(&word, data);
}

static int64_t poke(struct task *t, uaddr_t addr, uint64_t word)
{
    return ptrace_poke(t, addr, &word, sizeof(word)) == sizeof(word) ? 0 : -EIO;
}

/* ---- signals ---- */

static int64_t get_siginfo(struct task *t, uaddr_t data)
{
    spin_lock(&tasklist_lock);
    bool found = is_stopped_locked(t) && t->ptrace->has_info;
    siginfo_t info = t->ptrace->info;
    spin_unlock(&tasklist_lock);
    return found ? put_user(&info, data) : -EINVAL;
}

static int64_t set_siginfo(struct task *t, uaddr_t data)
{
    siginfo_t info;
    if (get_user(&info, data))
        return -EFAULT;
    spin_lock(&tasklist_lock);
    bool found = is_stopped_locked(t) && t->ptrace->has_info;
    if (found)
        t->ptrace->info = info;
    spin_unlock(&tasklist_lock);
    return found ? 0 : -EINVAL;
}

static bool nth_pending(struct task *t, bool shared, uint64_t n, siginfo_t *ret)
{
    struct process *p = t->process;
    struct queued_signal *q;
    bool found = false;
    spin_lock(&p->sig.lock);
    struct pending *pending = shared ? &p->sig.shared : &t->sig.own;
    list_for_each (q, &pending->queue, link) {
        if (n--)
            continue;
        *ret = q->info;
        found = true;
        break;
    }
    spin_unlock(&p->sig.lock);
    return found;
}

static int64_t peek_siginfo(struct task *t, uaddr_t addr, uaddr_t data)
{
    struct ptrace_peeksiginfo_args args;
    siginfo_t info;
    int32_t i;
    if (get_user(&args, addr))
        return -EFAULT;
    if (args.flags & ~(uint32_t)PTRACE_PEEKSIGINFO_SHARED || args.nr < 0)
        return -EINVAL;
    for (i = 0; i < args.nr; i++) {
        if (!nth_pending(t, args.flags & PTRACE_PEEKSIGINFO_SHARED, args.off + (uint64_t)i, &info))
            break;
        if (copy_to_user_partial(data + (uaddr_t)i * sizeof(info), &info, sizeof(info)) !=
            sizeof(info))
            return i ? i : -EFAULT;
    }
    return i;
}

static int apply_sigmask(struct task *t, void *arg)
{
    task_set_sigmask(t, *(sigmask_t *)arg);
    if (t->sig.restore_mask) /* the one that sigsuspend and its like go back to is another */
        t->sig.saved_mask = *(sigmask_t *)arg;
    return 0;
}

static int64_t move_sigmask(struct task *t, int64_t request, uint64_t size, uaddr_t data)
{
    sigmask_t mask = t->sig.restore_mask ? t->sig.saved_mask : task_sigmask(t);
    if (size != sizeof(mask))
        return -EINVAL;
    if (request == PTRACE_GETSIGMASK)
        return put_user(&mask, data);
    if (get_user(&mask, data))
        return -EFAULT;
    return ptrace_call(t, apply_sigmask, &mask);
}

/* ---- the rest ---- */

static int64_t set_options(struct task *t, uint64_t options)
{
    if (options & ~(uint64_t)KNOWN_OPTIONS)
        return -EINVAL;
    if (options & PTRACE_O_SUSPEND_SECCOMP) /* for checkpointing only, and nobody who is filtered may */
        return capable(CAP_SYS_ADMIN) ? -EINVAL : -EPERM;
    spin_lock(&tasklist_lock);
    t->ptrace->options = (unsigned)options;
    spin_unlock(&tasklist_lock);
    return 0;
}

static void fill_call(const struct regs *r, uint64_t *ret_nr, uint64_t args[6])
{
    *ret_nr = r->orig_rax;
    args[0] = r->rdi;
    args[1] = r->rsi;
    args[2] = r->rdx;
    args[3] = r->r10;
    args[4] = r->r8;
    args[5] = r->r9;
}

static int64_t syscall_info(struct task *t, uint64_t user_size, uaddr_t data)
{
    struct {
        uint8_t op, pad[3];
        uint32_t arch;
        uint64_t ip, sp;
        union {
            struct {
                uint64_t nr, args[6];
                uint32_t ret_data;
            } entry;
            struct {
                int64_t result;
                uint8_t is_error;
            } exit;
        };
    } out;
    size_t size = 24;
    memset(&out, 0, sizeof(out));
    spin_lock(&tasklist_lock);
    const struct regs r = t->ptrace->regs;
    out.op = (uint8_t)t->ptrace->op;
    uint32_t seccomp_data = t->ptrace->seccomp_data;
    spin_unlock(&tasklist_lock);
    out.arch = 0xc000003e; /* AUDIT_ARCH_X86_64 */
    out.ip = r.rip;
    out.sp = r.rsp;
    if (out.op == PTRACE_SYSCALL_INFO_EXIT) {
        out.exit.result = (int64_t)r.rax;
        out.exit.is_error = r.rax >= (uint64_t)-4095;
        size = 33;
    } else if (out.op != PTRACE_SYSCALL_INFO_NONE) {
        fill_call(&r, &out.entry.nr, out.entry.args);
        size = 80;
        if (out.op == PTRACE_SYSCALL_INFO_SECCOMP) {
            out.entry.ret_data = seccomp_data;
            size = 84;
        }
    }
    int err = copy_to_user(data, &out, MIN(size, user_size));
    return err ? err : (int64_t)size;
}

static int64_t seccomp_filter(struct task *t, uint64_t index, uaddr_t data)
{
    if (!capable(CAP_SYS_ADMIN) || current->seccomp.mode != SECCOMP_MODE_DISABLED)
        return -EACCES;
    if (t->seccomp.mode != SECCOMP_MODE_FILTER)
        return -EINVAL;
    const struct seccomp_filter *f = t->seccomp.filter; /* it stands still */
    if (index >= f->depth)
        return -ENOENT;
    for (uint64_t left = f->depth - 1 - index; left; left--)
        f = f->prev;
    if (data && copy_to_user(data, f->prog, f->len * sizeof(f->prog[0])))
        return -EFAULT;
    return f->len;
}

/* Everything that needs a stopped tracee. */
static int64_t on_stopped(struct task *t, int64_t request, uaddr_t addr, uaddr_t data)
{
    switch (request) {
    case PTRACE_PEEKTEXT:
    case PTRACE_PEEKDATA:
        return peek(t, addr, data);
    case PTRACE_POKETEXT:
    case PTRACE_POKEDATA:
        return poke(t, addr, data);
    case PTRACE_CONT:
    case PTRACE_SYSCALL:
    case PTRACE_SINGLESTEP:
    case PTRACE_SYSEMU_:
    case PTRACE_SYSEMU_SINGLESTEP_:
        return resume(t, request, data);
    case PTRACE_DETACH:
        return detach(t, data);
    case PTRACE_LISTEN:
        return listen_(t);
    case PTRACE_SETOPTIONS:
    case 21: /* PTRACE_OLDSETOPTIONS */
        return set_options(t, data);
    case PTRACE_GETEVENTMSG:
        return put_user(&t->ptrace->message, data);
    case PTRACE_GETSIGINFO:
        return get_siginfo(t, data);
    case PTRACE_SETSIGINFO:
        return set_siginfo(t, data);
    case PTRACE_PEEKSIGINFO:
        return peek_siginfo(t, addr, data);
    case PTRACE_GETSIGMASK:
    case PTRACE_SETSIGMASK:
        return move_sigmask(t, request, addr, data);
    case PTRACE_GET_SYSCALL_INFO:
        return syscall_info(t, addr, data);
    case PTRACE_SECCOMP_GET_FILTER:
        return seccomp_filter(t, addr, data);
    default:
        return ptrace_regs_request(t, request, addr, data);
    }
}

int64_t do_ptrace(int64_t request, int32_t pid, uaddr_t addr, uaddr_t data)
{
    if (request == PTRACE_TRACEME)
        return trace_me();
    CLEANUP_OF(task_put) struct task *t = find_task(pid);
    if (!t)
        return -ESRCH;
    switch (request) {
    case PTRACE_ATTACH:
        return attach(t, false, 0, 0);
    case PTRACE_SEIZE:
        return attach(t, true, addr, data);
    case PTRACE_INTERRUPT:
        return interrupt(t);
    case PTRACE_KILL:
        return kill_tracee(t);
    }
    return ptrace_is_stopped(t) ? on_stopped(t, request, addr, data) : -ESRCH;
}
