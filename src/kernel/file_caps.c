/* See file_caps.h. Two layouts are known: revision 2, and 3 with the user namespace root it is for. */
#include "kernel/file_caps.h"
#include "kernel/user_namespace.h"
#include "vfs/file.h"
#include "vfs/xattr.h"
#include <linux/capability.h>
#include <linux/xattr.h>
#include <string.h>

#define ALL_CAPS ((1ULL << (CAP_LAST_CAP + 1)) - 1)

static uint64_t join(uint32_t low, uint32_t high)
{
    return ((uint64_t)high << 32 | low) & ALL_CAPS;
}

static int decode(const struct vfs_ns_cap_data *d, ssize_t size, const struct user_namespace *ns, struct file_caps *ret)
{
    uint32_t magic = d->magic_etc;
    uint32_t root = 0;
    if ((magic & VFS_CAP_REVISION_MASK) == VFS_CAP_REVISION_3 && size == XATTR_CAPS_SZ_3)
        root = d->rootid;
    else if ((magic & VFS_CAP_REVISION_MASK) != VFS_CAP_REVISION_2 || size != XATTR_CAPS_SZ_2)
        return -EINVAL;
    if (id_from_ns(ns, ID_UID, 0) != root && ns != &root_user_ns && root != 0)
        return 0; /* meant for another namespace */
    *ret = (struct file_caps){.permitted = join(d->data[0].permitted, d->data[1].permitted),
                              .inheritable = join(d->data[0].inheritable, d->data[1].inheritable),
                              .effective = magic & VFS_CAP_FLAGS_EFFECTIVE};
    return 1;
}

int file_caps_read(struct file *exe, const struct user_namespace *ns, struct file_caps *ret)
{
    struct vfs_ns_cap_data d;
    struct inode *inode = exe->inode;
    if (LIKELY(inode->caps_absent))
        return 0;
    memset(&d, 0, sizeof(d));
    ssize_t n = vfs_getxattr(&exe->path, XATTR_NAME_CAPS, &d, sizeof(d));
    if (n < 0) { /* a file system that cannot tell has none */
        inode->caps_absent = true;
        return 0;
    }
    return decode(&d, n, ns, ret);
}
