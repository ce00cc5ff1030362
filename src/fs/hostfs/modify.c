/*
 * Changes to directories of a writable tree: create, link, unlink, rename.
 *
 * The host makes new objects as the kernel process; they are then given to the guest's user where
 * the host allows it. DEVIATION: where it does not (rootless, other ids than our own), they stay
 * ours.
 */
#include "fs/hostfs/private.h"
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>

static int want_writable(struct inode *dir)
{
    return hostfs_of(dir)->flags & HOSTFS_READ_ONLY ? -EROFS : 0;
}

static void dir_changed(struct inode *dir)
{
    host_attr_stale(host_inode(dir));
    dir_list_forget(host_inode(dir));
}

/* A directory change under way: the host's descriptor of the directory and the name as a C string.
 */
struct change {
    struct host_fd *fd;
    struct host_name name;
};

static void change_end(struct change *c)
{
    if (c->fd)
        host_fd_put(c->fd);
}
#define CLEANUP_CHANGE __attribute__((cleanup(change_end)))

static int change_begin(struct inode *dir, const struct name *name, struct change *c)
{
    int err = want_writable(dir);
    if (err >= 0)
        err = host_name_make(name, &c->name);
    return err < 0 ? err : dir_fd(host_inode(dir), &c->fd);
}

/* Gives the new object to its owner and finds its inode. fd: open on it, or -1 (then by name). */
static int adopt(struct inode *dir, const struct name *name, struct change *c, int fd,
                 uint32_t mode, const struct cred *cred, struct inode **ret)
{
    uint32_t want_mode, gid;
    struct statx st;
    int at = fd >= 0 ? fd : c->fd->fd;
    const char *at_name = fd >= 0 ? "" : c->name.s;
    inode_init_owner(dir, mode, cred, &want_mode, &gid);
    int err = host_statx(at, at_name, &st);
    if (err < 0)
        return err;
    if ((st.stx_uid != cred->fsuid || st.stx_gid != gid) &&
        host_chown(at, at_name, cred->fsuid, gid) >= 0) {
        if (mode & (S_ISUID | S_ISGID) && fd >= 0 && host_chmod(fd, mode) < 0)
            return -EPERM;
        err = host_statx(at, at_name, &st);
        if (err < 0)
            return err;
    }
    dir_changed(dir);
    return host_inode_get(hostfs_of(dir), &st, name ? host_inode(dir) : NULL, name, ret);
}

int hostfs_create(struct inode *dir, const struct name *name, uint32_t mode,
                  const struct cred *cred, struct inode **ret)
{
    CLEANUP_CHANGE struct change c = {NULL};
    CLEANUP_HOST_FD struct host_fd *f = NULL;
    int err = change_begin(dir, name, &c);
    if (err < 0)
        return err;
    int fd = host_openat_retry(c.fd->fd, c.name.s, O_CREAT | O_EXCL | O_RDWR, mode);
    if (fd < 0)
        return fd;
    err = host_fd_new(fd, O_RDWR, &f);
    if (err >= 0)
        err = adopt(dir, name, &c, fd, S_IFREG | mode, cred, ret);
    if (err >= 0)
        spare_offer(host_inode(*ret), f);
    return err;
}

int hostfs_tmpfile(struct inode *dir, uint32_t mode, const struct cred *cred, struct inode **ret)
{
    CLEANUP_CHANGE struct change c = {NULL};
    CLEANUP_HOST_FD struct host_fd *f = NULL;
    int err = want_writable(dir);
    if (err >= 0)
        err = dir_fd(host_inode(dir), &c.fd);
    if (err < 0)
        return err;
    int fd = host_open_tmpfile(c.fd->fd, mode);
    if (fd < 0)
        return fd;
    err = host_fd_new(fd, O_RDWR, &f);
    if (err >= 0)
        err = adopt(dir, NULL, &c, fd, S_IFREG | mode, cred, ret);
    if (err < 0)
        return err;
    (*ret)->linkable = true;
    host_inode_set_fd(host_inode(*ret), f);
    return host_inode_pin(host_inode(*ret));
}

int hostfs_mkdir(struct inode *dir, const struct name *name, uint32_t mode, const struct cred *cred,
                 struct inode **ret)
{
    CLEANUP_CHANGE struct change c = {NULL};
    int err = change_begin(dir, name, &c);
    if (err >= 0)
        err = host_mkdirat(c.fd->fd, c.name.s, mode & 07777);
    return err < 0 ? err : adopt(dir, name, &c, -1, S_IFDIR | mode, cred, ret);
}

