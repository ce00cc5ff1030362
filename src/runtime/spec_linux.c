/* config.json's "linux", except resources. */
#include "runtime/spec.h"
#include <string.h>
#include <sys/mount.h>

static const char *const namespace_names[SPEC_NS_COUNT + 1] = {
    "pid", "network", "ipc", "uts", "mount", "user", "cgroup", "time", NULL};

const char *spec_namespace_name(enum spec_namespace ns)
{
    return namespace_names[ns];
}

static int read_namespaces(const struct node *n, struct spec *spec)
{
    if (node_list(n) < 0)
        return -1;
    for (size_t i = 0; i < node_count(n); i++) {
        struct node e = node_element(n, i), type = node_member(&e, "type"),
                    path = node_member(&e, "path");
        unsigned which = 0;
        const char *where = NULL;
        if (node_object(&e) < 0 || node_required(&type) < 0 ||
            node_choice(&type, "namespace", namespace_names, &which) < 0 ||
            node_string(&path, &where) < 0)
            return -1;
        if (spec->namespaces[which].given)
            return node_error(&type, "the %s namespace is given twice", namespace_names[which]);
        if (where && *where && where[0] != '/')
            return node_error(&path, "must be an absolute path, not \"%.200s\"", where);
        spec->namespaces[which] =
            (struct spec_namespace_choice){.given = true, .path = where && *where ? where : NULL};
    }
    return 0;
}

static int read_id_maps(const struct node *n, struct spec_id_map **ret, size_t *ret_count)
{
    if (node_list(n) < 0)
        return -1;
    struct spec_id_map *list = spec_list(n, sizeof *list, ret_count);
    if (!list)
        return node_error(n, "out of memory");
    if (*ret_count > 340)
        return node_error(n, "has more than 340 ranges");
    for (size_t i = 0; i < *ret_count; i++) {
        struct node e = node_element(n, i);
        struct node inside = node_member(&e, "containerID"), outside = node_member(&e, "hostID");
        struct node size = node_member(&e, "size");
        if (node_object(&e) < 0 || node_u32(&inside, &list[i].inside) < 0 ||
            node_u32(&outside, &list[i].outside) < 0 || node_required(&size) < 0 ||
            node_u32(&size, &list[i].count) < 0)
            return -1;
        if (list[i].count == 0 || list[i].inside > UINT32_MAX - list[i].count ||
            list[i].outside > UINT32_MAX - list[i].count)
            return node_error(&e, "the range is empty or leaves the ids");
    }
    *ret = list;
    return 0;
}

static int read_device(const struct node *n, struct spec_device *d)
{
    static const char *const types[] = {"c", "u", "b", "p", NULL};
    static const char type_letters[] = "ccbp";
    struct node path = node_member(n, "path"), type = node_member(n, "type"),
                mode = node_member(n, "fileMode");
    struct node major = node_member(n, "major"), minor = node_member(n, "minor");
    struct node uid = node_member(n, "uid"), gid = node_member(n, "gid");
    unsigned which = 0;
    d->mode = 0666;
    if (node_object(n) < 0 || node_required(&path) < 0 || node_path(&path, &d->path) < 0 ||
        node_required(&type) < 0 || node_choice(&type, "device type", types, &which) < 0 ||
        node_u32(&mode, &d->mode) < 0 || node_u32(&uid, &d->uid) < 0 || node_u32(&gid, &d->gid) < 0)
        return -1;
    d->type = type_letters[which];
    if (d->type != 'p' && (node_required(&major) < 0 || node_required(&minor) < 0))
        return -1;
    if (node_u32(&major, &d->major) < 0 || node_u32(&minor, &d->minor) < 0)
        return -1;
    d->mode &= 07777;
    return 0;
}

static int read_devices(const struct node *n, struct spec *spec)
{
    if (node_list(n) < 0)
        return -1;
    spec->devices = spec_list(n, sizeof *spec->devices, &spec->device_count);
    if (!spec->devices)
        return node_error(n, "out of memory");
    for (size_t i = 0; i < spec->device_count; i++) {
        struct node e = node_element(n, i);
        if (read_device(&e, &spec->devices[i]) < 0)
            return -1;
    }
    return 0;
}

static int read_propagation(const struct node *n, struct spec *spec)
{
    static const char *const names[] = {"",       "private", "rprivate",   "slave",       "rslave",
                                        "shared", "rshared", "unbindable", "runbindable", NULL};
    static const unsigned long flags[] = {0,
                                          MS_PRIVATE,
                                          MS_PRIVATE | MS_REC,
                                          MS_SLAVE,
                                          MS_SLAVE | MS_REC,
                                          MS_SHARED,
                                          MS_SHARED | MS_REC,
                                          MS_UNBINDABLE,
                                          MS_UNBINDABLE | MS_REC};
    unsigned which = 0;
    if (node_choice(n, "propagation", names, &which) < 0)
        return -1;
    spec->rootfs_propagation = flags[which];
    return 0;
}

