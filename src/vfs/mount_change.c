/*
 * The verbs on mounts: mount(2) in all its forms, umount2(2), pivot_root(2), and their newer
 * relatives. The order of the checks is Linux's. Each takes mount_lock, looks whether it may, and
 * then changes the tree in one go.
 */
#include "kernel/nsfs.h"
#include "kernel/user_namespace.h"
#include "vfs/fs_context.h"
#include "vfs/mount_private.h"
#include <linux/capability.h>
#include <sys/mount.h>

static struct mount_namespace *own_namespace(void)
{
    struct fs_context *fs = current_fs();
    return fs ? fs->ns : NULL; /* at boot: none */
}

/* In the caller's own tree? */
static bool is_ours(const struct mount *m)
{
    return m->ns && (!own_namespace() || m->ns == own_namespace());
}

/* What has been mounted on the place since it was looked up. Borrowed: the tree holds it. */
static struct path topmost(const struct path *at)
{
    struct path p = *at;
    for (struct mount *m; (m = mount_at(p.mount, p.dentry));)
        p = (struct path){m, m->root};
    return p;
}

/* Can something whose root is `root`, with `height` levels of mounts, be mounted at `at`? */
static int check_place(const struct path *at, const struct dentry *root, unsigned height)
{
    for (const struct mount *m = at->mount; m; m = m->parent)
        height++;
    if (height > MOUNT_DEPTH_MAX)
        return -ENOSPC;
    if (!is_ours(at->mount))
        return -EINVAL;
    if (at->dentry->deleted)
        return -ENOENT;
    if (inode_is_dir(at->dentry->inode) != inode_is_dir(root->inode))
        return -ENOTDIR;
    return mount_room();
}

int do_mount(struct super_block *sb, const struct path *place, unsigned flags)
{
    int err = sb_root_dentry(sb);
    return err ? err : do_mount_part(sb, sb->root_dentry, place, flags);
}

int do_mount_part(struct super_block *sb, struct dentry *root, const struct path *place, unsigned flags)
{
    struct mount *m;
    MUTEX_GUARD(&mount_lock);
    struct path at = topmost(place);
    int err = check_place(&at, root, 1);
    if (!err && at.mount->sb == sb && at.dentry == at.mount->root)
        err = -EBUSY;
    if (!err)
        err = mount_new(sb, root, with_relatime(flags), &m);
    if (err)
        return err;
    err = mount_attach_tree(m, &at);
    if (err)
        mount_dissolve(m);
    return err;
}

/* ---- binds ---- */

static bool has_locked_children(const struct mount *m, struct dentry *below)
{
    struct mount *child;
    list_for_each (child, &m->children, child_link)
        if (child->locked && dentry_is_ancestor(below, child->mountpoint))
            return true;
    return false;
}

/* A file that stands for a mount namespace not younger than ours would keep itself alive. */
static bool is_namespace_loop(const struct path *from)
{
    const struct ns_common *ns = nsfs_inode_ns(from->dentry->inode);
    return ns && ns->kind == &mount_ns_kind && own_namespace() && own_namespace()->common.id >= ns->id;
}

static int check_source(const struct path *from, bool recursive)
{
    if (is_namespace_loop(from) || from->mount->propagation & MS_UNBINDABLE)
        return -EINVAL;
    if (!is_ours(from->mount) && !nsfs_inode_ns(from->dentry->inode))
        return -EINVAL;
    return !recursive && has_locked_children(from->mount, from->dentry) ? -EINVAL : 0;
}

int do_bind(const struct path *from, const struct path *place, bool recursive)
{
    struct mount *copy;
    MUTEX_GUARD(&mount_lock);
    struct path at = topmost(place);
    int err = check_source(from, recursive);
    if (!err)
        err = check_place(&at, from->dentry, recursive ? mount_height(from->mount) : 1);
    if (!err)
        err = mount_copy_tree(from->mount, from->dentry, recursive, 0, &copy);
    if (err)
        return err;
    copy->locked = false;
    err = mount_attach_tree(copy, &at);
    if (err)
        mount_dissolve(copy);
    return err;
}

/* ---- moving ---- */

static bool has_unbindable(const struct mount *m)
{
    struct mount *child;
    if (m->propagation & MS_UNBINDABLE)
        return true;
    list_for_each (child, &m->children, child_link)
        if (has_unbindable(child))
            return true;
    return false;
}

static int check_move(const struct path *from, const struct path *at)
{
    const struct mount *m = from->mount;
    bool detached = !m->ns && m->is_detached_root;
    if (from->dentry != m->root || (!detached && (!is_ours(m) || !m->parent)) || m->locked)
        return -EINVAL;
    if (inode_is_dir(at->dentry->inode) != inode_is_dir(m->root->inode))
        return -EINVAL;
    int err = check_place(at, m->root, mount_height(m));
    if (err)
        return err;
    if (m->parent && m->parent->propagation & MS_SHARED)
        return -EINVAL;
    if (at->mount->propagation & MS_SHARED && has_unbindable(m))
        return -EINVAL;
    return mount_is_below(at->mount, m) ? -ELOOP : 0;
}

