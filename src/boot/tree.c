/*
 * The sandbox's file tree: the donated root under a layer in memory, what every Linux has mounted on it, and the
 * volumes.
 *
 * The root is exclusive (fs/hostfs): what the host changes below it after the sandbox has looked is not noticed.
 * Volumes are shared, and looked at anew each time.
 */
#include "boot/boot.h"
#include "control/protocol.h"
#include "fs/dev/dev.h"
#include "fs/hostfs/hostfs.h"
#include "fs/overlay/overlay.h"
#include "fs/tmpfs/tmpfs.h"
#include "vfs/vfs.h"
#include <stdio.h>
#include <sys/mount.h>
#include <unistd.h>

static int populate_dev(struct dentry *root)
{
    return dev_populate(root, false);
}

static const struct system_mount {
    const char *type, *at, *options;
    unsigned flags;
    int (*populate)(struct dentry *root); /* makes what a fresh one contains, or NULL */
} system_mounts[] = {
    {"proc", "/proc", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL},
    {"sysfs", "/sys", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, NULL},
    {"cgroup2", "/sys/fs/cgroup", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL},
    {"tmpfs", "/dev", "mode=755", MS_NOSUID | MS_STRICTATIME, populate_dev},
    {"devpts", "/dev/pts", "mode=620,ptmxmode=666", MS_NOSUID | MS_NOEXEC, NULL},
    {"tmpfs", "/dev/shm", "mode=1777", MS_NOSUID | MS_NODEV, NULL},
    {"mqueue", "/dev/mqueue", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL},
};

/* A super block of a type known by name. -ENODEV: there is no such type. */
static int new_super(const char *type, const char *options, struct super_block **ret)
{
    const struct fs_type *fs = fs_find(type);
    return fs ? fs->mount(type, 0, options, ret) : -ENODEV;
}

/* The host's tree below, memory above: what the sandbox changes is gone with it. */
static int root_super(struct super_block **ret)
{
    unsigned flags = HOSTFS_EXCLUSIVE | HOSTFS_READ_ONLY | (geteuid() ? HOSTFS_ROOTLESS : 0);
    struct super_block *lower, *upper;
    int err = hostfs_new(DONATED_ROOT, flags, "root", &lower);
    if (err)
        return err;
    err = tmpfs_new("root", &(struct tmpfs_options){.mode = 0755}, &upper);
    if (!err) {
        err = overlay_new(lower, upper, "overlay", ret);
        sb_put(upper);
    }
    sb_put(lower);
    return err;
}

static int look_up(const char *path, struct path *ret)
{
    struct path root;
    mount_namespace_root(boot.mounts, &root);
    int err = path_lookup_in(&root, path, WALK_FOLLOW, ret);
    path_put(&root);
    return err;
}

/* Mounts `sb` at a path of the tree, which must be there. */
static int mount_at(struct super_block *sb, const char *at, unsigned flags)
{
    CLEANUP_PATH_REF struct path place = {0};
    int err = look_up(at, &place);
    return err ? err : do_mount(sb, &place, flags);
}

static int mount_system(const struct system_mount *m)
{
    CLEANUP_PATH_REF struct path top = {0};
    struct super_block *sb;
    int err = new_super(m->type, m->options, &sb);
    if (err == -ENODEV)
        return 0; /* not built in */
    if (err)
        return err;
    err = mount_at(sb, m->at, m->flags);
    sb_put(sb);
    if (!err && m->populate) {
        err = look_up(m->at, &top);
        if (!err)
            err = m->populate(top.dentry);
    }
    return err == -ENOENT ? 0 : err; /* a root without such a directory: whoever made it does not want it */
}

static int mount_volume(unsigned i)
{
    const struct start_volume *v = &boot.request->volumes[i];
    unsigned flags = (v->read_only ? HOSTFS_READ_ONLY : 0) | (geteuid() ? HOSTFS_ROOTLESS : 0);
    struct super_block *sb;
    int err = hostfs_new(DONATED_VOLUMES + (int)i, flags, "volume", &sb);
    if (err)
        return err;
    err = mount_at(sb, v->destination, v->read_only ? MS_RDONLY : 0);
    sb_put(sb);
    if (err) {
        char what[300];
        snprintf(what, sizeof what, "cannot mount a volume at '%.200s'", v->destination);
        boot_fail(what, err);
    }
    return 0;
}

int boot_tree(void)
{
    struct super_block *sb;
    int err = root_super(&sb);
    if (err)
        return err;
    err = mount_namespace_new(sb, 0, &boot.mounts);
    sb_put(sb);
    for (size_t i = 0; i < ARRAY_SIZE(system_mounts) && !err; i++)
        err = mount_system(&system_mounts[i]);
    for (unsigned i = 0; i < boot.request->volume_count && !err; i++)
        err = mount_volume(i);
    return err;
}
