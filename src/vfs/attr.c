/*
 * The verbs on attributes: stat, chmod, chown, utimes, truncate, access, statfs. Each settles
 * permission as the manual page of its system call says, then hands a struct setattr to the file
 * system under the inode's lock.
 */
#include "kernel/limits.h"
#include "kernel/user_namespace.h"
#include "vfs/file.h"
#include "vfs/fs_context.h"
#include "vfs/internal.h"
#include "vfs/leases.h"
#include "vfs/notify.h"
#include "vfs/walk_engine.h"
#include <linux/capability.h>
#include <linux/xattr.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>

/* ---- stat ---- */

int vfs_stat_at(int dirfd, const char *path, unsigned flags, struct attr *ret,
                struct path *ret_path)
{
    struct walk w;
    struct path p = {0};
    int err;
    if (!*path) {
        err = path_lookup(dirfd, path, flags, &p);
    } else {
        err = walk_begin(&w, NULL, dirfd, path, flags);
        if (err)
            return err;
        err = walk_run(&w);
        struct inode *inode = w.cur.dentry->inode;
        bool here = !err && w.fast && !ret_path && (!inode->ops->getattr || inode->attr_current);
        if (here)
            *ret = inode->attr; /* dentry_lock keeps the inode; each field is read whole */
        if (err || here) {
            walk_end(&w);
            return err;
        }
        walk_finish(&w, &p);
    }
    if (!err)
        err = inode_getattr(p.dentry->inode, ret);
    if (!err && ret_path)
        *ret_path = p;
    else if (p.dentry)
        path_put(&p);
    return err;
}

/* ---- setattr ---- */

int inode_setattr_locked(struct inode *inode, const struct setattr *change)
{
    mutex_assert_held(&inode->lock);
    return inode->ops->setattr ? inode->ops->setattr(inode, change) : -EPERM;
}

int inode_setattr(struct inode *inode, const struct setattr *change)
{
    MUTEX_GUARD(&inode->lock);
    return inode_setattr_locked(inode, change);
}

static bool is_owner(const struct inode *inode, const struct cred *cred)
{
    return inode->attr.uid == cred->fsuid || capable_over_inode(cred, inode, CAP_FOWNER);
}

/* Changes what `path` names, on a writable mount, and tells the watchers. */
static int change_path(const struct path *p, const struct setattr *change)
{
    int err = inode_setattr(p->dentry->inode, change);
    if (!err)
        notify_dentry(p->dentry, p->dentry->inode, IN_ATTRIB);
    return err;
}

int vfs_setattr(const struct path *p, const struct setattr *change)
{
    int err = mount_want_write(p->mount);
    return err ? err : change_path(p, change);
}

int vfs_chmod(const struct path *p, uint32_t mode)
{
    struct inode *inode = p->dentry->inode;
    const struct cred *cred = current_cred();
    int err = mount_want_write(p->mount);
    if (err)
        return err;
    if (S_ISLNK(inode->attr.mode))
        return -EOPNOTSUPP;
    if (!is_owner(inode, cred))
        return -EPERM;
    if (mode & S_ISGID && !cred_in_group(cred, inode->attr.gid) && !capable_over_inode(cred, inode, CAP_FSETID))
        mode &= ~(uint32_t)S_ISGID;
    struct setattr change = {.valid = ATTR_MODE,
                             .mode = (inode->attr.mode & S_IFMT) | (mode & 07777)};
    return change_path(p, &change);
}

/* The mode without the set-id bits that a change of owner or contents takes away. */
static uint32_t mode_without_privs(uint32_t mode)
{
    mode &= ~(uint32_t)S_ISUID;
    return mode & S_IXGRP ? mode & ~(uint32_t)S_ISGID : mode;
}

/* Capabilities are given to contents and owner as they are. At most once for an inode that never had any. */
static void remove_file_caps(struct inode *inode)
{
    if (S_ISREG(inode->attr.mode) && inode->ops->removexattr) {
        MUTEX_GUARD(&inode->lock);
        (void)!inode->ops->removexattr(inode, XATTR_NAME_CAPS);
    }
    inode->caps_absent = true;
}

