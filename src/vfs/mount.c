/*
 * The tree of mounts: making, moving and removing them. See vfs/mount.h; what /proc shows is in
 * mount_show.c.
 *
 * A mount that is attached holds one reference for its place in the tree, and references to its
 * parent and mount point. Detaching gives them back; paths that still lead into it keep it alive
 * without a parent.
 */
#include "vfs/mount.h"
#include "base/hash.h"
#include "kernel/nsfs.h"
#include "kernel/user_namespace.h"
#include "vfs/fs_context.h"
#include "vfs/mount_private.h"
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>

#define MOUNT_BUCKETS 256
#define MOUNTS_MAX 20000 /* copies included: propagation can double them with every call */

struct mutex mount_lock;
static struct list buckets[MOUNT_BUCKETS]; /* [mount_lock and dentry_lock to change] of hash_link */
static _Atomic unsigned mount_count;       /* that exist */
static _Atomic int next_id = 1;

/* ---- life ---- */

int mount_new(struct super_block *sb, struct dentry *root, unsigned flags,
                     struct mount **ret)
{
    struct mount *m = calloc(1, sizeof(*m));
    if (!m)
        return -ENOMEM;
    mount_count++;
    refcount_init(&m->ref);
    m->root = dentry_get(root);
    m->sb = sb_get(sb);
    m->flags = flags;
    m->id = next_id++;
    list_init(&m->share_link);
    list_init(&m->slaves);
    list_init(&m->slave_link);
    list_init(&m->work_link);
    list_init(&m->children);
    list_init(&m->child_link);
    list_init(&m->hash_link);
    *ret = m;
    return 0;
}

struct mount *mount_get(struct mount *m)
{
    refcount_get(&m->ref);
    return m;
}

void mount_put(struct mount *m)
{
    if (!refcount_put(&m->ref))
        return;
    mount_count--;
    dentry_put(m->root);
    sb_put(m->sb);
    free(m);
}

void path_get(const struct path *p)
{
    refcount_get(&p->mount->ref);
    refcount_get(&p->dentry->ref);
}

void path_put(const struct path *p)
{
    dentry_put(p->dentry);
    if (p->mount)
        mount_put(p->mount);
}

/* ---- the hash; dentry_lock held ---- */

static struct list *bucket_of(const struct mount *m, const struct dentry *d)
{
    return &buckets[hash_u64((uintptr_t)m ^ ((uintptr_t)d >> 3)) % MOUNT_BUCKETS];
}

struct mount *mount_at(const struct mount *m, const struct dentry *d)
{
    struct mount *found;
    if (LIKELY(!d->mountpoint))
        return NULL;
    list_for_each (found, bucket_of(m, d), hash_link)
        if (found->parent == m && found->mountpoint == d)
            return found;
    return NULL;
}

bool dotdot_locked(struct path *p, const struct path *root)
{
    for (;;) {
        if (path_equal(p, root))
            return false;
        if (p->dentry != p->mount->root)
            break;
        if (!mount_step_up(p))
            return false;
    }
    p->dentry = p->dentry->parent;
    for (struct mount *m; (m = mount_at(p->mount, p->dentry));)
        *p = (struct path){m, m->root};
    return true;
}

void follow_mounts(struct path *p)
{
    if (LIKELY(!p->dentry->mountpoint))
        return;
    struct path to = *p;
    spin_lock(&dentry_lock);
    for (struct mount *m; (m = mount_at(to.mount, to.dentry));)
        to = (struct path){m, m->root};
    path_get(&to);
    spin_unlock(&dentry_lock);
    path_put(p);
    *p = to;
}

void follow_dotdot(struct path *p, const struct path *root)
{
    struct path to = *p;
    spin_lock(&dentry_lock);
    dotdot_locked(&to, root);
    path_get(&to);
    spin_unlock(&dentry_lock);
    path_put(p);
    *p = to;
}

int mount_want_write(const struct mount *m)
{
    return m && (m->flags & MS_RDONLY || m->sb->read_only) ? -EROFS : 0;
}

/* ---- the tree; mount_lock held ---- */

/* Puts m (a detached root of a tree) at a place; takes over one reference to m. */
void mount_attach(struct mount *m, const struct path *at)
{
    spin_lock(&dentry_lock);
    m->parent = mount_get(at->mount);
    m->mountpoint = dentry_get(at->dentry);
    at->dentry->mountpoint = true;
    list_add(bucket_of(at->mount, at->dentry), &m->hash_link);
    list_add_tail(&at->mount->children, &m->child_link);
    spin_unlock(&dentry_lock);
}