int hostfs_mknod(struct inode *dir, const struct name *name, uint32_t mode, uint64_t rdev,
                 const struct cred *cred, struct inode **ret)
{
    CLEANUP_CHANGE struct change c = {NULL};
    if (S_ISCHR(mode) || S_ISBLK(mode))
        return -EPERM; /* the host gives devices to nobody in a user namespace */
    int err = change_begin(dir, name, &c);
    if (err >= 0)
        err = host_mknodat(c.fd->fd, c.name.s, mode);
    return err < 0 ? err : adopt(dir, name, &c, -1, mode, cred, ret);
}

int hostfs_symlink(struct inode *dir, const struct name *name, const char *target,
                   const struct cred *cred, struct inode **ret)
{
    CLEANUP_CHANGE struct change c = {NULL};
    int err = change_begin(dir, name, &c);
    if (err >= 0)
        err = host_symlinkat(target, c.fd->fd, c.name.s);
    return err < 0 ? err : adopt(dir, name, &c, -1, S_IFLNK | 0777, cred, ret);
}

int hostfs_link(struct inode *dir, const struct name *name, struct inode *target)
{
    CLEANUP_CHANGE struct change c = {NULL};
    struct host_inode *h = host_inode(target);
    int err = change_begin(dir, name, &c);
    if (err >= 0)
        err = place_link(h, c.fd->fd, c.name.s);
    if (err < 0)
        return err;
    target->attr.nlink++;
    host_attr_stale(h);
    dir_changed(dir);
    return host_inode_set_place(h, host_inode(dir), name->s, name->len);
}

static bool placed_at(struct host_inode *h, struct inode *dir, const struct name *name)
{
    struct hostfs *fs = hostfs_of(dir);
    spin_lock(&fs->lock);
    bool yes = h->parent == host_inode(dir) && strlen(h->name) == name->len &&
               !memcmp(h->name, name->s, name->len);
    spin_unlock(&fs->lock);
    return yes;
}

/* A name of `h` is about to go: whoever has it open, or knows it by another name, must still reach
 * it. */
static int before_unlink(struct host_inode *h, struct inode *dir, const struct name *name)
{
    bool needed = h->opens ||
                  (h->inode.attr.nlink > 1 && !inode_is_dir(&h->inode) && placed_at(h, dir, name));
    int err = needed ? host_inode_pin(h) : 0;
    return err == -ESTALE ? 0 : err;
}

static void after_unlink(struct host_inode *h, struct inode *dir, const struct name *name)
{
    host_attr_stale(h);
    h->inode.attr.nlink =
        inode_is_dir(&h->inode) || !h->inode.attr.nlink ? 0 : h->inode.attr.nlink - 1;
    if (h->inode.attr.nlink == 0 || placed_at(h, dir, name))
        host_inode_orphan(h);
}

static int remove_name(struct inode *dir, const struct name *name, struct inode *target, int flags)
{
    CLEANUP_CHANGE struct change c = {NULL};
    struct host_inode *h = host_inode(target);
    int err = change_begin(dir, name, &c);
    if (err >= 0)
        err = before_unlink(h, dir, name);
    if (err >= 0)
        err = host_unlinkat(c.fd->fd, c.name.s, flags);
    if (err < 0)
        return err;
    after_unlink(h, dir, name);
    dir_changed(dir);
    return 0;
}

int hostfs_unlink(struct inode *dir, const struct name *name, struct inode *target)
{
    return remove_name(dir, name, target, 0);
}

int hostfs_rmdir(struct inode *dir, const struct name *name, struct inode *target)
{
    return remove_name(dir, name, target, AT_REMOVEDIR);
}

int hostfs_rename(struct inode *old_dir, const struct name *old_name, struct inode *inode,
                  struct inode *new_dir, const struct name *new_name, struct inode *target,
                  unsigned flags)
{
    CLEANUP_CHANGE struct change from = {NULL}, to = {NULL};
    bool exchange = flags & RENAME_EXCHANGE;
    if (flags & ~(unsigned)(RENAME_NOREPLACE | RENAME_EXCHANGE))
        return -EINVAL;
    int err = change_begin(old_dir, old_name, &from);
    if (err >= 0)
        err = change_begin(new_dir, new_name, &to);
    if (err >= 0 && target && !exchange)
        err = before_unlink(host_inode(target), new_dir, new_name);
    if (err >= 0)
        err = host_renameat(from.fd->fd, from.name.s, to.fd->fd, to.name.s, flags);
    if (err < 0)
        return err;
    dir_changed(old_dir);
    dir_changed(new_dir);
    host_attr_stale(host_inode(inode));
    if (target && !exchange)
        after_unlink(host_inode(target), new_dir, new_name);
    if (target && exchange)
        host_inode_orphan(
            host_inode(target)); /* so that the two places never form a ring on the way */
    err = host_inode_set_place(host_inode(inode), host_inode(new_dir), new_name->s, new_name->len);
    if (err >= 0 && target && exchange)
        err = host_inode_set_place(host_inode(target), host_inode(old_dir), old_name->s,
                                   old_name->len);
    return err;
}
