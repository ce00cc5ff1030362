/*
 * open(2): from a path and flags to an open file.
 *
 *     vfs_open_at     no O_CREAT: walk, open_place()
 *                     O_CREAT: walk to the directory, then open_last(): look the last component up,
 * follow it if it is a link (and start over from there), create it if it is absent open_place type
 * and permission checks, the right file_ops, ops->open, O_TRUNC
 */
#include "vfs/file.h"
#include "vfs/fs_context.h"
#include "vfs/internal.h"
#include "vfs/leases.h"
#include "vfs/notify.h"
#include "vfs/special.h"
#include "vfs/walk_engine.h"
#include <linux/capability.h>
#include <sys/mount.h>

#define OPEN_PATH_FLAGS (O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC)
#define TMPFILE_BIT (O_TMPFILE & ~O_DIRECTORY)
/* What stays in file->flags: what F_GETFL shows, and O_NOATIME and friends for the file system. */
#define OPEN_ONCE_FLAGS (O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC)

static int access_mask(uint32_t flags)
{
    static const int masks[] = {MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE, MAY_READ | MAY_WRITE};
    return masks[flags & O_ACCMODE] | (flags & O_TRUNC ? MAY_WRITE : 0);
}

static const struct file_ops path_ops;

/* O_PATH: a place without rights, of any type. */
static int open_path_only(const struct path *p, uint32_t flags, struct file **ret)
{
    return file_new(p, &path_ops, flags & OPEN_PATH_FLAGS & ~(uint32_t)O_CLOEXEC, ret);
}

/* May this kind of file be opened with these flags? Drops O_TRUNC where it means nothing. */
static int check_type(const struct path *p, uint32_t *flags, int mask)
{
    switch (p->dentry->inode->attr.mode & S_IFMT) {
    case S_IFLNK:
        return -ELOOP;
    case S_IFDIR:
        return mask & MAY_WRITE || *flags & O_CREAT ? -EISDIR : 0;
    case S_IFBLK:
    case S_IFCHR:
        if (p->mount && p->mount->flags & MS_NODEV)
            return -EACCES;
        *flags &= ~(uint32_t)O_TRUNC;
        return 0;
    case S_IFIFO:
    case S_IFSOCK:
        *flags &= ~(uint32_t)O_TRUNC;
        return 0;
    default:
        return *flags & O_DIRECTORY ? -ENOTDIR : mask & MAY_WRITE ? mount_want_write(p->mount) : 0;
    }
}

static int check_open(const struct path *p, uint32_t *flags, bool created)
{
    struct inode *inode = p->dentry->inode;
    const struct cred *cred = current_cred();
    int mask = access_mask(*flags);
    int err = check_type(p, flags, mask);
    if (!err && !created)
        err = inode_permission(inode, mask, cred);
    if (!err && *flags & O_NOATIME && cred->fsuid != inode->attr.uid &&
        !capable_over_inode(cred, inode, CAP_FOWNER))
        err = -EPERM;
    return err;
}

static int find_ops(struct inode *inode, const struct file_ops **ret)
{
    uint32_t type = inode->attr.mode & S_IFMT;
    if (type != S_IFREG && type != S_IFDIR)
        return special_file_ops(inode, ret);
    if (!inode->file_ops)
        return -ENXIO;
    *ret = inode->file_ops;
    return 0;
}

/* Gives up a file whose opening failed: release is not called for what was not opened. */
static int abandon(struct file *f, int err)
{
    f->ops = &path_ops;
    f->flags = O_PATH;
    file_put(f);
    return err;
}

