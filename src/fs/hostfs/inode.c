/*
 * hostfs inodes: identity, attributes, look-up, end of life.
 *
 * A look-up is one statx of the name. The inode is then found in (or added to) the tree's table by
 * host device and number; the table holds no references. When the last reference goes, the inode
 * leaves the table and its parent's reference is dropped; a chain of parents that die together is
 * freed one by one, not recursively.
 */
#include "base/hash.h"
#include "fs/hostfs/private.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

static uint64_t host_dev_of(const struct statx *st)
{
    return (uint64_t)st->stx_dev_major << 32 | st->stx_dev_minor;
}

static int64_t ns_of(const struct statx_timestamp *t)
{
    int64_t ns;
    if (__builtin_mul_overflow(t->tv_sec, (int64_t)NSEC_PER_SEC, &ns) ||
        __builtin_add_overflow(ns, t->tv_nsec, &ns))
        return t->tv_sec < 0 ? INT64_MIN : INT64_MAX;
    return ns;
}

static int64_t birth_of(const struct statx *st)
{
    return st->stx_mask & STATX_BTIME ? ns_of(&st->stx_btime) : 0;
}

/* Each host device shows as one device of the guest: the first as the super block's own. fs->lock
 * held. */
static uint64_t guest_dev(struct hostfs *fs, uint64_t host)
{
    for (unsigned i = 0; i < fs->device_count; i++)
        if (fs->devices[i].host == host)
            return fs->devices[i].guest;
    if (fs->device_count == HOSTFS_MAX_DEVICES)
        return fs->sb->dev;
    uint64_t guest = fs->device_count ? sb_new_dev() : fs->sb->dev;
    fs->devices[fs->device_count++] = (struct device_id){host, guest};
    return guest;
}

/* DEVIATION: with one id mapped, whatever belongs to anybody else comes as the overflow id; most of
 * that is root's, and programs (sudo, ssh, git) check that system files are. */
static uint32_t guest_id(const struct hostfs *fs, uint32_t id)
{
    return fs->flags & HOSTFS_ROOTLESS && id == OVERFLOW_ID ? 0 : id;
}

void host_attr_set(struct host_inode *h, const struct statx *st)
{
    struct hostfs *fs = hostfs_of(&h->inode);
    struct attr *a = &h->inode.attr;
    a->ino = st->stx_ino;
    a->size = MIN(st->stx_size, (uint64_t)INT64_MAX);
    a->blocks = st->stx_blocks;
    a->mode = st->stx_mode;
    a->uid = guest_id(fs, st->stx_uid);
    a->gid = guest_id(fs, st->stx_gid);
    a->nlink = st->stx_nlink;
    a->blksize = st->stx_blksize;
    a->rdev = makedev(st->stx_rdev_major, st->stx_rdev_minor);
    a->atime = ns_of(&st->stx_atime);
    a->mtime = ns_of(&st->stx_mtime);
    a->ctime = ns_of(&st->stx_ctime);
    a->btime = birth_of(st);
}

static void choose_ops(const struct hostfs *fs, uint32_t mode, const struct inode_ops **ret_ops,
                       const struct file_ops **ret_file_ops)
{
    *ret_ops = &hostfs_special_ops;
    *ret_file_ops = NULL;
    if (S_ISDIR(mode)) {
        *ret_ops = fs->flags & HOSTFS_EXCLUSIVE ? &hostfs_dir_ops : &hostfs_shared_dir_ops;
        *ret_file_ops = &hostfs_dir_file_ops;
    } else if (S_ISREG(mode)) {
        *ret_ops = &hostfs_file_inode_ops;
        *ret_file_ops = &hostfs_file_ops;
    } else if (S_ISLNK(mode)) {
        *ret_ops = &hostfs_symlink_ops;
    } else if (S_ISSOCK(mode)) {
        *ret_file_ops = &hostfs_socket_ops;
    }
}

static struct host_inode **bucket(struct hostfs *fs, uint64_t dev, uint64_t ino)
{
    return &fs->buckets[hash_u64(ino ^ dev * 31) % HOSTFS_BUCKETS];
}

static bool same_object(const struct host_inode *h, const struct statx *st)
{
    return h->host_ino == st->stx_ino && h->host_dev == host_dev_of(st) &&
           h->birth == birth_of(st) && (h->inode.attr.mode & S_IFMT) == (st->stx_mode & S_IFMT);
}

