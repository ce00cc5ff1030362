/* What lies in a fresh /dev: one table, from the OCI runtime specification's default devices and
 * links. */
#include "fs/dev/dev.h"
#include "kernel/cred.h"
#include "vfs/vfs.h"
#include <string.h>
#include <sys/sysmacros.h>

struct node {
    const char *name;
    uint32_t mode;
    unsigned major, minor; /* devices */
    const char *target;    /* links */
};

static const struct node nodes[] = {
    {"null", S_IFCHR | 0666, 1, 3},
    {"zero", S_IFCHR | 0666, 1, 5},
    {"full", S_IFCHR | 0666, 1, 7},
    {"random", S_IFCHR | 0666, 1, 8},
    {"urandom", S_IFCHR | 0666, 1, 9},
    {"tty", S_IFCHR | 0666, 5, 0},
    {"console", S_IFCHR | 0620, 5, 1},
    {"ptmx", S_IFLNK | 0777, .target = "pts/ptmx"},
    {"fd", S_IFLNK | 0777, .target = "/proc/self/fd"},
    {"stdin", S_IFLNK | 0777, .target = "/proc/self/fd/0"},
    {"stdout", S_IFLNK | 0777, .target = "/proc/self/fd/1"},
    {"stderr", S_IFLNK | 0777, .target = "/proc/self/fd/2"},
    {"pts", S_IFDIR | 0755},
    {"shm", S_IFDIR | 0755},
    {"mqueue", S_IFDIR | 0755},
};

static int make_inode(struct inode *dir, const struct node *n, const struct name *name,
                      struct inode **ret)
{
    const struct cred *cred = current_cred();
    if (S_ISLNK(n->mode))
        return dir->ops->symlink(dir, name, n->target, cred, ret);
    if (S_ISDIR(n->mode))
        return dir->ops->mkdir(dir, name, n->mode, cred, ret);
    return dir->ops->mknod(dir, name, n->mode, makedev(n->major, n->minor), cred, ret);
}

static int make_node(struct dentry *dir, const struct node *n)
{
    struct name name = name_make(n->name, strlen(n->name));
    struct dentry *d;
    struct inode *inode;
    MUTEX_GUARD(&dir->inode->lock);
    int err = dentry_lookup_locked(dir, &name, &d);
    if (err < 0)
        return err;
    err = d->inode ? -EEXIST : make_inode(dir->inode, n, &name, &inode);
    if (err >= 0)
        dentry_instantiate(d, inode);
    dentry_put(d);
    return err;
}

int dev_populate(struct dentry *dir, bool console)
{
    for (size_t i = 0; i < ARRAY_SIZE(nodes); i++) {
        if (!console && strcmp(nodes[i].name, "console") == 0)
            continue;
        int err = make_node(dir, &nodes[i]);
        if (err < 0)
            return err;
    }
    return 0;
}
