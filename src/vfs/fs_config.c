/* File system contexts: see fs_config.h. */
#include "vfs/fs_config.h"
#include "base/strbuf.h"
#include "kernel/user_namespace.h"
#include "vfs/internal.h"
#include "vfs/vfs.h"
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#define OPTIONS_MAX 65536

/* Of enum fsconfig_command, whose header glibc's may contradict. */
enum { CMD_CREATE = 6, CMD_RECONFIGURE = 7, CMD_CREATE_EXCL = 8 };

enum phase { PHASE_PARAMETERS, PHASE_MADE, PHASE_RECONFIGURE, PHASE_FAILED };

struct fs_config {
    struct mutex lock;
    const struct fs_type *type; /* [I] */
    enum phase phase;           /* [lock] */
    char *source;               /* [lock] */
    struct strbuf options;      /* [lock] */
    unsigned sb_flags, sb_mask; /* [lock] MS_RDONLY ..., and which of them were said */
    struct super_block *sb;     /* [lock] reference, from PHASE_MADE or for reconfiguring */
};

static const struct file_ops fs_config_ops;

bool is_fs_config(const struct file *file)
{
    return file->ops == &fs_config_ops;
}

static int config_alloc(struct fs_config **ret, struct file **ret_file)
{
    struct fs_config *c = calloc(1, sizeof(*c));
    if (!c)
        return -ENOMEM;
    mutex_init(&c->lock);
    c->options = (struct strbuf)STRBUF_INIT;
    int err = file_new_anon("anon_inode:[fscontext]", S_IFREG | 0600, &fs_config_ops, c, O_RDWR, ret_file);
    if (err)
        free(c);
    else
        *ret = c;
    return err;
}

int fs_config_new(const char *type, struct file **ret)
{
    struct fs_config *c;
    const struct fs_type *fs = fs_find(type);
    if (!fs)
        return -ENODEV;
    int err = config_alloc(&c, ret);
    if (!err)
        c->type = fs;
    return err;
}

int fs_config_pick(const struct path *at, struct file **ret)
{
    struct fs_config *c;
    if (at->dentry != at->mount->root)
        return -EINVAL;
    int err = config_alloc(&c, ret);
    if (err)
        return err;
    c->sb = sb_get(at->mount->sb);
    c->phase = PHASE_RECONFIGURE;
    return 0;
}

/* ---- parameters ---- */

/* Those that every file system has: true if it was one. */
static bool set_generic(struct fs_config *c, const char *key)
{
    static const struct {
        const char *key;
        unsigned set, clear;
    } rows[] = {{"ro", MS_RDONLY, 0},      {"rw", 0, MS_RDONLY},           {"sync", MS_SYNCHRONOUS, 0},
                {"async", 0, MS_SYNCHRONOUS}, {"dirsync", MS_DIRSYNC, 0},  {"lazytime", MS_LAZYTIME, 0},
                {"nolazytime", 0, MS_LAZYTIME}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (strcmp(rows[i].key, key))
            continue;
        c->sb_flags = (c->sb_flags | rows[i].set) & ~rows[i].clear;
        c->sb_mask |= rows[i].set | rows[i].clear;
        return true;
    }
    return false;
}

static int set_source(struct fs_config *c, const char *value)
{
    if (!value || c->source)
        return -EINVAL;
    c->source = strdup(value);
    return c->source ? 0 : -ENOMEM;
}

int fs_config_set(struct file *file, const char *key, const char *value)
{
    struct fs_config *c = file->private_data;
    MUTEX_GUARD(&c->lock);
    if (c->phase != PHASE_PARAMETERS && c->phase != PHASE_RECONFIGURE)
        return -EBUSY;
    if (!value && set_generic(c, key))
        return 0;
    if (!strcmp(key, "source"))
        return set_source(c, value);
    if (c->options.len + strlen(key) + (value ? strlen(value) : 0) > OPTIONS_MAX)
        return -ENOSPC;
    strbuf_printf(&c->options, "%s%s%s%s", c->options.len ? "," : "", key, value ? "=" : "", value ? value : "");
    return c->options.failed ? -ENOMEM : 0;
}

static int make_super(struct fs_config *c)
{
    if (c->phase != PHASE_PARAMETERS)
        return -EBUSY;
    if (!c->type->mount)
        return -EPERM;
    int err = c->type->mount(c->source, c->sb_flags, c->options.len ? c->options.s : NULL, &c->sb);
    c->phase = err ? PHASE_FAILED : PHASE_MADE;
    if (!err && c->sb_flags & MS_RDONLY)
        c->sb->read_only = true;
    return err;
}

static int reconfigure(struct fs_config *c)
{
    if (c->phase != PHASE_RECONFIGURE)
        return -EBUSY;
    if (!ns_capable(c->sb->user_ns, CAP_SYS_ADMIN))
        return -EPERM;
    int err = 0;
    MUTEX_GUARD(&mount_lock);
    if (c->sb_flags & MS_RDONLY && c->sb->writers > 0)
        return -EBUSY;
    if (c->options.len && c->sb->ops && c->sb->ops->remount)
        err = c->sb->ops->remount(c->sb, c->options.s);
    if (!err && c->sb_mask & MS_RDONLY)
        c->sb->read_only = c->sb_flags & MS_RDONLY;
    return err;
}

int fs_config_command(struct file *file, unsigned command)
{
    struct fs_config *c = file->private_data;
    MUTEX_GUARD(&c->lock);
    switch (command) {
    case CMD_CREATE:
    case CMD_CREATE_EXCL:
        return make_super(c);
    case CMD_RECONFIGURE:
        return reconfigure(c);
    default:
        return -EOPNOTSUPP;
    }
}

int fs_config_take(struct file *file, struct super_block **ret)
{
    struct fs_config *c = file->private_data;
    MUTEX_GUARD(&c->lock);
    if (!c->sb)
        return -EINVAL;
    if (c->phase != PHASE_MADE)
        return -EBUSY;
    *ret = sb_get(c->sb);
    c->phase = PHASE_RECONFIGURE;
    return 0;
}

/* Messages about what went wrong: there are none. */
static ssize_t config_read(struct file *file, struct uio *to, int64_t *pos)
{
    return -ENODATA;
}

static void config_release(struct file *file)
{
    struct fs_config *c = file->private_data;
    if (c->sb)
        sb_put(c->sb);
    strbuf_free(&c->options);
    free(c->source);
    free(c);
}

static const struct file_ops fs_config_ops = {.read = config_read, .release = config_release, .stream = true};
