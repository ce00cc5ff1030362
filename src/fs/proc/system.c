/*
 * /proc's own files: the machine and the sandbox as a whole.
 *
 * CPUs and memory are the host's (base/host_facts.h, and sysinfo(2) for what changes); processes
 * and their times are the sandbox's own.
 */
#include "fs/proc/private.h"
#include "ipc/namespace.h"
#include "ipc/sysv.h"
#include "kernel/cgroup.h"
#include "kernel/keys.h"
#include "kernel/namespaces.h"
#include <string.h>
#include <sys/sysinfo.h>

static int cpuinfo_show(struct synth_inode *i, struct strbuf *out)
{
    strbuf_puts(out, proc_facts->cpuinfo);
    return 0;
}

/* DEVIATION: the host says how much is free, not how much of the page cache could be; so
 * "available" is what is free and in buffers, and the cache counts as used. */
static int meminfo_show(struct synth_inode *i, struct strbuf *out)
{
    struct sysinfo info;
    if (sysinfo(&info) < 0)
        return -EIO;
    uint64_t unit = info.mem_unit ? info.mem_unit : 1, used;
    uint64_t total = cgroup_memory_total(proc_facts->mem_total, &used);
    bool limited = total < proc_facts->mem_total;
    uint64_t unused = limited ? total - used : info.freeram * unit;
    const struct {
        const char *name;
        uint64_t bytes;
    } rows[] = {
        {"MemTotal:", total},
        {"MemFree:", unused},
        {"MemAvailable:", limited ? unused : (info.freeram + info.bufferram) * unit},
        {"Buffers:", limited ? 0 : info.bufferram * unit},
        {"Cached:", 0},
        {"SwapCached:", 0},
        {"Active:", 0},
        {"Inactive:", 0},
        {"Active(anon):", 0},
        {"Inactive(anon):", 0},
        {"Active(file):", 0},
        {"Inactive(file):", 0},
        {"Unevictable:", 0},
        {"Mlocked:", 0},
        {"SwapTotal:", limited ? 0 : info.totalswap * unit},
        {"SwapFree:", limited ? 0 : info.freeswap * unit},
        {"Dirty:", 0},
        {"Writeback:", 0},
        {"AnonPages:", 0},
        {"Mapped:", 0},
        {"Shmem:", info.sharedram * unit},
        {"KReclaimable:", 0},
        {"Slab:", 0},
        {"SReclaimable:", 0},
        {"SUnreclaim:", 0},
        {"KernelStack:", 0},
        {"PageTables:", 0},
        {"CommitLimit:", total / 2},
        {"Committed_AS:", 0},
        {"VmallocTotal:", 34359738367ULL * 1024},
        {"VmallocUsed:", 0},
        {"VmallocChunk:", 0},
        {"AnonHugePages:", 0},
    };
    for (size_t r = 0; r < ARRAY_SIZE(rows); r++)
        strbuf_printf(out, "%-15s %8llu kB\n", rows[r].name,
                      (unsigned long long)rows[r].bytes / 1024);
    strbuf_puts(
        out,
        "HugePages_Total:       0\nHugePages_Free:        0\nHugePages_Rsvd:        0\n"
        "HugePages_Surp:        0\nHugepagesize:       2048 kB\nHugetlb:               0 kB\n");
    return 0;
}

/* ---- processes as a whole ---- */

struct totals {
    struct cpu_times times; /* of all processes and of their reaped children */
    unsigned running;
};

static void add_process(struct process *p, struct totals *sum)
{
    struct cpu_times own;
    spin_lock(&tasklist_lock);
    process_cpu_times(p, &own);
    sum->times.user += own.user + p->child_times.user;
    sum->times.system += own.system + p->child_times.system;
    struct task *leader = p->leader;
    sum->running +=
        p->state == PROCESS_RUNNING && leader && (leader == current || leader->syscall_nr < 0);
    spin_unlock(&tasklist_lock);
}

static void totals_get(struct pid_namespace *ns, struct totals *ret)
{
    struct process *p;
    int32_t number = 0;
    *ret = (struct totals){0};
    while ((p = process_next(ns, number, &number))) {
        add_process(p, ret);
        process_put(p);
        if (number++ == INT32_MAX)
            break;
    }
    ret->running = MAX(ret->running, 1u);
}

