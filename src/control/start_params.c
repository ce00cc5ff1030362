/* From StartContainer's JSON to struct start_spec: docs/control.md, field by field. */
#include "base/cleanup.h"
#include "base/strbuf.h"
#include "control/start.h"
#include "kernel/cred.h"
#include "kernel/fdtable.h"
#include "kernel/signal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DISTRIBUTION_NPROC 1048576 /* what systems start with, however small the machine */

static const char *const capability_names[] = {
    "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID",
    "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN",
    "CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
};

static int capability_by_name(const char *name)
{
    for (size_t i = 0; name && i < ARRAY_SIZE(capability_names); i++)
        if (strcmp(name, capability_names[i]) == 0)
            return (int)i;
    return -1;
}

static void parse_capability_set(struct params *p, const char *name, uint64_t *ret)
{
    const json_t *list = params_array(p, name, 64);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *word = json_string_value(json_array_get(list, i));
        int cap = capability_by_name(word);
        if (cap < 0) {
            char what[64];
            snprintf(what, sizeof what, "has an unknown name: %.40s", word ? word : "(not a string)");
            params_bad(p, name, what);
            return;
        }
        *ret |= 1ULL << cap;
    }
}

static void parse_capabilities(struct params *top, struct start_spec *s)
{
    const json_t *object = params_object(top, "capabilities");
    struct params p;
    if (!object)
        return;
    s->caps_given = true;
    params_init_inner(&p, top, object, "capabilities", -1);
    parse_capability_set(&p, "bounding", &s->cap_bounding);
    parse_capability_set(&p, "permitted", &s->cap_permitted);
    parse_capability_set(&p, "effective", &s->cap_effective);
    parse_capability_set(&p, "inheritable", &s->cap_inheritable);
    parse_capability_set(&p, "ambient", &s->cap_ambient);
    (void)!params_finish(&p);
}

static void parse_limit(struct params *top, const char *name, const json_t *object, struct limits *l)
{
    struct params p;
    int64_t cur = -1, max = -1; /* infinity */
    int i = limit_by_name(name);
    params_init_inner(&p, top, object, name, -1);
    if (i < 0) {
        params_bad(&p, "", "is no limit's name");
        return;
    }
    params_int(&p, "cur", 0, INT64_MAX, &cur);
    params_int(&p, "max", 0, INT64_MAX, &max);
    if ((uint64_t)cur > (uint64_t)max)
        params_bad(&p, "cur", "is above max");
    l->v[i].cur = (uint64_t)cur;
    l->v[i].max = (uint64_t)max;
    (void)!params_finish(&p);
}

static void parse_limits(struct params *top, struct start_spec *s)
{
    const json_t *object = params_object(top, "limits");
    struct params p;
    const char *name;
    json_t *value;
    limits_init(&s->limits);
    s->limits.v[RLIMIT_NPROC].cur = s->limits.v[RLIMIT_NPROC].max = DISTRIBUTION_NPROC;
    if (!object)
        return;
    params_init_inner(&p, top, object, "limits", -1);
    json_object_foreach((json_t *)object, name, value)
        parse_limit(&p, name, value, &s->limits);
}

static void parse_groups(struct params *p, struct start_spec *s)
{
    const json_t *list = params_array(p, "groups", MAX_GROUPS);
    size_t n = json_array_size(list);
    s->groups = n ? calloc(n, sizeof *s->groups) : NULL;
    for (size_t i = 0; i < n && s->groups; i++) {
        json_int_t id = json_integer_value(json_array_get(list, i));
        if (!json_is_integer(json_array_get(list, i)) || id < 0 || id >= UINT32_MAX)
            params_bad(p, "groups", "is not a list of group ids");
        s->groups[s->group_count++] = (uint32_t)id;
    }
}

static void parse_donated(struct params *p, struct start_spec *s)
{
    const json_t *list = params_array(p, "donated_fds", 4 * PROTOCOL_MAX_FDS);
    size_t n = json_array_size(list);
    s->donated = n ? calloc(n, sizeof *s->donated) : NULL;
    for (size_t i = 0; i < n && s->donated; i++) {
        json_int_t fd = json_integer_value(json_array_get(list, i));
        if (!json_is_integer(json_array_get(list, i)) || fd < 0 || fd >= FD_MAX)
            params_bad(p, "donated_fds", "is not a list of descriptors");
        s->donated[s->donated_count++] = (int)fd;
        for (size_t j = 0; j < i; j++)
            if (s->donated[j] == fd)
                params_bad(p, "donated_fds", "names a descriptor twice");
    }
}