static int read_personality(const struct node *n, struct spec *spec)
{
    static const char *const domains[] = {"LINUX", "LINUX32", NULL};
    struct node domain = node_member(n, "domain"), flags = node_member(n, "flags");
    unsigned which = 0;
    if (!node_present(n))
        return 0;
    if (node_object(n) < 0 || node_required(&domain) < 0 ||
        node_choice(&domain, "domain", domains, &which) < 0 || node_list(&flags) < 0)
        return -1;
    if (node_count(&flags))
        return node_error(&flags, "no flags are supported");
    spec->personality_given = true;
    spec->personality = which == 1 ? 0x0008 : 0; /* PER_LINUX32 */
    return 0;
}

static int read_sysctl(const struct node *n, struct spec *spec)
{
    if (spec_read_pairs(n, &spec->sysctl) < 0)
        return -1;
    for (size_t i = 0; i < spec->sysctl.count; i++) {
        const char *name = spec->sysctl.list[i].name;
        if (!*name || name[0] == '.' || strstr(name, "..") || strlen(name) > 200)
            return node_error(n, "\"%.100s\" is no sysctl", name);
    }
    return 0;
}

static int read_paths(const struct node *n, char ***ret)
{
    if (node_strings(n, ret) < 0)
        return -1;
    for (size_t i = 0; i < node_count(n); i++) {
        struct node e = node_element(n, i);
        if ((*ret)[i][0] != '/')
            return node_error(&e, "must be an absolute path, not \"%.200s\"", (*ret)[i]);
    }
    return 0;
}

static void warn_ignored(const struct node *n)
{
    static const char *const ignored[] = {"mountLabel", "timeOffsets", "memoryPolicy",
                                          "netDevices"};
    for (size_t i = 0; i < ARRAY_SIZE(ignored); i++) {
        struct node member = node_member(n, ignored[i]);
        const char *text = json_string_value(member.value);
        if (node_present(&member) && !(text && !*text) &&
            !(json_is_object(member.value) && json_object_size(member.value) == 0))
            node_warn(&member, "is not supported and ignored");
    }
}

int spec_read_linux(const struct node *n, struct spec *spec)
{
    static const char *const known[] = {
        "namespaces",    "uidMappings", "gidMappings", "devices",           "cgroupsPath",
        "resources",     "sysctl",      "seccomp",     "rootfsPropagation", "maskedPaths",
        "readonlyPaths", "personality", "intelRdt",    "mountLabel",        "timeOffsets",
        "memoryPolicy",  "netDevices",  NULL};
    struct node namespaces = node_member(n, "namespaces"), uids = node_member(n, "uidMappings");
    struct node gids = node_member(n, "gidMappings"), devices = node_member(n, "devices");
    struct node cgroups = node_member(n, "cgroupsPath"), resources = node_member(n, "resources");
    struct node sysctl = node_member(n, "sysctl"), seccomp = node_member(n, "seccomp");
    struct node propagation = node_member(n, "rootfsPropagation"),
                masked = node_member(n, "maskedPaths");
    struct node readonly = node_member(n, "readonlyPaths"),
                personality = node_member(n, "personality");
    struct node rdt = node_member(n, "intelRdt");
    if (node_object(n) < 0 || read_namespaces(&namespaces, spec) < 0 ||
        read_id_maps(&uids, &spec->uid_map, &spec->uid_map_count) < 0 ||
        read_id_maps(&gids, &spec->gid_map, &spec->gid_map_count) < 0 ||
        read_devices(&devices, spec) < 0 || node_string(&cgroups, &spec->cgroups_path) < 0 ||
        spec_read_resources(&resources, &spec->resources) < 0 || read_sysctl(&sysctl, spec) < 0 ||
        node_object(&seccomp) < 0 || read_propagation(&propagation, spec) < 0 ||
        read_paths(&masked, &spec->masked_paths) < 0 ||
        read_paths(&readonly, &spec->readonly_paths) < 0 ||
        read_personality(&personality, spec) < 0)
        return -1;
    if (node_present(&rdt))
        return node_error(&rdt, "is not supported");
    spec->seccomp = seccomp.value;
    warn_ignored(n);
    node_warn_unknown(n, known);
    return 0;
}
