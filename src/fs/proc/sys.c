/*
 * /proc/sys: the sysctl tree as tables.
 *
 * Most values are what a Linux of our version starts with, and what Picket behaves like; they
 * cannot be changed (writing gives EPERM, as in a container whose /proc/sys is not its own).
 */
#include "fs/proc/private.h"
#include "ipc/namespace.h"
#include "kernel/aio.h"
#include "kernel/fdtable.h"
#include "kernel/namespaces.h"
#include "kernel/users.h"
#include <linux/capability.h>
#include <string.h>
#include <sys/random.h>

/* ---- the UTS namespace ---- */

static struct uts_namespace *current_uts(void)
{
    struct uts_namespace *ns = NULL;
    struct task *t = current;
    if (!t)
        return NULL;
    spin_lock(&t->alloc_lock);
    if (t->ns.uts)
        ns = uts_namespace_get(t->ns.uts);
    spin_unlock(&t->alloc_lock);
    return ns;
}

enum { UTS_NODE, UTS_DOMAIN };

static int uts_show(struct synth_inode *i, struct strbuf *out)
{
    char name[UTS_NAME_LEN + 1];
    struct uts_namespace *ns = current_uts();
    if (!ns)
        return -ESRCH;
    spin_lock(&ns->lock);
    strcpy(name, i->arg == UTS_NODE ? ns->nodename : ns->domainname);
    spin_unlock(&ns->lock);
    uts_namespace_put(ns);
    strbuf_printf(out, "%s\n", name);
    return 0;
}

static int uts_write(struct synth_inode *i, char *text, size_t len)
{
    struct uts_namespace *ns = current_uts();
    if (!ns)
        return -ESRCH;
    if (!ns_capable(ns->common.owner, CAP_SYS_ADMIN)) {
        uts_namespace_put(ns);
        return -EPERM;
    }
    text[MIN(strcspn(text, "\n"), (size_t)UTS_NAME_LEN)] = '\0';
    spin_lock(&ns->lock);
    strcpy(i->arg == UTS_NODE ? ns->nodename : ns->domainname, text);
    spin_unlock(&ns->lock);
    uts_namespace_put(ns);
    return 0;
}

/* ---- kernel/random ---- */

static void add_uuid(struct strbuf *out)
{
    unsigned char b[16] = {0};
    if (getrandom(b, sizeof(b), 0) != sizeof(b))
        return;
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    for (int n = 0; n < 16; n++)
        strbuf_printf(out, n == 4 || n == 6 || n == 8 || n == 10 ? "-%02x" : "%02x", b[n]);
    strbuf_putc(out, '\n');
}

static int uuid_show(struct synth_inode *i, struct strbuf *out)
{
    add_uuid(out);
    return 0;
}

/* One for the life of the sandbox. */
static int boot_id_show(struct synth_inode *i, struct strbuf *out)
{
    static struct spinlock lock;
    static char id[40];
    CLEANUP_STRBUF struct strbuf fresh = STRBUF_INIT;
    add_uuid(&fresh);
    spin_lock(&lock);
    if (!id[0] && fresh.s)
        strncpy(id, fresh.s, sizeof(id) - 1);
    spin_unlock(&lock);
    strbuf_puts(out, id);
    return 0;
}

/* ---- numbers that others define ---- */

enum { NUMBER_AIO, NUMBER_AIO_MAX, NUMBER_THREADS_MAX, NUMBER_PID_MAX, NUMBER_NR_OPEN, NUMBER_NS_LAST_PID };

static int number_show(struct synth_inode *i, struct strbuf *out)
{
    const long long numbers[] = {
        [NUMBER_AIO] = (long long)aio_in_use(),
        [NUMBER_AIO_MAX] = AIO_MAX_NR,
        [NUMBER_THREADS_MAX] = TASKS_MAX,
        [NUMBER_PID_MAX] = PID_MAX_DEFAULT,
        [NUMBER_NR_OPEN] = FD_MAX,
        [NUMBER_NS_LAST_PID] = proc_ns(i)->last,
    };
    strbuf_printf(out, "%lld\n", numbers[i->arg]);
    return 0;
}

static const struct synth_entry random_entries[] = {
    REG("uuid", 0444, uuid_show),
    REG("boot_id", 0444, boot_id_show),
    TEXT("entropy_avail", 0444, "256\n"),
    TEXT("poolsize", 0444, "256\n"),
    TEXT("urandom_min_reseed_secs", 0644, "60\n"),
    TEXT("write_wakeup_threshold", 0644, "256\n"),
    {0},
};

