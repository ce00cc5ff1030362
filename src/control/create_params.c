/* From CreateContainer's JSON to struct create_spec: docs/control.md, field by field. */
#include "base/cleanup.h"
#include "control/create.h"
#include "kernel/namespaces.h"
#include "kernel/user_namespace.h"
#include <limits.h>
#include <linux/filter.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_DEVICES 1024
#define MAX_FILTER (4096 * sizeof(struct sock_filter)) /* BPF_MAXINSNS */

static void parse_root(struct params *top, struct create_spec *s)
{
    static const char *const overlays[] = {"none", "memory", NULL};
    const json_t *object = params_object(top, "root");
    struct params p;
    if (!object) {
        params_bad(top, "root", "is missing");
        return;
    }
    params_init_inner(&p, top, object, "root", -1);
    if (!params_has(&p, "fd"))
        params_bad(&p, "fd", "is missing");
    params_u32(&p, "fd", PROTOCOL_MAX_FDS, &s->root_fd);
    params_word(&p, "overlay", overlays, &s->overlay);
    params_bool(&p, "read_only", &s->root_read_only);
    params_bool(&p, "exclusive", &s->root_exclusive);
    (void)!params_finish(&p);
}

static void parse_source(struct params *top, struct create_mount *m)
{
    const json_t *object = params_object(top, "source");
    struct params p;
    if (!object)
        return;
    params_init_inner(&p, top, object, "source", -1);
    m->has_source = true;
    if (!params_has(&p, "fd"))
        params_bad(&p, "fd", "is missing");
    params_u32(&p, "fd", PROTOCOL_MAX_FDS, &m->source_fd);
    params_string(&p, "path", &m->source_path);
    (void)!params_finish(&p);
}

static void parse_mount(struct params *top, const json_t *object, int index, struct create_mount *m)
{
    struct params p;
    params_init_inner(&p, top, object, "mounts", index);
    params_path(&p, "destination", &m->destination);
    params_string(&p, "type", &m->type);
    params_bool(&p, "optional", &m->optional);
    params_bool(&p, "existing", &m->existing);
    params_strings(&p, "options", &m->options);
    parse_source(&p, m);
    if (!m->destination)
        params_bad(&p, "destination", "is missing");
    if (!m->type)
        params_bad(&p, "type", "is missing");
    else if (strcmp(m->type, "bind") == 0 && !m->has_source)
        params_bad(&p, "source", "is missing");
    (void)!params_finish(&p);
}

static void parse_mounts(struct params *p, struct create_spec *s)
{
    const json_t *list = params_array(p, "mounts", PROTOCOL_MAX_MOUNTS);
    size_t n = json_array_size(list);
    s->mounts = n ? calloc(n, sizeof *s->mounts) : NULL;
    for (size_t i = 0; i < n && s->mounts && params_ok(p); i++)
        parse_mount(p, json_array_get(list, i), (int)i, &s->mounts[s->mount_count++]);
}

static void parse_device(struct params *top, const json_t *object, int index, struct create_device *d)
{
    static const char *const types[] = {"c", "u", "b", "p", NULL};
    static const uint32_t modes[] = {S_IFCHR, S_IFCHR, S_IFBLK, S_IFIFO};
    struct params p;
    unsigned type = 0;
    d->mode = 0666;
    params_init_inner(&p, top, object, "devices", index);
    params_path(&p, "path", &d->path);
    params_word(&p, "type", types, &type);
    params_u32(&p, "major", 4095, &d->major);
    params_u32(&p, "minor", (1 << 20) - 1, &d->minor);
    params_u32(&p, "mode", 07777, &d->mode);
    params_u32(&p, "uid", UINT32_MAX - 1, &d->uid);
    params_u32(&p, "gid", UINT32_MAX - 1, &d->gid);
    d->mode |= modes[type];
    if (!d->path)
        params_bad(&p, "path", "is missing");
    (void)!params_finish(&p);
}

static void parse_devices(struct params *p, struct create_spec *s)
{
    const json_t *list = params_array(p, "devices", MAX_DEVICES);
    size_t n = json_array_size(list);
    s->devices = n ? calloc(n, sizeof *s->devices) : NULL;
    for (size_t i = 0; i < n && s->devices && params_ok(p); i++)
        parse_device(p, json_array_get(list, i), (int)i, &s->devices[s->device_count++]);
}

static void parse_namespace(struct params *p, const char *name, unsigned i, struct create_spec *s)
{
    CLEANUP_FREE char *word = NULL;
    params_string(p, name, &word);
    if (!word)
        return;
    if (strcmp(word, "new") == 0) {
        s->ns_source[i] = NS_NEW;
    } else if (strcmp(word, "sandbox") == 0) {
        s->ns_source[i] = NS_OF_SANDBOX;
    } else if (strncmp(word, "container:", 10) == 0 && word[10]) {
        s->ns_source[i] = NS_OF_CONTAINER;
        s->ns_container[i] = strdup(word + 10);
    } else {
        params_bad(p, name, "is neither \"new\", \"sandbox\" nor \"container:ID\"");
    }
}