static bool still_mountpoint(const struct dentry *d)
{
    for (unsigned i = 0; i < MOUNT_BUCKETS; i++) {
        struct mount *m;
        list_for_each (m, &buckets[i], hash_link)
            if (m->mountpoint == d)
                return true;
    }
    return false;
}

/* Takes m off its place; its reference passes to the caller, what it held is given to ret_old for
 * path_put(). */
void mount_detach(struct mount *m, struct path *ret_old)
{
    spin_lock(&dentry_lock);
    *ret_old = (struct path){m->parent, m->mountpoint};
    list_del(&m->hash_link);
    list_del(&m->child_link);
    m->parent = NULL;
    m->mountpoint = NULL;
    ret_old->dentry->mountpoint = still_mountpoint(ret_old->dentry);
    spin_unlock(&dentry_lock);
}

void mount_set_namespace(struct mount *m, struct mount_namespace *ns)
{
    struct mount *child;
    m->ns = ns;
    list_for_each (child, &m->children, child_link)
        mount_set_namespace(child, ns);
}

/* Dissolves the tree below and including m, which has no parent any more. Consumes m's
 * reference. */
void mount_dissolve(struct mount *m)
{
    struct mount *child;
    while ((child = list_first(&m->children, struct mount, child_link))) {
        struct path old;
        mount_detach(child, &old);
        path_put(&old);
        mount_dissolve(child);
    }
    m->ns = NULL;
    m->detached = true;
    mount_change_propagation(m, MS_PRIVATE);
    mount_put(m);
}

bool mount_is_below(const struct mount *m, const struct mount *top)
{
    while (m && m != top)
        m = m->parent;
    return m == top;
}

unsigned mount_height(const struct mount *m)
{
    unsigned height = 0;
    struct mount *child;
    list_for_each (child, &m->children, child_link)
        height = MAX(height, mount_height(child));
    return height + 1;
}

/* ---- copies ---- */

int mount_room(void)
{
    return mount_count >= MOUNTS_MAX ? -ENOSPC : 0;
}

/* What less privileged owners of the copy may not undo. */
static void lock_copy(struct mount *copy)
{
    copy->locked_flags |= copy->flags & (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC);
    copy->atime_locked = true;
}

static bool is_copied(const struct mount *m, unsigned how)
{
    if (m->propagation & MS_UNBINDABLE && !(how & COPY_UNBINDABLE))
        return false;
    const struct ns_common *ns = how & COPY_NAMESPACE ? nsfs_inode_ns(m->root->inode) : NULL;
    return !ns || ns->kind != &mount_ns_kind;
}

static int copy_children(struct mount *from, struct dentry *below, struct mount *to, unsigned how)
{
    struct mount *child, *copy;
    list_for_each (child, &from->children, child_link) {
        if (!is_copied(child, how) || !dentry_is_ancestor(below, child->mountpoint))
            continue;
        int err = mount_copy_tree(child, child->root, true, how, &copy);
        if (err)
            return err;
        copy->locked = child->locked || how & COPY_LOCK;
        mount_attach(copy, &(struct path){to, child->mountpoint});
    }
    return 0;
}

int mount_copy_tree(struct mount *m, struct dentry *root, bool recursive, unsigned how, struct mount **ret)
{
    struct mount *copy;
    int err = mount_room();
    if (!err)
        err = mount_new(m->sb, root, m->flags, &copy);
    if (err)
        return err;
    copy->locked_flags = m->locked_flags;
    copy->atime_locked = m->atime_locked;
    copy->propagation = m->propagation & MS_UNBINDABLE;
    if (how & COPY_LOCK)
        lock_copy(copy);
    mount_copy_propagation(copy, m, how);
    err = recursive ? copy_children(m, root, copy, how) : 0;
    if (err) {
        mount_dissolve(copy);
        return err;
    }
    *ret = copy;
    return 0;
}

/* ---- namespaces ---- */

static int namespace_alloc(struct user_namespace *owner, struct mount_namespace **ret)
{
    struct mount_namespace *ns = calloc(1, sizeof(*ns));
    if (!ns)
        return -ENOMEM;
    ns_init(&ns->common, &mount_ns_kind, owner);
    *ret = ns;
    return 0;
}

/* The dentry of a super block's root: one for all its mounts. */
int sb_root_dentry(struct super_block *sb)
{
    MUTEX_GUARD(&sb->rename_lock);
    return sb->root_dentry ? 0 : dentry_new_root(sb, &sb->root_dentry);
}

/* relatime is the default, as on Linux. */
unsigned with_relatime(unsigned flags)
{
    return flags & (MS_NOATIME | MS_STRICTATIME) ? flags & ~(unsigned)MS_STRICTATIME
                                                 : flags | MS_RELATIME;
}

