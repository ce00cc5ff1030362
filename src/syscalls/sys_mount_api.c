/* The mount API in small steps: open_tree, move_mount, fsopen, fsconfig, fsmount, fspick,
 * mount_setattr. What they do is in vfs/mount_change.c and vfs/fs_config.c. */
#include "base/cleanup.h"
#include "kernel/fdtable.h"
#include "kernel/user_namespace.h"
#include "mm/uaccess.h"
#include "syscalls/prototypes.h"
#include "vfs/fs_config.h"
#include "vfs/fs_context.h"
#include "vfs/vfs.h"
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/mount.h>

#define TREE_CLONE 1u
#define AT_RECURSIVE_FLAG 0x8000u
#define VALUE_MAX 256

/* ---- decoding ---- */

static bool may_mount(void)
{
    return ns_capable(current_fs()->ns->common.owner, CAP_SYS_ADMIN);
}

static unsigned walk_flags(bool follow, bool empty)
{
    return (follow ? WALK_FOLLOW : 0) | (empty ? WALK_EMPTY : 0);
}

static int lookup_user(int dirfd, uint64_t path_addr, unsigned walk, struct path *ret)
{
    CLEANUP_PATH char *path = NULL;
    int err = user_path(path_addr, &path);
    return err ? err : path_lookup(dirfd, path, walk, ret);
}

/* MOUNT_ATTR_... as MS_... flags. */
#define ATTR_KNOWN                                                                                          \
    (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | MOUNT_ATTR__ATIME | \
     MOUNT_ATTR_NODIRATIME | MOUNT_ATTR_NOSYMFOLLOW)

static unsigned plain_flags(uint64_t attr)
{
    static const struct {
        uint64_t attr;
        unsigned flag;
    } rows[] = {{MOUNT_ATTR_RDONLY, MS_RDONLY},
                {MOUNT_ATTR_NOSUID, MS_NOSUID},
                {MOUNT_ATTR_NODEV, MS_NODEV},
                {MOUNT_ATTR_NOEXEC, MS_NOEXEC},
                {MOUNT_ATTR_NODIRATIME, MS_NODIRATIME}};
    unsigned flags = 0;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        flags |= attr & rows[i].attr ? rows[i].flag : 0;
    return flags;
}

/* The kind of access times: -EINVAL for two at once. */
static int atime_flag(uint64_t attr, unsigned *ret)
{
    switch (attr & MOUNT_ATTR__ATIME) {
    case MOUNT_ATTR_RELATIME:
        *ret = MS_RELATIME;
        return 0;
    case MOUNT_ATTR_NOATIME:
        *ret = MS_NOATIME;
        return 0;
    case MOUNT_ATTR_STRICTATIME:
        *ret = 0;
        return 0;
    default:
        return -EINVAL;
    }
}

/* A descriptor like O_PATH's on a tree that it keeps; m's reference is consumed. */
static int64_t install_tree(struct mount *m, unsigned flags)
{
    CLEANUP_FILE struct file *file = NULL;
    const struct path at = {m, m->root};
    int err = vfs_open_path(&at, O_PATH, &file);
    if (err) {
        mount_detached_end(m);
        return err;
    }
    file->detached = m;
    return fd_install(TAKE_PTR(file), flags);
}

/* ---- trees ---- */

