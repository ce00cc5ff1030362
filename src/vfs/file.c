/*
 * Open file descriptions: life, and the files that have no name in any file system.
 *
 * An anonymous file (pipe, eventfd, socket) has an inode of its own on a hidden file system and a
 * dentry that only carries the name /proc/PID/fd shows.
 */
#include "vfs/async.h"
#include "vfs/file.h"
#include "vfs/dentry.h"
#include "vfs/internal.h"
#include "vfs/leases.h"
#include "vfs/locks.h"
#include "vfs/notify.h"
#include <stdlib.h>
#include <string.h>

static struct {
    struct super_block *sb;
    struct mount *mount;
} anon;

static struct file *file_alloc(const struct file_ops *ops, uint32_t flags, const struct cred *cred)
{
    struct file *f = calloc(1, sizeof(*f));
    if (!f)
        return NULL;
    refcount_init(&f->ref);
    f->ops = ops;
    f->flags = flags;
    mutex_init(&f->pos_lock);
    list_init(&f->epoll_items);
    f->cred = cred_get(cred);
    return f;
}

int file_new(const struct path *path, const struct file_ops *ops, uint32_t flags, struct file **ret)
{
    struct file *f = file_alloc(ops, flags, current_cred());
    if (!f)
        return -ENOMEM;
    f->path = *path;
    path_get(path);
    f->inode = inode_get(path->dentry->inode);
    *ret = f;
    return 0;
}

static const struct file_ops no_ops;

/* Gives back what file_alloc() and its callers took, without release(). */
static void file_free(struct file *f)
{
    inode_put(f->inode); /* before the mount, which may be the last thing that keeps its superblock */
    if (f->path.dentry)
        path_put(&f->path);
    if (UNLIKELY(f->detached != NULL))
        mount_detached_end(f->detached);
    cred_put((struct cred *)f->cred);
    free(f);
}

int file_new_inode(struct inode *inode, uint32_t flags, const struct cred *cred, struct file **ret)
{
    struct file *f = file_alloc(inode->file_ops ? inode->file_ops : &no_ops, flags, cred);
    if (!f)
        return -ENOMEM;
    f->inode = inode_get(inode);
    int err = f->ops->open ? f->ops->open(inode, f) : 0;
    if (err) {
        file_free(f);
        return err;
    }
    *ret = f;
    return 0;
}

struct file *file_get(struct file *f)
{
    refcount_get(&f->ref);
    return f;
}

/* Moves inode->writers away from zero by `step`, unless it is on the other side. */
static bool count_writers(struct inode *inode, int step)
{
    int seen = atomic_load_explicit(&inode->writers, memory_order_relaxed);
    do {
        if (step > 0 ? seen < 0 : seen > 0)
            return false;
    } while (!atomic_compare_exchange_weak(&inode->writers, &seen, seen + step));
    return true;
}

static void count_on_mount(struct mount *m, int change)
{
    m->writers += change;
    m->sb->writers += change;
}

int file_count_writer(struct file *f)
{
    f->counted_writer = count_writers(f->inode, 1);
    if (f->counted_writer && f->path.mount)
        count_on_mount(f->path.mount, 1);
    return f->counted_writer ? 0 : -ETXTBSY;
}

int file_deny_writers(struct file *f)
{
    f->denies_writers = count_writers(f->inode, -1);
    return f->denies_writers ? 0 : -ETXTBSY;
}

void file_put(struct file *f)
{
    if (!refcount_put(&f->ref))
        return;
    if (f->path.dentry && !(f->flags & O_PATH)) {
        if (UNLIKELY(f->inode->locks))
            file_locks_release(f);
        lease_release(f);
        notify_dentry(f->path.dentry, f->inode,
                      file_writable(f) ? IN_CLOSE_WRITE : IN_CLOSE_NOWRITE);
    }
    if (UNLIKELY(!list_empty(&f->epoll_items)))
        file_epoll_release(f);
    if (UNLIKELY(f->owner))
        file_owner_release(f);
    if (f->ops->release)
        f->ops->release(f);
    if (f->counted_writer && f->path.mount)
        count_on_mount(f->path.mount, -1);
    if (f->counted_open)
        atomic_fetch_sub_explicit(&f->inode->opens, 1, memory_order_relaxed);
    if (f->counted_writer)
        atomic_fetch_sub(&f->inode->writers, 1);
    else if (UNLIKELY(f->denies_writers))
        atomic_fetch_add(&f->inode->writers, 1);
    file_free(f);
}

/* ---- anonymous files ---- */

static void anon_evict(struct inode *inode)
{
    free(inode);
}

/* Pipes and sockets have owners and modes to change; what has no type is no file in any file system. */
static int anon_setattr(struct inode *inode, const struct setattr *change)
{
    struct attr *a = &inode->attr;
    if (!(a->mode & S_IFMT))
        return -EOPNOTSUPP;
    if (change->valid & ATTR_SIZE)
        return -EINVAL;
    if (change->valid & ATTR_MODE)
        a->mode = (a->mode & S_IFMT) | (change->mode & 07777);
    if (change->valid & ATTR_UID)
        a->uid = change->uid;
    if (change->valid & ATTR_GID)
        a->gid = change->gid;
    if (change->valid & ATTR_ATIME)
        a->atime = change->atime;
    if (change->valid & ATTR_MTIME)
        a->mtime = change->mtime;
    a->ctime = vfs_now();
    return 0;
}

static const struct inode_ops anon_inode_ops = {.setattr = anon_setattr, .evict = anon_evict};

static int anon_inode(uint32_t mode, struct inode **ret)
{
    struct inode *inode = malloc(sizeof(*inode));
    if (!inode)
        return -ENOMEM;
    const struct cred *cred = current_cred();
    inode_init(inode, anon.sb, &anon_inode_ops, NULL, mode, cred->fsuid, cred->fsgid);
    *ret = inode;
    return 0;
}

int file_new_on_inode(const char *name, struct inode *inode, const struct file_ops *ops,
                      void *private_data, uint32_t flags, struct file **ret)
{
    struct path path = {anon.mount, NULL};
    int err = dentry_new_anon(name, inode, &path.dentry);
    if (err)
        return err;
    err = file_new(&path, ops, flags, ret);
    dentry_put(path.dentry);
    if (!err)
        (*ret)->private_data = private_data;
    return err;
}

int file_new_anon(const char *name, uint32_t mode, const struct file_ops *ops, void *private_data,
                  uint32_t flags, struct file **ret)
{
    struct inode *inode;
    int err = anon_inode(mode, &inode);
    if (err)
        return err;
    err = file_new_on_inode(name, inode, ops, private_data, flags, ret);
    inode_put(inode);
    return err;
}

#define ANON_INODE_FS_MAGIC 0x09041934

int file_anon_init(void)
{
    struct inode *root;
    if (anon.sb)
        return 0;
    int err = sb_new("anon_inodefs", "anon_inodefs", ANON_INODE_FS_MAGIC, NULL, &anon.sb);
    if (!err)
        err = anon_inode(S_IFDIR | 0555, &root);
    if (err)
        return err;
    anon.sb->root = root;
    return mount_new_internal(anon.sb, &anon.mount);
}
