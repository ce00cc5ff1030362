/*
 * config.json's "mounts". Options come as one list of words; here they are sorted into flags,
 * propagation and what is the file system's own business, as mount(8) does.
 */
#include "runtime/spec.h"
#include <string.h>
#include <sys/mount.h>

#ifndef MS_NOSYMFOLLOW
#define MS_NOSYMFOLLOW 256
#endif

struct mount_option {
    const char *name;
    unsigned long set, clear, recursive, propagation;
};

/* The table of the specification. */
static const struct mount_option table[] = {
    {.name = "async", .clear = MS_SYNCHRONOUS},
    {.name = "atime", .clear = MS_NOATIME},
    {.name = "bind"},
    {.name = "copy-symlink"},
    {.name = "defaults"},
    {.name = "dev", .clear = MS_NODEV},
    {.name = "diratime", .clear = MS_NODIRATIME},
    {.name = "dirsync", .set = MS_DIRSYNC},
    {.name = "exec", .clear = MS_NOEXEC},
    {.name = "idmap"},
    {.name = "iversion", .set = MS_I_VERSION},
    {.name = "lazytime", .set = MS_LAZYTIME},
    {.name = "loud", .clear = MS_SILENT},
    {.name = "mand", .set = MS_MANDLOCK},
    {.name = "noatime", .set = MS_NOATIME},
    {.name = "nodev", .set = MS_NODEV},
    {.name = "nodiratime", .set = MS_NODIRATIME},
    {.name = "noexec", .set = MS_NOEXEC},
    {.name = "noiversion", .clear = MS_I_VERSION},
    {.name = "nolazytime", .clear = MS_LAZYTIME},
    {.name = "nomand", .clear = MS_MANDLOCK},
    {.name = "norelatime", .clear = MS_RELATIME},
    {.name = "nostrictatime", .clear = MS_STRICTATIME},
    {.name = "nosuid", .set = MS_NOSUID},
    {.name = "nosymfollow", .set = MS_NOSYMFOLLOW},
    {.name = "private", .propagation = MS_PRIVATE},
    {.name = "ratime", .clear = MS_NOATIME},
    {.name = "rbind"},
    {.name = "rdev"},
    {.name = "rdiratime"},
    {.name = "relatime", .set = MS_RELATIME},
    {.name = "remount"},
    {.name = "rexec"},
    {.name = "ridmap"},
    {.name = "rnoatime", .recursive = MS_NOATIME},
    {.name = "rnodev", .recursive = MS_NODEV},
    {.name = "rnodiratime", .recursive = MS_NODIRATIME},
    {.name = "rnoexec", .recursive = MS_NOEXEC},
    {.name = "rnorelatime"},
    {.name = "rnostrictatime"},
    {.name = "rnosuid", .recursive = MS_NOSUID},
    {.name = "rnosymfollow", .recursive = MS_NOSYMFOLLOW},
    {.name = "ro", .set = MS_RDONLY},
    {.name = "rprivate", .propagation = MS_PRIVATE | MS_REC},
    {.name = "rrelatime"},
    {.name = "rro", .recursive = MS_RDONLY},
    {.name = "rrw"},
    {.name = "rshared", .propagation = MS_SHARED | MS_REC},
    {.name = "rslave", .propagation = MS_SLAVE | MS_REC},
    {.name = "rstrictatime"},
    {.name = "rsuid"},
    {.name = "rsymfollow"},
    {.name = "runbindable", .propagation = MS_UNBINDABLE | MS_REC},
    {.name = "rw", .clear = MS_RDONLY},
    {.name = "shared", .propagation = MS_SHARED},
    {.name = "silent", .set = MS_SILENT},
    {.name = "slave", .propagation = MS_SLAVE},
    {.name = "src-nofollow"},
    {.name = "strictatime", .set = MS_STRICTATIME},
    {.name = "suid", .clear = MS_NOSUID},
    {.name = "symfollow", .clear = MS_NOSYMFOLLOW},
    {.name = "sync", .set = MS_SYNCHRONOUS},
    {.name = "tmpcopyup"},
    {.name = "unbindable", .propagation = MS_UNBINDABLE},
};