static void parse_ignored(struct params *p, struct start_spec *s)
{
    const json_t *list = params_array(p, "ignored_signals", SIGNAL_COUNT);
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_int_t n = json_integer_value(json_array_get(list, i));
        if (n < 1 || n > SIGNAL_COUNT)
            params_bad(p, "ignored_signals", "is not a list of signals");
        else
            s->ignored_signals |= SIGBIT(n);
    }
}

static void parse_identity(struct params *p, struct start_spec *s)
{
    s->ids_given = params_has(p, "KUID") || params_has(p, "KGID");
    s->inner_ids_given = params_has(p, "uid") || params_has(p, "gid");
    params_u32(p, "KUID", UINT32_MAX - 1, &s->kuid);
    params_u32(p, "KGID", UINT32_MAX - 1, &s->kgid);
    params_u32(p, "uid", UINT32_MAX - 1, &s->uid);
    params_u32(p, "gid", UINT32_MAX - 1, &s->gid);
    params_string(p, "user", &s->user);
    params_bool(p, "login", &s->login);
    if (s->user && !*s->user)
        free(TAKE_PTR(s->user));
    if (s->inner_ids_given && (s->ids_given || s->user))
        params_bad(p, "uid", "and KUID, KGID or user are both given: one or the other");
    parse_groups(p, s);
    parse_capabilities(p, s);
}

int start_params(struct request *r, bool exec, struct start_spec *s)
{
    struct params *p = &r->params;
    *s = (struct start_spec){.umask = 022, .init = !exec};
    params_string(p, "container_id", &s->id);
    params_string(p, "filename", &s->filename);
    params_strings(p, "argv", &s->argv);
    params_strings(p, "envv", &s->envv);
    params_strings(p, "secret_envv", &s->secret_envv);
    params_string(p, "wd", &s->wd);
    params_bool(p, "wd_optional", &s->wd_optional);
    parse_identity(p, s);
    params_bool(p, "no_new_privileges", &s->no_new_privileges);
    params_u32(p, "umask", 0777, &s->umask);
    params_int(p, "oom_score_adj", -1000, 1000, &s->oom_score_adj);
    params_int(p, "nice", -20, 19, &s->nice);
    params_int(p, "personality", 0, UINT32_MAX, &s->personality);
    parse_limits(p, s);
    params_bool(p, "resolve_home", &s->resolve_home);
    params_bool(p, "resolve_binary_path", &s->resolve_binary_path);
    parse_donated(p, s);
    params_bool(p, "terminal", &s->terminal);
    params_bool(p, "tied", &s->tied);
    params_bool(p, "init", &s->init);
    parse_ignored(p, s);
    s->initial_cgroups = exec ? NULL : params_object(p, "initial_cgroups");
    if (!s->id)
        params_bad(p, "container_id", "is missing");
    return request_params(r);
}

void start_spec_free(struct start_spec *s)
{
    free(s->id);
    free(s->filename);
    free_strings(s->argv);
    free_strings(s->envv);
    free_strings(s->secret_envv);
    free(s->wd);
    free(s->user);
    free(s->groups);
    free(s->donated);
}

/* ---- written down ---- */

static void describe_list(struct strbuf *out, const char *name, char *const *list, bool hidden)
{
    strbuf_printf(out, ", %s: [", name);
    for (char *const *s = list; s && *s; s++)
        strbuf_printf(out, "%s%s", s == list ? "" : ", ", hidden ? "(hidden)" : *s);
    strbuf_puts(out, "]");
}

char *start_describe(const char *method, const struct start_spec *s)
{
    struct strbuf out = STRBUF_INIT;
    strbuf_printf(&out, "%s{container_id: %s, filename: %s", method, s->id, s->filename ? s->filename : "");
    describe_list(&out, "argv", s->argv, false);
    describe_list(&out, "envv", s->envv, false);
    describe_list(&out, "secret_envv", s->secret_envv, true);
    strbuf_printf(&out, ", wd: %s, KUID: %u, KGID: %u, user: %s, %u descriptors}", s->wd ? s->wd : "", s->kuid, s->kgid,
                  s->user ? s->user : "", s->donated_count);
    return strbuf_take(&out);
}
