/*
 * From JSON to struct start_request. The text comes from the command line that started us, but is treated like any
 * other input from outside: every type and bound is checked, and an unknown field is an error that names it.
 */
#include "control/start_request.h"
#include "base/base64.h"
#include "base/cleanup.h"
#include "control/protocol.h"
#include "kernel/cred.h"
#include "kernel/namespaces.h"
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

struct parser {
    struct start_request *r;
    const char *problem;
};

static int bad(struct parser *p, const char *problem)
{
    p->problem = problem;
    return -EINVAL;
}

/* ---- values ---- */

/* A string, or {"base64": ...}; without NUL bytes inside. */
static int parse_string(struct parser *p, const json_t *value, char **ret)
{
    char *s = NULL;
    size_t len = 0;
    const char *encoded = json_string_value(json_object_get(value, "base64"));
    if (encoded && base64_decode(encoded, &s, &len) < 0)
        return bad(p, "a base64 string is malformed");
    if (!encoded && json_is_string(value)) {
        len = json_string_length(value);
        s = strdup(json_string_value(value));
        if (!s)
            return -ENOMEM;
    }
    if (!s)
        return bad(p, "a string is missing or of the wrong type");
    if (strlen(s) != len) {
        free(s);
        return bad(p, "a string contains a NUL");
    }
    free(*ret);
    *ret = s;
    return 0;
}

static int parse_path(struct parser *p, const json_t *value, char **ret)
{
    int err = parse_string(p, value, ret);
    if (err)
        return err;
    return (*ret)[0] == '/' && strlen(*ret) < PATH_MAX ? 0 : bad(p, "a path is not absolute, or too long");
}

static int parse_strings(struct parser *p, const json_t *value, char ***ret)
{
    size_t n = json_array_size(value);
    if (!json_is_array(value) || n > PROTOCOL_MAX_STRINGS)
        return bad(p, "a list of strings is missing or too long");
    *ret = calloc(n + 1, sizeof **ret);
    if (!*ret)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        int err = parse_string(p, json_array_get(value, i), &(*ret)[i]);
        if (err)
            return err;
    }
    return 0;
}

static int parse_u32(struct parser *p, const json_t *value, uint32_t max, uint32_t *ret)
{
    json_int_t n = json_integer_value(value);
    if (!json_is_integer(value) || n < 0 || n > max)
        return bad(p, "a number is missing or out of range");
    *ret = (uint32_t)n;
    return 0;
}

static int parse_bool(struct parser *p, const json_t *value, bool *ret)
{
    if (!json_is_boolean(value))
        return bad(p, "a boolean is missing");
    *ret = json_is_true(value);
    return 0;
}

static int parse_limit_value(const json_t *value, _Atomic uint64_t *ret)
{
    if (!json_is_null(value) && (!json_is_integer(value) || json_integer_value(value) < 0))
        return -EINVAL;
    *ret = json_is_null(value) ? RLIM_INFINITY : (uint64_t)json_integer_value(value);
    return 0;
}

/* ---- fields: one function each, in the order of the table below ---- */

static int field_argv(struct parser *p, const json_t *value)
{
    int err = parse_strings(p, value, &p->r->argv);
    return err ? err : p->r->argv[0] ? 0 : bad(p, "argv is empty");
}

static int field_envv(struct parser *p, const json_t *value)
{
    return parse_strings(p, value, &p->r->envv);
}

static int field_wd(struct parser *p, const json_t *value)
{
    return parse_path(p, value, &p->r->wd);
}

static int field_wd_optional(struct parser *p, const json_t *value)
{
    return parse_bool(p, value, &p->r->wd_optional);
}

static int field_user(struct parser *p, const json_t *value)
{
    return parse_string(p, value, &p->r->user);
}

static int field_uid(struct parser *p, const json_t *value)
{
    return parse_u32(p, value, UINT32_MAX - 1, &p->r->uid);
}

static int field_gid(struct parser *p, const json_t *value)
{
    return parse_u32(p, value, UINT32_MAX - 1, &p->r->gid);
}

static int field_groups(struct parser *p, const json_t *value)
{
    size_t n = json_array_size(value);
    if (!json_is_array(value) || n > MAX_GROUPS)
        return bad(p, "groups is not a list, or too long");
    p->r->groups = calloc(n + 1, sizeof *p->r->groups);
    if (!p->r->groups)
        return -ENOMEM;
    p->r->group_count = (unsigned)n;
    for (size_t i = 0; i < n; i++) {
        int err = parse_u32(p, json_array_get(value, i), UINT32_MAX - 1, &p->r->groups[i]);
        if (err)
            return err;
    }
    return 0;
}

static int field_umask(struct parser *p, const json_t *value)
{
    return parse_u32(p, value, 0777, &p->r->umask);
}

