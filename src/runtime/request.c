/* Building the parameters of control requests. */
#include "runtime/request.h"
#include "base/base64.h"
#include "base/cleanup.h"
#include "runtime/client.h"
#include "runtime/options.h"
#include "runtime/seccomp.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define OVERFLOW_ID 65534 /* how ids without a mapping look */

static json_t *out_of_memory(struct error *err)
{
    (void)!error_set(err, EXIT_FAILURE, "out of memory");
    return NULL;
}

/* How many CPUs a list like "0-2,5" names. */
static unsigned count_cpus(const char *list)
{
    unsigned count = 0, from, to;
    while (*list) {
        int used = 0;
        if (sscanf(list, "%u-%u%n", &from, &to, &used) == 2 && used && to >= from &&
            to - from < 4096)
            count += to - from + 1;
        else if (sscanf(list, "%u%n", &from, &used) == 1 && used)
            count++;
        else
            return 0;
        list += used;
        list += *list == ',' || *list == '\n';
    }
    return count;
}

json_t *request_boot(const struct spec *spec, struct error *err)
{
    const struct spec_resources *r = &spec->resources;
    json_t *params =
        json_pack("{s:s, s:b, s:b, s:b, s:i}", "lifetime", "connection", "host_write", 1, "strace",
                  global.strace, "debug", global.debug && global.debug_log, "owner", 0);
    if (!params)
        return out_of_memory(err);
    /* Who calls from outside the user namespace has no id in it; that he may reach the socket at
     * all is decided by its mode. */
    if (spec->namespaces[SPEC_NS_USER].given)
        json_object_set_new(params, "owner", json_integer(OVERFLOW_ID));
    unsigned cpus = r->cpus ? count_cpus(r->cpus) : 0;
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    if (cpus && cpus < online)
        json_object_set_new(params, "cpus", json_integer(cpus));
    if (r->memory_limit && r->memory_limit < INT64_MAX)
        json_object_set_new(params, "memory", json_integer((json_int_t)r->memory_limit));
    return params;
}

/* ---- CreateContainer ---- */

static json_t *strings(char **list)
{
    json_t *array = json_array();
    for (char **s = list; s && *s; s++)
        json_array_append_new(array, client_string(*s));
    return array;
}

static json_t *pairs(const struct spec_pairs *p)
{
    json_t *object = json_object();
    for (size_t i = 0; i < p->count; i++)
        json_object_set_new(object, p->list[i].name, json_string(p->list[i].value));
    return object;
}

static json_t *devices(const struct spec *spec)
{
    json_t *array = json_array();
    for (size_t i = 0; i < spec->device_count; i++) {
        const struct spec_device *d = &spec->devices[i];
        json_array_append_new(array,
                              json_pack("{s:s, s:s#, s:I, s:I, s:I, s:I, s:I}", "path", d->path,
                                        "type", &d->type, 1, "major", (json_int_t)d->major, "minor",
                                        (json_int_t)d->minor, "mode", (json_int_t)d->mode, "uid",
                                        (json_int_t)d->uid, "gid", (json_int_t)d->gid));
    }
    return array;
}

static json_t *namespaces(const struct spec *spec, const char *const share[SPEC_NS_COUNT])
{
    static const struct {
        enum spec_namespace ns;
        const char *name;
    } kinds[] = {{SPEC_NS_PID, "pid"}, {SPEC_NS_UTS, "uts"}, {SPEC_NS_IPC, "ipc"}};
    json_t *object = json_object();
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        enum spec_namespace ns = kinds[i].ns;
        /* The caller's namespace, that is the host's, stays out of reach; the sandbox's own stands
         * for it. But process numbers belong to each container, as its process 1 does. */
        const char *which = spec->namespaces[ns].given || ns == SPEC_NS_PID ? "new" : "sandbox";
        if (share[ns])
            json_object_set_new(object, kinds[i].name, json_sprintf("container:%s", share[ns]));
        else
            json_object_set_new(object, kinds[i].name, json_string(which));
    }
    /* Its own group is the root of what it sees. */
    json_object_set_new(object, "cgroup", json_string("new"));
    return object;
}

static void add_limit(json_t *files, const char *name, uint64_t value)
{
    if (value == SPEC_UNSET || value == 0)
        return;
    if (value >= INT64_MAX)
        json_object_set_new(files, name, json_string("max"));
    else
        json_object_set_new(files, name, json_sprintf("%llu", (unsigned long long)value));
}

json_t *request_cgroup_files(const struct spec_resources *r)
{
    json_t *files = json_object();
    add_limit(files, "memory.max", r->memory_limit);
    add_limit(files, "memory.low", r->memory_reservation);
    if (r->memory_swap != SPEC_UNSET && r->memory_swap && r->memory_swap < INT64_MAX &&
        r->memory_limit <= r->memory_swap)
        json_object_set_new(
            files, "memory.swap.max",
            json_sprintf("%llu", (unsigned long long)(r->memory_swap - r->memory_limit)));
    add_limit(files, "pids.max", r->pids_limit);
    uint64_t period = r->cpu_period != SPEC_UNSET && r->cpu_period ? r->cpu_period : 100000;
    if (r->cpu_quota != SPEC_UNSET && r->cpu_quota && r->cpu_quota < INT64_MAX)
        json_object_set_new(files, "cpu.max",
                            json_sprintf("%llu %llu", (unsigned long long)r->cpu_quota,
                                         (unsigned long long)period));
    if (r->cpu_shares != SPEC_UNSET && r->cpu_shares >= 2)
        add_limit(files, "cpu.weight", 1 + (MIN(r->cpu_shares, 262144UL) - 2) * 9999 / 262142);
    if (r->cpus && *r->cpus)
        json_object_set_new(files, "cpuset.cpus", json_string(r->cpus));
    return files;
}

