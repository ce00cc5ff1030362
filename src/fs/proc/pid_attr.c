/* The smaller files of a process: name, limits, OOM scores, scheduling, mounts. */
#include "fs/proc/private.h"
#include "kernel/cgroup.h"
#include "kernel/fdtable.h"
#include "mm/mm.h"
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>

/* A decimal number, blanks around it allowed, nothing else. */
static int parse_number(const char *text, long long *ret)
{
    char *end;
    errno = 0;
    long long n = strtoll(text, &end, 0);
    if (end == text || errno)
        return -EINVAL;
    if (end[strspn(end, " \t\n")])
        return -EINVAL;
    *ret = n;
    return 0;
}

int pid_comm_show(struct synth_inode *i, struct strbuf *out)
{
    CLEANUP_TARGET struct proc_target t = {NULL};
    char comm[TASK_COMM_LEN];
    int err = proc_target_get(i, &t);
    if (err < 0)
        return err;
    spin_lock(&t.task->alloc_lock);
    memcpy(comm, t.task->comm, sizeof(comm));
    spin_unlock(&t.task->alloc_lock);
    strbuf_add(out, comm, strnlen(comm, sizeof(comm)));
    strbuf_putc(out, '\n');
    return 0;
}

/* Threads may rename each other within a process; nobody else may. */
int pid_comm_write(struct synth_inode *i, char *text, size_t len)
{
    CLEANUP_TARGET struct proc_target t = {NULL};
    int err = proc_target_get(i, &t);
    if (err < 0)
        return err;
    if (!current || current->process != t.process)
        return -EINVAL;
    text[MIN(len, (size_t)TASK_COMM_LEN - 1)] = '\0';
    task_set_comm(t.task, text);
    return 0;
}

static const struct {
    const char *name, *unit;
    int resource;
} limit_rows[] = {
    {"Max cpu time", "seconds", RLIMIT_CPU},
    {"Max file size", "bytes", RLIMIT_FSIZE},
    {"Max data size", "bytes", RLIMIT_DATA},
    {"Max stack size", "bytes", RLIMIT_STACK},
    {"Max core file size", "bytes", RLIMIT_CORE},
    {"Max resident set", "bytes", RLIMIT_RSS},
    {"Max processes", "processes", RLIMIT_NPROC},
    {"Max open files", "files", RLIMIT_NOFILE},
    {"Max locked memory", "bytes", RLIMIT_MEMLOCK},
    {"Max address space", "bytes", RLIMIT_AS},
    {"Max file locks", "locks", RLIMIT_LOCKS},
    {"Max pending signals", "signals", RLIMIT_SIGPENDING},
    {"Max msgqueue size", "bytes", RLIMIT_MSGQUEUE},
    {"Max nice priority", "", RLIMIT_NICE},
    {"Max realtime priority", "", RLIMIT_RTPRIO},
    {"Max realtime timeout", "us", RLIMIT_RTTIME},
};

static void add_limit(uint64_t value, struct strbuf *out)
{
    if (value == RLIM_INFINITY)
        strbuf_printf(out, "%-20s ", "unlimited");
    else
        strbuf_printf(out, "%-20llu ", (unsigned long long)value);
}