/* Everything is allowed: makes the file. */
static int open_allowed(const struct path *p, uint32_t flags, bool created, struct file **ret)
{
    struct inode *inode = p->dentry->inode;
    const struct file_ops *ops;
    struct file *f;
    int err = find_ops(inode, &ops);
    if (!err)
        err = lease_break(inode, access_mask(flags) & MAY_WRITE, flags & O_NONBLOCK);
    if (!err)
        err = file_new(p, ops, flags & ~(uint32_t)O_CLOEXEC, &f);
    if (err)
        return err;
    if (access_mask(flags) & MAY_WRITE && S_ISREG(inode->attr.mode))
        err = file_count_writer(f);
    if (!err)
        err = ops->open ? ops->open(inode, f) : 0;
    if (err)
        return abandon(f, err);
    if (S_ISREG(inode->attr.mode)) {
        atomic_fetch_add_explicit(&inode->opens, 1, memory_order_relaxed);
        f->counted_open = true;
    }
    f->flags &= ~(uint32_t)OPEN_ONCE_FLAGS;
    if (flags & O_TRUNC && !created) {
        err = inode_truncate(inode, 0);
        if (err) {
            file_put(f);
            return err;
        }
        notify_dentry(p->dentry, inode, IN_MODIFY);
    }
    notify_dentry(p->dentry, inode, IN_OPEN);
    *ret = f;
    return 0;
}

static int open_place(const struct path *p, uint32_t flags, bool created, struct file **ret)
{
    int err = check_open(p, &flags, created);
    return err ? err : open_allowed(p, flags, created, ret);
}

int vfs_open_path(const struct path *p, uint32_t flags, struct file **ret)
{
    return flags & O_PATH ? open_path_only(p, flags, ret) : open_place(p, flags, false, ret);
}

/* ---- creating ---- */

static int create_locked(struct walk *w, struct dentry *d, uint32_t mode)
{
    struct inode *dir = w->cur.dentry->inode, *inode;
    int err = mount_want_write(w->cur.mount);
    if (!err)
        err = inode_permission(dir, MAY_WRITE | MAY_EXEC, w->cred);
    if (err)
        return err;
    if (!dir->ops->create)
        return -EACCES;
    mode = S_IFREG | (mode & 07777 & ~w->umask);
    struct name name = {d->name, d->name_len, d->name_hash};
    err = dir->ops->create(dir, &name, mode, w->cred, &inode);
    if (err)
        return err;
    dentry_instantiate(d, inode);
    notify_entry(dir, &name, IN_CREATE, 0);
    return 0;
}

/* The last component: the dentry (referenced), created if need be. */
static int lookup_or_create(struct walk *w, const struct open_how_kernel *how, struct dentry **ret,
                            bool *ret_created)
{
    struct inode *dir = w->cur.dentry->inode;
    struct name name = name_make(w->last.s, w->last.len);
    struct dentry *d = dentry_cached(w->cur.dentry, &name);
    int err = 0;
    *ret_created = false;
    if (!d || !d->inode || dir->ops->revalidate) {
        if (d)
            dentry_put(d);
        MUTEX_GUARD(&dir->lock);
        err = dentry_lookup_locked(w->cur.dentry, &name, &d);
        if (err)
            return err;
        if (!d->inode) {
            err = dir->dead ? -ENOENT : create_locked(w, d, how->mode);
            *ret_created = !err;
        }
    }
    if (err)
        dentry_put(d);
    else
        *ret = d;
    return err;
}

static int check_last(const struct walk *w, uint32_t flags)
{
    bool dots = w->last.s && w->last.s[0] == '.' &&
                (w->last.len == 1 || (w->last.len == 2 && w->last.s[1] == '.'));
    if (!w->last.len || dots)
        return flags & O_EXCL ? -EEXIST : -EISDIR;
    if (w->must_be_dir)
        return -EISDIR;
    return w->last.len > NAME_MAX ? -ENAMETOOLONG : 0;
}

/* One round: w stands in the directory of the last component. 1: it was a link, walk on. */
static int open_last(struct walk *w, const struct open_how_kernel *how, struct file **ret)
{
    struct path p = {w->cur.mount, NULL};
    bool created;
    int err = check_last(w, how->flags);
    if (!err)
        err = inode_permission(w->cur.dentry->inode, MAY_EXEC, w->cred);
    if (!err)
        err = lookup_or_create(w, how, &p.dentry, &created);
    if (err)
        return err;
    mount_get(p.mount);
    follow_mounts(&p);
    if (!created && how->flags & O_EXCL) {
        err = -EEXIST;
    } else if (w->flags & WALK_NO_XDEV && p.mount != w->cur.mount) {
        err = -EXDEV;
    } else if (S_ISLNK(p.dentry->inode->attr.mode) && !(how->flags & O_NOFOLLOW)) {
        w->s += w->last.len;
        w->len -= w->last.len;
        err = walk_follow_link(w, p.dentry);
        err = err ? err : 1;
    } else {
        err = open_place(&p, how->flags, created, ret);
    }
    path_put(&p);
    return err;
}