int do_move_mount(const struct path *from, const struct path *place)
{
    struct mount *m = from->mount;
    struct path old = {0};
    MUTEX_GUARD(&mount_lock);
    struct path at = topmost(place);
    int err = check_move(from, &at);
    if (err)
        return err;
    if (m->parent)
        mount_detach(m, &old);
    err = mount_attach_tree(m, &at);
    if (err && old.mount)
        mount_attach(m, &old);
    else if (!err && m->is_detached_root)
        mount_get(m); /* the descriptor's goes with it */
    if (!err)
        m->is_detached_root = false;
    if (old.mount)
        path_put(&old);
    return err;
}

int do_set_group(const struct path *from, const struct path *to)
{
    MUTEX_GUARD(&mount_lock);
    struct mount *a = from->mount, *b = to->mount;
    if (!is_ours(a) || !is_ours(b) || from->dentry != a->root || to->dentry != b->root)
        return -EINVAL;
    if (!(a->propagation & MS_SHARED) && !a->master)
        return -EINVAL;
    if (b->propagation & MS_SHARED || b->master || a->sb != b->sb || !dentry_is_ancestor(a->root, b->root) ||
        has_locked_children(a, b->root))
        return -EINVAL;
    mount_copy_propagation(b, a, 0);
    return 0;
}

/* ---- flags ---- */

#define CHANGEABLE_FLAGS \
    (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_RELATIME | MS_NODIRATIME)
#define ATIME_FLAGS (MS_NOATIME | MS_RELATIME | MS_NODIRATIME)

static unsigned changed_flags(const struct mount *m, const struct mount_change *c)
{
    return ((m->flags & ~c->clear) | c->set) & CHANGEABLE_FLAGS;
}

static int check_change(const struct mount *m, const struct mount_change *c)
{
    struct mount *child;
    unsigned flags = changed_flags(m, c);
    if (m->locked_flags & ~flags || (m->atime_locked && (m->flags ^ flags) & ATIME_FLAGS))
        return -EPERM;
    if (flags & ~m->flags & MS_RDONLY && m->writers > 0)
        return -EBUSY;
    int err = 0;
    if (c->recursive)
        list_for_each (child, &m->children, child_link)
            if (!err)
                err = check_change(child, c);
    return err;
}

static void change_mount(struct mount *m, const struct mount_change *c)
{
    struct mount *child;
    m->flags = changed_flags(m, c);
    if (c->propagation)
        mount_change_propagation(m, c->propagation);
    if (c->recursive)
        list_for_each (child, &m->children, child_link)
            change_mount(child, c);
}

int do_mount_setattr(const struct path *at, const struct mount_change *change)
{
    MUTEX_GUARD(&mount_lock);
    if (at->dentry != at->mount->root || (!is_ours(at->mount) && !at->mount->is_detached_root))
        return -EINVAL;
    int err = check_change(at->mount, change);
    if (!err)
        change_mount(at->mount, change);
    return err;
}

int do_remount(const struct path *at, unsigned flags, bool bind, const char *data)
{
    MUTEX_GUARD(&mount_lock);
    struct mount *m = at->mount;
    if (at->dentry != m->root || !is_ours(m))
        return -EINVAL;
    /* Without a word about access times they stay as they are. */
    if (!(flags & (MS_NOATIME | MS_NODIRATIME | MS_RELATIME | MS_STRICTATIME)))
        flags |= m->flags & ATIME_FLAGS ? m->flags & ATIME_FLAGS : MS_STRICTATIME;
    const struct mount_change change = {.set = with_relatime(flags) & CHANGEABLE_FLAGS, .clear = ~0u};
    int err = !bind && !ns_capable(m->sb->user_ns, CAP_SYS_ADMIN) ? -EPERM : check_change(m, &change);
    if (!err && !bind && flags & MS_RDONLY && m->sb->writers > 0)
        err = -EBUSY;
    if (!err && !bind && m->sb->ops && m->sb->ops->remount && data)
        err = m->sb->ops->remount(m->sb, data);
    if (err)
        return err;
    m->flags = change.set;
    if (!bind)
        m->sb->read_only = flags & MS_RDONLY;
    return 0;
}

static void change_propagation(struct mount *m, unsigned type, bool recursive)
{
    struct mount *child;
    mount_change_propagation(m, type);
    if (recursive)
        list_for_each (child, &m->children, child_link)
            change_propagation(child, type, true);
}

