/* Permission for extended attributes, by name space: see vfs/xattr.h and xattr(7). */
#include "vfs/xattr.h"
#include "kernel/cred.h"
#include "vfs/internal.h"
#include "vfs/notify.h"
#include <linux/capability.h>
#include <linux/xattr.h>
#include <stdlib.h>
#include <string.h>

static bool has_prefix(const char *name, const char *prefix)
{
    return !strncmp(name, prefix, strlen(prefix));
}

static int check_name(const char *name)
{
    static const char *const spaces[] = {"user.", "trusted.", "security."};
    for (unsigned i = 0; i < ARRAY_SIZE(spaces); i++)
        if (has_prefix(name, spaces[i]))
            return name[strlen(spaces[i])] ? 0 : -EINVAL;
    return -EOPNOTSUPP;
}

static int check_user(const struct inode *inode, bool write, const struct cred *cred)
{
    uint32_t mode = inode->attr.mode;
    if (!S_ISREG(mode) && !S_ISDIR(mode))
        return write ? -EPERM : -ENODATA;
    if (S_ISDIR(mode) && mode & S_ISVTX && write && inode->attr.uid != cred->fsuid &&
        !capable_over_inode(cred, inode, CAP_FOWNER))
        return -EPERM;
    return 0;
}

static int check(const struct path *p, const char *name, bool write)
{
    struct inode *inode = p->dentry->inode;
    const struct cred *cred = current_cred();
    int err = check_name(name);
    if (!err && write)
        err = mount_want_write(p->mount);
    if (err)
        return err;
    if (has_prefix(name, "trusted."))
        return cred_capable(cred, CAP_SYS_ADMIN) ? 0 : write ? -EPERM : -ENODATA;
    if (!strcmp(name, XATTR_NAME_CAPS))
        return !write || capable_over_inode(cred, inode, CAP_SETFCAP) ? 0 : -EPERM;
    if (has_prefix(name, "security."))
        return !write || cred_capable(cred, CAP_SYS_ADMIN) ? 0 : -EPERM;
    err = check_user(inode, write, cred);
    return err ? err : inode_permission(inode, write ? MAY_WRITE : MAY_READ, cred);
}

ssize_t vfs_getxattr(const struct path *p, const char *name, void *value, size_t size)
{
    struct inode *inode = p->dentry->inode;
    int err = check(p, name, false);
    if (err)
        return err;
    return inode->ops->getxattr ? inode->ops->getxattr(inode, name, value, size) : -EOPNOTSUPP;
}

/* What security.capability may be set to. */
static int check_caps(const void *value, size_t size)
{
    uint32_t magic;
    if (size < sizeof(magic))
        return -EINVAL;
    memcpy(&magic, value, sizeof(magic));
    switch (magic & VFS_CAP_REVISION_MASK) {
    case VFS_CAP_REVISION_2:
        return size == XATTR_CAPS_SZ_2 ? 0 : -EINVAL;
    case VFS_CAP_REVISION_3:
        return size == XATTR_CAPS_SZ_3 ? 0 : -EINVAL;
    default:
        return -EINVAL;
    }
}

int vfs_setxattr(const struct path *p, const char *name, const void *value, size_t size, int flags)
{
    struct inode *inode = p->dentry->inode;
    bool caps = !strcmp(name, XATTR_NAME_CAPS);
    int err = caps ? check_caps(value, size) : 0;
    if (!err)
        err = check(p, name, true);
    if (err)
        return err;
    if (caps)
        inode->caps_absent = false;
    if (!inode->ops->setxattr)
        return -EOPNOTSUPP;
    mutex_lock(&inode->lock);
    err = inode->ops->setxattr(inode, name, value, size, flags);
    mutex_unlock(&inode->lock);
    if (!err)
        notify_dentry(p->dentry, inode, IN_ATTRIB);
    return err;
}

int vfs_removexattr(const struct path *p, const char *name)
{
    struct inode *inode = p->dentry->inode;
    int err = check(p, name, true);
    if (err)
        return err;
    if (!inode->ops->removexattr)
        return -EOPNOTSUPP;
    mutex_lock(&inode->lock);
    err = inode->ops->removexattr(inode, name);
    mutex_unlock(&inode->lock);
    if (!err)
        notify_dentry(p->dentry, inode, IN_ATTRIB);
    return err;
}

#define LIST_MAX 65536

/* Takes the names that only CAP_SYS_ADMIN may see out of the list; the new length. */
static size_t drop_trusted(char *list, size_t len)
{
    size_t kept = 0;
    for (size_t i = 0, n; i < len; i += n) {
        n = strlen(list + i) + 1;
        if (has_prefix(list + i, "trusted."))
            continue;
        memmove(list + kept, list + i, n);
        kept += n;
    }
    return kept;
}

ssize_t vfs_listxattr(const struct path *p, char *list, size_t size)
{
    struct inode *inode = p->dentry->inode;
    if (!inode->ops->listxattr)
        return 0;
    if (capable(CAP_SYS_ADMIN))
        return inode->ops->listxattr(inode, list, size);
    CLEANUP_FREE char *all = malloc(LIST_MAX);
    if (!all)
        return -ENOMEM;
    ssize_t len = inode->ops->listxattr(inode, all, LIST_MAX);
    if (len < 0)
        return len;
    size_t kept = drop_trusted(all, (size_t)len);
    if (!size)
        return (ssize_t)kept;
    if (kept > size)
        return -ERANGE;
    memcpy(list, all, kept);
    return (ssize_t)kept;
}
