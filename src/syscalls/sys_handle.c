/*
 * File handles: name_to_handle_at(2), open_by_handle_at(2); and quotactl(2), which finds no file
 * system with quotas.
 *
 * A handle is an inode number and what tells the inode from a later one of that number.
 * DEVIATION: it can be opened as long as the file is in the dentry cache; ESTALE after that.
 */
#include "base/cleanup.h"
#include "base/hash.h"
#include "kernel/fdtable.h"
#include "kernel/user_namespace.h"
#include "mm/uaccess.h"
#include "syscalls/prototypes.h"
#include "vfs/vfs.h"
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <string.h>

#define HANDLE_MAX 128 /* MAX_HANDLE_SZ */
#define HANDLE_TYPE 0x81
#define AT_HANDLE_FID_FLAG 0x200u
#define AT_MNT_ID_UNIQUE_FLAG 1u

struct guest_handle_head {
    uint32_t bytes;
    int32_t type;
};

struct handle {
    uint64_t ino;
    uint32_t generation, reserved;
};

static uint32_t generation_of(const struct inode *inode)
{
    return (uint32_t)hash_u64((uint64_t)inode->attr.btime);
}

/* Those whose inodes are made up on each look-up have none. */
static bool gives_handles(const struct super_block *sb)
{
    return sb->magic == TMPFS_MAGIC || sb->magic == OVERLAYFS_SUPER_MAGIC || !strcmp(sb->type, "hostfs");
}

static int put_handle(const struct path *p, uaddr_t to, uaddr_t mount_id_to, bool unique)
{
    struct guest_handle_head head;
    const struct inode *inode = p->dentry->inode;
    struct handle h = {.ino = inode->attr.ino, .generation = generation_of(inode)};
    int32_t mount_id = p->mount->id;
    uint64_t mount_id64 = mount_unique_id(p->mount);
    if (get_user(&head, to))
        return -EFAULT;
    if (head.bytes > HANDLE_MAX)
        return -EINVAL;
    bool fits = head.bytes >= sizeof(h);
    head = (struct guest_handle_head){.bytes = sizeof(h), .type = HANDLE_TYPE};
    int err = unique ? put_user(&mount_id64, mount_id_to) : put_user(&mount_id, mount_id_to);
    if (!err)
        err = put_user(&head, to);
    if (!err && fits)
        err = put_user(&h, to + sizeof(head));
    return err ? err : fits ? 0 : -EOVERFLOW;
}

int64_t sys_name_to_handle_at(const uint64_t *a)
{
    CLEANUP_PATH char *path = NULL;
    CLEANUP_PATH_REF struct path p = {0};
    unsigned flags = (unsigned)a[4];
    if (flags & ~(unsigned)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH | AT_HANDLE_FID_FLAG | AT_MNT_ID_UNIQUE_FLAG))
        return -EINVAL;
    int err = user_path(a[1], &path);
    unsigned walk = (flags & AT_SYMLINK_FOLLOW ? WALK_FOLLOW : 0) | (flags & AT_EMPTY_PATH ? WALK_EMPTY : 0);
    if (!err)
        err = path_lookup((int)a[0], path, walk, &p);
    if (err)
        return err;
    if (!p.mount || !gives_handles(p.dentry->sb))
        return -EOPNOTSUPP;
    return put_handle(&p, a[2], a[3], flags & AT_MNT_ID_UNIQUE_FLAG);
}

/* The mount that a descriptor (or AT_FDCWD) is in. */
static int mount_of_fd(int fd, struct path *ret)
{
    CLEANUP_FILE struct file *file = NULL;
    if (fd == AT_FDCWD)
        return path_lookup(AT_FDCWD, ".", 0, ret);
    int err = fd_file_any(fd, &file);
    if (err)
        return err;
    if (!file->path.mount)
        return -ESTALE;
    *ret = file->path;
    path_get(ret);
    return 0;
}

int64_t sys_open_by_handle_at(const uint64_t *a)
{
    struct guest_handle_head head;
    struct handle h = {0};
    CLEANUP_PATH_REF struct path in = {0}, at = {0};
    CLEANUP_FILE struct file *file = NULL;
    uint32_t flags = (uint32_t)a[2];
    if (!cred_capable_own(current_cred(), CAP_DAC_READ_SEARCH))
        return -EPERM;
    int err = mount_of_fd((int)a[0], &in);
    if (err)
        return err;
    if (get_user(&head, a[1]))
        return -EFAULT;
    if (head.bytes == 0 || head.bytes > HANDLE_MAX)
        return -EINVAL;
    if (head.type != HANDLE_TYPE || head.bytes != sizeof(h))
        return -ESTALE;
    if (get_user(&h, a[1] + sizeof(head)))
        return -EFAULT;
    if (!ns_capable(in.mount->sb->user_ns, CAP_DAC_READ_SEARCH))
        return -EPERM;
    at.dentry = dentry_find_ino(in.mount->sb, h.ino);
    if (!at.dentry)
        return -ESTALE;
    at.mount = mount_get(in.mount);
    if (generation_of(at.dentry->inode) != h.generation)
        return -ESTALE;
    if (S_ISLNK(at.dentry->inode->attr.mode) && !(flags & O_PATH))
        return -ELOOP;
    err = vfs_open_path(&at, flags & ~(uint32_t)(O_CLOEXEC | O_CREAT | O_EXCL), &file);
    return err ? err : fd_install(TAKE_PTR(file), flags & O_CLOEXEC);
}

/* ---- quotas ---- */

#define QUOTA_TYPES 3
#define QUOTA_SYNC 0x800001u

int64_t sys_quotactl(const uint64_t *a)
{
    CLEANUP_PATH char *path = NULL;
    CLEANUP_PATH_REF struct path p = {0};
    unsigned command = (uint32_t)a[0] >> 8, type = (uint32_t)a[0] & 0xff;
    if (type >= QUOTA_TYPES)
        return -EINVAL;
    if (!a[1])
        return command == (QUOTA_SYNC & 0xffffff) ? 0 : -ENODEV;
    int err = user_path(a[1], &path);
    if (!err)
        err = path_lookup(AT_FDCWD, path, WALK_FOLLOW, &p);
    if (err)
        return err;
    return S_ISBLK(p.dentry->inode->attr.mode) ? -ENODEV : -ENOTBLK;
}

int64_t sys_quotactl_fd(const uint64_t *a)
{
    CLEANUP_FILE struct file *file = NULL;
    int err = fd_file_any((int)a[0], &file);
    if (err)
        return err;
    return ((uint32_t)a[1] & 0xff) >= QUOTA_TYPES ? -EINVAL : -ENOSYS; /* no quotas on any file system */
}