static const struct synth_entry keys_entries[] = {
    TEXT("maxkeys", 0644, "200\n"),
    TEXT("maxbytes", 0644, "20000\n"),
    TEXT("root_maxkeys", 0644, "1000000\n"),
    TEXT("root_maxbytes", 0644, "25000000\n"),
    {0},
};

static const struct synth_entry pty_entries[] = {
    TEXT("max", 0644, "4096\n"),
    TEXT("nr", 0444, "0\n"),
    TEXT("reserve", 0644, "1024\n"),
    {0},
};

#define IPC_NUMBER(name_, where) REG(name_, 0644, ipc_sysctl_show, .write = ipc_sysctl_write, .arg = where)

static const struct synth_entry kernel_entries[] = {
    REG("hostname", 0644, uts_show, .write = uts_write, .arg = UTS_NODE),
    REG("domainname", 0644, uts_show, .write = uts_write, .arg = UTS_DOMAIN),
    TEXT("osrelease", 0444, PICKET_RELEASE "\n"),
    TEXT("ostype", 0444, "Linux\n"),
    TEXT("version", 0444, PICKET_VERSION "\n"),
    TEXT("arch", 0444, "x86_64\n"),
    REG("pid_max", 0644, number_show, .arg = NUMBER_PID_MAX),
    REG("ns_last_pid", 0444, number_show, .arg = NUMBER_NS_LAST_PID),
    REG("threads-max", 0644, number_show, .arg = NUMBER_THREADS_MAX),
    DIR("random", 0555, .entries = random_entries),
    DIR("keys", 0555, .entries = keys_entries),
    DIR("yama", 0555, .entries = proc_yama_entries),
    DIR("pty", 0555, .entries = pty_entries),
    TEXT("cap_last_cap", 0444, "40\n"),
    TEXT("ngroups_max", 0444, "65536\n"),
    TEXT("overflowuid", 0644, "65534\n"),
    TEXT("overflowgid", 0644, "65534\n"),
    TEXT("randomize_va_space", 0644, "2\n"),
    REG("core_pattern", 0644, core_pattern_show, .write = core_pattern_write),
    REG("core_uses_pid", 0644, core_uses_pid_show, .write = core_uses_pid_write),
    TEXT("core_pipe_limit", 0644, "0\n"),
    IPC_NUMBER("shmmax", IPC_SYSCTL_WIDE | offsetof(struct ipc_namespace, shmmax)),
    IPC_NUMBER("shmall", IPC_SYSCTL_WIDE | offsetof(struct ipc_namespace, shmall)),
    IPC_NUMBER("shmmni", offsetof(struct ipc_namespace, shmmni)),
    TEXT("shm_rmid_forced", 0644, "0\n"),
    IPC_NUMBER("msgmax", offsetof(struct ipc_namespace, msgmax)),
    IPC_NUMBER("msgmnb", offsetof(struct ipc_namespace, msgmnb)),
    IPC_NUMBER("msgmni", offsetof(struct ipc_namespace, msgmni)),
    REG("sem", 0644, sem_sysctl_show, .write = sem_sysctl_write),
    TEXT("dmesg_restrict", 0644, "1\n"),
    TEXT("kptr_restrict", 0644, "1\n"),
    TEXT("perf_event_paranoid", 0644, "3\n"),
    TEXT("printk", 0644, "4\t4\t1\t7\n"),
    TEXT("panic", 0644, "0\n"),
    TEXT("sysrq", 0644, "0\n"),
    TEXT("tainted", 0644, "0\n"),
    TEXT("unprivileged_bpf_disabled", 0644, "2\n"),
    TEXT("io_uring_disabled", 0644, "2\n"),
    TEXT("sched_child_runs_first", 0644, "0\n"),
    TEXT("sched_rt_period_us", 0644, "1000000\n"),
    TEXT("sched_rt_runtime_us", 0644, "950000\n"),
    TEXT("sched_autogroup_enabled", 0644, "0\n"),
    TEXT("sched_rr_timeslice_ms", 0644, "100\n"),
    TEXT("auto_msgmni", 0644, "0\n"),
    {0},
};

