/* The tree of sysfs. See sysfs.h. */
#include "fs/sysfs/private.h"
#include "net/netns.h"
#include <linux/magic.h>

const struct host_facts *sysfs_facts;

static const struct synth_entry no_entries[] = {{0}};

/* ---- devices ---- */

static const struct synth_entry system_entries[] = {
    DIR("cpu", .entries = cpu_entries, .lookup = cpu_lookup, .iterate = cpu_iterate),
    DIR("node", .entries = node_entries),
    {0},
};

static const struct synth_entry virtual_entries[] = {
    DIR("net", .lookup = net_dir_lookup, .iterate = net_dir_iterate, .is_volatile = true),
    DIR("block", .entries = no_entries),
    {0},
};

static const struct synth_entry devices_entries[] = {
    DIR("system", .entries = system_entries),
    DIR("virtual", .entries = virtual_entries),
    {0},
};

static const struct synth_entry class_entries[] = {
    DIR("net", .lookup = net_dir_lookup, .iterate = net_dir_iterate, .is_volatile = true, .arg = 1),
    DIR("block", .entries = no_entries),
    DIR("tty", .entries = no_entries),
    DIR("power_supply", .entries = no_entries),
    {0},
};

static const struct synth_entry dev_entries[] = {
    DIR("block", .entries = no_entries),
    DIR("char", .entries = no_entries),
    {0},
};

static const struct synth_entry bus_cpu_entries[] = {
    DIR("devices", .entries = no_entries),
    DIR("drivers", .entries = no_entries),
    {0},
};

static const struct synth_entry bus_entries[] = {
    DIR("cpu", .entries = bus_cpu_entries),
    {0},
};

/* ---- kernel ---- */

static const struct synth_entry khugepaged_entries[] = {
    TEXT("defrag", "1\n"),
    TEXT("pages_to_scan", "4096\n"),
    {0},
};

static const struct synth_entry thp_entries[] = {
    TEXT("enabled", "always [madvise] never\n"),
    TEXT("defrag", "always defer defer+madvise [madvise] never\n"),
    TEXT("shmem_enabled", "always within_size advise [never] deny force\n"),
    TEXT("hpage_pmd_size", "2097152\n"),
    TEXT("use_zero_page", "1\n"),
    DIR("khugepaged", .entries = khugepaged_entries),
    {0},
};

static const struct synth_entry hugepages_2m_entries[] = {
    TEXT("nr_hugepages", "0\n"),
    TEXT("free_hugepages", "0\n"),
    TEXT("resv_hugepages", "0\n"),
    TEXT("surplus_hugepages", "0\n"),
    TEXT("nr_overcommit_hugepages", "0\n"),
    {0},
};

static const struct synth_entry hugepages_entries[] = {
    DIR("hugepages-2048kB", .entries = hugepages_2m_entries),
    {0},
};

static const struct synth_entry mm_entries[] = {
    DIR("transparent_hugepage", .entries = thp_entries),
    DIR("hugepages", .entries = hugepages_entries),
    {0},
};

static const struct synth_entry kernel_entries[] = {
    DIR("mm", .entries = mm_entries),
    DIR("debug", .entries = no_entries),
    DIR("security", .entries = no_entries),
    DIR("tracing", .entries = no_entries),
    TEXT("uevent_seqnum", "1\n"),
    TEXT("profiling", "0\n"),
    TEXT("kexec_loaded", "0\n"),
    TEXT("rcu_expedited", "0\n"),
    {0},
};

/* Mount points that container run-times expect. */
static const struct synth_entry fs_entries[] = {
    DIR("cgroup", .entries = no_entries),
    DIR("fuse", .entries = no_entries),
    {0},
};

static const struct synth_entry root_entries[] = {
    DIR("block", .entries = no_entries),        DIR("bus", .entries = bus_entries),
    DIR("class", .entries = class_entries),     DIR("dev", .entries = dev_entries),
    DIR("devices", .entries = devices_entries), DIR("firmware", .entries = no_entries),
    DIR("fs", .entries = fs_entries),           DIR("hypervisor", .entries = no_entries),
    DIR("kernel", .entries = kernel_entries),   DIR("module", .entries = no_entries),
    DIR("power", .entries = no_entries),        {0},
};

static const struct synth_entry root_row = {
    .name = "/", .mode = S_IFDIR | 0555, .entries = root_entries};

/* Objects are numbers: nothing to count. */
static void *sysfs_object_get(void *object)
{
    return object;
}

static void sysfs_object_put(void *object)
{
}

static void sysfs_free(void *fs)
{
    net_namespace_put(fs);
}

static const struct synth_hooks sysfs_hooks = {
    .object_get = sysfs_object_get,
    .object_put = sysfs_object_put,
    .free = sysfs_free,
};

static int sysfs_mount(const char *source, unsigned long flags, const char *data,
                       struct super_block **ret)
{
    return synth_mount("sysfs", source, SYSFS_MAGIC, &root_row, &sysfs_hooks,
                       net_namespace_get(current_netns()), ret);
}

static const struct fs_type sysfs_type = {.name = "sysfs", .flags = FS_NODEV, .mount = sysfs_mount};

void sysfs_init(const struct host_facts *facts)
{
    sysfs_facts = facts;
    fs_register(&sysfs_type);
}
