/*
 * The tree of mounts: making, moving and removing them. See vfs/mount.h; what /proc shows is in
 * mount_show.c.
 *
 * A mount that is attached holds one reference for its place in the tree, and references to its
 * parent and mount point. Detaching gives them back; paths that still lead into it keep it alive
 * without a parent. DEVIATION: propagation types are kept and shown, but nothing is propagated
 * between peers.
 */
#include "vfs/mount.h"
#include "base/hash.h"
#include "kernel/user_namespace.h"
#include "vfs/fs_context.h"
#include "vfs/internal.h"
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>

#define MOUNT_BUCKETS 256
#define MOUNTS_MAX 100000
#define MOUNT_DEPTH_MAX 128 /* trees are walked recursively on small stacks */

struct mutex mount_lock;
static struct list buckets[MOUNT_BUCKETS]; /* [mount_lock and dentry_lock to change] of hash_link */
static unsigned mount_count;               /* [mount_lock] attached */
static _Atomic int next_id = 1;

/* ---- life ---- */

static int mount_new(struct super_block *sb, struct dentry *root, unsigned flags,
                     struct mount **ret)
{
    struct mount *m = calloc(1, sizeof(*m));
    if (!m)
        return -ENOMEM;
    refcount_init(&m->ref);
    m->root = dentry_get(root);
    m->sb = sb_get(sb);
    m->flags = flags;
    m->id = next_id++;
    m->propagation = MS_PRIVATE;
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
static void attach(struct mount *m, const struct path *at)
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
static void detach(struct mount *m, struct path *ret_old)
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

static void set_namespace(struct mount *m, struct mount_namespace *ns)
{
    struct mount *child;
    mount_count += (ns != NULL) - (m->ns != NULL);
    m->ns = ns;
    list_for_each (child, &m->children, child_link)
        set_namespace(child, ns);
}

/* Dissolves the tree below and including m, which has no parent any more. Consumes m's
 * reference. */
static void dissolve(struct mount *m)
{
    struct mount *child;
    while ((child = list_first(&m->children, struct mount, child_link))) {
        struct path old;
        detach(child, &old);
        path_put(&old);
        dissolve(child);
    }
    mount_count -= m->ns != NULL;
    m->ns = NULL;
    m->detached = true;
    mount_put(m);
}

static int copy_children(struct mount *from, struct dentry *below, struct mount *to);

/* A copy of the mount tree from `m` on, rooted at `root`: one reference for the caller. */
static int copy_tree(struct mount *m, struct dentry *root, bool recursive, struct mount **ret)
{
    struct mount *copy;
    if (mount_count > MOUNTS_MAX)
        return -ENOSPC;
    int err = mount_new(m->sb, root, m->flags, &copy);
    if (err)
        return err;
    copy->propagation = m->propagation;
    copy->peer_group = m->peer_group;
    err = recursive ? copy_children(m, root, copy) : 0;
    if (err) {
        dissolve(copy);
        return err;
    }
    *ret = copy;
    return 0;
}

static int copy_children(struct mount *from, struct dentry *below, struct mount *to)
{
    struct mount *child, *copy;
    list_for_each (child, &from->children, child_link) {
        if (child->propagation & MS_UNBINDABLE || !dentry_is_ancestor(below, child->mountpoint))
            continue;
        int err = copy_tree(child, child->root, true, &copy);
        if (err)
            return err;
        attach(copy, &(struct path){to, child->mountpoint});
    }
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
static int sb_root_dentry(struct super_block *sb)
{
    MUTEX_GUARD(&sb->rename_lock);
    return sb->root_dentry ? 0 : dentry_new_root(sb, &sb->root_dentry);
}

/* relatime is the default, as on Linux. */
static unsigned with_relatime(unsigned flags)
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
    set_namespace(ns->root, ns);
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
static void move_to_copy(struct path *p, struct mount *from, struct mount *copy)
{
    if (p->mount == from) {
        mount_get(copy);
        p->mount = copy;
        mount_put(from);
        return;
    }
    struct mount *a, *b = list_first(&copy->children, struct mount, child_link);
    list_for_each (a, &from->children, child_link) {
        if (a->propagation & MS_UNBINDABLE || !b)
            continue;
        move_to_copy(p, a, b);
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
    err = copy_tree(from->root, from->root->root, true, &ns->root);
    if (!err) {
        set_namespace(ns->root, ns);
        move_to_copy(root, from->root, ns->root);
        move_to_copy(cwd, from->root, ns->root);
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
        dissolve(ns->root);
    mutex_unlock(&mount_lock);
    free(ns);
}

const struct ns_kind mount_ns_kind = {
    .name = "mnt",
    .flag = CLONE_NEWNS,
    .slot = NS_NO_SLOT,
    .free = mount_ns_free,
};

/* ---- verbs ---- */

static unsigned mount_height(const struct mount *m)
{
    unsigned height = 0;
    struct mount *child;
    list_for_each (child, &m->children, child_link)
        height = MAX(height, mount_height(child));
    return height + 1;
}

/* Can something whose root is `root`, with `height` levels of mounts, be mounted at `at`? */
static int check_place(const struct path *at, const struct dentry *root, unsigned height)
{
    for (const struct mount *m = at->mount; m; m = m->parent)
        height++;
    if (height > MOUNT_DEPTH_MAX)
        return -ENOSPC;
    if (!at->mount->ns)
        return -EINVAL;
    if (at->dentry->deleted)
        return -ENOENT;
    if (inode_is_dir(at->dentry->inode) != inode_is_dir(root->inode))
        return -ENOTDIR;
    return mount_count >= MOUNTS_MAX ? -ENOSPC : 0;
}

int do_mount(struct super_block *sb, const struct path *at, unsigned flags)
{
    struct mount *m;
    int err = sb_root_dentry(sb);
    if (err)
        return err;
    MUTEX_GUARD(&mount_lock);
    err = check_place(at, sb->root_dentry, 1);
    if (!err && at->mount->sb == sb && at->dentry == at->mount->root)
        err = -EBUSY;
    if (!err)
        err = mount_new(sb, sb->root_dentry, with_relatime(flags), &m);
    if (err)
        return err;
    attach(m, at);
    set_namespace(m, at->mount->ns);
    return 0;
}

int do_bind(const struct path *from, const struct path *at, bool recursive)
{
    struct mount *copy;
    MUTEX_GUARD(&mount_lock);
    int err = check_place(at, from->dentry, recursive ? mount_height(from->mount) : 1);
    if (!err && (!from->mount->ns || from->mount->propagation & MS_UNBINDABLE))
        err = -EINVAL;
    if (!err)
        err = copy_tree(from->mount, from->dentry, recursive, &copy);
    if (err)
        return err;
    attach(copy, at);
    set_namespace(copy, at->mount->ns);
    return 0;
}

static bool mount_is_below(const struct mount *m, const struct mount *top)
{
    while (m && m != top)
        m = m->parent;
    return m == top;
}

int do_move_mount(const struct path *from, const struct path *at)
{
    struct mount *m = from->mount;
    struct path old;
    MUTEX_GUARD(&mount_lock);
    if (from->dentry != m->root || !m->parent || !m->ns || m->ns != at->mount->ns)
        return -EINVAL;
    int err = check_place(at, m->root, mount_height(m));
    if (err)
        return err;
    if (mount_is_below(at->mount, m))
        return -ELOOP;
    if (m->parent->propagation & MS_SHARED)
        return -EINVAL;
    detach(m, &old);
    attach(m, at);
    path_put(&old);
    return 0;
}

#define CHANGEABLE_FLAGS \
    (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_RELATIME | MS_NODIRATIME)

int do_remount(const struct path *at, unsigned flags, bool bind, const char *data)
{
    MUTEX_GUARD(&mount_lock);
    if (at->dentry != at->mount->root || !at->mount->ns)
        return -EINVAL;
    at->mount->flags = with_relatime(flags) & CHANGEABLE_FLAGS;
    if (!bind)
        at->mount->sb->read_only = flags & MS_RDONLY;
    (void)data; /* no file system of ours has options that can change */
    return 0;
}

static void change_propagation(struct mount *m, unsigned type, bool recursive)
{
    static int next_group = 1;
    struct mount *child;
    m->propagation = type;
    if (type == MS_SHARED && !m->peer_group)
        m->peer_group = next_group++;
    else if (type != MS_SHARED)
        m->peer_group = 0;
    if (recursive)
        list_for_each (child, &m->children, child_link)
            change_propagation(child, type, true);
}

int do_change_propagation(const struct path *at, unsigned type, bool recursive)
{
    if (type != MS_SHARED && type != MS_PRIVATE && type != MS_SLAVE && type != MS_UNBINDABLE)
        return -EINVAL;
    MUTEX_GUARD(&mount_lock);
    if (at->dentry != at->mount->root)
        return -EINVAL;
    change_propagation(at->mount, type, recursive);
    return 0;
}

int do_umount(const struct path *at, int flags)
{
    struct mount *m = at->mount;
    struct path old;
    if (flags & MNT_EXPIRE) /* never two calls in a row on an idle mount: expiry is not kept */
        return -EINVAL;
    MUTEX_GUARD(&mount_lock);
    if (at->dentry != m->root || !m->ns || !m->parent)
        return -EINVAL;
    /* References: the tree's and the caller's. */
    if (!(flags & MNT_DETACH) && (!list_empty(&m->children) || refcount_read(&m->ref) > 2))
        return -EBUSY;
    detach(m, &old);
    path_put(&old);
    dissolve(m);
    return 0;
}

/* Puts `m` where `old_root` was: at the namespace's root or on the same mount point. */
static void replace_root(struct mount_namespace *ns, struct mount *m, const struct path *place)
{
    if (place->dentry) {
        attach(m, place);
        path_put(place);
        return;
    }
    ns->root = m;
}

int do_pivot_root(const struct path *new_root, const struct path *put_old)
{
    struct path root, old_place = {0}, new_place;
    fs_get_root(current_fs(), &root);
    UNUSED CLEANUP_PATH_REF struct path guard = root;
    struct mount *m = new_root->mount, *old = root.mount;
    MUTEX_GUARD(&mount_lock);
    if (m == old || put_old->mount == old)
        return -EBUSY;
    if (new_root->dentry != m->root || root.dentry != old->root || !m->parent || !m->ns ||
        m->ns != old->ns)
        return -EINVAL;
    if (!inode_is_dir(put_old->dentry->inode))
        return -ENOTDIR;
    if (!mount_is_below(put_old->mount, m) || !mount_is_below(m, old))
        return -EINVAL;
    if (m->propagation & MS_SHARED || m->parent->propagation & MS_SHARED ||
        old->propagation & MS_SHARED)
        return -EINVAL;
    detach(m, &new_place);
    if (old->parent)
        detach(old, &old_place);
    attach(old, put_old);
    replace_root(m->ns, m, &old_place);
    path_put(&new_place);
    fs_contexts_move(&root, &(struct path){m, m->root});
    return 0;
}

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