static int field_limits(struct parser *p, const json_t *value)
{
    const char *name;
    json_t *pair;
    if (!json_is_object(value))
        return bad(p, "limits is not an object");
    json_object_foreach((json_t *)value, name, pair)
    {
        int i = limit_by_name(name);
        if (i < 0 || json_array_size(pair) != 2 ||
            parse_limit_value(json_array_get(pair, 0), &p->r->limits.v[i].cur) < 0 ||
            parse_limit_value(json_array_get(pair, 1), &p->r->limits.v[i].max) < 0 ||
            p->r->limits.v[i].cur > p->r->limits.v[i].max)
            return bad(p, "a limit is unknown or malformed");
    }
    return 0;
}

static int field_ignored_signals(struct parser *p, const json_t *value)
{
    if (!json_is_array(value))
        return bad(p, "ignored_signals is not a list");
    for (size_t i = 0; i < json_array_size(value); i++) {
        uint32_t n = 0;
        int err = parse_u32(p, json_array_get(value, i), 64, &n);
        if (err || n == 0)
            return bad(p, "a signal number is out of range");
        p->r->ignored_signals |= 1ULL << (n - 1);
    }
    return 0;
}

static int field_hostname(struct parser *p, const json_t *value)
{
    int err = parse_string(p, value, &p->r->hostname);
    return err ? err : strlen(p->r->hostname) <= UTS_NAME_LEN ? 0 : bad(p, "hostname is too long");
}

static int field_volumes(struct parser *p, const json_t *value)
{
    size_t n = json_array_size(value);
    if (!json_is_array(value) || n > PROTOCOL_MAX_VOLUMES)
        return bad(p, "volumes is not a list, or too long");
    p->r->volumes = calloc(n + 1, sizeof *p->r->volumes);
    if (!p->r->volumes)
        return -ENOMEM;
    p->r->volume_count = (unsigned)n;
    for (size_t i = 0; i < n; i++) {
        const json_t *entry = json_array_get(value, i);
        int err = parse_path(p, json_object_get(entry, "destination"), &p->r->volumes[i].destination);
        if (!err)
            err = parse_bool(p, json_object_get(entry, "read_only"), &p->r->volumes[i].read_only);
        if (err)
            return err;
    }
    return 0;
}

static int field_stdio(struct parser *p, const json_t *value)
{
    int err = json_array_size(value) == 3 ? 0 : bad(p, "stdio is not a list of three");
    for (size_t i = 0; i < 3 && !err; i++)
        err = parse_bool(p, json_array_get(value, i), &p->r->stdio_open[i]);
    return err;
}

static int field_strace(struct parser *p, const json_t *value)
{
    return parse_bool(p, value, &p->r->strace);
}

static int field_debug(struct parser *p, const json_t *value)
{
    return parse_bool(p, value, &p->r->debug);
}

static const struct {
    const char *name;
    bool required;
    int (*parse)(struct parser *p, const json_t *value);
} fields[] = {
    {"argv", true, field_argv},
    {"envv", true, field_envv},
    {"wd", true, field_wd},
    {"wd_optional", false, field_wd_optional},
    {"user", false, field_user},
    {"KUID", false, field_uid},
    {"KGID", false, field_gid},
    {"groups", false, field_groups},
    {"umask", true, field_umask},
    {"limits", false, field_limits},
    {"ignored_signals", false, field_ignored_signals},
    {"hostname", true, field_hostname},
    {"volumes", true, field_volumes},
    {"stdio", true, field_stdio},
    {"strace", false, field_strace},
    {"debug", false, field_debug},
};

/* ---- the whole ---- */

static int parse_params(struct parser *p, const json_t *params)
{
    size_t known = 0;
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        const json_t *value = json_object_get(params, fields[i].name);
        int err = 0;
        if (value)
            err = fields[i].parse(p, value);
        else if (fields[i].required)
            err = bad(p, "a required parameter is missing");
        if (err)
            return err;
        known += value != NULL;
    }
    if (known != json_object_size(params))
        return bad(p, "a parameter is unknown");
    if (p->r->user && (p->r->uid || p->r->gid))
        return bad(p, "user and KUID or KGID are both given: one or the other");
    return 0;
}

int start_request_parse(const char *text, size_t len, struct start_request **ret, const char **ret_problem)
{
    struct parser p = {.r = calloc(1, sizeof *p.r), .problem = "out of memory"};
    if (!p.r)
        return -ENOMEM;
    limits_init(&p.r->limits);
    json_t *message = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
    const char *method = json_string_value(json_object_get(message, "method"));
    int err = message ? 0 : bad(&p, "the message is not JSON");
    if (!err && (!method || strcmp(method, METHOD_START) != 0))
        err = bad(&p, "the first message is not " METHOD_START);
    if (!err)
        err = parse_params(&p, json_object_get(message, "params"));
    json_decref(message);
    if (err) {
        start_request_free(p.r);
        *ret_problem = p.problem;
        return err;
    }
    *ret = p.r;
    return 0;
}

static void free_strings(char **list)
{
    for (char **s = list; s && *s; s++)
        free(*s);
    free(list);
}

void start_request_free(struct start_request *r)
{
    free_strings(r->argv);
    free_strings(r->envv);
    for (unsigned i = 0; i < r->volume_count; i++)
        free(r->volumes[i].destination);
    free(r->volumes);
    free(r->wd);
    free(r->user);
    free(r->groups);
    free(r->hostname);
    free(r);
}
