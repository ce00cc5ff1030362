/* Extended attributes of tmpfs inodes: a short list each, every attribute charged as one page. */
#include "fs/tmpfs/private.h"
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#define XATTRS_MAX 128 /* of one inode */

static struct tmpfs_xattr *find(struct tmpfs_inode *ti, const char *name)
{
    struct tmpfs_xattr *x;
    list_for_each (x, &ti->xattrs, link)
        if (!strcmp(x->name, name))
            return x;
    return NULL;
}

static void remove_xattr(struct tmpfs_inode *ti, struct tmpfs_xattr *x)
{
    list_del(&x->link);
    free(x);
    ti->xattr_count--;
    tmpfs_uncharge(tmpfs_of(&ti->inode), 1);
}

ssize_t tmpfs_getxattr(struct inode *inode, const char *name, void *value, size_t size)
{
    MUTEX_GUARD(&inode->lock);
    struct tmpfs_xattr *x = find(tmpfs_inode(inode), name);
    if (!x)
        return -ENODATA;
    if (size && x->size > size)
        return -ERANGE;
    if (size)
        memcpy(value, x->value, x->size);
    return (ssize_t)x->size;
}

int tmpfs_setxattr(struct inode *inode, const char *name, const void *value, size_t size, int flags)
{
    struct tmpfs_inode *ti = tmpfs_inode(inode);
    struct tmpfs_xattr *old = find(ti, name);
    if (old && flags & XATTR_CREATE)
        return -EEXIST;
    if (!old && flags & XATTR_REPLACE)
        return -ENODATA;
    if (!old && ti->xattr_count >= XATTRS_MAX)
        return -ENOSPC;
    int err = tmpfs_charge(tmpfs_of(inode), 1);
    if (err)
        return err;
    size_t name_size = strlen(name) + 1;
    struct tmpfs_xattr *x = malloc(sizeof(*x) + name_size + size);
    if (!x) {
        tmpfs_uncharge(tmpfs_of(inode), 1);
        return -ENOMEM;
    }
    memcpy(x->name, name, name_size);
    x->value = x->name + name_size;
    x->size = size;
    memcpy(x->value, value, size);
    if (old)
        remove_xattr(ti, old);
    list_add_tail(&ti->xattrs, &x->link);
    ti->xattr_count++;
    inode->attr.ctime = vfs_now();
    return 0;
}

int tmpfs_removexattr(struct inode *inode, const char *name)
{
    struct tmpfs_xattr *x = find(tmpfs_inode(inode), name);
    if (!x)
        return -ENODATA;
    remove_xattr(tmpfs_inode(inode), x);
    inode->attr.ctime = vfs_now();
    return 0;
}

ssize_t tmpfs_listxattr(struct inode *inode, char *list, size_t size)
{
    size_t len = 0;
    struct tmpfs_xattr *x;
    MUTEX_GUARD(&inode->lock);
    list_for_each (x, &tmpfs_inode(inode)->xattrs, link) {
        size_t n = strlen(x->name) + 1;
        if (size && len + n > size)
            return -ERANGE;
        if (size)
            memcpy(list + len, x->name, n);
        len += n;
    }
    return (ssize_t)len;
}

void tmpfs_xattrs_free(struct tmpfs_inode *ti)
{
    struct tmpfs_xattr *x, *tmp;
    list_for_each_safe (x, tmp, &ti->xattrs, link)
        remove_xattr(ti, x);
}
