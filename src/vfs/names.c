/*
 * The verbs that add names to directories and take them away: mkdir, mknod, symlink, link, unlink,
 * rmdir, readlink.
 *
 * All that create share start_create(), which finds the directory, locks it, looks the last
 * component up and checks that it may be made; all that remove share start_remove(). Both fill a
 * struct entry that finish() unlocks and puts.
 */
#include "vfs/names.h"
#include "vfs/fs_context.h"
#include "vfs/internal.h"
#include "vfs/notify.h"
#include "vfs/walk.h"
#include <fcntl.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

/* One entry being made or removed: the directory is locked while `locked`. */
struct entry {
    struct path dir;
    struct dentry *d;
    struct last_component last;
    const struct cred *cred;
    bool locked;
};

static void finish(struct entry *e)
{
    if (e->locked)
        mutex_unlock(&e->dir.dentry->inode->lock);
    if (e->d)
        dentry_put(e->d);
    if (e->dir.dentry)
        path_put(&e->dir);
}
#define CLEANUP_ENTRY __attribute__((cleanup(finish)))

static int lock_and_lookup(struct entry *e)
{
    mutex_lock(&e->dir.dentry->inode->lock);
    e->locked = true;
    return dentry_lookup_locked(e->dir.dentry, &e->last.name, &e->d);
}

/* ---- permission, shared with rename.c ---- */

int may_create(struct inode *dir, const struct cred *cred)
{
    return dir->dead ? -ENOENT : inode_permission(dir, MAY_WRITE | MAY_EXEC, cred);
}

int may_delete(struct inode *dir, const struct dentry *victim, bool want_dir,
               const struct cred *cred)
{
    const struct inode *inode = victim->inode;
    int err = inode_permission(dir, MAY_WRITE | MAY_EXEC, cred);
    if (err)
        return err;
    if (dir->attr.mode & S_ISVTX && inode->attr.uid != cred->fsuid &&
        dir->attr.uid != cred->fsuid && !capable_over_inode(cred, inode, CAP_FOWNER))
        return -EPERM;
    if (want_dir)
        return !inode_is_dir(inode) ? -ENOTDIR : victim->mountpoint ? -EBUSY : 0;
    return inode_is_dir(inode) ? -EISDIR : victim->mountpoint ? -EBUSY : 0;
}

/* ---- making ---- */

static int start_create(int dirfd, const char *path, bool is_dir, struct entry *e)
{
    e->cred = current_cred();
    int err = path_lookup_parent(dirfd, path, 0, &e->dir, &e->last);
    if (err)
        return err;
    if (e->last.root || e->last.dot || e->last.dotdot)
        return -EEXIST;
    int read_only = mount_want_write(e->dir.mount);
    err = lock_and_lookup(e);
    if (err)
        return err;
    if (e->d->inode)
        return -EEXIST;
    if (e->last.trailing_slash && !is_dir)
        return -ENOENT;
    return read_only ? read_only : may_create(e->dir.dentry->inode, e->cred);
}

static void created(struct entry *e, struct inode *inode)
{
    dentry_instantiate(e->d, inode);
    notify_entry(e->dir.dentry->inode, &e->last.name,
                 IN_CREATE | (inode_is_dir(inode) ? IN_ISDIR : 0), 0);
}

static uint32_t current_umask(void)
{
    return current_fs()->umask;
}

int vfs_mkdir_at(int dirfd, const char *path, uint32_t mode)
{
    CLEANUP_ENTRY struct entry e = {0};
    struct inode *inode;
    int err = start_create(dirfd, path, true, &e);
    if (err)
        return err;
    struct inode *dir = e.dir.dentry->inode;
    if (!dir->ops->mkdir)
        return -EPERM;
    mode = S_IFDIR | (mode & 01777 & ~current_umask());
    err = dir->ops->mkdir(dir, &e.last.name, mode, e.cred, &inode);
    if (!err)
        created(&e, inode);
    return err;
}