static struct host_inode *table_find(struct hostfs *fs, const struct statx *st)
{
    struct host_inode *h = *bucket(fs, host_dev_of(st), st->stx_ino);
    for (; h; h = h->hash_next)
        if (same_object(h, st) && refcount_get_unless_zero(&h->inode.ref))
            return h;
    return NULL;
}

static struct host_inode *host_inode_new(struct hostfs *fs, const struct statx *st)
{
    const struct inode_ops *ops;
    const struct file_ops *file_ops;
    struct host_inode *h = calloc(1, sizeof(*h));
    if (!h)
        return NULL;
    choose_ops(fs, st->stx_mode, &ops, &file_ops);
    inode_init(&h->inode, fs->sb, ops, file_ops, st->stx_mode, st->stx_uid, st->stx_gid);
    h->host_dev = host_dev_of(st);
    h->host_ino = st->stx_ino;
    h->birth = birth_of(st);
    list_init(&h->dying_link);
    list_init(&h->fd_link);
    host_attr_set(h, st);
    h->inode.attr_current = fs->flags & HOSTFS_EXCLUSIVE;
    return h;
}

/* fs->lock held. */
static void table_remove(struct hostfs *fs, struct host_inode *h)
{
    if (!h->hashed)
        return;
    struct host_inode **link = bucket(fs, h->host_dev, h->host_ino);
    while (*link != h)
        link = &(*link)->hash_next;
    *link = h->hash_next;
    h->hashed = false;
}

/* Adds a fresh inode, unless somebody else was quicker: then that one, with a reference. */
static struct host_inode *table_add(struct hostfs *fs, struct host_inode *fresh,
                                    const struct statx *st)
{
    spin_lock(&fs->lock);
    struct host_inode *h = table_find(fs, st);
    if (!h) {
        h = fresh;
        h->inode.attr.dev = guest_dev(fs, h->host_dev);
        struct host_inode **head = bucket(fs, h->host_dev, h->host_ino);
        h->hash_next = *head;
        *head = h;
        h->hashed = true;
    }
    spin_unlock(&fs->lock);
    return h;
}

int host_inode_get(struct hostfs *fs, const struct statx *st, struct host_inode *parent,
                   const struct name *name, struct inode **ret)
{
    spin_lock(&fs->lock);
    struct host_inode *h = table_find(fs, st);
    spin_unlock(&fs->lock);
    if (!h) {
        struct host_inode *fresh = host_inode_new(fs, st);
        if (!fresh)
            return -ENOMEM;
        h = table_add(fs, fresh, st);
        if (h != fresh)
            free(fresh);
    } else if (!(fs->flags & HOSTFS_EXCLUSIVE)) {
        host_attr_set(h, st);
    }
    if (parent) {
        int err = host_inode_set_place(h, parent, name->s, name->len);
        if (err < 0) {
            inode_put(&h->inode);
            return err;
        }
    }
    *ret = &h->inode;
    return 0;
}

/* Would `parent` below `h` close a ring? Possible when somebody else moves directories of a shared
 * tree. */
static bool is_below(const struct host_inode *parent, const struct host_inode *h)
{
    for (; parent; parent = parent->parent)
        if (parent == h)
            return true;
    return false;
}

static bool same_place(const struct host_inode *h, const struct host_inode *parent,
                       const char *name, size_t len)
{
    return h->parent == parent && strlen(h->name) == len && memcmp(h->name, name, len) == 0;
}

int host_inode_set_place(struct host_inode *h, struct host_inode *parent, const char *name,
                         size_t len)
{
    struct hostfs *fs = hostfs_of(&h->inode);
    spin_lock(&fs->lock);
    bool done = h->parent && same_place(h, parent, name, len);
    spin_unlock(&fs->lock);
    if (done)
        return 0;
    char *copy = strndup(name, len);
    if (!copy)
        return -ENOMEM;
    int err = 0;
    struct host_inode *old = NULL;
    spin_lock(&fs->lock);
    if (is_below(parent, h)) {
        err = -ESTALE;
    } else {
        inode_get(&parent->inode);
        old = h->parent;
        h->parent = parent;
        char *old_name = h->name;
        h->name = copy;
        copy = old_name;
    }
    spin_unlock(&fs->lock);
    free(copy);
    if (old)
        inode_put(&old->inode);
    return err;
}