int vfs_chown(const struct path *p, uint32_t uid, uint32_t gid)
{
    struct inode *inode = p->dentry->inode;
    const struct cred *cred = current_cred();
    bool may_chown = capable_over_inode(cred, inode, CAP_CHOWN), owner = inode->attr.uid == cred->fsuid;
    int err = mount_want_write(p->mount);
    if (err)
        return err;
    if (uid != UINT32_MAX && !may_chown && !(owner && uid == inode->attr.uid))
        return -EPERM;
    if (gid != UINT32_MAX && !may_chown &&
        !(owner && (gid == inode->attr.gid || cred_in_group(cred, gid))))
        return -EPERM;
    if (!inode->caps_absent)
        remove_file_caps(inode);
    struct setattr change = {.uid = uid, .gid = gid, .mode = mode_without_privs(inode->attr.mode)};
    if (uid != UINT32_MAX)
        change.valid |= ATTR_UID;
    if (gid != UINT32_MAX)
        change.valid |= ATTR_GID;
    if (!S_ISDIR(inode->attr.mode) && change.mode != inode->attr.mode)
        change.valid |= ATTR_MODE;
    if (!change.valid)
        change.valid = ATTR_CTIME;
    return change_path(p, &change);
}

int vfs_utimes(const struct path *p, int64_t atime, int64_t mtime)
{
    struct inode *inode = p->dentry->inode;
    const struct cred *cred = current_cred();
    struct setattr change = {0};
    if (atime == UTIME_OMIT_NS && mtime == UTIME_OMIT_NS)
        return 0;
    int err = mount_want_write(p->mount);
    if (err)
        return err;
    bool both_now = atime == UTIME_NOW_NS && mtime == UTIME_NOW_NS;
    if (!is_owner(inode, cred)) {
        err = both_now ? inode_permission(inode, MAY_WRITE, cred) : -EPERM;
        if (err)
            return err;
    }
    int64_t now = both_now || atime == UTIME_NOW_NS || mtime == UTIME_NOW_NS ? vfs_now() : 0;
    if (atime != UTIME_OMIT_NS) {
        change.valid |= ATTR_ATIME;
        change.atime = atime == UTIME_NOW_NS ? now : atime;
    }
    if (mtime != UTIME_OMIT_NS) {
        change.valid |= ATTR_MTIME;
        change.mtime = mtime == UTIME_NOW_NS ? now : mtime;
    }
    return change_path(p, &change);
}

/* ---- truncate ---- */

int file_remove_privs(struct inode *inode, const struct cred *cred)
{
    uint32_t mode = inode->attr.mode;
    if (UNLIKELY(!inode->caps_absent))
        remove_file_caps(inode);
    if (LIKELY(!(mode & (S_ISUID | S_ISGID))) || !S_ISREG(mode) ||
        mode_without_privs(mode) == mode || capable_over_inode(cred, inode, CAP_FSETID))
        return 0;
    struct setattr change = {.valid = ATTR_MODE, .mode = mode_without_privs(mode)};
    return inode_setattr(inode, &change);
}

/* Permission is settled. */
int inode_truncate(struct inode *inode, int64_t size)
{
    struct setattr change = {.valid = ATTR_SIZE, .size = (uint64_t)size};
    int err = file_remove_privs(inode, current_cred());
    return err ? err : inode_setattr(inode, &change);
}

static int check_new_size(struct file *f, const struct inode *inode, int64_t size)
{
    if (size < 0)
        return -EINVAL;
    if ((uint64_t)size <= inode->attr.size)
        return 0;
    ssize_t room = vfs_write_limit(f, size - 1, 1);
    return room < 0 ? (int)room : 0;
}

int vfs_truncate(const struct path *p, int64_t size)
{
    struct inode *inode = p->dentry->inode;
    if (size < 0)
        return -EINVAL;
    if (S_ISDIR(inode->attr.mode))
        return -EISDIR;
    if (!S_ISREG(inode->attr.mode))
        return -EINVAL;
    int err = mount_want_write(p->mount);
    if (!err)
        err = inode_permission(inode, MAY_WRITE, current_cred());
    if (!err && inode->writers < 0)
        err = -ETXTBSY;
    if (!err)
        err = lease_break(inode, true, false);
    if (!err)
        err = check_new_size(NULL, inode, size);
    if (!err)
        err = inode_truncate(inode, size);
    if (!err)
        notify_dentry(p->dentry, inode, IN_MODIFY);
    return err;
}