static void parse_namespaces(struct params *top, struct create_spec *s)
{
    static const char *const names[CREATE_NS_COUNT] = {"pid", "uts", "ipc", "net", "user", "cgroup"};
    const json_t *object = params_object(top, "namespaces");
    struct params p;
    s->ns_source[CREATE_NS_PID] = s->ns_source[CREATE_NS_UTS] = s->ns_source[CREATE_NS_IPC] = NS_NEW;
    if (!object)
        return;
    params_init_inner(&p, top, object, "namespaces", -1);
    for (unsigned i = 0; i < CREATE_NS_COUNT; i++)
        parse_namespace(&p, names[i], i, s);
    (void)!params_finish(&p);
}

static void parse_id_map(struct params *p, const char *name, struct create_id_map *map)
{
    const json_t *list = params_array(p, name, ID_EXTENTS_MAX);
    size_t n = json_array_size(list);
    map->extents = n ? calloc(n, sizeof *map->extents) : NULL;
    for (size_t i = 0; i < n && map->extents; i++) {
        const json_t *extent = json_array_get(list, i);
        for (size_t j = 0; j < 3; j++) {
            const json_t *value = json_array_get(extent, j);
            json_int_t number = json_integer_value(value);
            if (json_array_size(extent) != 3 || !json_is_integer(value) || number < 0 || number > UINT32_MAX)
                params_bad(p, name, "is not a list of [inside, outside, count]");
            map->extents[i][j] = (uint32_t)number;
        }
        map->count++;
    }
}

static const json_t *parse_texts(struct params *p, const char *name)
{
    const json_t *object = params_object(p, name);
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value)
        if (!json_is_string(value) || !*key || strstr(key, "..") || *key == '/' || strlen(key) > NAME_MAX)
            params_bad(p, name, "is not an object of strings by name");
    return object;
}

static void parse_filter(struct params *p, struct create_spec *s)
{
    params_bytes(p, "seccomp", MAX_FILTER, &s->filter, &s->filter_size);
    if (s->filter_size % sizeof(struct sock_filter))
        params_bad(p, "seccomp", "is not an array of struct sock_filter");
}

static void parse_propagation(struct params *p, struct create_spec *s)
{
    CLEANUP_FREE char *word = NULL;
    params_string(p, "root_propagation", &word);
    if (word && *word && !mount_propagation_word(word, &s->root_propagation, &s->root_propagation_recursive))
        params_bad(p, "root_propagation", "is unknown");
}

static void check_names(struct params *p, const struct create_spec *s)
{
    if (!s->id || !*s->id || strlen(s->id) > PROTOCOL_MAX_ID)
        params_bad(p, "container_id", "is missing, or too long");
    if (s->hostname && strlen(s->hostname) > UTS_NAME_LEN)
        params_bad(p, "hostname", "is too long");
    if (s->domainname && strlen(s->domainname) > UTS_NAME_LEN)
        params_bad(p, "domainname", "is too long");
}

int create_params(struct request *r, struct create_spec *s)
{
    struct params *p = &r->params;
    *s = (struct create_spec){0};
    params_string(p, "container_id", &s->id);
    parse_root(p, s);
    params_string(p, "hostname", &s->hostname);
    params_string(p, "domainname", &s->domainname);
    parse_mounts(p, s);
    parse_namespaces(p, s);
    parse_id_map(p, "uid_mappings", &s->uid_map);
    parse_id_map(p, "gid_mappings", &s->gid_map);
    params_strings(p, "masked_paths", &s->masked_paths);
    params_strings(p, "read_only_paths", &s->read_only_paths);
    parse_devices(p, s);
    s->sysctl = parse_texts(p, "sysctl");
    params_path(p, "cgroup", &s->cgroup);
    s->cgroup_files = parse_texts(p, "cgroup_files");
    parse_filter(p, s);
    parse_propagation(p, s);
    check_names(p, s);
    return request_params(r);
}

void create_spec_free(struct create_spec *s)
{
    for (unsigned i = 0; i < s->mount_count; i++) {
        struct create_mount *m = &s->mounts[i];
        free(m->destination);
        free(m->type);
        free_strings(m->options);
        free(m->source_path);
    }
    for (unsigned i = 0; i < s->device_count; i++)
        free(s->devices[i].path);
    for (unsigned i = 0; i < CREATE_NS_COUNT; i++)
        free(s->ns_container[i]);
    free(s->mounts);
    free(s->devices);
    free(s->id);
    free(s->hostname);
    free(s->domainname);
    free(s->uid_map.extents);
    free(s->gid_map.extents);
    free_strings(s->masked_paths);
    free_strings(s->read_only_paths);
    free(s->cgroup);
    free(s->filter);
}
