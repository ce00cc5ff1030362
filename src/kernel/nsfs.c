/* Files that stand for namespaces: see nsfs.h. */
#include "kernel/nsfs.h"
#include "kernel/fdtable.h"
#include "kernel/pid.h"
#include "kernel/user_namespace.h"
#include "mm/uaccess.h"
#include "vfs/vfs.h"
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

static struct {
    struct super_block *sb;
    struct mount *mount;
} nsfs; /* made once, at boot */

struct ns_inode {
    struct inode inode;
    struct ns_common *ns; /* [I] reference; NULL: the root directory, which nobody sees */
};

static void nsfs_evict(struct inode *inode)
{
    struct ns_inode *n = container_of(inode, struct ns_inode, inode);
    ns_put(n->ns);
    free(n);
}

static const struct inode_ops nsfs_inode_ops;

struct ns_common *nsfs_inode_ns(const struct inode *inode)
{
    return inode->ops == &nsfs_inode_ops ? container_of(inode, struct ns_inode, inode)->ns : NULL;
}

/* ---- ioctl_nsfs(2) ---- */

static int64_t open_ns(struct ns_common *ns)
{
    CLEANUP_PATH_REF struct path place = {0};
    CLEANUP_FILE struct file *file = NULL;
    int err = nsfs_path(ns, &place);
    if (!err)
        err = vfs_open_path(&place, O_RDONLY, &file);
    return err ? err : fd_install(TAKE_PTR(file), O_CLOEXEC);
}

static int64_t open_owner(const struct user_namespace *owner)
{
    return user_namespace_within(owner, current_user_ns()) ? open_ns((struct ns_common *)&owner->common) : -EPERM;
}

/* The parent, if the caller's own is that or above it. */
static int64_t open_parent(struct ns_common *ns)
{
    if (!ns->kind->parent)
        return -EINVAL;
    struct ns_common *parent = ns->kind->parent(ns), *at = parent;
    struct ns_common *mine = ns->kind == &pid_ns_kind ? &current_pid_ns()->common : &current_user_ns()->common;
    while (at && at != mine)
        at = at->kind->parent(at);
    return at ? open_ns(parent) : -EPERM;
}

static int64_t put_owner_uid(struct ns_common *ns, uaddr_t to)
{
    if (ns->kind != &user_ns_kind)
        return -EINVAL;
    uint32_t uid = uid_to_user(container_of(ns, struct user_namespace, common)->owner_uid);
    return put_user(&uid, to);
}

static int64_t nsfs_ioctl(struct file *file, unsigned cmd, uaddr_t arg)
{
    struct ns_common *ns = nsfs_inode_ns(file->inode);
    switch (cmd) {
    case NS_GET_NSTYPE:
        return (int64_t)ns->kind->flag;
    case NS_GET_USERNS:
        return ns == &root_user_ns.common ? -EPERM : open_owner(ns->owner);
    case NS_GET_PARENT:
        return open_parent(ns);
    case NS_GET_OWNER_UID:
        return put_owner_uid(ns, arg);
    default:
        return -ENOTTY;
    }
}

static ssize_t nsfs_read(struct file *file, struct uio *to, int64_t *pos)
{
    return -EINVAL;
}

static const struct inode_ops nsfs_inode_ops = {.evict = nsfs_evict};
static int nsfs_open(struct inode *inode, struct file *file)
{
    return file_writable(file) ? -EPERM : 0; /* root may write anything else that is read-only */
}

static const struct file_ops nsfs_file_ops = {.open = nsfs_open, .read = nsfs_read, .ioctl = nsfs_ioctl};

static int ns_inode_new(uint32_t mode, struct ns_common *ns, struct inode **ret)
{
    struct ns_inode *n = malloc(sizeof(*n));
    if (!n)
        return -ENOMEM;
    inode_init(&n->inode, nsfs.sb, &nsfs_inode_ops, &nsfs_file_ops, mode, 0, 0);
    n->inode.attr.ino = ns ? ns->id : 1;
    n->ns = ns ? ns_get(ns) : NULL;
    *ret = &n->inode;
    return 0;
}

int nsfs_path(struct ns_common *ns, struct path *ret)
{
    struct inode *inode;
    char text[40];
    int err = ns_inode_new(S_IFREG | 0444, ns, &inode);
    if (err)
        return err;
    snprintf(text, sizeof(text), "%s:[%llu]", ns->kind->name, (unsigned long long)ns->id);
    err = dentry_new_anon(text, inode, &ret->dentry);
    inode_put(inode);
    if (!err)
        ret->mount = mount_get(nsfs.mount);
    return err;
}

int nsfs_init(void)
{
    int err = sb_new("nsfs", "nsfs", NSFS_MAGIC, NULL, &nsfs.sb);
    if (!err)
        err = ns_inode_new(S_IFDIR | 0555, NULL, &nsfs.sb->root);
    return err ? err : mount_new_internal(nsfs.sb, &nsfs.mount);
}