int vfs_ftruncate(struct file *f, int64_t size)
{
    if (size < 0 || !S_ISREG(f->inode->attr.mode) || !file_writable(f))
        return -EINVAL;
    int err = check_new_size(f, f->inode, size);
    if (!err)
        err = inode_truncate(f->inode, size);
    if (!err)
        notify_dentry(f->path.dentry, f->inode, IN_MODIFY);
    return err;
}

/* ---- access, statfs, chdir, chroot ---- */

/* Credentials as access(2) wants them: real ids, and the capabilities a set-id program would have
 * without it. */
static int cred_real(const struct cred *cred, struct cred **ret)
{
    struct cred *real;
    int err = cred_copy(cred, &real);
    if (err)
        return err;
    real->fsuid = real->uid;
    real->fsgid = real->gid;
    bool is_root = real->uid == id_from_ns(real->user_ns, ID_UID, 0);
    real->cap_effective = is_root ? real->cap_permitted : 0;
    *ret = real;
    return 0;
}

static int check_access(const struct path *p, int mode, const struct cred *cred)
{
    struct inode *inode = p->dentry->inode;
    int mask = (mode & 4 ? MAY_READ : 0) | (mode & 2 ? MAY_WRITE : 0) | (mode & 1 ? MAY_EXEC : 0);
    uint32_t type = inode->attr.mode & S_IFMT;
    if (mask & MAY_EXEC && type == S_IFREG && p->mount && p->mount->flags & ST_NOEXEC)
        return -EACCES;
    int err = mask ? inode_permission(inode, mask, cred) : 0;
    if (err || !(mask & MAY_WRITE) || (type != S_IFREG && type != S_IFDIR && type != S_IFLNK))
        return err;
    return mount_want_write(p->mount);
}

int vfs_access_at(int dirfd, const char *path, int mode, unsigned walk_flags, bool effective_ids)
{
    CLEANUP_PATH_REF struct path p = {0};
    const struct cred *cred = current_cred();
    int err = path_lookup(dirfd, path, walk_flags, &p);
    if (err)
        return err;
    if (effective_ids || (cred->uid == cred->fsuid && cred->gid == cred->fsgid))
        return check_access(&p, mode, cred);
    struct cred *real;
    err = cred_real(cred, &real);
    if (err)
        return err;
    err = check_access(&p, mode, real);
    cred_put(real);
    return err;
}

int vfs_statfs(const struct path *p, struct statfs *ret)
{
    struct super_block *sb = p->mount ? p->mount->sb : p->dentry->sb;
    memset(ret, 0, sizeof(*ret));
    ret->f_type = (long)sb->magic;
    ret->f_bsize = ret->f_frsize = PAGE_SIZE;
    ret->f_namelen = NAME_MAX;
    ret->f_fsid.__val[0] = (int)sb->dev;
    int err = sb->ops && sb->ops->statfs ? sb->ops->statfs(sb, ret) : 0;
    if (err)
        return err;
    ret->f_flags = 0x20; /* ST_VALID */
    if (p->mount)
        ret->f_flags |= p->mount->flags &
                        (ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC | ST_NOATIME | ST_NODIRATIME);
    if (sb->read_only)
        ret->f_flags |= ST_RDONLY;
    if (p->mount && p->mount->flags & MS_RELATIME)
        ret->f_flags |= ST_RELATIME;
    return 0;
}

static int check_dir_search(const struct path *p)
{
    if (!inode_is_dir(p->dentry->inode))
        return -ENOTDIR;
    return inode_permission(p->dentry->inode, MAY_EXEC, current_cred());
}

int vfs_chdir(const struct path *p)
{
    int err = check_dir_search(p);
    if (!err)
        fs_set_cwd(current_fs(), p);
    return err;
}

int vfs_chroot(const struct path *p)
{
    int err = check_dir_search(p);
    if (!err && !cred_capable_own(current_cred(), CAP_SYS_CHROOT))
        err = -EPERM;
    if (!err)
        fs_set_root(current_fs(), p);
    return err;
}