static int open_create(int dirfd, const char *path, const struct open_how_kernel *how,
                       struct file **ret)
{
    struct walk w;
    int err = walk_begin(&w, NULL, dirfd, path, how->resolve | WALK_PARENT);
    if (err)
        return err;
    for (;;) {
        err = walk_run(&w);
        if (err)
            break;
        walk_make_slow(&w);
        if (!w.last.len && w.links && !inode_is_dir(w.cur.dentry->inode)) {
            err = open_place(&w.cur, how->flags, false, ret); /* a magic link led here */
            break;
        }
        err = open_last(&w, how, ret);
        if (err != 1)
            break;
    }
    walk_end(&w);
    return err;
}

static int open_tmpfile(int dirfd, const char *path, const struct open_how_kernel *how,
                        struct file **ret)
{
    CLEANUP_PATH_REF struct path dir = {0};
    struct path p = {0};
    struct inode *inode;
    const struct cred *cred = current_cred();
    if (!(access_mask(how->flags) & MAY_WRITE))
        return -EINVAL;
    int err = path_lookup(dirfd, path, how->resolve | WALK_FOLLOW | WALK_DIRECTORY, &dir);
    if (!err)
        err = mount_want_write(dir.mount);
    struct inode *parent = dir.dentry ? dir.dentry->inode : NULL;
    if (!err)
        err = inode_permission(parent, MAY_WRITE | MAY_EXEC, cred);
    if (!err && !parent->ops->tmpfile)
        err = -EOPNOTSUPP;
    if (err)
        return err;
    mutex_lock(&parent->lock);
    uint32_t mode = S_IFREG | (how->mode & 07777 & ~current_fs()->umask);
    err = parent->ops->tmpfile(parent, mode, cred, &inode);
    mutex_unlock(&parent->lock);
    if (err)
        return err;
    inode->linkable = !(how->flags & O_EXCL);
    p.mount = dir.mount;
    err = dentry_new_unlinked(dir.dentry, inode, &p.dentry);
    if (!err) {
        err = open_place(&p, how->flags & ~(uint32_t)(TMPFILE_BIT | O_DIRECTORY | O_CREAT | O_EXCL),
                         true, ret);
        dentry_put(p.dentry);
        if (!err)
            (*ret)->flags |= O_TMPFILE;
    }
    inode_put(inode);
    return err;
}

int vfs_open_at(int dirfd, const char *path, const struct open_how_kernel *how, struct file **ret)
{
    CLEANUP_PATH_REF struct path p = {0};
    uint32_t flags = how->flags;
    if (flags & O_PATH)
        flags &= OPEN_PATH_FLAGS;
    if (!*path)
        return -ENOENT;
    if (flags & TMPFILE_BIT)
        return open_tmpfile(dirfd, path, how, ret);
    if (flags & O_CREAT)
        return flags & O_DIRECTORY ? -EINVAL : open_create(dirfd, path, how, ret);
    unsigned walk_flags = how->resolve | (flags & O_NOFOLLOW ? 0 : WALK_FOLLOW) |
                          (flags & O_DIRECTORY ? WALK_DIRECTORY : 0);
    int err = path_lookup(dirfd, path, walk_flags, &p);
    return err ? err : vfs_open_path(&p, flags, ret);
}

int vfs_open_exec(int dirfd, const char *path, unsigned walk_flags, struct file **ret)
{
    CLEANUP_PATH_REF struct path p = {0};
    int err = path_lookup(dirfd, path, walk_flags, &p);
    if (err)
        return err;
    struct inode *inode = p.dentry->inode;
    if (S_ISLNK(inode->attr.mode))
        return -ELOOP;
    if (!S_ISREG(inode->attr.mode) || p.mount->flags & MS_NOEXEC)
        return -EACCES;
    err = inode_permission(inode, MAY_EXEC, current_cred());
    if (!err)
        err = open_allowed(&p, O_RDONLY, false, ret);
    if (err)
        return err;
    err = file_deny_writers(*ret);
    if (err)
        file_put(*ret);
    return err;
}
