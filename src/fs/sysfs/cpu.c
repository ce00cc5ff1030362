/*
 * /sys/devices/system/cpu and node: which CPUs there are. Each CPU is shown as a core of its own in
 * one package.
 *
 * The object of the inodes below cpuN is the number N + 1, in the guise of a pointer: it needs no
 * references.
 */
#include "fs/sysfs/private.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>

#define CPUS_MAX 4096

/* The highest number in a list like "0-3,8": one more than that many directories. */
static unsigned cpu_end(void)
{
    const char *list = sysfs_facts->cpu_online, *last = list + strlen(list);
    while (last > list && last[-1] >= '0' && last[-1] <= '9')
        last--;
    unsigned long n = strtoul(last, NULL, 10) + 1;
    return (unsigned)MIN(MAX(n, (unsigned long)sysfs_facts->cpu_count), (unsigned long)CPUS_MAX);
}

static unsigned cpu_of(const struct synth_inode *i)
{
    return (unsigned)((uintptr_t)i->object - 1);
}

/* A set of CPUs in hexadecimal words of 32 bits, the highest first: all of them, or one. */
static void add_mask(int only, struct strbuf *out)
{
    unsigned n = cpu_end();
    for (int word = (int)(n - 1) / 32; word >= 0; word--) {
        unsigned bits = MIN(n - (unsigned)word * 32, 32u);
        uint32_t value = bits == 32 ? UINT32_MAX : (1u << bits) - 1;
        if (only >= 0)
            value = only / 32 == word ? 1u << (only % 32) : 0;
        strbuf_printf(out, bits == 32 ? "%08x%s" : "%x%s", value, word ? "," : "\n");
    }
}

static int online_show(struct synth_inode *i, struct strbuf *out)
{
    strbuf_printf(out, "%s\n", sysfs_facts->cpu_online);
    return 0;
}

static int own_mask_show(struct synth_inode *i, struct strbuf *out)
{
    add_mask((int)cpu_of(i), out);
    return 0;
}

static int own_list_show(struct synth_inode *i, struct strbuf *out)
{
    strbuf_printf(out, "%u\n", cpu_of(i));
    return 0;
}

static int all_mask_show(struct synth_inode *i, struct strbuf *out)
{
    add_mask(-1, out);
    return 0;
}

static const struct synth_entry topology_entries[] = {
    REG("core_id", own_list_show),
    TEXT("physical_package_id", "0\n"),
    TEXT("die_id", "0\n"),
    REG("thread_siblings", own_mask_show),
    REG("thread_siblings_list", own_list_show),
    REG("core_cpus", own_mask_show),
    REG("core_cpus_list", own_list_show),
    REG("core_siblings", all_mask_show),
    REG("core_siblings_list", online_show),
    REG("package_cpus", all_mask_show),
    REG("package_cpus_list", online_show),
    REG("die_cpus", all_mask_show),
    REG("die_cpus_list", online_show),
    {0},
};

static const struct synth_entry one_cpu_entries[] = {
    DIR("topology", .entries = topology_entries),
    {0},
};

static const struct synth_entry cpu_row = DIR("cpu", .entries = one_cpu_entries);

int cpu_lookup(struct synth_inode *dir, const struct name *name, struct inode **ret)
{
    if (name->len <= 3 || memcmp(name->s, "cpu", 3) != 0)
        return -ENOENT;
    struct name digits = {.s = name->s + 3, .len = name->len - 3};
    int32_t cpu = synth_name_number(&digits);
    if (cpu < 0 || (unsigned)cpu >= cpu_end())
        return -ENOENT;
    void *object = (void *)((uintptr_t)cpu + 1);
    return synth_inode_new(dir->inode.sb, &cpu_row, object, 0, (uint64_t)cpu + 1, ret);
}

int cpu_iterate(struct synth_inode *dir, struct dir_emitter *e, int64_t *pos)
{
    for (; *pos - SYNTH_FIRST_DYNAMIC < cpu_end(); ++*pos) {
        char text[16];
        unsigned cpu = (unsigned)(*pos - SYNTH_FIRST_DYNAMIC);
        int len = snprintf(text, sizeof(text), "cpu%u", cpu);
        if (!e->emit(e, text, (size_t)len, synth_ino(&cpu_row, cpu + 1), DT_DIR, *pos + 1))
            return 0;
    }
    return 0;
}

const struct synth_entry cpu_entries[] = {
    REG("online", online_show),
    REG("possible", online_show),
    REG("present", online_show),
    TEXT("offline", "\n"),
    TEXT("isolated", "\n"),
    TEXT("kernel_max", "8191\n"),
    TEXT("modalias", "cpu:type:x86\n"),
    {0},
};

/* ---- one memory node ---- */

static int node_meminfo_show(struct synth_inode *i, struct strbuf *out)
{
    struct sysinfo info;
    if (sysinfo(&info) < 0)
        return -EIO;
    unsigned long long total = sysfs_facts->mem_total / 1024,
                       unused = (uint64_t)info.freeram * info.mem_unit / 1024;
    strbuf_printf(out, "Node 0 MemTotal:       %8llu kB\nNode 0 MemFree:        %8llu kB\n", total,
                  unused);
    strbuf_printf(out, "Node 0 MemUsed:        %8llu kB\n", total - MIN(total, unused));
    return 0;
}

static const struct synth_entry node0_entries[] = {
    REG("cpulist", online_show),
    REG("cpumap", all_mask_show),
    REG("meminfo", node_meminfo_show),
    TEXT("distance", "10\n"),
    {0},
};

const struct synth_entry node_entries[] = {
    DIR("node0", .entries = node0_entries),
    TEXT("online", "0\n"),
    TEXT("possible", "0\n"),
    TEXT("has_cpu", "0\n"),
    TEXT("has_memory", "0\n"),
    TEXT("has_normal_memory", "0\n"),
    {0},
};
