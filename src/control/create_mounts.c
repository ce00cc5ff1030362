/*
 * The mount namespace of a new container: its root, what is mounted on it, device nodes, sysctls, and what is hidden or
 * read-only. All but the root is done as a process of the container with all rights would do it, by paths in it.
 */
#include "base/cleanup.h"
#include "control/copy_up.h"
#include "control/create.h"
#include "fs/dev/dev.h"
#include "fs/hostfs/hostfs.h"
#include "fs/overlay/overlay.h"
#include "fs/tmpfs/tmpfs.h"
#include "kernel/user_namespace.h"
#include "vfs/vfs.h"
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* ---- host trees ---- */

/* A super block over the donated directory; the descriptor stays with the request. */
static int host_tree(struct request *r, uint32_t index, unsigned flags, const char *name, struct super_block **ret)
{
    int fd = index < r->fd_count ? fcntl(r->fds[index], F_DUPFD_CLOEXEC, DONATED_END) : -1;
    if (fd < 0)
        return request_fail(r, -EBADF, "%s: there is no descriptor %u beside the request", name, index);
    int err = hostfs_new(fd, flags | (sandbox.rootless ? HOSTFS_ROOTLESS : 0), name, ret);
    if (err) {
        close(fd);
        return request_fail(r, err, "%s: descriptor %u: %s", name, index, strerror(-err));
    }
    return 0;
}

static int under_memory(struct super_block *lower, struct super_block **ret)
{
    struct super_block *upper;
    int err = tmpfs_new("root", &(struct tmpfs_options){.mode = 0755}, &upper);
    if (err)
        return err;
    err = overlay_new(lower, upper, "overlay", ret);
    sb_put(upper);
    return err;
}

static int make_root(struct request *r, const struct create_spec *s, struct mount_namespace **ret)
{
    struct super_block *tree, *sb;
    bool memory = s->overlay == 1;
    if (!memory && !s->root_read_only && !sandbox.host_write)
        return request_fail(r, -EROFS, "root: writing to the host needs host_write at Sandbox.Boot, or an overlay");
    unsigned flags = s->root_exclusive ? HOSTFS_EXCLUSIVE : 0;
    if (memory || !sandbox.host_write)
        flags |= HOSTFS_READ_ONLY;
    int err = host_tree(r, s->root_fd, flags, "root", &tree);
    if (err)
        return err;
    if (memory) {
        err = under_memory(tree, &sb);
        sb_put(tree);
        if (err)
            return err;
    } else {
        sb = tree;
    }
    err = mount_namespace_new(sb, 0, ret);
    sb_put(sb);
    return err;
}

/* ---- places ---- */

static int make_directories(const char *path)
{
    char prefix[PATH_MAX];
    for (const char *end = path; *end;) {
        end = strchrnul(end + 1, '/');
        snprintf(prefix, sizeof prefix, "%.*s", (int)(end - path), path);
        CLEANUP_PATH_REF struct path place = {0};
        int err = path_lookup(AT_FDCWD, prefix, WALK_FOLLOW, &place);
        if (err == -ENOENT)
            err = vfs_mkdir_at(AT_FDCWD, prefix, 0755);
        if (err)
            return err;
    }
    return 0;
}

static int make_parents(const char *path)
{
    CLEANUP_FREE char *copy = strdup(path);
    char *slash = copy ? strrchr(copy, '/') : NULL;
    if (!slash)
        return -ENOMEM;
    *slash = '\0';
    return *copy ? make_directories(copy) : 0;
}

/* The place at `path`, made if it is not there: a directory or an empty file. */
static int find_or_make(const char *path, bool directory, struct path *ret)
{
    int err = path_lookup(AT_FDCWD, path, WALK_FOLLOW, ret);
    if (err != -ENOENT)
        return err;
    err = directory ? make_directories(path) : make_parents(path);
    if (!err && !directory)
        err = vfs_mknod_at(AT_FDCWD, path, S_IFREG | 0644, 0);
    return err ? err : path_lookup(AT_FDCWD, path, WALK_FOLLOW, ret);
}

/* ---- mounts ---- */

static int set_propagation(const char *path, const struct mount_options *o)
{
    CLEANUP_PATH_REF struct path at = {0};
    int err = o->propagation ? path_lookup(AT_FDCWD, path, WALK_FOLLOW, &at) : 0;
    return err || !o->propagation ? err : do_change_propagation(&at, o->propagation, o->propagation_recursive);
}

