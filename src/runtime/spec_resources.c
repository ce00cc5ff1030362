/* config.json's "linux.resources", which is also what `update` reads. */
#include "runtime/spec.h"
#include <limits.h>
#include <string.h>

void spec_resources_init(struct spec_resources *r)
{
    *r = (struct spec_resources){.memory_limit = SPEC_UNSET,
                                 .memory_reservation = SPEC_UNSET,
                                 .memory_swap = SPEC_UNSET,
                                 .memory_kernel = SPEC_UNSET,
                                 .memory_swappiness = SPEC_UNSET,
                                 .cpu_shares = SPEC_UNSET,
                                 .cpu_quota = SPEC_UNSET,
                                 .cpu_period = SPEC_UNSET,
                                 .cpu_burst = SPEC_UNSET,
                                 .cpu_rt_runtime = SPEC_UNSET,
                                 .cpu_rt_period = SPEC_UNSET,
                                 .cpu_idle = SPEC_UNSET,
                                 .pids_limit = SPEC_UNSET,
                                 .io_weight = SPEC_UNSET};
}

/* A number; -1 (and beyond any limit) is "unlimited", INT64_MAX. */
static int read_amount(const struct node *up, const char *key, uint64_t *ret)
{
    struct node n = node_member(up, key);
    if (!node_present(&n))
        return 0;
    uint64_t value = 0;
    if (node_u64(&n, &value) < 0)
        return -1;
    *ret = MIN(value, (uint64_t)INT64_MAX);
    return 0;
}

static int read_memory(const struct node *n, struct spec_resources *r)
{
    struct node disable = node_member(n, "disableOOMKiller");
    if (node_object(n) < 0 || read_amount(n, "limit", &r->memory_limit) < 0 ||
        read_amount(n, "reservation", &r->memory_reservation) < 0 ||
        read_amount(n, "swap", &r->memory_swap) < 0 ||
        read_amount(n, "kernel", &r->memory_kernel) < 0 ||
        read_amount(n, "swappiness", &r->memory_swappiness) < 0 ||
        node_bool(&disable, &r->memory_disable_oom) < 0)
        return -1;
    return 0;
}

static int read_cpu(const struct node *n, struct spec_resources *r)
{
    struct node cpus = node_member(n, "cpus"), mems = node_member(n, "mems");
    if (node_object(n) < 0 || read_amount(n, "shares", &r->cpu_shares) < 0 ||
        read_amount(n, "quota", &r->cpu_quota) < 0 ||
        read_amount(n, "period", &r->cpu_period) < 0 ||
        read_amount(n, "burst", &r->cpu_burst) < 0 ||
        read_amount(n, "realtimeRuntime", &r->cpu_rt_runtime) < 0 ||
        read_amount(n, "realtimePeriod", &r->cpu_rt_period) < 0 ||
        read_amount(n, "idle", &r->cpu_idle) < 0 || node_string(&cpus, &r->cpus) < 0 ||
        node_string(&mems, &r->mems) < 0)
        return -1;
    return 0;
}

static int read_throttle(const struct node *n, struct spec_throttle *ret)
{
    if (node_list(n) < 0)
        return -1;
    ret->list = spec_list(n, sizeof *ret->list, &ret->count);
    if (!ret->list)
        return node_error(n, "out of memory");
    for (size_t i = 0; i < ret->count; i++) {
        struct node e = node_element(n, i), major = node_member(&e, "major"),
                    minor = node_member(&e, "minor");
        if (node_object(&e) < 0 || node_u32(&major, &ret->list[i].major) < 0 ||
            node_u32(&minor, &ret->list[i].minor) < 0 ||
            read_amount(&e, "rate", &ret->list[i].value) < 0)
            return -1;
    }
    return 0;
}

static int read_io(const struct node *n, struct spec_resources *r)
{
    static const char *const names[IO_KINDS] = {"throttleReadBpsDevice", "throttleWriteBpsDevice",
                                                "throttleReadIOPSDevice",
                                                "throttleWriteIOPSDevice"};
    if (node_object(n) < 0 || read_amount(n, "weight", &r->io_weight) < 0)
        return -1;
    for (unsigned i = 0; i < IO_KINDS; i++) {
        struct node list = node_member(n, names[i]);
        if (read_throttle(&list, &r->throttle[i]) < 0)
            return -1;
    }
    return 0;
}

static int read_device_rule(const struct node *n, struct spec_device_rule *rule)
{
    static const char *const types[] = {"", "a", "c", "b", NULL};
    static const char letters[] = "aacb";
    struct node allow = node_member(n, "allow"), type = node_member(n, "type"),
                access = node_member(n, "access");
    struct node major = node_member(n, "major"), minor = node_member(n, "minor");
    unsigned which = 0;
    *rule = (struct spec_device_rule){.major = -1, .minor = -1, .access = "rwm"};
    if (node_object(n) < 0 || node_bool(&allow, &rule->allow) < 0 ||
        node_choice(&type, "device type", types, &which) < 0 ||
        node_string(&access, &rule->access) < 0 ||
        node_integer(&major, -1, UINT32_MAX, &rule->major) < 0 ||
        node_integer(&minor, -1, UINT32_MAX, &rule->minor) < 0)
        return -1;
    rule->type = letters[which];
    if (rule->access[strspn(rule->access, "rwm")])
        return node_error(&access, "\"%.64s\" may only have the letters r, w and m", rule->access);
    return 0;
}

static int read_device_rules(const struct node *n, struct spec_resources *r)
{
    if (node_list(n) < 0)
        return -1;
    r->device_rules = spec_list(n, sizeof *r->device_rules, &r->device_rule_count);
    if (!r->device_rules)
        return node_error(n, "out of memory");
    for (size_t i = 0; i < r->device_rule_count; i++) {
        struct node e = node_element(n, i);
        if (read_device_rule(&e, &r->device_rules[i]) < 0)
            return -1;
    }
    return 0;
}

/* Keys of "unified" become file names of the cgroup. */
static int read_unified(const struct node *n, struct spec_resources *r)
{
    if (spec_read_pairs(n, &r->unified) < 0)
        return -1;
    for (size_t i = 0; i < r->unified.count; i++)
        if (strchr(r->unified.list[i].name, '/') || !strchr(r->unified.list[i].name, '.'))
            return node_error(n, "\"%.64s\" is no cgroup file", r->unified.list[i].name);
    return 0;
}

int spec_read_resources(const struct node *n, struct spec_resources *r)
{
    static const char *const known[] = {"memory",  "cpu",     "pids",           "blockIO",
                                        "devices", "unified", "hugepageLimits", "network",
                                        "rdma",    NULL};
    static const char *const ignored[] = {"hugepageLimits", "network", "rdma"};
    struct node memory = node_member(n, "memory"), cpu = node_member(n, "cpu"),
                pids = node_member(n, "pids");
    struct node io = node_member(n, "blockIO"), devices = node_member(n, "devices"),
                unified = node_member(n, "unified");
    if (!node_present(n))
        return 0;
    if (node_object(n) < 0 || read_memory(&memory, r) < 0 || read_cpu(&cpu, r) < 0 ||
        node_object(&pids) < 0 || read_amount(&pids, "limit", &r->pids_limit) < 0 ||
        read_io(&io, r) < 0 || read_device_rules(&devices, r) < 0 || read_unified(&unified, r) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_SIZE(ignored); i++) {
        struct node member = node_member(n, ignored[i]);
        if (json_object_size(member.value) || json_array_size(member.value))
            node_warn(&member, "is not supported and ignored");
    }
    node_warn_unknown(n, known);
    return 0;
}
