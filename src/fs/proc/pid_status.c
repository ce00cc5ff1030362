/* /proc/PID/stat, statm and status: what ps(1) and top(1) live on. */
#include "fs/proc/private.h"
#include "kernel/user_namespace.h"
#include "kernel/fdtable.h"
#include "kernel/ptrace.h"
#include "kernel/scheduling.h"
#include "kernel/tty_hooks.h"
#include "mm/mm.h"
#include <sched.h>
#include <sys/sysmacros.h>

#define KIB_PER_PAGE (PAGE_SIZE / 1024)

/* Everything that needs a lock, collected once. */
struct snapshot {
    char state;
    int32_t pid, tgid, ppid, pgrp, session, tracer;
    unsigned threads;
    struct cpu_times own, children;
    int64_t start_time;
    char comm[TASK_COMM_LEN];
    int priority, nice, policy, rt_priority;
    int exit_signal, exit_code;
    unsigned long flags;
    sigmask_t own_pending, shared_pending, blocked, ignored, caught;
    unsigned queued;
};

static char state_of(const struct process *p, const struct task *t)
{
    if (p->state == PROCESS_ZOMBIE || t->exited)
        return 'Z';
    if (ptrace_tracer_locked(t))
        return t->ptrace->stopped ? 't' : t != current && t->syscall_nr >= 0 ? 'S' : 'R';
    if (p->sig.stopped)
        return 'T';
    return t != current && t->syscall_nr >= 0 ? 'S' : 'R'; /* few calls compute for long */
}

static void snapshot_tree(struct snapshot *s, const struct proc_target *t, struct pid_namespace *ns,
                          bool thread)
{
    struct process *p = t->process;
    spin_lock(&tasklist_lock);
    s->state = state_of(p, t->task);
    s->pid = pid_number_in(t->task->pid, ns);
    s->tgid = pid_number_in(p->pid, ns);
    s->ppid = p->parent ? pid_number_in(p->parent->pid, ns) : 0;
    s->pgrp = p->group ? pid_number_in(p->group, ns) : 0;
    s->session = p->session ? pid_number_in(p->session, ns) : 0;
    struct process *tracer = ptrace_tracer_locked(t->task);
    s->tracer = tracer ? pid_number_in(tracer->pid, ns) : 0;
    s->threads = p->task_count;
    s->children = p->child_times;
    s->exit_code = p->exit_status;
    if (thread)
        task_cpu_times(t->task, &s->own);
    else
        process_cpu_times(p, &s->own);
    spin_unlock(&tasklist_lock);
    s->start_time = p->start_time;
    s->exit_signal = p->exit_signal;
}

static void snapshot_task(struct snapshot *s, struct task *t)
{
    spin_lock(&t->alloc_lock);
    for (int i = 0; i < TASK_COMM_LEN; i++)
        s->comm[i] = t->comm[i];
    spin_unlock(&t->alloc_lock);
    s->comm[TASK_COMM_LEN - 1] = '\0';
    s->nice = t->nice;
    s->policy = t->sched_policy;
    s->rt_priority = t->sched_priority;
    s->priority =
        s->policy == SCHED_FIFO || s->policy == SCHED_RR ? -1 - s->rt_priority : 20 + s->nice;
}

static void snapshot_signals(struct snapshot *s, const struct proc_target *t)
{
    struct process_signals *sig = &t->process->sig;
    s->blocked = task_sigmask(t->task);
    spin_lock(&sig->lock);
    s->own_pending = t->task->sig.own.set;
    s->shared_pending = sig->shared.set;
    s->queued = sig->queued;
    struct sighand *hand = sig->sighand ? sighand_get(sig->sighand) : NULL;
    spin_unlock(&sig->lock);
    if (!hand)
        return;
    spin_lock(&hand->lock);
    for (int n = 1; n <= SIGNAL_COUNT; n++) {
        uint64_t handler = hand->action[n - 1].handler;
        if (handler == 1)
            s->ignored |= SIGBIT(n);
        else if (handler)
            s->caught |= SIGBIT(n);
    }
    spin_unlock(&hand->lock);
    sighand_put(hand);
}

static int snapshot_take(struct synth_inode *i, struct proc_target *t, struct snapshot *s)
{
    int err = proc_target_get(i, t);
    if (err < 0)
        return err;
    *s = (struct snapshot){0};
    snapshot_tree(s, t, proc_ns(i), i->arg == PROC_THREAD);
    snapshot_task(s, t->task);
    snapshot_signals(s, t);
    return 0;
}