int64_t sys_open_tree(const uint64_t *a)
{
    unsigned flags = (unsigned)a[2];
    CLEANUP_PATH_REF struct path at = {0};
    CLEANUP_FILE struct file *file = NULL;
    struct mount *m;
    const unsigned known = TREE_CLONE | O_CLOEXEC | AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_RECURSIVE_FLAG |
                           AT_SYMLINK_NOFOLLOW;
    if (flags & ~known || (flags & (AT_RECURSIVE_FLAG | TREE_CLONE)) == AT_RECURSIVE_FLAG)
        return -EINVAL;
    if (flags & TREE_CLONE && !may_mount())
        return -EPERM;
    int err = lookup_user((int)a[0], a[1], walk_flags(!(flags & AT_SYMLINK_NOFOLLOW), flags & AT_EMPTY_PATH), &at);
    if (err)
        return err;
    if (flags & TREE_CLONE) {
        err = do_open_tree(&at, flags & AT_RECURSIVE_FLAG, &m);
        return err ? err : install_tree(m, flags & O_CLOEXEC);
    }
    err = vfs_open_path(&at, O_PATH, &file);
    return err ? err : fd_install(TAKE_PTR(file), flags & O_CLOEXEC);
}

int64_t sys_move_mount(const uint64_t *a)
{
    unsigned flags = (unsigned)a[4];
    CLEANUP_PATH_REF struct path from = {0}, to = {0};
    if (!may_mount())
        return -EPERM;
    if (flags & ~0x377u || (flags & 0x300u) == 0x300u)
        return -EINVAL;
    int err = lookup_user((int)a[0], a[1], walk_flags(flags & 1, flags & 4), &from);
    if (!err)
        err = lookup_user((int)a[2], a[3], walk_flags(flags & 0x10, flags & 0x40), &to);
    if (err)
        return err;
    if (flags & 0x100) /* MOVE_MOUNT_SET_GROUP */
        return do_set_group(&from, &to);
    return flags & 0x200 ? -EINVAL : do_move_mount(&from, &to); /* nothing is mounted beneath */
}

/* ---- contexts ---- */

int64_t sys_fsopen(const uint64_t *a)
{
    CLEANUP_FREE char *type = NULL;
    CLEANUP_FILE struct file *file = NULL;
    if (!may_mount())
        return -EPERM;
    if (a[1] & ~1ULL)
        return -EINVAL;
    int err = strndup_user(a[0], PAGE_SIZE, &type);
    if (!err)
        err = fs_config_new(type, &file);
    return err ? err : fd_install(TAKE_PTR(file), a[1] ? O_CLOEXEC : 0);
}

int64_t sys_fspick(const uint64_t *a)
{
    unsigned flags = (unsigned)a[2];
    CLEANUP_PATH_REF struct path at = {0};
    CLEANUP_FILE struct file *file = NULL;
    if (!may_mount())
        return -EPERM;
    if (flags & ~15u)
        return -EINVAL;
    int err = lookup_user((int)a[0], a[1], walk_flags(!(flags & 2), flags & 8), &at);
    if (!err)
        err = fs_config_pick(&at, &file);
    return err ? err : fd_install(TAKE_PTR(file), flags & 1 ? O_CLOEXEC : 0);
}

/* Which of key, value and number a command takes. */
static int check_config(unsigned command, uint64_t key, uint64_t value, int number)
{
    switch (command) {
    case 0: /* FSCONFIG_SET_FLAG */
        return !key || value || number ? -EINVAL : 0;
    case 1: /* SET_STRING */
        return !key || !value || number ? -EINVAL : 0;
    case 2: /* SET_BINARY */
        return !key || !value || number <= 0 || number > 1024 * 1024 ? -EINVAL : 0;
    case 3: /* SET_PATH, SET_PATH_EMPTY */
    case 4:
        return !key || !value || (number != AT_FDCWD && number < 0) ? -EINVAL : 0;
    case 5: /* SET_FD */
        return !key || value || number < 0 ? -EINVAL : 0;
    case 6: /* CMD_CREATE, CMD_RECONFIGURE, CMD_CREATE_EXCL */
    case 7:
    case 8:
        return key || value || number ? -EINVAL : 0;
    default:
        return -EOPNOTSUPP;
    }
}

