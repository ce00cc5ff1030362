/* The files of the controllers in version 2. What a value does is said in cgroup.h. */
#include "base/cleanup.h"
#include "base/strbuf.h"
#include "kernel/cgroup_private.h"
#include "kernel/scheduling.h"
#include "kernel/task.h"
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define U(n) ((unsigned long long)(n))

/* ---- values that are one number ---- */

#define FIELD(name) offsetof(struct cgroup, name)

static _Atomic uint64_t *field_of(struct cgroup *cg, uint64_t offset)
{
    return (_Atomic uint64_t *)((char *)cg + offset);
}

static int bytes_write(struct cgroup *cg, char *text, uint64_t offset)
{
    uint64_t n;
    int err = cgroup_parse_bytes(text, &n);
    if (!err)
        *field_of(cg, offset) = n;
    return err;
}

#define MAX_SHOW(field)                                                  \
    static int field##_show(struct cgroup *cg, struct strbuf *out) \
    {                                                                    \
        cgroup_show_max(cg->field, out);                                 \
        return 0;                                                        \
    }

/* memory.max: what a guest limits is watched. */
static int memory_max_write(struct cgroup *cg, char *text, uint64_t offset)
{
    int err = bytes_write(cg, text, offset);
    if (err || !current)
        return err;
    cg->memory_watched = cg->memory_max != CGROUP_MAX;
    cgroup_memory_watch(cg);
    return 0;
}

MAX_SHOW(pids_max)
MAX_SHOW(pids_current)
MAX_SHOW(pids_peak)
MAX_SHOW(memory_min)
MAX_SHOW(memory_low)
MAX_SHOW(memory_high)
MAX_SHOW(memory_max)
MAX_SHOW(swap_max)
MAX_SHOW(swap_high)
MAX_SHOW(cpu_weight)
MAX_SHOW(cpu_burst)

/* ---- pids ---- */

static int pids_max_write(struct cgroup *cg, char *text, uint64_t arg)
{
    uint64_t n;
    int err = cgroup_parse_max(text, &n);
    if (err || (n != CGROUP_MAX && n > 4194304))
        return -EINVAL;
    cg->pids_max = n;
    return 0;
}

static int pids_events_show(struct cgroup *cg, struct strbuf *out)
{
    strbuf_printf(out, "max %llu\n", U(cg->pids_failed));
    return 0;
}

/* ---- memory ---- */

static int memory_current_show(struct cgroup *cg, struct strbuf *out)
{
    uint64_t used = cgroup_memory_used(cg);
    if (used > cg->memory_peak)
        cg->memory_peak = used;
    strbuf_printf(out, "%llu\n", U(used));
    return 0;
}

static int memory_peak_show(struct cgroup *cg, struct strbuf *out)
{
    uint64_t used = cgroup_memory_used(cg);
    cg->memory_peak = MAX(used, cg->memory_peak);
    strbuf_printf(out, "%llu\n", U(cg->memory_peak));
    return 0;
}

static int memory_events_show(struct cgroup *cg, struct strbuf *out)
{
    strbuf_printf(out, "low 0\nhigh 0\nmax %llu\noom %llu\noom_kill %llu\noom_group_kill 0\n", U(cg->memory_failed),
                  U(cg->oom_kills), U(cg->oom_kills));
    return 0;
}

/* DEVIATION: all that is resident counts as anonymous. */
static int memory_stat_show(struct cgroup *cg, struct strbuf *out)
{
    static const char *const zeroes[] = {
        "file",          "kernel",         "kernel_stack",     "pagetables",   "sec_pagetables",
        "percpu",        "sock",           "vmalloc",          "shmem",        "zswap",
        "zswapped",      "file_mapped",    "file_dirty",       "file_writeback", "swapcached",
        "anon_thp",      "file_thp",       "shmem_thp",        "inactive_anon"};
    static const char *const more[] = {
        "inactive_file", "active_file",    "unevictable",      "slab_reclaimable", "slab_unreclaimable",
        "slab",          "workingset_refault_anon", "workingset_refault_file", "pgscan", "pgsteal",
        "pgfault",       "pgmajfault",     "pgrefill",         "pgactivate",   "pgdeactivate",
        "pglazyfree",    "pglazyfreed"};
    uint64_t used = cgroup_memory_used(cg);
    strbuf_printf(out, "anon %llu\n", U(used));
    for (size_t i = 0; i < ARRAY_SIZE(zeroes); i++)
        strbuf_printf(out, "%s 0\n", zeroes[i]);
    strbuf_printf(out, "active_anon %llu\n", U(used));
    for (size_t i = 0; i < ARRAY_SIZE(more); i++)
        strbuf_printf(out, "%s 0\n", more[i]);
    return 0;
}