/* The controlling terminal's device number, and its foreground group as ns sees it; 0 and -1 if there is none. */
static void tty_numbers(struct process *p, const struct pid_namespace *ns, int *ret_nr, int *ret_group)
{
    uint64_t rdev = 0;
    struct pid *group = NULL;
    *ret_nr = 0;
    *ret_group = -1;
    spin_lock(&tasklist_lock);
    struct tty *tty = tty_get(p->tty);
    spin_unlock(&tasklist_lock);
    if (!tty)
        return;
    tty_hooks.describe(tty, &rdev, &group);
    *ret_nr = (int)((minor(rdev) & 0xff) | major(rdev) << 8 | (minor(rdev) & ~0xffu) << 12);
    if (group) {
        *ret_group = pid_number_in(group, ns);
        pid_put(group);
    }
    tty_put(tty);
}

struct mm_numbers {
    uint64_t total, rss, data, stack, exec, locked; /* pages */
    struct memory_usage usage;
    uaddr_t start_code, end_code, start_stack, start_data, end_data, brk_start, arg_start, arg_end,
        env_start, env_end;
};

static void mm_numbers_get(struct task *task, struct mm_numbers *ret)
{
    struct mm *mm = task_get_mm(task);
    *ret = (struct mm_numbers){0};
    if (!mm)
        return;
    (void)mm_usage(mm, &ret->usage);
    ret->rss = (ret->usage.anonymous + ret->usage.file + ret->usage.shared) / KIB_PER_PAGE;
    mutex_lock(&mm->lock);
    ret->total = mm->total_vm;
    ret->data = mm->data_vm;
    ret->stack = mm->stack_vm;
    ret->exec = mm->exec_vm;
    ret->locked = mm->locked_vm;
    ret->start_code = mm->start_code;
    ret->end_code = mm->end_code;
    ret->start_stack = mm->start_stack;
    ret->start_data = mm->start_data;
    ret->end_data = mm->end_data;
    ret->brk_start = mm->brk_start;
    ret->arg_start = mm->arg_start;
    ret->arg_end = mm->arg_end;
    ret->env_start = mm->env_start;
    ret->env_end = mm->env_end;
    mutex_unlock(&mm->lock);
    mm_put(mm);
}

static long long ticks(int64_t ns)
{
    return ns / (NSEC_PER_SEC / PROC_TICKS);
}

#define U(x) ((unsigned long long)(x))

int pid_stat_show(struct synth_inode *i, struct strbuf *out)
{
    CLEANUP_TARGET struct proc_target t = {NULL};
    struct snapshot s;
    struct mm_numbers m;
    int err = snapshot_take(i, &t, &s);
    if (err < 0)
        return err;
    mm_numbers_get(t.task, &m);
    int tty_nr, tty_group;
    tty_numbers(t.process, proc_ns(i), &tty_nr, &tty_group);
    bool may_trace = proc_may_trace(t.task) >= 0;
    if (!may_trace)
        m.start_code = m.end_code = m.start_stack = m.start_data = m.end_data = m.brk_start =
            m.arg_start = m.arg_end = m.env_start = m.env_end = 0;
    /* 1 to 13 */
    strbuf_printf(out, "%d (%s) %c %d %d %d %d %d 0 0 0 0 0", s.pid, s.comm, s.state, s.ppid,
                  s.pgrp, s.session, tty_nr, tty_group);
    /* 14 utime to 22 starttime */
    strbuf_printf(out, " %lld %lld %lld %lld %d %d %u 0 %lld", ticks(s.own.user),
                  ticks(s.own.system), ticks(s.children.user), ticks(s.children.system), s.priority,
                  s.nice, s.threads, ticks(s.start_time));
    /* 23 vsize to 30 kstkeip */
    strbuf_printf(out, " %llu %llu 18446744073709551615 %llu %llu %llu 0 0", U(m.total * PAGE_SIZE),
                  U(m.rss), U(m.start_code), U(m.end_code), U(m.start_stack));
    /* 31 signal to 44 cguest_time */
    strbuf_printf(out, " %llu %llu %llu %llu %d 0 0 %d %d %d %d 0 0 0",
                  U((s.own_pending | s.shared_pending) & INT32_MAX), U(s.blocked & INT32_MAX),
                  U(s.ignored & INT32_MAX), U(s.caught & INT32_MAX), s.state == 'S' && may_trace,
                  s.exit_signal, 0, s.rt_priority, s.policy);
    /* 45 start_data to 52 exit_code */
    strbuf_printf(out, " %llu %llu %llu %llu %llu %llu %llu %d\n", U(m.start_data), U(m.end_data),
                  U(m.brk_start), U(m.arg_start), U(m.arg_end), U(m.env_start), U(m.env_end),
                  may_trace ? s.exit_code : 0);
    return 0;
}