int do_change_propagation(const struct path *at, unsigned type, bool recursive)
{
    if (type != MS_SHARED && type != MS_PRIVATE && type != MS_SLAVE && type != MS_UNBINDABLE)
        return -EINVAL;
    MUTEX_GUARD(&mount_lock);
    if (at->dentry != at->mount->root || !is_ours(at->mount))
        return -EINVAL;
    change_propagation(at->mount, type, recursive);
    return 0;
}

/* ---- unmounting ---- */

static int check_umount(struct mount *m, const struct dentry *dentry, int flags)
{
    if (dentry != m->root || !is_ours(m) || m->locked)
        return -EINVAL;
    if (!m->parent)
        return flags & MNT_DETACH ? -EINVAL : -EBUSY;
    if (flags & MNT_FORCE && !capable(CAP_SYS_ADMIN))
        return -EPERM;
    if (!(flags & MNT_EXPIRE))
        return 0;
    if (flags & (MNT_FORCE | MNT_DETACH))
        return -EINVAL;
    if (refcount_read(&m->ref) > 2)
        return -EBUSY;
    bool marked = m->expiry_mark;
    m->expiry_mark = true;
    return marked ? 0 : -EAGAIN;
}

int do_umount(struct path *at, int flags)
{
    struct mount *m = at->mount;
    mutex_lock(&mount_lock);
    int err = check_umount(m, at->dentry, flags);
    /* References when idle: the tree's and the caller's. */
    if (!err && !(flags & MNT_DETACH) && mount_propagation_busy(m, 2))
        err = -EBUSY;
    if (err == -EBUSY)
        m->expiry_mark = false;
    if (!err)
        mount_umount_tree(m);
    mutex_unlock(&mount_lock);
    path_put(at);
    return err;
}

/* ---- pivot_root ---- */

/* Puts `m` where `old_root` was: at the namespace's root or on the same mount point. */
static void replace_root(struct mount_namespace *ns, struct mount *m, const struct path *place)
{
    if (place->dentry) {
        mount_attach(m, place);
        path_put(place);
        return;
    }
    ns->root = m;
}

static int check_pivot(const struct path *new_root, const struct path *put_old, const struct path *root)
{
    const struct mount *m = new_root->mount, *old = root->mount;
    if (put_old->mount->propagation & MS_SHARED || (m->parent && m->parent->propagation & MS_SHARED) ||
        (old->parent && old->parent->propagation & MS_SHARED))
        return -EINVAL;
    if (!is_ours(old) || !is_ours(m) || m->locked)
        return -EINVAL;
    if (new_root->dentry->deleted)
        return -ENOENT;
    if (m == old || put_old->mount == old)
        return -EBUSY;
    if (root->dentry != old->root || new_root->dentry != m->root || !m->parent)
        return -EINVAL;
    return mount_is_below(put_old->mount, m) && mount_is_below(m, old) ? 0 : -EINVAL;
}

int do_pivot_root(const struct path *new_root, const struct path *put_old)
{
    struct path root, old_place = {0}, new_place;
    fs_get_root(current_fs(), &root);
    UNUSED CLEANUP_PATH_REF struct path guard = root;
    struct mount *m = new_root->mount, *old = root.mount;
    MUTEX_GUARD(&mount_lock);
    int err = check_pivot(new_root, put_old, &root);
    if (err)
        return err;
    struct path place = topmost(put_old);
    mount_detach(m, &new_place);
    if (old->parent)
        mount_detach(old, &old_place);
    if (old->locked) {
        m->locked = true;
        old->locked = false;
    }
    mount_attach(old, &place);
    replace_root(m->ns, m, &old_place);
    path_put(&new_place);
    fs_contexts_move(&root, &(struct path){m, m->root});
    return 0;
}

/* ---- detached trees ---- */

int do_open_tree(const struct path *from, bool recursive, struct mount **ret)
{
    MUTEX_GUARD(&mount_lock);
    int err = check_source(from, recursive);
    if (!err)
        err = mount_copy_tree(from->mount, from->dentry, recursive, 0, ret);
    if (err)
        return err;
    (*ret)->locked = false;
    (*ret)->is_detached_root = true;
    return 0;
}

int do_fsmount(struct super_block *sb, unsigned flags, struct mount **ret)
{
    int err = sb_root_dentry(sb);
    if (err)
        return err;
    MUTEX_GUARD(&mount_lock);
    err = mount_room();
    if (!err)
        err = mount_new(sb, sb->root_dentry, with_relatime(flags), ret);
    if (!err)
        (*ret)->is_detached_root = true;
    return err;
}

void mount_detached_end(struct mount *m)
{
    mutex_lock(&mount_lock);
    if (m->is_detached_root) {
        m->is_detached_root = false;
        mount_dissolve(m);
    } else {
        mount_put(m);
    }
    mutex_unlock(&mount_lock);
}