static int zero_show(struct cgroup *cg, struct strbuf *out)
{
    strbuf_puts(out, "0\n");
    return 0;
}

static int swap_events_show(struct cgroup *cg, struct strbuf *out)
{
    strbuf_puts(out, "high 0\nmax 0\nfail 0\n");
    return 0;
}

static int oom_group_show(struct cgroup *cg, struct strbuf *out)
{
    strbuf_printf(out, "%d\n", cg->oom_group);
    return 0;
}

static int oom_group_write(struct cgroup *cg, char *text, uint64_t arg)
{
    uint64_t on;
    if (cgroup_parse_number(text, &on) || on > 1)
        return -EINVAL;
    cg->oom_group = on;
    return 0;
}

/* Nothing of it can be given back by force. */
static int reclaim_write(struct cgroup *cg, char *text, uint64_t arg)
{
    uint64_t n;
    int err = cgroup_parse_bytes(text, &n);
    return err ? err : -EAGAIN;
}

/* ---- cpu ---- */

static int cpu_stat_show(struct cgroup *cg, struct strbuf *out)
{
    int64_t user, system;
    cgroup_cpu_time(cg, &user, &system);
    strbuf_printf(out, "usage_usec %llu\nuser_usec %llu\nsystem_usec %llu\nnice_usec 0\n", U((user + system) / 1000),
                  U(user / 1000), U(system / 1000));
    if (cgroup_controllers(cg) & CG_BIT(CG_CPU) && cg->parent)
        strbuf_puts(out, "nr_periods 0\nnr_throttled 0\nthrottled_usec 0\nnr_bursts 0\nburst_usec 0\n");
    return 0;
}

static int cpu_max_show(struct cgroup *cg, struct strbuf *out)
{
    if (cg->cpu_quota == CGROUP_MAX)
        strbuf_printf(out, "max %llu\n", U(cg->cpu_period));
    else
        strbuf_printf(out, "%llu %llu\n", U(cg->cpu_quota), U(cg->cpu_period));
    return 0;
}

static int cpu_max_write(struct cgroup *cg, char *text, uint64_t arg)
{
    uint64_t quota, period = cg->cpu_period;
    char *second = strchr(text, ' ');
    if (second)
        *second++ = '\0';
    if (cgroup_parse_max(text, &quota) || (second && cgroup_parse_number(second, &period)))
        return -EINVAL;
    if (quota < 1000 || period < 1000 || period > 1000000)
        return -EINVAL;
    cg->cpu_quota = quota;
    cg->cpu_period = period;
    return 0;
}

static int weight_write(struct cgroup *cg, char *text, uint64_t offset)
{
    uint64_t n;
    int err = cgroup_parse_number(text, &n);
    if (err || n < 1 || n > 10000)
        return err ? err : -ERANGE;
    *field_of(cg, offset) = n;
    return 0;
}

/* The kernel's weights of nice values. */
static const uint16_t nice_weight[40] = {
    8876, 7169, 5655, 4558, 3675, 2905, 2326, 1859, 1468, 1179, 953, 764, 612, 492, 392, 312, 251, 197, 156, 125,
    100,  80,   64,   51,   41,   33,   27,   21,   17,   13,   11,  9,   7,   5,   4,   3,   3,   2,   2,   1};

static int nice_show(struct cgroup *cg, struct strbuf *out)
{
    int best = 0;
    for (int i = 1; i < 40; i++)
        if (llabs((long long)nice_weight[i] - (long long)cg->cpu_weight) <
            llabs((long long)nice_weight[best] - (long long)cg->cpu_weight))
            best = i;
    strbuf_printf(out, "%d\n", best - 20);
    return 0;
}

static int nice_write(struct cgroup *cg, char *text, uint64_t arg)
{
    char *end;
    long nice = strtol(text, &end, 0);
    if (end == text || *end)
        return -EINVAL;
    if (nice < -20 || nice > 19)
        return -ERANGE;
    cg->cpu_weight = nice_weight[nice + 20];
    return 0;
}

static int cpu_idle_show(struct cgroup *cg, struct strbuf *out)
{
    strbuf_printf(out, "%d\n", cg->cpu_idle);
    return 0;
}