int pid_statm_show(struct synth_inode *i, struct strbuf *out)
{
    CLEANUP_TARGET struct proc_target t = {NULL};
    struct mm_numbers m;
    int err = proc_target_get(i, &t);
    if (err < 0)
        return err;
    mm_numbers_get(t.task, &m);
    strbuf_printf(out, "%llu %llu %llu %llu 0 %llu 0\n", U(m.total), U(m.rss),
                  U((m.usage.file + m.usage.shared) / KIB_PER_PAGE),
                  U(m.exec), U(m.data + m.stack));
    return 0;
}

static const char *state_name(char state)
{
    switch (state) {
    case 'R':
        return "R (running)";
    case 'T':
        return "T (stopped)";
    case 't':
        return "t (tracing stop)";
    case 'Z':
        return "Z (zombie)";
    default:
        return "S (sleeping)";
    }
}

static void show_ids(const struct cred *c, struct strbuf *out)
{
    strbuf_printf(out, "Uid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\n", uid_to_user(c->uid), uid_to_user(c->euid),
                  uid_to_user(c->suid), uid_to_user(c->fsuid), gid_to_user(c->gid), gid_to_user(c->egid),
                  gid_to_user(c->sgid), gid_to_user(c->fsgid));
}

static unsigned fd_size(struct task *t)
{
    struct fdtable *files = task_get_files(t);
    if (!files)
        return 0;
    unsigned n = files->capacity;
    fdtable_put(files);
    return n;
}

static void show_groups(const struct cred *c, struct strbuf *out)
{
    strbuf_puts(out, "Groups:\t");
    for (unsigned g = 0; g < c->group_count; g++)
        strbuf_printf(out, "%u ", gid_to_user(c->groups[g]));
    if (c->group_count == 0)
        strbuf_putc(out, ' ');
    strbuf_putc(out, '\n');
}

static void show_memory(struct task *task, struct strbuf *out)
{
    struct mm_numbers m;
    struct mm *mm = task_get_mm(task);
    if (!mm)
        return;
    mm_put(mm);
    mm_numbers_get(task, &m);
    const struct memory_usage *u = &m.usage;
    uint64_t text = (align_up(m.end_code, PAGE_SIZE) - align_down(m.start_code, PAGE_SIZE)) / 1024;
    uint64_t exec = m.exec * KIB_PER_PAGE;
    const struct {
        const char *name;
        uint64_t kib;
    } rows[] = {
        {"VmPeak", m.total * KIB_PER_PAGE},
        {"VmSize", m.total * KIB_PER_PAGE},
        {"VmLck", m.locked * KIB_PER_PAGE},
        {"VmPin", 0},
        {"VmHWM", MAX(u->peak, m.rss * KIB_PER_PAGE)},
        {"VmRSS", m.rss * KIB_PER_PAGE},
        {"RssAnon", u->anonymous},
        {"RssFile", u->file},
        {"RssShmem", u->shared},
        {"VmData", m.data * KIB_PER_PAGE},
        {"VmStk", m.stack * KIB_PER_PAGE},
        {"VmExe", MIN(text, exec)},
        {"VmLib", exec - MIN(text, exec)},
        {"VmPTE", u->tables ? u->tables : 32},
        {"VmSwap", u->swap},
    };
    for (size_t r = 0; r < ARRAY_SIZE(rows); r++)
        strbuf_printf(out, "%s:\t%8llu kB\n", rows[r].name, U(rows[r].kib));
    strbuf_puts(out, "HugetlbPages:\t       0 kB\nCoreDumping:\t0\nTHP_enabled:\t1\n");
}

static void show_signals(const struct snapshot *s, const struct process *p, struct strbuf *out)
{
    uint64_t limit = p->limits.v[RLIMIT_SIGPENDING].cur;
    strbuf_printf(out, "Threads:\t%u\nSigQ:\t%u/%llu\n", s->threads, s->queued, U(limit));
    strbuf_printf(out,
                  "SigPnd:\t%016llx\nShdPnd:\t%016llx\nSigBlk:\t%016llx\nSigIgn:\t%016llx\nSigCgt:"
                  "\t%016llx\n",
                  U(s->own_pending), U(s->shared_pending), U(s->blocked), U(s->ignored),
                  U(s->caught));
}