void host_inode_orphan(struct host_inode *h)
{
    struct hostfs *fs = hostfs_of(&h->inode);
    spin_lock(&fs->lock);
    struct host_inode *parent = TAKE_PTR(h->parent);
    char *name = TAKE_PTR(h->name);
    if (h->inode.attr.nlink == 0)
        table_remove(fs, h);
    spin_unlock(&fs->lock);
    free(name);
    if (parent)
        inode_put(&parent->inode);
}

int host_name_make(const struct name *name, struct host_name *ret)
{
    if (name->len >= sizeof(ret->s))
        return -ENAMETOOLONG;
    memcpy(ret->s, name->s, name->len);
    ret->s[name->len] = '\0';
    return 0;
}

static int statx_child(struct inode *dir, const struct name *name, struct statx *ret)
{
    CLEANUP_HOST_FD struct host_fd *fd = NULL;
    struct host_name host_name;
    int err = host_name_make(name, &host_name);
    if (err >= 0)
        err = dir_fd(host_inode(dir), &fd);
    return err < 0 ? err : host_statx(fd->fd, host_name.s, ret);
}

int hostfs_lookup(struct inode *dir, const struct name *name, struct inode **ret)
{
    struct statx st;
    int err = statx_child(dir, name, &st);
    return err < 0 ? err : host_inode_get(hostfs_of(dir), &st, host_inode(dir), name, ret);
}

bool hostfs_revalidate(struct inode *dir, const struct name *name, struct inode *inode)
{
    struct statx st;
    int err = statx_child(dir, name, &st);
    if (!inode)
        return err == -ENOENT;
    if (err < 0 || !same_object(host_inode(inode), &st))
        return false;
    host_attr_set(host_inode(inode), &st);
    return true;
}

int host_inode_refresh(struct host_inode *h)
{
    CLEANUP_HOST_FD struct host_fd *fd = NULL;
    struct statx st;
    h->inode.attr_current = hostfs_exclusive(&h->inode);
    bool named = h->parent && !inode_is_dir(&h->inode) && !h->opens;
    int err = named ? place_statx(h, &st) : object_fd(h, false, &fd);
    if (err >= 0 && !named)
        err = host_statx(fd->fd, "", &st);
    if (err < 0)
        return h->parent ? err : 0; /* unlinked, and no way to it: what is known stands */
    host_attr_set(h, &st);
    return 0;
}

int hostfs_getattr(struct inode *inode)
{
    return host_inode_refresh(host_inode(inode));
}

/* The text of an exclusive tree's link never changes: the VFS may use it without asking again. */
static void keep_target(struct inode *inode, const char *target)
{
    struct hostfs *fs = hostfs_of(inode);
    char *copy = strdup(target);
    spin_lock(&fs->lock);
    if (copy && !inode->link)
        __atomic_store_n(&inode->link, TAKE_PTR(copy), __ATOMIC_RELEASE);
    spin_unlock(&fs->lock);
    free(copy);
}

int hostfs_readlink(struct inode *inode, char **ret_target)
{
    char target[PATH_MAX];
    if (inode->link) {
        *ret_target = strdup(inode->link);
        return *ret_target ? 0 : -ENOMEM;
    }
    ssize_t n = place_readlink(host_inode(inode), target, sizeof(target) - 1);
    if (n < 0)
        return (int)n;
    target[n] = '\0';
    if (hostfs_exclusive(inode))
        keep_target(inode, target);
    *ret_target = strdup(target);
    return *ret_target ? 0 : -ENOMEM;
}

static void host_inode_free(struct host_inode *h)
{
    struct host_fd *fd;
    spare_drop(h);
    host_inode_drop_fd(h, &fd);
    if (fd)
        host_fd_put(fd);
    dir_list_forget(h);
    content_forget(h);
    free(h->name);
    free((char *)h->inode.link);
    if (h->parent)
        inode_put(&h->parent->inode); /* may come back to hostfs_evict(), which only queues then */
    free(h);
}

void hostfs_evict(struct inode *inode)
{
    struct host_inode *h = host_inode(inode);
    struct hostfs *fs = hostfs_of(inode);
    spin_lock(&fs->lock);
    table_remove(fs, h);
    list_add_tail(&fs->dying, &h->dying_link);
    if (!fs->reaping) {
        fs->reaping = true;
        while ((h = list_first(&fs->dying, struct host_inode, dying_link))) {
            list_del(&h->dying_link);
            spin_unlock(&fs->lock);
            host_inode_free(h);
            spin_lock(&fs->lock);
        }
        fs->reaping = false;
    }
    spin_unlock(&fs->lock);
}