int mount_new_internal(struct super_block *sb, struct mount **ret)
{
    int err = sb_root_dentry(sb);
    return err ? err : mount_new(sb, sb->root_dentry, 0, ret);
}

int mount_namespace_new(struct super_block *sb, unsigned flags, struct mount_namespace **ret)
{
    struct mount_namespace *ns;
    int err = sb_root_dentry(sb);
    if (!err)
        err = namespace_alloc(&root_user_ns, &ns);
    if (err)
        return err;
    err = mount_new(sb, sb->root_dentry, with_relatime(flags), &ns->root);
    if (err) {
        mount_namespace_put(ns);
        return err;
    }
    MUTEX_GUARD(&mount_lock);
    mount_set_namespace(ns->root, ns);
    *ret = ns;
    return 0;
}

void mount_namespace_root(struct mount_namespace *ns, struct path *ret)
{
    MUTEX_GUARD(&mount_lock);
    *ret = (struct path){ns->root, ns->root->root};
    path_get(ret);
    follow_mounts(ret);
}

/* If p is in `from`, moves it to the same place in the copy. The trees have the same shape. */
static void move_to_copy(struct path *p, struct mount *from, struct mount *copy, unsigned how)
{
    if (p->mount == from) {
        mount_get(copy);
        p->mount = copy;
        mount_put(from);
        return;
    }
    struct mount *a, *b = list_first(&copy->children, struct mount, child_link);
    list_for_each (a, &from->children, child_link) {
        if (!is_copied(a, how) || !b)
            continue;
        move_to_copy(p, a, b, how);
        b = b->child_link.next == &copy->children
                ? NULL
                : list_entry(b->child_link.next, struct mount, child_link);
    }
}

int mount_namespace_copy(struct mount_namespace *from, struct user_namespace *owner, struct path *root,
                         struct path *cwd, struct mount_namespace **ret)
{
    struct mount_namespace *ns;
    int err = namespace_alloc(owner, &ns);
    if (err)
        return err;
    mutex_lock(&mount_lock);
    unsigned how = COPY_UNBINDABLE | COPY_NAMESPACE;
    if (owner != from->common.owner)
        how |= COPY_SHARED_TO_SLAVE | COPY_LOCK;
    err = mount_copy_tree(from->root, from->root->root, true, how, &ns->root);
    if (!err) {
        mount_set_namespace(ns->root, ns);
        move_to_copy(root, from->root, ns->root, how);
        move_to_copy(cwd, from->root, ns->root, how);
    }
    mutex_unlock(&mount_lock);
    if (err)
        mount_namespace_put(ns);
    else
        *ret = ns;
    return err;
}

struct mount_namespace *mount_namespace_get(struct mount_namespace *ns)
{
    ns_get(&ns->common);
    return ns;
}

void mount_namespace_put(struct mount_namespace *ns)
{
    ns_put(&ns->common);
}

static void mount_ns_free(struct ns_common *common)
{
    struct mount_namespace *ns = container_of(common, struct mount_namespace, common);
    mutex_lock(&mount_lock);
    if (ns->root)
        mount_dissolve(ns->root);
    mutex_unlock(&mount_lock);
    free(ns);
}

const struct ns_kind mount_ns_kind = {
    .name = "mnt",
    .flag = CLONE_NEWNS,
    .slot = NS_NO_SLOT,
    .free = mount_ns_free,
};

static void sync_tree(struct mount *m)
{
    struct mount *child;
    if (m->sb->ops && m->sb->ops->sync)
        m->sb->ops->sync(m->sb);
    list_for_each (child, &m->children, child_link)
        sync_tree(child);
}

void mounts_sync(struct mount_namespace *ns)
{
    MUTEX_GUARD(&mount_lock);
    sync_tree(ns->root);
}

static struct super_block *find_sb(struct mount *m, uint64_t dev)
{
    struct mount *child;
    struct super_block *found = m->sb->dev == dev ? m->sb : NULL;
    list_for_each (child, &m->children, child_link)
        if (!found)
            found = find_sb(child, dev);
    return found;
}

struct super_block *mounts_find_dev(struct mount_namespace *ns, uint64_t dev)
{
    MUTEX_GUARD(&mount_lock);
    struct super_block *sb = find_sb(ns->root, dev);
    return sb ? sb_get(sb) : NULL;
}

int mount_init(void)
{
    mutex_init(&mount_lock);
    for (unsigned i = 0; i < MOUNT_BUCKETS; i++)
        list_init(&buckets[i]);
    return 0;
}