static int cpu_idle_write(struct cgroup *cg, char *text, uint64_t arg)
{
    uint64_t on;
    if (cgroup_parse_number(text, &on) || on > 1)
        return -EINVAL;
    cg->cpu_idle = on;
    return 0;
}

static int burst_write(struct cgroup *cg, char *text, uint64_t offset)
{
    uint64_t n;
    if (cgroup_parse_number(text, &n) || (n && (cg->cpu_quota == CGROUP_MAX || n > cg->cpu_quota)))
        return -EINVAL;
    cg->cpu_burst = n;
    return 0;
}

/* ---- cpuset ---- */

static bool cpu_in(const uint64_t *mask, unsigned cpu)
{
    return cpu < CGROUP_CPU_WORDS * 64 && mask[cpu / 64] >> (cpu % 64) & 1;
}

static void show_cpus(const uint64_t *mask, struct strbuf *out)
{
    const char *comma = "";
    for (unsigned at = 0, end; at < CGROUP_CPU_WORDS * 64; at = end + 1) {
        for (end = at; cpu_in(mask, end); end++)
            ;
        if (end == at)
            continue;
        strbuf_printf(out, end == at + 1 ? "%s%u" : "%s%u-%u", comma, at, end - 1);
        comma = ",";
    }
    strbuf_putc(out, '\n');
}

static int parse_cpus(const char *text, uint64_t mask[CGROUP_CPU_WORDS])
{
    memset(mask, 0, CGROUP_CPU_WORDS * sizeof(*mask));
    while (*text) {
        char *end;
        unsigned long low = strtoul(text, &end, 10), high = low;
        if (end == text)
            return -EINVAL;
        if (*end == '-') {
            text = end + 1;
            high = strtoul(text, &end, 10);
            if (end == text)
                return -EINVAL;
        }
        if (high < low || high >= CGROUP_CPU_WORDS * 64 || (*end && *end != ','))
            return high >= CGROUP_CPU_WORDS * 64 ? -ERANGE : -EINVAL;
        for (; low <= high; low++)
            mask[low / 64] |= 1ULL << (low % 64);
        text = *end ? end + 1 : end;
    }
    return 0;
}

static int cpus_show(struct cgroup *cg, struct strbuf *out)
{
    show_cpus(cg->cpus, out);
    return 0;
}

static int effective_show(struct cgroup *cg, struct strbuf *out)
{
    uint64_t mask[CGROUP_CPU_WORDS];
    cpus_get(mask);
    cgroup_narrow_cpus(cg, mask);
    show_cpus(mask, out);
    return 0;
}

static int cpus_write(struct cgroup *cg, char *text, uint64_t arg)
{
    uint64_t mask[CGROUP_CPU_WORDS], there[CGROUP_CPU_WORDS], any = 0;
    int err = parse_cpus(text, mask);
    if (err)
        return err;
    cpus_get(there);
    for (unsigned i = 0; i < CGROUP_CPU_WORDS; i++) {
        any |= mask[i];
        if (mask[i] & ~there[i])
            return -EINVAL; /* not in the machine */
    }
    memcpy(cg->cpus, mask, sizeof(mask));
    cg->cpus_set = any;
    return 0;
}

static int mems_show(struct cgroup *cg, struct strbuf *out)
{
    strbuf_puts(out, "\n");
    return 0;
}

static int mems_effective_show(struct cgroup *cg, struct strbuf *out)
{
    strbuf_puts(out, "0\n");
    return 0;
}

static int mems_write(struct cgroup *cg, char *text, uint64_t arg)
{
    return !*text || !strcmp(text, "0") ? 0 : -EINVAL; /* there is one node */
}

static int partition_show(struct cgroup *cg, struct strbuf *out)
{
    strbuf_puts(out, cg->parent ? "member\n" : "root\n");
    return 0;
}

static int partition_write(struct cgroup *cg, char *text, uint64_t arg)
{
    return !strcmp(text, "member") ? 0 : -EINVAL;
}

/* ---- io ---- */

static int io_stat_show(struct cgroup *cg, struct strbuf *out)
{
    return 0; /* no device of the sandbox's has blocks */
}

static int io_weight_show(struct cgroup *cg, struct strbuf *out)
{
    strbuf_printf(out, "default %llu\n", U(cg->io_weight));
    return 0;
}

static int io_weight_write(struct cgroup *cg, char *text, uint64_t offset)
{
    if (!strncmp(text, "default ", 8))
        text += 8;
    return weight_write(cg, text, offset);
}

static int io_max_write(struct cgroup *cg, char *text, uint64_t arg)
{
    return -ENODEV; /* there is no block device */
}

