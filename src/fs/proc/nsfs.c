/*
 * nsfs: what the links in /proc/PID/ns lead to. A file whose inode number is the namespace's id:
 * programs compare device and inode to find out whether two processes share a namespace. DEVIATION:
 * the file does not keep the namespace alive, and setns(2) does not take it.
 */
#include "fs/proc/private.h"
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

static struct {
    struct super_block *sb;
    struct mount *mount;
} nsfs; /* made once, at boot */

static const struct {
    const char *name;
    int flag;
} types[] = {{"cgroup", CLONE_NEWCGROUP}, {"ipc", CLONE_NEWIPC}, {"mnt", CLONE_NEWNS},
             {"net", CLONE_NEWNET},       {"pid", CLONE_NEWPID}, {"time", 0x80},
             {"user", CLONE_NEWUSER},     {"uts", CLONE_NEWUTS}};

struct ns_inode {
    struct inode inode;
    int flag;
};

static void nsfs_evict(struct inode *inode)
{
    free(container_of(inode, struct ns_inode, inode));
}

static int64_t nsfs_ioctl(struct file *file, unsigned cmd, uaddr_t arg)
{
    switch (cmd) {
    case NS_GET_NSTYPE:
        return container_of(file->inode, struct ns_inode, inode)->flag;
    case NS_GET_USERNS:
    case NS_GET_PARENT:
        return -EPERM; /* as when it is out of the caller's sight */
    default:
        return -ENOTTY;
    }
}

static ssize_t nsfs_read(struct file *file, struct uio *to, int64_t *pos)
{
    return -EINVAL;
}

static const struct inode_ops nsfs_inode_ops = {.evict = nsfs_evict};
static const struct file_ops nsfs_file_ops = {.read = nsfs_read, .ioctl = nsfs_ioctl};

static int ns_inode_new(uint32_t mode, uint64_t id, int flag, struct inode **ret)
{
    struct ns_inode *n = malloc(sizeof(*n));
    if (!n)
        return -ENOMEM;
    inode_init(&n->inode, nsfs.sb, &nsfs_inode_ops, &nsfs_file_ops, mode, 0, 0);
    n->inode.attr.ino = id;
    n->flag = flag;
    *ret = &n->inode;
    return 0;
}

int nsfs_path(const char *text, const char *type, uint64_t id, struct path *ret)
{
    struct inode *inode;
    int flag = 0;
    for (size_t t = 0; t < ARRAY_SIZE(types); t++)
        if (strcmp(types[t].name, type) == 0)
            flag = types[t].flag;
    int err = ns_inode_new(S_IFREG | 0444, id, flag, &inode);
    if (err < 0)
        return err;
    err = dentry_new_anon(text, inode, &ret->dentry);
    inode_put(inode);
    if (err < 0)
        return err;
    ret->mount = mount_get(nsfs.mount);
    return 0;
}

int nsfs_init(void)
{
    int err = sb_new("nsfs", "nsfs", NSFS_MAGIC, NULL, &nsfs.sb);
    if (!err)
        err = ns_inode_new(S_IFDIR | 0555, 1, 0, &nsfs.sb->root);
    return err ? err : mount_new_internal(nsfs.sb, &nsfs.mount);
}