static int make_node(struct entry *e, uint32_t mode, uint64_t rdev)
{
    struct inode *dir = e->dir.dentry->inode, *inode;
    uint32_t type = mode & S_IFMT;
    bool device = type == S_IFCHR || type == S_IFBLK;
    bool whiteout = type == S_IFCHR && rdev == 0;
    if (device && !whiteout && !cred_capable(e->cred, CAP_MKNOD))
        return -EPERM;
    mode = type | (mode & 07777 & ~current_umask());
    if (type == S_IFREG ? !dir->ops->create : !dir->ops->mknod)
        return -EPERM;
    int err = type == S_IFREG
                  ? dir->ops->create(dir, &e->last.name, mode, e->cred, &inode)
                  : dir->ops->mknod(dir, &e->last.name, mode, device ? rdev : 0, e->cred, &inode);
    if (!err)
        created(e, inode);
    return err;
}

int vfs_mknod_path(int dirfd, const char *path, uint32_t mode, uint64_t rdev, struct path *ret)
{
    CLEANUP_ENTRY struct entry e = {0};
    uint32_t type = mode & S_IFMT;
    if (!type)
        mode |= type = S_IFREG;
    if (type == S_IFDIR)
        return -EPERM;
    if (type != S_IFREG && type != S_IFCHR && type != S_IFBLK && type != S_IFIFO &&
        type != S_IFSOCK)
        return -EINVAL;
    int err = start_create(dirfd, path, false, &e);
    if (!err)
        err = make_node(&e, mode, rdev);
    if (!err && ret) {
        *ret = (struct path){e.dir.mount, e.d};
        path_get(ret);
    }
    return err;
}

int vfs_mknod_at(int dirfd, const char *path, uint32_t mode, uint64_t rdev)
{
    return vfs_mknod_path(dirfd, path, mode, rdev, NULL);
}

int vfs_symlink_at(const char *target, int dirfd, const char *path)
{
    CLEANUP_ENTRY struct entry e = {0};
    struct inode *inode;
    if (!*target)
        return -ENOENT;
    int err = start_create(dirfd, path, false, &e);
    if (err)
        return err;
    struct inode *dir = e.dir.dentry->inode;
    if (!dir->ops->symlink)
        return -EPERM;
    err = dir->ops->symlink(dir, &e.last.name, target, e.cred, &inode);
    if (!err)
        created(&e, inode);
    return err;
}

/* ---- link ---- */