/* Mounts what is at `source` in the tree. */
static int mount_part_of(struct super_block *sb, const char *source, const char *destination, unsigned flags)
{
    CLEANUP_PATH_REF struct path from = {0}, at = {0};
    struct mount *m;
    int err = mount_new_internal(sb, &m);
    if (err)
        return err;
    err = path_lookup_in(&(struct path){m, m->root}, source, WALK_FOLLOW, &from);
    if (!err)
        err = find_or_make(destination, inode_is_dir(from.dentry->inode), &at);
    if (!err)
        err = do_mount_part(sb, from.dentry, &at, flags);
    mount_put(m);
    return err;
}

static int mount_host_tree(struct request *r, const struct create_mount *m, const struct mount_options *o)
{
    struct super_block *sb;
    bool read_only = o->flags & MS_RDONLY;
    bool part = m->source_path && *m->source_path;
    if (o->data)
        return request_fail(r, -EOPNOTSUPP, "mount at '%.200s': option '%.100s' is unknown", m->destination, o->data);
    if (!read_only && !sandbox.host_write)
        return request_fail(r, -EROFS, "mount at '%.200s': writing to the host needs host_write at Sandbox.Boot",
                            m->destination);
    int err = host_tree(r, m->source_fd, read_only ? HOSTFS_READ_ONLY : 0, "bind", &sb);
    if (err)
        return err;
    if (part) {
        err = mount_part_of(sb, m->source_path, m->destination, o->flags);
    } else {
        CLEANUP_PATH_REF struct path at = {0};
        err = find_or_make(m->destination, true, &at);
        if (!err)
            err = do_mount(sb, &at, o->flags);
    }
    sb_put(sb);
    return err ? err : set_propagation(m->destination, o);
}

/* OCI's standard nodes are in whatever is mounted on /dev. */
static int populate_dev(struct super_block *sb)
{
    struct mount *m;
    int err = mount_new_internal(sb, &m);
    if (err)
        return err;
    err = dev_populate(m->root, false);
    mount_put(m);
    return err == -EEXIST ? 0 : err;
}

/* The new file system begins with a copy of what it covers. */
static int copy_up(struct super_block *sb, const struct path *at)
{
    struct mount *m;
    int err = mount_new_internal(sb, &m);
    if (err)
        return err;
    err = copy_up_tree(at, &(struct path){m, m->root});
    mount_put(m);
    return err;
}

static int mount_type(struct request *r, const struct create_mount *m, const struct mount_options *o)
{
    CLEANUP_PATH_REF struct path at = {0};
    struct super_block *sb;
    const struct fs_type *type = fs_find(m->type);
    if (!type || !type->mount)
        return m->optional ? 0 : request_fail(r, -ENODEV, "mount at '%.200s': there is no file system '%.50s'",
                                              m->destination, m->type);
    int err = find_or_make(m->destination, true, &at);
    if (!err)
        err = type->mount(m->type, o->flags, o->data, &sb);
    if (err)
        return err;
    bool dev = strcmp(m->destination, "/dev") == 0 && strcmp(m->type, "tmpfs") == 0;
    if (dev)
        err = populate_dev(sb);
    else if (o->copy_up)
        err = copy_up(sb, &at);
    if (!err)
        err = do_mount(sb, &at, o->flags);
    sb_put(sb);
    return err ? err : set_propagation(m->destination, o);
}

static bool is_absent(const char *path)
{
    CLEANUP_PATH_REF struct path place = {0};
    return path_lookup(AT_FDCWD, path, WALK_FOLLOW, &place) == -ENOENT;
}

static int mount_one(struct request *r, const struct create_mount *m)
{
    struct mount_options o;
    if ((m->optional || m->existing) && is_absent(m->destination))
        return m->optional ? 0 : request_fail(r, -ENOENT, "mount at '%.200s': there is no such place", m->destination);
    int err = mount_options_parse(m->options, &o);
    if (err)
        return err;
    err = m->has_source ? mount_host_tree(r, m, &o) : mount_type(r, m, &o);
    mount_options_free(&o);
    if (err && !r->message[0])
        request_fail(r, err, "mount at '%.200s': %s", m->destination, strerror(-err));
    return err;
}

/* ---- devices, sysctls ---- */

static int make_device(struct request *r, const struct create_device *d)
{
    CLEANUP_PATH_REF struct path place = {0};
    int err = make_parents(d->path);
    if (!err)
        err = vfs_mknod_path(AT_FDCWD, d->path, d->mode, makedev(d->major, d->minor), &place);
    if (!err)
        err = vfs_chown(&place, d->uid, d->gid);
    if (err && err != -EEXIST)
        return request_fail(r, err, "device '%.200s': %s", d->path, strerror(-err));
    return 0;
}