const char *const spec_mount_option_names[ARRAY_SIZE(table) + 1] = {
    "async",         "atime",       "bind",        "defaults",  "dev",
    "diratime",      "dirsync",     "exec",        "iversion",  "lazytime",
    "loud",          "mand",        "noatime",     "nodev",     "nodiratime",
    "noexec",        "noiversion",  "nolazytime",  "nomand",    "norelatime",
    "nostrictatime", "nosuid",      "nosymfollow", "private",   "rbind",
    "relatime",      "ro",          "rprivate",    "rro",       "rshared",
    "rslave",        "runbindable", "rw",          "shared",    "silent",
    "slave",         "strictatime", "suid",        "symfollow", "sync",
    "tmpcopyup",     "unbindable",  NULL};

static const struct mount_option *find_option(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(table); i++)
        if (strcmp(table[i].name, name) == 0)
            return &table[i];
    return NULL;
}

/* The file system's own options, joined by commas. */
static int add_data(const struct node *n, struct spec_mount *m, const char *option)
{
    m->data = m->data[0] ? arena_printf(n->reader->arena, "%s,%s", m->data, option) : option;
    return m->data ? 0 : node_error(n, "out of memory");
}

static int apply_option(const struct node *n, struct spec_mount *m, const char *name)
{
    const struct mount_option *o = find_option(name);
    if (!o)
        return add_data(n, m, name);
    m->flags = (m->flags | o->set) & ~o->clear;
    m->clear = (m->clear | o->clear) & ~o->set;
    m->recursive |= o->recursive;
    if (o->propagation)
        m->propagation = o->propagation;
    m->bind |= strcmp(name, "bind") == 0 || strcmp(name, "rbind") == 0;
    m->bind_recursive |= strcmp(name, "rbind") == 0;
    m->copy_up |= strcmp(name, "tmpcopyup") == 0;
    m->idmap |= strcmp(name, "idmap") == 0 || strcmp(name, "ridmap") == 0;
    return 0;
}

static int read_mount(const struct node *n, struct spec_mount *m)
{
    static const char *const known[] = {"destination", "type",        "source", "options",
                                        "uidMappings", "gidMappings", NULL};
    struct node destination = node_member(n, "destination"), type = node_member(n, "type");
    struct node source = node_member(n, "source"), options = node_member(n, "options");
    *m = (struct spec_mount){.type = "", .data = ""};
    if (node_object(n) < 0 || node_required(&destination) < 0 ||
        node_string(&destination, &m->destination) < 0 || node_string(&type, &m->type) < 0 ||
        node_string(&source, &m->source) < 0 || node_strings(&options, &m->options) < 0)
        return -1;
    if (m->destination[0] != '/') {
        node_warn(&destination, "is not absolute; taken from /");
        m->destination = arena_printf(n->reader->arena, "/%s", m->destination);
        if (!m->destination)
            return node_error(n, "out of memory");
    }
    for (size_t i = 0; i < node_count(&options); i++) {
        struct node option = node_element(&options, i);
        if (apply_option(&option, m, m->options[i]) < 0)
            return -1;
    }
    m->bind |= strcmp(m->type, "bind") == 0;
    if (m->bind && (!m->source || !*m->source))
        return node_error(&source, "is required for a bind mount");
    if (!m->bind && !*m->type)
        return node_error(&type, "is required unless the mount is a bind mount");
    struct node uids = node_member(n, "uidMappings"), gids = node_member(n, "gidMappings");
    if (m->idmap || node_count(&uids) || node_count(&gids))
        return node_error(n, "id-mapped mounts are not supported");
    node_warn_unknown(n, known);
    return 0;
}

int spec_read_mounts(const struct node *n, struct spec *spec)
{
    if (node_list(n) < 0)
        return -1;
    spec->mounts = spec_list(n, sizeof *spec->mounts, &spec->mount_count);
    if (!spec->mounts)
        return node_error(n, "out of memory");
    for (size_t i = 0; i < spec->mount_count; i++) {
        struct node e = node_element(n, i);
        if (read_mount(&e, &spec->mounts[i]) < 0)
            return -1;
    }
    return 0;
}