int64_t sys_fsconfig(const uint64_t *a)
{
    CLEANUP_FILE struct file *file = NULL;
    CLEANUP_FREE char *key = NULL, *value = NULL;
    unsigned command = (unsigned)a[1];
    if ((int)a[0] < 0)
        return -EINVAL;
    int err = check_config(command, a[2], a[3], (int)a[4]);
    if (!err)
        err = fd_file((int)a[0], &file);
    if (!err && !is_fs_config(file))
        err = -EINVAL;
    if (err || command >= 6)
        return err ? err : fs_config_command(file, command);
    err = strndup_user(a[2], VALUE_MAX, &key);
    if (!err && command == 1)
        err = strndup_user(a[3], VALUE_MAX, &value);
    if (err)
        return err == -ENAMETOOLONG ? -EINVAL : err;
    return command > 1 ? -EINVAL : fs_config_set(file, key, value); /* no file system takes the other kinds */
}

int64_t sys_fsmount(const uint64_t *a)
{
    CLEANUP_FILE struct file *file = NULL;
    struct super_block *sb;
    struct mount *m;
    unsigned atime;
    if (!may_mount())
        return -EPERM;
    if (a[1] & ~1ULL || a[2] & ~(uint64_t)ATTR_KNOWN || atime_flag(a[2], &atime))
        return -EINVAL;
    int err = fd_file((int)a[0], &file);
    if (err)
        return err;
    if (!is_fs_config(file))
        return -EINVAL;
    err = fs_config_take(file, &sb);
    if (err)
        return err;
    err = do_fsmount(sb, plain_flags(a[2]) | (atime ? atime : MS_STRICTATIME), &m);
    sb_put(sb);
    return err ? err : install_tree(m, a[1] ? O_CLOEXEC : 0);
}

/* ---- mount_setattr ---- */

struct guest_mount_attr {
    uint64_t set, clear, propagation, userns_fd;
};

static int decode_attr(const struct guest_mount_attr *g, struct mount_change *ret)
{
    const uint64_t types = MS_UNBINDABLE | MS_PRIVATE | MS_SLAVE | MS_SHARED;
    unsigned atime = 0;
    if ((g->set | g->clear) & ~(uint64_t)(ATTR_KNOWN | MOUNT_ATTR_IDMAP))
        return -EINVAL;
    if ((g->set | g->clear) & MOUNT_ATTR_IDMAP)
        return -EINVAL; /* no file system of ours can */
    if (g->propagation & ~types || g->propagation & (g->propagation - 1))
        return -EINVAL;
    uint64_t times = g->clear & MOUNT_ATTR__ATIME;
    if (times ? times != MOUNT_ATTR__ATIME || atime_flag(g->set, &atime) : g->set & MOUNT_ATTR__ATIME)
        return -EINVAL;
    ret->set = plain_flags(g->set) | (times ? atime : 0);
    ret->clear = plain_flags(g->clear) | (times ? MS_RELATIME | MS_NOATIME : 0);
    ret->propagation = (unsigned)g->propagation;
    return 0;
}

int64_t sys_mount_setattr(const uint64_t *a)
{
    unsigned flags = (unsigned)a[2];
    struct guest_mount_attr g;
    struct mount_change change = {.recursive = flags & AT_RECURSIVE_FLAG};
    CLEANUP_PATH_REF struct path at = {0};
    if (flags & ~(AT_EMPTY_PATH | AT_RECURSIVE_FLAG | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT))
        return -EINVAL;
    if (a[4] > PAGE_SIZE)
        return -E2BIG;
    if (a[4] < sizeof(g))
        return -EINVAL;
    if (!may_mount())
        return -EPERM;
    int err = copy_struct_from_user(&g, sizeof(g), a[3], a[4], sizeof(g));
    if (err || !(g.set | g.clear | g.propagation))
        return err;
    err = decode_attr(&g, &change);
    if (!err)
        err = lookup_user((int)a[0], a[1], walk_flags(!(flags & AT_SYMLINK_NOFOLLOW), flags & AT_EMPTY_PATH), &at);
    return err ? err : do_mount_setattr(&at, &change);
}
