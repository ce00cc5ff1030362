/*
 * /proc's own files: the machine and the sandbox as a whole.
 *
 * CPUs, memory and load are the host's, read anew each time (kernel/machine.h); processes and the
 * rest are the sandbox's.
 */
#include "base/cleanup.h"
#include "fs/proc/private.h"
#include "kernel/machine.h"
#include "kernel/namespaces.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Appends a file of the host, bounded. */
static int add_machine_file(enum machine_file file, struct strbuf *out)
{
    enum { PIECE = 16 * 1024, MOST = 4 << 20 };
    CLEANUP_FREE char *piece = malloc(PIECE);
    if (!piece)
        return -ENOMEM;
    for (size_t total = 0; total < MOST;) {
        ssize_t n = machine_read(file, piece, PIECE, (int64_t)total);
        if (n <= 0)
            return (int)n;
        strbuf_add(out, piece, (size_t)n);
        total += (size_t)n;
    }
    return 0;
}

static int machine_show(struct synth_inode *i, struct strbuf *out)
{
    return add_machine_file((enum machine_file)i->arg, out);
}

/* ---- stat: the host's CPU lines, our processes ---- */

static int64_t boot_time(void)
{
    return (now_realtime() - now_monotonic()) / NSEC_PER_SEC;
}

static bool starts_with(const char *line, const char *prefix)
{
    return strncmp(line, prefix, strlen(prefix)) == 0;
}

static unsigned count_running(struct pid_namespace *ns)
{
    unsigned n = 0;
    int32_t number = 0;
    struct process *p;
    while ((p = process_next(ns, number, &number))) {
        struct task *leader;
        spin_lock(&tasklist_lock);
        leader = p->leader;
        n += leader && (leader == current || !leader->blocked_in) && p->state == PROCESS_RUNNING;
        spin_unlock(&tasklist_lock);
        process_put(p);
        number++;
    }
    return n;
}

static int stat_show(struct synth_inode *i, struct strbuf *out)
{
    CLEANUP_STRBUF struct strbuf host = STRBUF_INIT;
    int err = add_machine_file(MACHINE_STAT, &host);
    if (err < 0 || host.failed)
        return err;
    char *save, *line = host.s ? strtok_r(host.s, "\n", &save) : NULL;
    for (; line; line = strtok_r(NULL, "\n", &save))
        if (starts_with(line, "cpu"))
            strbuf_printf(out, "%s\n", line);
    strbuf_printf(out,
                  "intr 0\nctxt 0\nbtime %lld\nprocesses %d\nprocs_running %u\nprocs_blocked 0\n",
                  (long long)boot_time(), proc_ns(i)->last, MAX(count_running(proc_ns(i)), 1u));
    strbuf_puts(out, "softirq 0 0 0 0 0 0 0 0 0 0 0\n");
    return 0;
}

/* The host's averages, our counts. */
static int loadavg_show(struct synth_inode *i, struct strbuf *out)
{
    CLEANUP_STRBUF struct strbuf host = STRBUF_INIT;
    float a = 0, b = 0, c = 0;
    int err = add_machine_file(MACHINE_LOADAVG, &host);
    if (err < 0)
        return err;
    if (host.s && sscanf(host.s, "%f %f %f", &a, &b, &c) != 3)
        a = b = c = 0;
    strbuf_printf(out, "%.2f %.2f %.2f %u/%u %d\n", (double)a, (double)b, (double)c,
                  MAX(count_running(proc_ns(i)), 1u), task_total(), proc_ns(i)->last);
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
    for (unsigned cpu = 0; cpu < machine_cpus(); cpu++)
        strbuf_printf(out, "      CPU%-5u", cpu);
    strbuf_putc(out, '\n');
    return 0;
}

/* The fields that free(1), vmstat(8) and the like look up, from the host's memory figures. */
static int vmstat_show(struct synth_inode *i, struct strbuf *out)
{
    static const char *const zeros[] = {"pgpgin",         "pgpgout",       "pswpin",  "pswpout",
                                        "pgalloc_normal", "pgfree",        "pgfault", "pgmajfault",
                                        "pgscan_kswapd",  "pgscan_direct", "oom_kill"};
    CLEANUP_STRBUF struct strbuf host = STRBUF_INIT;
    unsigned long long kb = 0;
    int err = add_machine_file(MACHINE_MEMINFO, &host);
    if (err < 0)
        return err;
    const char *free_line = host.s ? strstr(host.s, "MemFree:") : NULL;
    if (free_line)
        kb = strtoull(free_line + strlen("MemFree:"), NULL, 10);
    strbuf_printf(out, "nr_free_pages %llu\n", kb / (PAGE_SIZE / 1024));
    for (size_t n = 0; n < ARRAY_SIZE(zeros); n++)
        strbuf_printf(out, "%s 0\n", zeros[n]);
    return 0;
}

static const char devices_text[] =
    "Character devices:\n  1 mem\n  4 tty\n  5 /dev/tty\n  5 /dev/console\n  5 /dev/ptmx\n"
    " 10 misc\n136 pts\n\nBlock devices:\n";

static const char sysv_msg[] =
    "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid"
    "      stime      rtime      ctime\n";
static const char sysv_sem[] =
    "       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n";
static const char sysv_shm[] =
    "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid"
    "  cgid      atime      dtime      ctime                   rss                  swap\n";

static const struct synth_entry sysvipc_entries[] = {
    TEXT("msg", 0444, sysv_msg),
    TEXT("sem", 0444, sysv_sem),
    TEXT("shm", 0444, sysv_shm),
    {0},
};

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
    REG("cpuinfo", 0444, machine_show, .arg = MACHINE_CPUINFO),
    REG("meminfo", 0444, machine_show, .arg = MACHINE_MEMINFO),
    REG("uptime", 0444, machine_show, .arg = MACHINE_UPTIME),
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
    TEXT("cgroups", 0444, "#subsys_name\thierarchy\tnum_cgroups\tenabled\n"),
    TEXT("misc", 0444, ""),
    DIR("sys", 0555, .entries = proc_sys_entries),
    DIR("sysvipc", 0555, .entries = sysvipc_entries),
    DIR("tty", 0555, .entries = tty_entries),
    DIR("fs", 0555, .entries = no_entries),
    DIR("driver", 0555, .entries = no_entries),
    DIR("bus", 0555, .entries = no_entries),
    DIR("irq", 0555, .entries = no_entries),
    {0},
};
