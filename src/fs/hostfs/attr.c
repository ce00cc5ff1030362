/* Attributes and extended attributes of a writable tree. */
#include "fs/hostfs/private.h"
#include <fcntl.h>
#include <limits.h>
#include <string.h>

static struct timespec host_time(const struct setattr *change, unsigned which, int64_t ns)
{
    if (!(change->valid & which))
        return (struct timespec){.tv_nsec = UTIME_OMIT};
    int64_t sec = ns / NSEC_PER_SEC, rest = ns % NSEC_PER_SEC;
    if (rest < 0) {
        rest += NSEC_PER_SEC;
        sec--;
    }
    return (struct timespec){.tv_sec = sec, .tv_nsec = rest};
}

static int truncate_to(struct host_inode *h, uint64_t size)
{
    CLEANUP_HOST_FD struct host_fd *f = NULL;
    if (size > INT64_MAX)
        return -EFBIG;
    int err = write_fd(h, &f);
    if (err < 0)
        err = place_open(h, O_WRONLY, &f);
    return err < 0 ? err : host_ftruncate(f->fd, (int64_t)size);
}

static int change_owner(struct host_inode *h, int fd, const struct setattr *change)
{
    uint32_t uid = change->valid & ATTR_UID ? change->uid : (uint32_t)-1;
    uint32_t gid = change->valid & ATTR_GID ? change->gid : (uint32_t)-1;
    bool same = (uid == (uint32_t)-1 || uid == h->inode.attr.uid) &&
                (gid == (uint32_t)-1 || gid == h->inode.attr.gid);
    if (same && hostfs_of(&h->inode)->flags & HOSTFS_ROOTLESS)
        return 0; /* the ids shown are not always ids the host would take */
    return host_chown(fd, "", uid, gid);
}

int hostfs_setattr(struct inode *inode, const struct setattr *change)
{
    struct host_inode *h = host_inode(inode);
    CLEANUP_HOST_FD struct host_fd *f = NULL;
    if (hostfs_of(inode)->flags & HOSTFS_READ_ONLY)
        return -EROFS;
    int err = object_fd(h, false, &f);
    host_attr_stale(h);
    if (err >= 0 && change->valid & ATTR_SIZE)
        err = truncate_to(h, change->size);
    if (err >= 0 && change->valid & (ATTR_UID | ATTR_GID))
        err = change_owner(h, f->fd, change);
    if (err >= 0 && change->valid & ATTR_MODE)
        err = host_chmod(f->fd, change->mode);
    if (err >= 0 && change->valid & (ATTR_ATIME | ATTR_MTIME)) {
        struct timespec times[2] = {host_time(change, ATTR_ATIME, change->atime),
                                    host_time(change, ATTR_MTIME, change->mtime)};
        err = host_utimens(f->fd, times);
    }
    return err < 0 ? err : host_inode_refresh(h);
}

/* Others than user.* are the host's business (labels, ACLs, file capabilities): the guest sees a
 * file system without. */
static bool xattr_allowed(const struct inode *inode, const char *name)
{
    return strncmp(name, "user.", 5) == 0 &&
           (S_ISREG(inode->attr.mode) || S_ISDIR(inode->attr.mode));
}

ssize_t hostfs_getxattr(struct inode *inode, const char *name, void *value, size_t size)
{
    CLEANUP_HOST_FD struct host_fd *f = NULL;
    if (!xattr_allowed(inode, name))
        return -EOPNOTSUPP;
    int err = object_fd(host_inode(inode), true, &f);
    return err < 0 ? err : host_getxattr(f->fd, name, value, size);
}

int hostfs_setxattr(struct inode *inode, const char *name, const void *value, size_t size,
                    int flags)
{
    CLEANUP_HOST_FD struct host_fd *f = NULL;
    if (!xattr_allowed(inode, name))
        return -EOPNOTSUPP;
    if (hostfs_of(inode)->flags & HOSTFS_READ_ONLY)
        return -EROFS;
    int err = object_fd(host_inode(inode), true, &f);
    host_attr_stale(host_inode(inode));
    return err < 0 ? err : host_setxattr(f->fd, name, value, size, flags);
}

int hostfs_removexattr(struct inode *inode, const char *name)
{
    CLEANUP_HOST_FD struct host_fd *f = NULL;
    if (!xattr_allowed(inode, name))
        return -EOPNOTSUPP;
    if (hostfs_of(inode)->flags & HOSTFS_READ_ONLY)
        return -EROFS;
    int err = object_fd(host_inode(inode), true, &f);
    host_attr_stale(host_inode(inode));
    return err < 0 ? err : host_removexattr(f->fd, name);
}

/* Keeps the user.* names of a host's list: the length that is left. */
static size_t filter_names(char *list, size_t len)
{
    size_t kept = 0;
    for (size_t at = 0; at < len;) {
        size_t n = strnlen(list + at, len - at) + 1;
        if (n > len - at)
            break;
        if (strncmp(list + at, "user.", 5) == 0) {
            memmove(list + kept, list + at, n);
            kept += n;
        }
        at += n;
    }
    return kept;
}

ssize_t hostfs_listxattr(struct inode *inode, char *list, size_t size)
{
    CLEANUP_HOST_FD struct host_fd *f = NULL;
    if (!S_ISREG(inode->attr.mode) && !S_ISDIR(inode->attr.mode))
        return 0;
    int err = object_fd(host_inode(inode), true, &f);
    if (err < 0)
        return err == -EACCES ? 0 : err;
    CLEANUP_FREE char *all = malloc(XATTR_LIST_MAX);
    if (!all)
        return -ENOMEM;
    ssize_t n = host_listxattr(f->fd, all, XATTR_LIST_MAX);
    if (n < 0)
        return n == -EOPNOTSUPP ? 0 : n;
    size_t len = filter_names(all, (size_t)n);
    if (size && len > size)
        return -ERANGE;
    if (size)
        memcpy(list, all, len);
    return (ssize_t)len;
}
