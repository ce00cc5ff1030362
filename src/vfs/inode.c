/*
 * Inodes, super blocks and the list of file system types: life, and who may do what to them.
 *
 * Permission follows path_resolution(7): the owner's, the group's or the others' three bits, then
 * the capabilities CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH.
 */
#include "vfs/inode.h"
#include "kernel/user_namespace.h"
#include "vfs/dentry.h"
#include "vfs/internal.h"
#include "vfs/locks.h"
#include "vfs/notify.h"
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

int64_t vfs_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME_COARSE, &t);
    return t.tv_sec * NSEC_PER_SEC + t.tv_nsec;
}

/* ---- inodes ---- */

void inode_init(struct inode *inode, struct super_block *sb, const struct inode_ops *ops,
                const struct file_ops *file_ops, uint32_t mode, uint32_t uid, uint32_t gid)
{
    memset(inode, 0, sizeof(*inode));
    refcount_init(&inode->ref);
    mutex_init(&inode->lock);
    inode->ops = ops;
    inode->file_ops = file_ops;
    inode->sb = sb;
    int64_t now = vfs_now();
    inode->attr =
        (struct attr){.dev = sb->dev,
                      .ino = atomic_fetch_add_explicit(&sb->next_ino, 1, memory_order_relaxed),
                      .mode = mode,
                      .uid = uid,
                      .gid = gid,
                      .nlink = S_ISDIR(mode) ? 2 : 1,
                      .blksize = PAGE_SIZE,
                      .atime = now,
                      .mtime = now,
                      .ctime = now,
                      .btime = now};
}

struct inode *inode_get(struct inode *inode)
{
    refcount_get(&inode->ref);
    return inode;
}

void inode_put(struct inode *inode)
{
    if (!refcount_put(&inode->ref))
        return;
    if (UNLIKELY(inode->locks))
        file_locks_free(inode);
    if (UNLIKELY(inode->watches))
        notify_inode_gone(inode);
    inode->ops->evict(inode);
}

void inode_init_owner(struct inode *dir, uint32_t mode, const struct cred *cred, uint32_t *ret_mode,
                      uint32_t *ret_gid)
{
    *ret_gid = cred->fsgid;
    *ret_mode = mode;
    if (!(dir->attr.mode & S_ISGID))
        return;
    *ret_gid = dir->attr.gid;
    if (S_ISDIR(mode))
        *ret_mode |= S_ISGID;
    else if ((mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) &&
             !cred_in_group(cred, dir->attr.gid) && !cred_capable_over(cred, dir->attr.uid, dir->attr.gid, CAP_FSETID))
        *ret_mode &= ~(uint32_t)S_ISGID;
}

int vfs_generic_permission(const struct inode *inode, int mask, const struct cred *cred)
{
    uint32_t mode = inode->attr.mode, bits = mode;
    if (inode->attr.uid == cred->fsuid)
        bits >>= 6;
    else if ((mode & 0070) != (mode & 0007) << 3 && cred_in_group(cred, inode->attr.gid))
        bits >>= 3;
    if (!((uint32_t)mask & ~bits & 7))
        return 0;
    if (S_ISDIR(mode)) {
        if (!(mask & MAY_WRITE) && capable_over_inode(cred, inode, CAP_DAC_READ_SEARCH))
            return 0;
        return capable_over_inode(cred, inode, CAP_DAC_OVERRIDE) ? 0 : -EACCES;
    }
    if (mask == MAY_READ && capable_over_inode(cred, inode, CAP_DAC_READ_SEARCH))
        return 0;
    if ((!(mask & MAY_EXEC) || mode & 0111) && capable_over_inode(cred, inode, CAP_DAC_OVERRIDE))
        return 0;
    return -EACCES;
}

int inode_permission(struct inode *inode, int mask, const struct cred *cred)
{
    return inode->ops->permission ? inode->ops->permission(inode, mask, cred)
                                  : vfs_generic_permission(inode, mask, cred);
}

int inode_getattr(struct inode *inode, struct attr *ret)
{
    if (inode->ops->getattr && !inode->attr_current) {
        int err = inode->ops->getattr(inode);
        if (err)
            return err;
    }
    *ret = inode->attr;
    return 0;
}

/* ---- super blocks ---- */

uint64_t sb_new_dev(void)
{
    static _Atomic unsigned next_minor = 20;
    return makedev(0, atomic_fetch_add(&next_minor, 1));
}

int sb_new(const char *type, const char *source, unsigned long magic, const struct super_ops *ops,
           struct super_block **ret)
{
    struct super_block *sb = calloc(1, sizeof(*sb));
    char *copy = strdup(source ? source : "none");
    if (!sb || !copy) {
        free(sb);
        free(copy);
        return -ENOMEM;
    }
    refcount_init(&sb->ref);
    mutex_init(&sb->rename_lock);
    sb->type = type;
    sb->source = copy;
    sb->magic = magic;
    sb->ops = ops;
    sb->dev = sb_new_dev();
    sb->user_ns = user_namespace_get(current_user_ns());
    sb->next_ino = 1;
    *ret = sb;
    return 0;
}

struct super_block *sb_get(struct super_block *sb)
{
    refcount_get(&sb->ref);
    return sb;
}

void sb_put(struct super_block *sb)
{
    if (!refcount_put(&sb->ref))
        return;
    dcache_forget_sb(sb);
    if (sb->root_dentry)
        dentry_put(sb->root_dentry);
    if (sb->root)
        inode_put(sb->root);
    const struct super_ops *ops = sb->ops;
    char *source = (char *)sb->source, *options = sb->options;
    struct user_namespace *owner = sb->user_ns;
    if (ops && ops->free)
        ops->free(sb);
    free(source);
    free(options);
    user_namespace_put(owner);
    free(sb);
}

/* ---- types ---- */

#define FS_TYPES_MAX 64
static const struct fs_type *fs_types[FS_TYPES_MAX]; /* filled at boot, then constant */
static unsigned fs_type_count;

void fs_register(const struct fs_type *type)
{
    assert_always(fs_type_count < FS_TYPES_MAX);
    fs_types[fs_type_count++] = type;
}

const struct fs_type *fs_find(const char *name)
{
    for (unsigned i = 0; i < fs_type_count; i++)
        if (!strcmp(fs_types[i]->name, name))
            return fs_types[i];
    return NULL;
}

const struct fs_type *fs_next(const struct fs_type *type)
{
    if (!type)
        return fs_type_count ? fs_types[0] : NULL;
    for (unsigned i = 0; i + 1 < fs_type_count; i++)
        if (fs_types[i] == type)
            return fs_types[i + 1];
    return NULL;
}
