/* The names that version 1 has for what the controllers know, and the few things only it has. */
#include "base/strbuf.h"
#include "kernel/cgroup_private.h"
#include "kernel/task.h"
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define U(n) ((unsigned long long)(n))
#define FIELD(name) offsetof(struct cgroup, name)
#define UNLIMITED 9223372036854771712ULL /* as version 1 shows "no limit" */

static int bytes_show(uint64_t value, struct strbuf *out)
{
    strbuf_printf(out, "%llu\n", U(MIN(value, UNLIMITED)));
    return 0;
}

static int limit_show(struct cgroup *cg, struct strbuf *out)
{
    return bytes_show(cg->memory_max, out);
}

static int soft_limit_show(struct cgroup *cg, struct strbuf *out)
{
    return bytes_show(cg->memory_high, out);
}

static int usage_show(struct cgroup *cg, struct strbuf *out)
{
    return bytes_show(cgroup_memory_used(cg), out);
}

static int max_usage_show(struct cgroup *cg, struct strbuf *out)
{
    uint64_t used = cgroup_memory_used(cg);
    cg->memory_peak = MAX(used, cg->memory_peak);
    return bytes_show(cg->memory_peak, out);
}

static int failcnt_show(struct cgroup *cg, struct strbuf *out)
{
    return bytes_show(cg->memory_failed, out);
}

/* -1: no limit. */
static int limit_write(struct cgroup *cg, char *text, uint64_t offset)
{
    uint64_t n = CGROUP_MAX;
    int err = strcmp(text, "-1") ? cgroup_parse_bytes(text, &n) : 0;
    if (err)
        return err;
    *(_Atomic uint64_t *)((char *)cg + offset) = n;
    if (offset == FIELD(memory_max) && current) {
        cg->memory_watched = n != CGROUP_MAX;
        cgroup_memory_watch(cg);
    }
    return 0;
}


static int shares_show(struct cgroup *cg, struct strbuf *out)
{
    strbuf_printf(out, "%llu\n", U(MAX(cg->cpu_weight * 1024 / 100, 2ULL)));
    return 0;
}

static int shares_write(struct cgroup *cg, char *text, uint64_t arg)
{
    uint64_t n;
    int err = cgroup_parse_number(text, &n);
    if (!err)
        cg->cpu_weight = MAX(MIN(n, 262144ULL) * 100 / 1024, 1ULL);
    return err;
}

static int quota_show(struct cgroup *cg, struct strbuf *out)
{
    strbuf_printf(out, "%lld\n", cg->cpu_quota == CGROUP_MAX ? -1LL : (long long)cg->cpu_quota);
    return 0;
}

static int quota_write(struct cgroup *cg, char *text, uint64_t arg)
{
    uint64_t n = CGROUP_MAX;
    if (*text != '-' && (cgroup_parse_number(text, &n) || n < 1000))
        return -EINVAL;
    cg->cpu_quota = n;
    return 0;
}

static int period_show(struct cgroup *cg, struct strbuf *out)
{
    strbuf_printf(out, "%llu\n", U(cg->cpu_period));
    return 0;
}

static int period_write(struct cgroup *cg, char *text, uint64_t arg)
{
    uint64_t n;
    if (cgroup_parse_number(text, &n) || n < 1000 || n > 1000000)
        return -EINVAL;
    cg->cpu_period = n;
    return 0;
}


static int cpuacct_usage_show(struct cgroup *cg, struct strbuf *out)
{
    int64_t user, system;
    cgroup_cpu_time(cg, &user, &system);
    strbuf_printf(out, "%lld\n", (long long)(user + system));
    return 0;
}

static int cpuacct_stat_show(struct cgroup *cg, struct strbuf *out)
{
    int64_t user, system;
    cgroup_cpu_time(cg, &user, &system);
    strbuf_printf(out, "user %lld\nsystem %lld\n", (long long)(user / 10000000), (long long)(system / 10000000));
    return 0;
}

static int freezer_show(struct cgroup *cg, struct strbuf *out)
{
    const struct cgroup *at = cg;
    while (at && !at->freeze)
        at = at->parent;
    strbuf_puts(out, !at ? "THAWED\n" : cg->frozen == cg->live ? "FROZEN\n" : "FREEZING\n");
    return 0;
}

static int freezer_write(struct cgroup *cg, char *text, uint64_t arg)
{
    bool on = !strcmp(text, "FROZEN");
    if (!on && strcmp(text, "THAWED"))
        return -EINVAL;
    cgroup_freeze(cg, on);
    return 0;
}

static int devices_show(struct cgroup *cg, struct strbuf *out)
{
    strbuf_puts(out, "a *:* rwm\n");
    return 0;
}

static int zero_show(struct cgroup *cg, struct strbuf *out)
{
    strbuf_puts(out, "0\n");
    return 0;
}