int pid_limits_show(struct synth_inode *i, struct strbuf *out)
{
    CLEANUP_TARGET struct proc_target t = {NULL};
    int err = proc_target_get(i, &t);
    if (err < 0)
        return err;
    strbuf_printf(out, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
    for (size_t r = 0; r < ARRAY_SIZE(limit_rows); r++) {
        strbuf_printf(out, "%-25s ", limit_rows[r].name);
        add_limit(t.process->limits.v[limit_rows[r].resource].cur, out);
        add_limit(t.process->limits.v[limit_rows[r].resource].max, out);
        strbuf_printf(out, "%-10s\n", limit_rows[r].unit);
    }
    return 0;
}

/* DEVIATION: what of it reached a device is not known. */
int pid_io_show(struct synth_inode *i, struct strbuf *out)
{
    CLEANUP_TARGET struct proc_target t = {NULL};
    struct task *other;
    int err = proc_target_get(i, &t);
    if (err < 0)
        return err;
    struct io_counts c = i->arg == PROC_THREAD ? t.task->io : t.process->dead_io;
    if (i->arg != PROC_THREAD) {
        spin_lock(&tasklist_lock);
        list_for_each (other, &t.process->tasks, thread_link)
            if (!other->exited)
                io_counts_add(&c, &other->io);
        spin_unlock(&tasklist_lock);
    }
    strbuf_printf(out, "rchar: %llu\nwchar: %llu\nsyscr: %llu\nsyscw: %llu\n",
                  (unsigned long long)c.rchar, (unsigned long long)c.wchar,
                  (unsigned long long)c.syscr, (unsigned long long)c.syscw);
    strbuf_puts(out, "read_bytes: 0\nwrite_bytes: 0\ncancelled_write_bytes: 0\n");
    return 0;
}

/* ---- OOM scores ---- */

int pid_oom_score_show(struct synth_inode *i, struct strbuf *out)
{
    CLEANUP_TARGET struct proc_target t = {NULL};
    int err = proc_target_get(i, &t);
    if (err < 0)
        return err;
    int score =
        666 + t.process->oom_score_adj * 2 / 3; /* Linux's baseline for a process without memory */
    strbuf_printf(out, "%d\n", t.process->oom_score_adj <= -1000 ? 0 : MAX(score, 0));
    return 0;
}

int pid_oom_score_adj_show(struct synth_inode *i, struct strbuf *out)
{
    CLEANUP_TARGET struct proc_target t = {NULL};
    int err = proc_target_get(i, &t);
    if (err < 0)
        return err;
    strbuf_printf(out, "%d\n", t.process->oom_score_adj);
    return 0;
}

static int set_oom(struct synth_inode *i, long long adj)
{
    CLEANUP_TARGET struct proc_target t = {NULL};
    int err = proc_target_get(i, &t);
    if (err < 0)
        return err;
    if (adj < t.process->oom_score_adj && !capable(CAP_SYS_RESOURCE))
        return -EACCES;
    t.process->oom_score_adj = (int)adj;
    struct mm *mm = task_get_mm(t.task);
    if (mm) {
        mm_set_oom(mm, (int)adj);
        mm_put(mm);
    }
    return 0;
}

int pid_oom_score_adj_write(struct synth_inode *i, char *text, size_t len)
{
    long long adj;
    int err = parse_number(text, &adj);
    if (err < 0)
        return err;
    return adj < -1000 || adj > 1000 ? -EINVAL : set_oom(i, adj);
}

/* The older scale: -17 (never) to 15. */
int pid_oom_adj_show(struct synth_inode *i, struct strbuf *out)
{
    CLEANUP_TARGET struct proc_target t = {NULL};
    int err = proc_target_get(i, &t);
    if (err < 0)
        return err;
    int adj = t.process->oom_score_adj;
    strbuf_printf(out, "%d\n", adj == 1000 ? 15 : adj * 17 / 1000);
    return 0;
}

int pid_oom_adj_write(struct synth_inode *i, char *text, size_t len)
{
    long long adj;
    int err = parse_number(text, &adj);
    if (err < 0)
        return err;
    if (adj < -17 || adj > 15)
        return -EINVAL;
    return set_oom(i, adj == 15 ? 1000 : adj * 1000 / 17);
}

/* ---- scheduling and the like ---- */

int pid_personality_show(struct synth_inode *i, struct strbuf *out)
{
    CLEANUP_TARGET struct proc_target t = {NULL};
    int err = proc_target_get(i, &t);
    if (err < 0)
        return err;
    strbuf_printf(out, "%08lx\n", t.task->personality);
    return 0;
}

int pid_timerslack_show(struct synth_inode *i, struct strbuf *out)
{
    CLEANUP_TARGET struct proc_target t = {NULL};
    int err = proc_target_get(i, &t);
    if (err < 0)
        return err;
    strbuf_printf(out, "%lld\n", (long long)t.task->timer_slack);
    return 0;
}

int pid_timerslack_write(struct synth_inode *i, char *text, size_t len)
{
    CLEANUP_TARGET struct proc_target t = {NULL};
    long long slack;
    int err = parse_number(text, &slack);
    if (err >= 0)
        err = proc_target_get(i, &t);
    if (err < 0)
        return err;
    if (slack < 0)
        return -EINVAL;
    t.task->timer_slack = slack ? slack : 50000;
    return 0;
}

int pid_coredump_filter_show(struct synth_inode *i, struct strbuf *out)
{
    CLEANUP_TARGET struct proc_target t = {NULL};
    int err = proc_target_get(i, &t);
    if (err < 0)
        return err;
    strbuf_printf(out, "%08x\n", t.process->core_filter);
    return 0;
}

int pid_coredump_filter_write(struct synth_inode *i, char *text, size_t len)
{
    CLEANUP_TARGET struct proc_target t = {NULL};
    long long bits;
    int err = parse_number(text, &bits);
    if (err >= 0)
        err = proc_target_get(i, &t);
    if (err < 0)
        return err;
    t.process->core_filter = (unsigned)bits & 0x1ff;
    return 0;
}

int pid_sched_show(struct synth_inode *i, struct strbuf *out)
{
    CLEANUP_TARGET struct proc_target t = {NULL};
    struct cpu_times times;
    int err = proc_target_get(i, &t);
    if (err < 0)
        return err;
    task_cpu_times(t.task, &times);
    int64_t ns = times.user + times.system;
    strbuf_printf(out, "%s (%d, #threads: %u)\n", t.task->comm,
                  pid_number_in(t.task->pid, proc_ns(i)), t.process->task_count);
    strbuf_puts(out, "-------------------------------------------------------------------\n");
    strbuf_printf(out, "%-45s:%21lld.%06lld\n", "se.sum_exec_runtime",
                  (long long)(ns / NSEC_PER_MSEC), (long long)(ns % NSEC_PER_MSEC));
    strbuf_printf(out, "%-45s:%21llu\n", "nr_switches", (unsigned long long)t.task->syscall_count);
    strbuf_printf(out, "%-45s:%21d\n%-45s:%21d\n", "policy", t.task->sched_policy, "prio",
                  120 + t.task->nice);
    return 0;
}

int pid_schedstat_show(struct synth_inode *i, struct strbuf *out)
{
    CLEANUP_TARGET struct proc_target t = {NULL};
    struct cpu_times times;
    int err = proc_target_get(i, &t);
    if (err < 0)
        return err;
    task_cpu_times(t.task, &times);
    strbuf_printf(out, "%lld 0 %llu\n", (long long)(times.user + times.system),
                  (unsigned long long)t.task->syscall_count);
    return 0;
}

/* Linux shows the kernel's function to who may trace, else 0; ours mean nothing to anybody. */
int pid_wchan_show(struct synth_inode *i, struct strbuf *out)
{
    strbuf_putc(out, '0');
    return 0;
}

int pid_children_show(struct synth_inode *i, struct strbuf *out)
{
    CLEANUP_TARGET struct proc_target t = {NULL};
    CLEANUP_FREE int32_t *numbers = NULL;
    struct process *child;
    size_t n = 0, max;
    int err = proc_target_get(i, &t);
    if (err < 0)
        return err;
    max = task_total() +
          64; /* nothing is allocated under the lock; what comes meanwhile is not shown */
    numbers = calloc(max, sizeof(*numbers));
    if (!numbers)
        return -ENOMEM;
    spin_lock(&tasklist_lock);
    list_for_each (child, &t.process->children, child_link)
        if (n < max)
            numbers[n++] = pid_number_in(child->pid, proc_ns(i));
    spin_unlock(&tasklist_lock);
    for (size_t c = 0; c < n; c++)
        strbuf_printf(out, "%d ", numbers[c]);
    return 0;
}

/* As without a security module. */
int pid_no_label_show(struct synth_inode *i, struct strbuf *out)
{
    return -EINVAL;
}

/* ---- cgroups ---- */

/* The path as the reader's cgroup namespace has it. */
static int show_cgroup(struct synth_inode *i, const char *before, struct strbuf *out)
{
    CLEANUP_TARGET struct proc_target t = {NULL};
    int err = proc_target_get(i, &t);
    if (err < 0)
        return err;
    spin_lock(&tasklist_lock);
    struct cgroup *cg = t.task->cgroup ? cgroup_get(t.task->cgroup) : NULL;
    spin_unlock(&tasklist_lock);
    if (cg && *before)
        cgroup_hierarchies_show(cg, current_cgroup_root(), out);
    strbuf_puts(out, before);
    if (cg)
        cgroup_path(cg, current_cgroup_root(), out);
    strbuf_puts(out, cg && cg->dead ? " (deleted)\n" : "\n");
    cgroup_put(cg);
    return 0;
}

int pid_cgroup_show(struct synth_inode *i, struct strbuf *out)
{
    return show_cgroup(i, "0::", out);
}

int pid_cpuset_show(struct synth_inode *i, struct strbuf *out)
{
    return show_cgroup(i, "", out);
}

/* ---- mounts ---- */

typedef void show_mounts_fn(struct mount_namespace *ns, const struct path *root,
                            struct strbuf *out);

static int show_mounts(struct synth_inode *i, struct strbuf *out, show_mounts_fn *show)
{
    CLEANUP_TARGET struct proc_target t = {NULL};
    CLEANUP_PATH_REF struct path root = {NULL, NULL};
    int err = proc_target_get(i, &t);
    if (err < 0)
        return err;
    struct fs_context *fs = task_get_fs(t.task);
    if (!fs)
        return -EINVAL;
    spin_lock(&fs->lock);
    struct mount_namespace *ns = mount_namespace_get(fs->ns);
    spin_unlock(&fs->lock);
    fs_get_root(fs, &root);
    fs_context_put(fs);
    show(ns, &root, out);
    mount_namespace_put(ns);
    return 0;
}

int pid_mounts_show(struct synth_inode *i, struct strbuf *out)
{
    return show_mounts(i, out, mounts_show);
}

int pid_mountinfo_show(struct synth_inode *i, struct strbuf *out)
{
    return show_mounts(i, out, mountinfo_show);
}

/* mounts, in other words: "device D mounted on P with fstype T". */
int pid_mountstats_show(struct synth_inode *i, struct strbuf *out)
{
    CLEANUP_STRBUF struct strbuf mounts = STRBUF_INIT;
    int err = show_mounts(i, &mounts, mounts_show);
    if (err < 0 || mounts.failed || !mounts.s)
        return err;
    char *save, *line = strtok_r(mounts.s, "\n", &save);
    for (; line; line = strtok_r(NULL, "\n", &save)) {
        char *fields, *device = strtok_r(line, " ", &fields), *at = strtok_r(NULL, " ", &fields);
        char *type = strtok_r(NULL, " ", &fields);
        if (device && at && type)
            strbuf_printf(out, "device %s mounted on %s with fstype %s\n", device, at, type);
    }
    return 0;
}