static int write_text(const char *path, const char *text)
{
    struct file *file;
    struct uio from;
    int err = vfs_open_at(AT_FDCWD, path, &(struct open_how_kernel){.flags = O_WRONLY}, &file);
    if (err)
        return err;
    uio_init_kernel(&from, (void *)text, strlen(text));
    ssize_t n = vfs_write(file, &from);
    file_put(file);
    return n < 0 ? (int)n : 0;
}

static int set_sysctls(struct request *r, const struct create_spec *s)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)s->sysctl, name, value)
    {
        char path[NAME_MAX + 16];
        snprintf(path, sizeof path, "/proc/sys/%s", name);
        for (char *c = path + strlen("/proc/sys/"); *c; c++)
            *c = *c == '.' ? '/' : *c == '/' ? '.' : *c; /* "net.ipv4.conf.eth0/1.x", as sysctl(8) has it */
        int err = write_text(path, json_string_value(value));
        if (err)
            return request_fail(r, err, "sysctl '%.100s': %s", name, strerror(-err));
    }
    return 0;
}

/* ---- hidden and read-only ---- */

static int mask(const char *path)
{
    CLEANUP_PATH_REF struct path at = {0}, null = {0};
    int err = path_lookup(AT_FDCWD, path, WALK_FOLLOW, &at);
    if (err)
        return err == -ENOENT || err == -ENOTDIR ? 0 : err;
    if (!inode_is_dir(at.dentry->inode)) {
        err = path_lookup(AT_FDCWD, "/dev/null", WALK_FOLLOW, &null);
        return err ? err : do_bind(&null, &at, false);
    }
    struct super_block *sb;
    err = tmpfs_new("tmpfs", &(struct tmpfs_options){.mode = 0755, .max_pages = 1, .max_inodes = 2}, &sb);
    if (err)
        return err;
    err = do_mount(sb, &at, MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC);
    sb_put(sb);
    return err;
}

static int make_read_only(const char *path)
{
    CLEANUP_PATH_REF struct path at = {0}, covered = {0};
    int err = path_lookup(AT_FDCWD, path, WALK_FOLLOW, &at);
    if (err)
        return err == -ENOENT || err == -ENOTDIR ? 0 : err;
    err = do_bind(&at, &at, true);
    if (!err)
        err = path_lookup(AT_FDCWD, path, WALK_FOLLOW, &covered);
    return err ? err : do_remount(&covered, covered.mount->flags | MS_RDONLY, true, NULL);
}

static int for_each_path(struct request *r, char *const *paths, const char *what, int (*fn)(const char *path))
{
    for (char *const *path = paths; path && *path; path++) {
        int err = (*path)[0] == '/' ? fn(*path) : -EINVAL;
        if (err)
            return request_fail(r, err, "%s '%.200s': %s", what, *path, strerror(-err));
    }
    return 0;
}

static int finish_root(const struct create_spec *s)
{
    CLEANUP_PATH_REF struct path root = {0};
    int err = path_lookup(AT_FDCWD, "/", WALK_FOLLOW, &root);
    if (!err && s->root_read_only)
        err = do_remount(&root, MS_RDONLY, true, NULL);
    if (!err && s->root_propagation)
        err = do_change_propagation(&root, s->root_propagation, s->root_propagation_recursive);
    return err;
}

/* ---- the whole ---- */

static int fill(struct request *r, const struct create_spec *s)
{
    int err = 0;
    for (unsigned i = 0; i < s->mount_count && !err; i++)
        err = mount_one(r, &s->mounts[i]);
    for (unsigned i = 0; i < s->device_count && !err; i++)
        err = make_device(r, &s->devices[i]);
    if (!err)
        err = set_sysctls(r, s);
    if (!err)
        err = for_each_path(r, s->masked_paths, "masked path", mask);
    if (!err)
        err = for_each_path(r, s->read_only_paths, "read-only path", make_read_only);
    return err ? err : finish_root(s);
}

int create_mounts(struct request *r, const struct create_spec *s, struct container *c)
{
    int err = make_root(r, s, &c->mounts);
    if (!err)
        err = container_step_in(c, NULL);
    if (err)
        return err;
    err = fill(r, s);
    container_step_out();
    return err;
}