#define V2 CG_FILE_V2
#define ROOT (CG_FILE_V2 | CG_FILE_ROOT)
#define V1_TOO CG_FILE_V1

const struct cgroup_file cgroup_controller_files[] = {
    {"pids.max", CG_PIDS, V2 | V1_TOO, "pids", pids_max_show, pids_max_write, 0},
    {"pids.current", CG_PIDS, V2 | V1_TOO, "pids", pids_current_show, NULL, 0},
    {"pids.peak", CG_PIDS, V2, NULL, pids_peak_show, NULL, 0},
    {"pids.events", CG_PIDS, V2 | V1_TOO, "pids", pids_events_show, NULL, 0},
    {"memory.current", CG_MEMORY, V2, NULL, memory_current_show, NULL, 0},
    {"memory.min", CG_MEMORY, V2, NULL, memory_min_show, bytes_write, FIELD(memory_min)},
    {"memory.low", CG_MEMORY, V2, NULL, memory_low_show, bytes_write, FIELD(memory_low)},
    {"memory.high", CG_MEMORY, V2, NULL, memory_high_show, bytes_write, FIELD(memory_high)},
    {"memory.max", CG_MEMORY, V2, NULL, memory_max_show, memory_max_write, FIELD(memory_max)},
    {"memory.peak", CG_MEMORY, V2, NULL, memory_peak_show, NULL, 0},
    {"memory.events", CG_MEMORY, V2 | CG_FILE_MEMORY_EVENTS, NULL, memory_events_show, NULL, 0},
    {"memory.events.local", CG_MEMORY, V2 | CG_FILE_MEMORY_EVENTS, NULL, memory_events_show, NULL, 0},
    {"memory.stat", CG_MEMORY, ROOT | V1_TOO, "memory", memory_stat_show, NULL, 0},
    {"memory.swap.current", CG_MEMORY, V2, NULL, zero_show, NULL, 0},
    {"memory.swap.max", CG_MEMORY, V2, NULL, swap_max_show, bytes_write, FIELD(swap_max)},
    {"memory.swap.high", CG_MEMORY, V2, NULL, swap_high_show, bytes_write, FIELD(swap_high)},
    {"memory.swap.events", CG_MEMORY, V2, NULL, swap_events_show, NULL, 0},
    {"memory.oom.group", CG_MEMORY, V2, NULL, oom_group_show, oom_group_write, 0},
    {"memory.reclaim", CG_MEMORY, ROOT, NULL, NULL, reclaim_write, 0},
    {"cpu.stat", CG_FILE_CORE, ROOT | V1_TOO, "cpu", cpu_stat_show, NULL, 0},
    {"cpu.weight", CG_CPU, V2, NULL, cpu_weight_show, weight_write, FIELD(cpu_weight)},
    {"cpu.weight.nice", CG_CPU, V2, NULL, nice_show, nice_write, 0},
    {"cpu.max", CG_CPU, V2, NULL, cpu_max_show, cpu_max_write, 0},
    {"cpu.max.burst", CG_CPU, V2, NULL, cpu_burst_show, burst_write, 0},
    {"cpu.idle", CG_CPU, V2, NULL, cpu_idle_show, cpu_idle_write, 0},
    {"cpuset.cpus", CG_CPUSET, V2 | V1_TOO, "cpuset", cpus_show, cpus_write, 0},
    {"cpuset.mems", CG_CPUSET, V2 | V1_TOO, "cpuset", mems_show, mems_write, 0},
    {"cpuset.cpus.effective", CG_CPUSET, ROOT, NULL, effective_show, NULL, 0},
    {"cpuset.mems.effective", CG_CPUSET, ROOT, NULL, mems_effective_show, NULL, 0},
    {"cpuset.cpus.partition", CG_CPUSET, V2, NULL, partition_show, partition_write, 0},
    {"cpuset.effective_cpus", CG_CPUSET, V1_TOO | CG_FILE_ROOT, "cpuset", effective_show, NULL, 0},
    {"cpuset.effective_mems", CG_CPUSET, V1_TOO | CG_FILE_ROOT, "cpuset", mems_effective_show, NULL, 0},
    {"io.stat", CG_IO, ROOT, NULL, io_stat_show, NULL, 0},
    {"io.weight", CG_IO, V2, NULL, io_weight_show, io_weight_write, FIELD(io_weight)},
    {"io.max", CG_IO, V2, NULL, io_stat_show, io_max_write, 0},
    {0},
};