static long long ticks(int64_t ns)
{
    return ns / (NSEC_PER_SEC / PROC_TICKS);
}

static int64_t idle_time(const struct totals *sum)
{
    int64_t all = now_monotonic() * proc_facts->cpu_count;
    return MAX(all - sum->times.user - sum->times.system, (int64_t)0);
}

static int stat_show(struct synth_inode *i, struct strbuf *out)
{
    struct totals sum;
    totals_get(proc_ns(i), &sum);
    int n = (int)proc_facts->cpu_count;
    /* user nice system idle iowait irq softirq steal guest guest_nice */
    strbuf_printf(out, "cpu  %lld 0 %lld %lld 0 0 0 0 0 0\n", ticks(sum.times.user),
                  ticks(sum.times.system), ticks(idle_time(&sum)));
    for (int cpu = 0; cpu < n; cpu++)
        strbuf_printf(out, "cpu%d %lld 0 %lld %lld 0 0 0 0 0 0\n", cpu, ticks(sum.times.user / n),
                      ticks(sum.times.system / n), ticks(idle_time(&sum) / n));
    long long boot_time = (now_realtime() - now_monotonic()) / NSEC_PER_SEC;
    strbuf_printf(out,
                  "intr 0\nctxt 0\nbtime %lld\nprocesses %d\nprocs_running %u\nprocs_blocked 0\n",
                  boot_time, proc_ns(i)->last, sum.running);
    strbuf_puts(out, "softirq 0 0 0 0 0 0 0 0 0 0 0\n");
    return 0;
}

static void add_hundredths(int64_t ns, char end, struct strbuf *out)
{
    strbuf_printf(out, "%lld.%02lld%c", (long long)(ns / NSEC_PER_SEC),
                  (long long)(ns % NSEC_PER_SEC / 10000000), end);
}

static int uptime_show(struct synth_inode *i, struct strbuf *out)
{
    struct totals sum;
    totals_get(proc_ns(i), &sum);
    add_hundredths(now_monotonic(), ' ', out);
    add_hundredths(idle_time(&sum), '\n', out);
    return 0;
}

static int loadavg_show(struct synth_inode *i, struct strbuf *out)
{
    struct sysinfo info;
    struct totals sum;
    if (sysinfo(&info) < 0)
        return -EIO;
    totals_get(proc_ns(i), &sum);
    for (int n = 0; n < 3; n++) {
        unsigned long load = info.loads[n] + (1 << SI_LOAD_SHIFT) / 200;
        strbuf_printf(out, "%lu.%02lu ", load >> SI_LOAD_SHIFT,
                      (load & ((1 << SI_LOAD_SHIFT) - 1)) * 100 >> SI_LOAD_SHIFT);
    }
    strbuf_printf(out, "%u/%u %d\n", sum.running, task_total(), proc_ns(i)->last);
    return 0;
}

static int version_show(struct synth_inode *i, struct strbuf *out)
{
    strbuf_printf(out, "Linux version %s (picket@picket) (gcc) %s\n", PICKET_RELEASE,
                  PICKET_VERSION);
    return 0;
}

static int filesystems_show(struct synth_inode *i, struct strbuf *out)
{
    for (const struct fs_type *type = fs_next(NULL); type; type = fs_next(type))
        strbuf_printf(out, "%s\t%s\n", type->flags & FS_NODEV ? "nodev" : "", type->name);
    return 0;
}

static int interrupts_show(struct synth_inode *i, struct strbuf *out)
{
    strbuf_puts(out, "     ");
    for (unsigned cpu = 0; cpu < proc_facts->cpu_count; cpu++)
        strbuf_printf(out, "      CPU%-5u", cpu);
    strbuf_putc(out, '\n');
    return 0;
}

static int cgroups_show(struct synth_inode *i, struct strbuf *out)
{
    static const char *const names[] = {"cpuset", "cpu", "cpuacct", "io", "memory", "devices", "freezer", "pids"};
    unsigned count = cgroup_root()->descendants + 1;
    strbuf_puts(out, "#subsys_name\thierarchy\tnum_cgroups\tenabled\n");
    for (size_t n = 0; n < ARRAY_SIZE(names); n++)
        strbuf_printf(out, "%s\t%d\t%u\t1\n", names[n], cgroup_hierarchy_id(names[n]), count);
    return 0;
}