static void show_seccomp(struct task *t, struct strbuf *out)
{
    spin_lock(&t->process->sig.lock);
    int mode = t->seccomp.mode;
    unsigned filters = t->seccomp.filter ? t->seccomp.filter->depth : 0;
    spin_unlock(&t->process->sig.lock);
    strbuf_printf(out, "Seccomp:\t%d\nSeccomp_filters:\t%u\n", mode, filters);
}

static void show_caps(struct task *t, const struct cred *c, struct strbuf *out)
{
    strbuf_printf(out,
                  "CapInh:\t%016llx\nCapPrm:\t%016llx\nCapEff:\t%016llx\nCapBnd:\t%016llx\nCapAmb:"
                  "\t%016llx\n",
                  U(c->cap_inheritable), U(c->cap_permitted), U(c->cap_effective),
                  U(c->cap_bounding), U(c->cap_ambient));
    strbuf_printf(out, "NoNewPrivs:\t%d\n", c->no_new_privs);
    show_seccomp(t, out);
    strbuf_puts(out, "Speculation_Store_Bypass:\tthread "
                     "vulnerable\nSpeculationIndirectBranch:\tconditional enabled\n");
}

/* Sets of CPUs as hexadecimal words of 32, the highest first, and as a list of ranges. */
static void show_cpu_mask(const uint64_t mask[CPU_WORDS], struct strbuf *out)
{
    int words = (int)(cpus_mask_bytes() / sizeof(uint32_t));
    bool leading = true;
    strbuf_puts(out, "Cpus_allowed:\t");
    for (int w = words - 1; w >= 0; w--) {
        uint32_t bits = (uint32_t)(mask[w / 2] >> (w % 2 * 32));
        if (leading && !bits && w > 0)
            continue;
        strbuf_printf(out, leading ? "%x%s" : "%08x%s", bits, w ? "," : "\n");
        leading = false;
    }
}

static bool mask_has(const uint64_t mask[CPU_WORDS], int cpu)
{
    return cpu >= 0 && cpu < CPU_WORDS * 64 && mask[cpu / 64] >> (cpu % 64) & 1;
}

static void show_cpu_list(const uint64_t mask[CPU_WORDS], struct strbuf *out)
{
    const char *comma = "";
    strbuf_puts(out, "Cpus_allowed_list:\t");
    for (int cpu = 0; cpu < CPU_WORDS * 64; cpu++) {
        if (!mask_has(mask, cpu) || mask_has(mask, cpu - 1))
            continue;
        int last = cpu;
        while (mask_has(mask, last + 1))
            last++;
        strbuf_printf(out, last > cpu ? "%s%d-%d" : "%s%d", comma, cpu, last);
        comma = ",";
    }
    strbuf_puts(out, "\nMems_allowed:\t1\nMems_allowed_list:\t0\n");
}

static void show_cpus(struct task *t, struct strbuf *out)
{
    uint64_t mask[CPU_WORDS];
    task_affinity(t, mask);
    show_cpu_mask(mask, out);
    show_cpu_list(mask, out);
}

static unsigned umask_of(struct task *t)
{
    struct fs_context *fs = task_get_fs(t);
    if (!fs)
        return 0;
    unsigned mask = fs->umask;
    fs_context_put(fs);
    return mask;
}

int pid_status_show(struct synth_inode *i, struct strbuf *out)
{
    CLEANUP_TARGET struct proc_target t = {NULL};
    struct snapshot s;
    int err = snapshot_take(i, &t, &s);
    if (err < 0)
        return err;
    const struct cred *c = task_get_cred(t.task);
    if (!c)
        return -ESRCH;
    strbuf_printf(out, "Name:\t%s\nUmask:\t%04o\nState:\t%s\n", s.comm, umask_of(t.task),
                  state_name(s.state));
    strbuf_printf(out, "Tgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\nTracerPid:\t%d\n", s.tgid, s.pid,
                  s.ppid, s.tracer);
    show_ids(c, out);
    strbuf_printf(out, "FDSize:\t%u\n", fd_size(t.task));
    show_groups(c, out);
    strbuf_printf(out, "NStgid:\t%d\nNSpid:\t%d\nNSpgid:\t%d\nNSsid:\t%d\nKthread:\t0\n", s.tgid,
                  s.pid, s.pgrp, s.session);
    show_memory(t.task, out);
    strbuf_puts(out, "untag_mask:\t0xffffffffffffffff\n");
    show_signals(&s, t.process, out);
    show_caps(t.task, c, out);
    show_cpus(t.task, out);
    strbuf_printf(out, "voluntary_ctxt_switches:\t%llu\nnonvoluntary_ctxt_switches:\t0\n",
                  U(t.task->syscall_count));
    cred_put((struct cred *)c);
    return 0;
}