static int add_seccomp(json_t *params, const struct spec *spec, struct error *err)
{
    struct sock_filter *program = NULL;
    size_t len = 0;
    if (!spec->seccomp)
        return 0;
    if (seccomp_compile(spec->seccomp, &program, &len, err) < 0)
        return -1;
    CLEANUP_FREE char *text = base64_encode((const char *)program, len * sizeof *program);
    free(program);
    if (!text)
        return error_set(err, EXIT_FAILURE, "out of memory");
    json_object_set_new(params, "seccomp", json_string(text));
    return 0;
}

static void add_not_empty(json_t *params, const char *name, json_t *value)
{
    if (json_array_size(value) || json_object_size(value))
        json_object_set_new(params, name, value);
    else
        json_decref(value);
}

json_t *request_create(const struct spec *spec, const char *id,
                       const char *const share[SPEC_NS_COUNT], struct trees *trees,
                       struct error *err)
{
    json_t *params =
        json_pack("{s:s, s:O, s:O, s:o, s:s}", "container_id", id, "root", trees->root, "mounts",
                  trees->mounts, "namespaces", namespaces(spec, share), "cgroup", "/");
    if (!params)
        return out_of_memory(err);
    json_object_set_new(params, "cgroup", json_sprintf("/%s", id));
    /* The names belong to who made the namespace. */
    if (spec->hostname && !share[SPEC_NS_UTS])
        json_object_set_new(params, "hostname", client_string(spec->hostname));
    if (spec->domainname && !share[SPEC_NS_UTS])
        json_object_set_new(params, "domainname", client_string(spec->domainname));
    add_not_empty(params, "masked_paths", strings(spec->masked_paths));
    add_not_empty(params, "read_only_paths", strings(spec->readonly_paths));
    add_not_empty(params, "devices", devices(spec));
    add_not_empty(params, "sysctl", pairs(&spec->sysctl));
    add_not_empty(params, "cgroup_files", request_cgroup_files(&spec->resources));
    if (add_seccomp(params, spec, err) < 0) {
        json_decref(params);
        return NULL;
    }
    return params;
}

/* ---- StartContainer and Exec ---- */

static json_t *limit_value(uint64_t value)
{
    return value >= INT64_MAX ? json_null() : json_integer((json_int_t)value);
}

static json_t *limits(const struct spec_process *p)
{
    json_t *object = json_object();
    for (size_t i = 0; i < p->rlimit_count; i++)
        json_object_set_new(object, p->rlimits[i].name,
                            json_pack("{s:o, s:o}", "cur", limit_value(p->rlimits[i].soft), "max",
                                      limit_value(p->rlimits[i].hard)));
    return object;
}

static json_t *capability_list(uint64_t set)
{
    json_t *array = json_array();
    for (unsigned i = 0; spec_capability_names[i]; i++)
        if (set & (1ULL << i))
            json_array_append_new(array, json_string(spec_capability_names[i]));
    return array;
}

/* Without the member a container has none: OCI knows no "capabilities of a fresh user". */
static json_t *capabilities(const struct spec_process *p)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "bounding",
                     capability_list(p->caps[CAPS_BOUNDING]), "effective",
                     capability_list(p->caps[CAPS_EFFECTIVE]), "inheritable",
                     capability_list(p->caps[CAPS_INHERITABLE]), "permitted",
                     capability_list(p->caps[CAPS_PERMITTED]), "ambient",
                     capability_list(p->caps[CAPS_AMBIENT]));
}

static json_t *numbers(unsigned count)
{
    json_t *array = json_array();
    for (unsigned i = 0; i < count; i++)
        json_array_append_new(array, json_integer(i));
    return array;
}

json_t *request_process(const struct spec_process *p, const char *id, unsigned fd_count,
                        struct error *err)
{
    json_t *groups = json_array();
    for (size_t i = 0; i < p->group_count; i++)
        json_array_append_new(groups, json_integer(p->groups[i]));
    json_t *params =
        json_pack("{s:s, s:o, s:o, s:s, s:I, s:I, s:o, s:o, s:b, s:o, s:b, s:b, s:o, s:b, s:b}",
                  "container_id", id, "argv", strings(p->args), "envv", strings(p->env), "wd",
                  p->cwd, "KUID", (json_int_t)p->uid, "KGID", (json_int_t)p->gid, "groups", groups,
                  "capabilities", capabilities(p), "no_new_privileges", p->no_new_privileges,
                  "limits", limits(p), "resolve_home", 1, "resolve_binary_path", 1, "donated_fds",
                  numbers(fd_count), "terminal", p->terminal, "tied", 1);
    if (!params)
        return out_of_memory(err);
    if (p->umask >= 0)
        json_object_set_new(params, "umask", json_integer(p->umask));
    if (p->oom_score_given)
        json_object_set_new(params, "oom_score_adj", json_integer(p->oom_score_adj));
    return params;
}
