/* mount(2), umount2(2), pivot_root(2): decoding of the flags; the tree is changed by
 * vfs/mount.c. */
#include "base/cleanup.h"
#include "kernel/cred.h"
#include "mm/uaccess.h"
#include "syscalls/prototypes.h"
#include "vfs/fs_context.h"
#include "vfs/vfs.h"
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/mount.h>

#define PROPAGATION (MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE)
#define MOUNT_FLAGS \
    (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME | MS_RELATIME)
#define UMOUNT_NOFOLLOW_FLAG 8

static int lookup_user(uint64_t path_addr, unsigned walk, struct path *ret)
{
    CLEANUP_PATH char *path = NULL;
    int err = user_path(path_addr, &path);
    return err ? err : path_lookup(AT_FDCWD, path, walk, ret);
}

static bool may_mount(void)
{
    return ns_capable(current_fs()->ns->common.owner, CAP_SYS_ADMIN);
}

static unsigned mount_flags(uint64_t flags)
{
    return (unsigned)flags & (MOUNT_FLAGS | MS_STRICTATIME);
}

static int64_t mount_new_fs(const char *source, const char *type, const char *data, uint64_t flags,
                            const struct path *at)
{
    struct super_block *sb;
    const struct fs_type *fs = fs_find(type);
    if (!fs)
        return -ENODEV;
    if (!fs->mount)
        return -EPERM; /* known to /proc/filesystems, mounted by the kernel alone */
    int err = fs->mount(source, flags, data, &sb);
    if (err)
        return err;
    err = do_mount(sb, at, mount_flags(flags));
    sb_put(sb);
    return err;
}

/* A string the guest may leave out. */
static int optional_string(uint64_t addr, size_t max, char **ret)
{
    *ret = NULL;
    return addr ? strndup_user(addr, max, ret) : 0;
}

/* The options are one page, not necessarily with a NUL. */
static int get_options(uint64_t addr, char **ret)
{
    *ret = NULL;
    if (!addr)
        return 0;
    char *page = calloc(1, PAGE_SIZE + 1);
    if (!page)
        return -ENOMEM;
    if (!copy_from_user_partial(page, addr, PAGE_SIZE)) {
        free(page);
        return -EFAULT;
    }
    *ret = page;
    return 0;
}

int64_t sys_mount(const uint64_t *a)
{
    CLEANUP_FREE char *source = NULL, *type = NULL, *data = NULL;
    CLEANUP_PATH_REF struct path at = {0}, from = {0};
    uint64_t flags = a[3];
    if ((flags & MS_MGC_MSK) == MS_MGC_VAL)
        flags &= ~(uint64_t)MS_MGC_MSK;
    int err = optional_string(a[2], PAGE_SIZE, &type);
    if (!err)
        err = optional_string(a[0], PAGE_SIZE, &source);
    if (!err)
        err = get_options(a[4], &data);
    if (!err)
        err = lookup_user(a[1], WALK_FOLLOW, &at);
    if (!err && !may_mount())
        err = -EPERM;
    if (err)
        return err;
    if (flags & MS_REMOUNT)
        return do_remount(&at, mount_flags(flags), flags & MS_BIND, data);
    if (!(flags & (MS_BIND | PROPAGATION | MS_MOVE)))
        return type ? mount_new_fs(source, type, data, flags, &at) : -EINVAL;
    if (flags & PROPAGATION && !(flags & MS_BIND))
        return do_change_propagation(&at, (unsigned)flags & PROPAGATION, flags & MS_REC);
    if (!source || !*source)
        return -EINVAL;
    err = path_lookup(AT_FDCWD, source, WALK_FOLLOW, &from);
    if (err)
        return err;
    return flags & MS_BIND ? do_bind(&from, &at, flags & MS_REC) : do_move_mount(&from, &at);
}

int64_t sys_umount2(const uint64_t *a)
{
    struct path at = {0};
    int flags = (int)a[1];
    if (flags & ~(MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW_FLAG))
        return -EINVAL;
    int err = lookup_user(a[0], flags & UMOUNT_NOFOLLOW_FLAG ? 0 : WALK_FOLLOW, &at);
    if (!err && !may_mount())
        err = -EPERM;
    if (!err)
        return do_umount(&at, flags & ~UMOUNT_NOFOLLOW_FLAG);
    if (at.dentry)
        path_put(&at);
    return err;
}

int64_t sys_pivot_root(const uint64_t *a)
{
    CLEANUP_PATH_REF struct path new_root = {0}, put_old = {0};
    if (!may_mount())
        return -EPERM;
    int err = lookup_user(a[0], WALK_FOLLOW | WALK_DIRECTORY, &new_root);
    if (!err)
        err = lookup_user(a[1], WALK_FOLLOW | WALK_DIRECTORY, &put_old);
    return err ? err : do_pivot_root(&new_root, &put_old);
}