static const struct synth_entry vm_entries[] = {
    TEXT("overcommit_memory", 0644, "0\n"),
    TEXT("overcommit_ratio", 0644, "50\n"),
    TEXT("overcommit_kbytes", 0644, "0\n"),
    TEXT("max_map_count", 0644, "65530\n"),
    TEXT("mmap_min_addr", 0644, "65536\n"),
    TEXT("swappiness", 0644, "60\n"),
    TEXT("nr_hugepages", 0644, "0\n"),
    TEXT("nr_overcommit_hugepages", 0644, "0\n"),
    TEXT("min_free_kbytes", 0644, "67584\n"),
    TEXT("dirty_ratio", 0644, "20\n"),
    TEXT("dirty_background_ratio", 0644, "10\n"),
    TEXT("dirty_expire_centisecs", 0644, "3000\n"),
    TEXT("dirty_writeback_centisecs", 0644, "500\n"),
    TEXT("vfs_cache_pressure", 0644, "100\n"),
    TEXT("oom_kill_allocating_task", 0644, "0\n"),
    TEXT("panic_on_oom", 0644, "0\n"),
    TEXT("zone_reclaim_mode", 0644, "0\n"),
    TEXT("unprivileged_userfaultfd", 0644, "0\n"),
    TEXT("legacy_va_layout", 0644, "0\n"),
    {0},
};

static const struct synth_entry inotify_entries[] = {
    TEXT("max_queued_events", 0644, "16384\n"),
    TEXT("max_user_instances", 0644, "128\n"),
    TEXT("max_user_watches", 0644, "65536\n"),
    {0},
};

static const struct synth_entry epoll_entries[] = {
    TEXT("max_user_watches", 0644, "1048576\n"),
    {0},
};

static const struct synth_entry fs_entries[] = {
    TEXT("file-max", 0644, "9223372036854775807\n"),
    TEXT("file-nr", 0444, "0\t0\t9223372036854775807\n"),
    REG("nr_open", 0644, number_show, .arg = NUMBER_NR_OPEN),
    TEXT("inode-nr", 0444, "0\t0\n"),
    TEXT("inode-state", 0444, "0\t0\t0\t0\t0\t0\t0\n"),
    TEXT("dentry-state", 0444, "0\t0\t45\t0\t0\t0\n"),
    TEXT("pipe-max-size", 0644, "1048576\n"),
    TEXT("pipe-user-pages-hard", 0644, "0\n"),
    TEXT("pipe-user-pages-soft", 0644, "16384\n"),
    REG("aio-max-nr", 0644, number_show, .arg = NUMBER_AIO_MAX),
    REG("aio-nr", 0444, number_show, .arg = NUMBER_AIO),
    TEXT("lease-break-time", 0644, "45\n"),
    TEXT("leases-enable", 0644, "1\n"),
    TEXT("mount-max", 0644, "100000\n"),
    TEXT("overflowuid", 0644, "65534\n"),
    TEXT("overflowgid", 0644, "65534\n"),
    TEXT("protected_fifos", 0644, "0\n"),
    TEXT("protected_hardlinks", 0644, "1\n"),
    TEXT("protected_regular", 0644, "0\n"),
    TEXT("protected_symlinks", 0644, "1\n"),
    TEXT("suid_dumpable", 0644, "0\n"),
    DIR("inotify", 0555, .entries = inotify_entries),
    DIR("epoll", 0555, .entries = epoll_entries),
    DIR("mqueue", 0555, .entries = proc_sys_mqueue_entries),
    {0},
};

static const struct synth_entry user_entries[] = {
    TEXT("max_cgroup_namespaces", 0644, "65536\n"),
    TEXT("max_inotify_instances", 0644, "128\n"),
    TEXT("max_inotify_watches", 0644, "65536\n"),
    TEXT("max_ipc_namespaces", 0644, "65536\n"),
    TEXT("max_mnt_namespaces", 0644, "65536\n"),
    TEXT("max_net_namespaces", 0644, "65536\n"),
    TEXT("max_pid_namespaces", 0644, "65536\n"),
    TEXT("max_time_namespaces", 0644, "65536\n"),
    TEXT("max_user_namespaces", 0644, "65536\n"),
    TEXT("max_uts_namespaces", 0644, "65536\n"),
    {0},
};

static const struct synth_entry empty_entries[] = {{0}};

const struct synth_entry proc_sys_entries[] = {
    DIR("abi", 0555, .entries = empty_entries),
    DIR("debug", 0555, .entries = empty_entries),
    DIR("dev", 0555, .entries = empty_entries),
    DIR("fs", 0555, .entries = fs_entries),
    DIR("kernel", 0555, .entries = kernel_entries),
    DIR("net", 0555, .entries = proc_sys_net_entries),
    DIR("user", 0555, .entries = user_entries),
    DIR("vm", 0555, .entries = vm_entries),
    {0},
};