#define V1 CG_FILE_V1
#define ROOT (CG_FILE_V1 | CG_FILE_ROOT)

const struct cgroup_file cgroup_v1_files[] = {
    {"notify_on_release", CG_FILE_CORE, ROOT, NULL, zero_show, NULL, 0},
    {"cgroup.clone_children", CG_FILE_CORE, ROOT, NULL, zero_show, NULL, 0},
    {"memory.limit_in_bytes", CG_MEMORY, ROOT, "memory", limit_show, limit_write, FIELD(memory_max)},
    {"memory.soft_limit_in_bytes", CG_MEMORY, ROOT, "memory", soft_limit_show, limit_write, FIELD(memory_high)},
    {"memory.memsw.limit_in_bytes", CG_MEMORY, ROOT, "memory", limit_show, limit_write, FIELD(swap_max)},
    {"memory.usage_in_bytes", CG_MEMORY, ROOT, "memory", usage_show, NULL, 0},
    {"memory.max_usage_in_bytes", CG_MEMORY, ROOT, "memory", max_usage_show, NULL, 0},
    {"memory.memsw.usage_in_bytes", CG_MEMORY, ROOT, "memory", usage_show, NULL, 0},
    {"memory.failcnt", CG_MEMORY, ROOT, "memory", failcnt_show, NULL, 0},
    {"memory.kmem.usage_in_bytes", CG_MEMORY, ROOT, "memory", zero_show, NULL, 0},
    {"memory.use_hierarchy", CG_MEMORY, ROOT, "memory", zero_show, NULL, 0},
    {"memory.swappiness", CG_MEMORY, ROOT, "memory", zero_show, NULL, 0},
    {"cpu.shares", CG_CPU, ROOT, "cpu", shares_show, shares_write, 0},
    {"cpu.cfs_quota_us", CG_CPU, ROOT, "cpu", quota_show, quota_write, 0},
    {"cpu.cfs_period_us", CG_CPU, ROOT, "cpu", period_show, period_write, 0},
    {"cpuacct.usage", CG_CPU, ROOT, "cpuacct", cpuacct_usage_show, NULL, 0},
    {"cpuacct.stat", CG_CPU, ROOT, "cpuacct", cpuacct_stat_show, NULL, 0},
    {"freezer.state", CG_FILE_CORE, V1, "freezer", freezer_show, freezer_write, 0},
    {"devices.list", CG_FILE_CORE, ROOT, "devices", devices_show, NULL, 0},
    {0},
};

/* ---- hierarchies ---- */

struct cgroup_hierarchy {
    struct list link;
    unsigned mounts;
    int id;
    char controllers[];
};

static struct mutex hierarchies_lock;
static struct list hierarchies = LIST_INIT(hierarchies); /* [hierarchies_lock] the youngest first */

static struct cgroup_hierarchy *find_hierarchy(const char *controllers)
{
    struct cgroup_hierarchy *h;
    list_for_each (h, &hierarchies, link)
        if (!strcmp(h->controllers, controllers))
            return h;
    return NULL;
}

int cgroup_hierarchy_get(const char *controllers, struct cgroup_hierarchy **ret)
{
    static int next_id = 1;
    MUTEX_GUARD(&hierarchies_lock);
    struct cgroup_hierarchy *h = find_hierarchy(controllers);
    if (!h) {
        h = calloc(1, sizeof(*h) + strlen(controllers) + 1);
        if (!h)
            return -ENOMEM;
        strcpy(h->controllers, controllers);
        h->id = next_id++;
        list_add(&hierarchies, &h->link);
    }
    h->mounts++;
    *ret = h;
    return 0;
}

void cgroup_hierarchy_put(struct cgroup_hierarchy *h)
{
    if (!h)
        return;
    MUTEX_GUARD(&hierarchies_lock);
    if (--h->mounts)
        return;
    list_del(&h->link);
    free(h);
}

const char *cgroup_hierarchy_controllers(const struct cgroup_hierarchy *h)
{
    return h->controllers;
}

int cgroup_hierarchy_id(const char *controller)
{
    struct cgroup_hierarchy *h;
    int id = 0;
    MUTEX_GUARD(&hierarchies_lock);
    list_for_each (h, &hierarchies, link)
        if (cgroup_list_has(h->controllers, controller))
            id = h->id;
    return id;
}

void cgroup_hierarchies_show(const struct cgroup *cg, const struct cgroup *top, struct strbuf *out)
{
    struct cgroup_hierarchy *h;
    MUTEX_GUARD(&hierarchies_lock);
    list_for_each (h, &hierarchies, link) {
        strbuf_printf(out, "%d:%s:", h->id, h->controllers);
        cgroup_path(cg, top, out);
        strbuf_putc(out, '\n');
    }
}

void cgroup_hierarchies_init(void)
{
    mutex_init(&hierarchies_lock);
}