static int vmstat_show(struct synth_inode *i, struct strbuf *out)
{
    static const char *const zeros[] = {"pgpgin",         "pgpgout",       "pswpin",  "pswpout",
                                        "pgalloc_normal", "pgfree",        "pgfault", "pgmajfault",
                                        "pgscan_kswapd",  "pgscan_direct", "oom_kill"};
    struct sysinfo info;
    if (sysinfo(&info) < 0)
        return -EIO;
    strbuf_printf(out, "nr_free_pages %llu\n",
                  (unsigned long long)info.freeram * info.mem_unit / PAGE_SIZE);
    for (size_t n = 0; n < ARRAY_SIZE(zeros); n++)
        strbuf_printf(out, "%s 0\n", zeros[n]);
    return 0;
}

static const char devices_text[] =
    "Character devices:\n  1 mem\n  4 tty\n  5 /dev/tty\n  5 /dev/console\n  5 /dev/ptmx\n"
    " 10 misc\n136 pts\n\nBlock devices:\n";

/* The reader's own IPC namespace. */
static int sysvipc_show(struct synth_inode *i, struct strbuf *out)
{
    static void (*const show[])(struct ipc_namespace *ns, struct strbuf *out) = {
        [IPC_SHM] = shm_show, [IPC_SEM] = sem_show, [IPC_MSG] = msg_show};
    show[i->arg](current_ipc_ns(), out);
    return 0;
}

static const struct synth_entry sysvipc_entries[] = {
    REG("msg", 0444, sysvipc_show, .arg = IPC_MSG),
    REG("sem", 0444, sysvipc_show, .arg = IPC_SEM),
    REG("shm", 0444, sysvipc_show, .arg = IPC_SHM),
    {0},
};

static int keys_file_show(struct synth_inode *i, struct strbuf *out)
{
    keys_show(out);
    return 0;
}

static int key_users_file_show(struct synth_inode *i, struct strbuf *out)
{
    key_users_show(out);
    return 0;
}

static const struct synth_entry tty_entries[] = {
    TEXT("drivers", 0444,
         "/dev/tty             /dev/tty        5       0 system:/dev/tty\n"
         "/dev/ptmx            /dev/ptmx       5       2 system\n"
         "pty_slave            /dev/pts      136 0-1048575 pty:slave\n"),
    {0},
};

static const struct synth_entry no_entries[] = {{0}};

const struct synth_entry proc_root_entries[] = {
    LNK("self", .readlink = self_readlink),
    LNK("thread-self", .readlink = thread_self_readlink),
    LNK("mounts", .link = "self/mounts"),
    LNK("net", .link = "self/net"),
    TEXT("cmdline", 0444, "picket\n"),
    REG("cpuinfo", 0444, cpuinfo_show),
    REG("meminfo", 0444, meminfo_show),
    REG("uptime", 0444, uptime_show),
    REG("loadavg", 0444, loadavg_show),
    REG("stat", 0444, stat_show),
    REG("version", 0444, version_show),
    REG("filesystems", 0444, filesystems_show),
    TEXT("devices", 0444, devices_text),
    REG("interrupts", 0444, interrupts_show),
    REG("vmstat", 0444, vmstat_show),
    TEXT("partitions", 0444, "major minor  #blocks  name\n\n"),
    TEXT("swaps", 0444, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"),
    TEXT("diskstats", 0444, ""),
    TEXT("modules", 0444, ""),
    TEXT("locks", 0444, ""),
    REG("cgroups", 0444, cgroups_show),
    TEXT("misc", 0444, ""),
    REG("keys", 0444, keys_file_show),
    REG("key-users", 0444, key_users_file_show),
    DIR("sys", 0555, .entries = proc_sys_entries),
    DIR("sysvipc", 0555, .entries = sysvipc_entries),
    DIR("tty", 0555, .entries = tty_entries),
    DIR("fs", 0555, .entries = no_entries),
    DIR("driver", 0555, .entries = no_entries),
    DIR("bus", 0555, .entries = no_entries),
    DIR("irq", 0555, .entries = no_entries),
    {0},
};