/* fs.protected_hardlinks: others' files only if they could be written anyway. */
static int may_link(struct inode *inode, const struct cred *cred)
{
    uint32_t mode = inode->attr.mode;
    if (inode->attr.uid == cred->fsuid || capable_over_inode(cred, inode, CAP_FOWNER))
        return 0;
    if (!S_ISREG(mode) || mode & S_ISUID || (mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
        return -EPERM;
    return inode_permission(inode, MAY_READ | MAY_WRITE, cred) ? -EPERM : 0;
}

static int make_link(struct entry *e, struct inode *target)
{
    struct inode *dir = e->dir.dentry->inode;
    if (inode_is_dir(target))
        return -EPERM;
    if (!dir->ops->link)
        return -EPERM;
    if (!target->attr.nlink && !target->linkable)
        return -ENOENT;
    int err = dir->ops->link(dir, &e->last.name, target);
    if (err)
        return err;
    target->linkable = false;
    notify_inode(target, IN_ATTRIB);
    created(e, inode_get(target));
    return 0;
}

int vfs_link_at(int old_dirfd, const char *old_path, int new_dirfd, const char *new_path, int flags)
{
    CLEANUP_PATH_REF struct path old = {0};
    CLEANUP_ENTRY struct entry e = {0};
    if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    if (flags & AT_EMPTY_PATH && !*old_path && !cred_capable_own(current_cred(), CAP_DAC_READ_SEARCH))
        return -ENOENT;
    unsigned walk =
        (flags & AT_SYMLINK_FOLLOW ? WALK_FOLLOW : 0) | (flags & AT_EMPTY_PATH ? WALK_EMPTY : 0);
    int err = path_lookup(old_dirfd, old_path, walk, &old);
    if (!err)
        err = start_create(new_dirfd, new_path, false, &e);
    if (err)
        return err;
    struct inode *target = old.dentry->inode;
    if (old.mount != e.dir.mount)
        return -EXDEV;
    err = may_link(target, e.cred);
    return err ? err : make_link(&e, target);
}

/* ---- removing ---- */

static int start_remove(int dirfd, const char *path, bool is_dir, struct entry *e)
{
    e->cred = current_cred();
    int err = path_lookup_parent(dirfd, path, 0, &e->dir, &e->last);
    if (err)
        return err;
    if (e->last.root)
        return is_dir ? -EBUSY : -EISDIR;
    if (e->last.dot)
        return is_dir ? -EINVAL : -EISDIR;
    if (e->last.dotdot)
        return is_dir ? -ENOTEMPTY : -EISDIR;
    err = mount_want_write(e->dir.mount);
    if (!err)
        err = lock_and_lookup(e);
    if (err)
        return err;
    if (!e->d->inode)
        return -ENOENT;
    if (!is_dir && e->last.trailing_slash)
        return inode_is_dir(e->d->inode) ? -EISDIR : -ENOTDIR;
    return may_delete(e->dir.dentry->inode, e->d, is_dir, e->cred);
}

static void removed(struct entry *e, struct inode *target)
{
    notify_entry(e->dir.dentry->inode, &e->last.name,
                 IN_DELETE | (inode_is_dir(target) ? IN_ISDIR : 0), 0);
    bool last_name = inode_is_dir(target) || !target->attr.nlink;
    notify_inode(target, last_name ? IN_DELETE_SELF : IN_ATTRIB);
    dentry_delete(e->d);
}

int vfs_unlink_at(int dirfd, const char *path)
{
    CLEANUP_ENTRY struct entry e = {0};
    int err = start_remove(dirfd, path, false, &e);
    if (err)
        return err;
    struct inode *dir = e.dir.dentry->inode, *target = e.d->inode;
    if (!dir->ops->unlink)
        return -EPERM;
    err = dir->ops->unlink(dir, &e.last.name, target);
    if (!err)
        removed(&e, target);
    return err;
}

int vfs_rmdir_at(int dirfd, const char *path)
{
    CLEANUP_ENTRY struct entry e = {0};
    int err = start_remove(dirfd, path, true, &e);
    if (err)
        return err;
    struct inode *dir = e.dir.dentry->inode, *target = e.d->inode;
    if (!dir->ops->rmdir)
        return -EPERM;
    mutex_lock(&target->lock);
    err = dir->ops->rmdir(dir, &e.last.name, target);
    target->dead |= !err;
    mutex_unlock(&target->lock);
    if (!err)
        removed(&e, target);
    return err;
}

/* ---- readlink ---- */

/* A magic link shows the path of its place. */
static int read_magic_link(struct dentry *d, char **ret)
{
    CLEANUP_PATH_REF struct path to = {0}, root = {0};
    CLEANUP_STRBUF struct strbuf text = STRBUF_INIT;
    int err = d->inode->ops->get_link(d->inode, d, &to);
    if (err)
        return err;
    fs_get_root(current_fs(), &root);
    err = path_string(&to, &root, &text);
    if (err)
        return err;
    *ret = strbuf_take(&text);
    return *ret ? 0 : -ENOMEM;
}

int vfs_readlink_at(int dirfd, const char *path, char **ret)
{
    CLEANUP_PATH_REF struct path p = {0};
    int err = path_lookup(dirfd, path, WALK_EMPTY, &p);
    if (err)
        return err;
    struct inode *inode = p.dentry->inode;
    if (!S_ISLNK(inode->attr.mode))
        return *path ? -EINVAL : -ENOENT;
    if (inode->link) {
        *ret = strdup(inode->link);
        return *ret ? 0 : -ENOMEM;
    }
    if (inode->ops->readlink)
        return inode->ops->readlink(inode, ret);
    return inode->ops->get_link ? read_magic_link(p.dentry, ret) : -EINVAL;
}
