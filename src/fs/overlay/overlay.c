/*
 * overlay: the super block, and inodes: how one is found for an inode below, its attributes, its
 * end. See fs/overlay/overlay.h; copy_up.c moves files up, names.c makes and removes names, file.c
 * and readdir.c serve open files.
 *
 * An inode is found by its upper side if it has one, else by its lower. inode->attr is a copy: of
 * the lower side's, taken once, or of the upper side's, refreshed after each change made through
 * here (ovl_sync_attr). dev and ino never change.
 */
#include "fs/overlay/private.h"
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>

/* ---- the tables; ovl->lock held ---- */

static struct ovl_inode *find_upper_locked(struct overlay *ovl, const struct inode *upper)
{
    struct ovl_inode *oi;
    list_for_each (oi, ovl_table_chain(&ovl->by_upper, upper), upper_link)
        if (oi->upper == upper && refcount_get_unless_zero(&oi->inode.ref))
            return oi;
    return NULL;
}

static struct ovl_inode *find_lower_locked(struct overlay *ovl, const struct inode *lower)
{
    struct ovl_inode *oi;
    list_for_each (oi, ovl_table_chain(&ovl->by_lower, lower), lower_link)
        if (oi->lower == lower && refcount_get_unless_zero(&oi->inode.ref))
            return oi;
    return NULL;
}

/* ---- finding and making ---- */

static void copy_attr(struct ovl_inode *oi, const struct attr *from)
{
    struct attr *a = &oi->inode.attr, old = *a;
    *a = *from;
    a->dev = old.dev;
    a->ino = old.ino;
    a->nlink = old.nlink;
}

void ovl_sync_attr(struct ovl_inode *oi)
{
    struct inode *upper = oi->upper;
    if (!upper)
        return;
    copy_attr(oi, &upper->attr);
    if (inode_is_dir(upper) && !oi->lower)
        oi->inode.attr.nlink = upper->attr.nlink;
    oi->inode.attr_current = !upper->ops->getattr || upper->attr_current;
}

static int inode_new(struct overlay *ovl, const struct attr *attr, struct ovl_inode **ret)
{
    bool is_dir = S_ISDIR(attr->mode), is_file = S_ISREG(attr->mode);
    struct ovl_inode *oi = calloc(1, sizeof(*oi));
    if (!oi)
        return -ENOMEM;
    inode_init(&oi->inode, ovl->sb, is_dir ? &ovl_dir_inode_ops : &ovl_inode_ops,
               is_dir    ? &ovl_dir_ops
               : is_file ? &ovl_file_ops
                         : NULL,
               attr->mode, attr->uid, attr->gid);
    oi->inode.attr = *attr;
    oi->inode.attr_current = true;
    list_init(&oi->lower_link);
    list_init(&oi->upper_link);
    *ret = oi;
    return 0;
}

struct inode *ovl_find_upper(struct overlay *ovl, struct inode *upper)
{
    spin_lock(&ovl->lock);
    struct ovl_inode *oi = find_upper_locked(ovl, upper);
    spin_unlock(&ovl->lock);
    return oi ? &oi->inode : NULL;
}

int ovl_get_upper(struct overlay *ovl, struct inode *upper, struct inode **ret)
{
    struct ovl_inode *oi;
    *ret = ovl_find_upper(ovl, upper);
    if (*ret) {
        inode_put(upper);
        return 0;
    }
    struct attr attr = upper->attr;
    attr.dev = ovl->sb->dev;
    attr.ino += OVL_UPPER_INO;
    int err = inode_new(ovl, &attr, &oi);
    if (err) {
        inode_put(upper);
        return err;
    }
    oi->upper = upper;
    oi->covers = true; /* for all we know: who makes a file knows better */
    oi->inode.link = upper->link;
    ovl_sync_attr(oi);
    spin_lock(&ovl->lock);
    struct ovl_inode *other =
        find_upper_locked(ovl, upper); /* another name of it may have been faster */
    if (!other)
        ovl_table_add(&ovl->by_upper, upper, &oi->upper_link);
    spin_unlock(&ovl->lock);
    ovl_tables_grow(ovl);
    if (other)
        inode_put(&oi->inode);
    *ret = other ? &other->inode : &oi->inode;
    return 0;
}

/* Symbolic links keep their text where the walk finds it without asking. */
static int fetch_link(struct ovl_inode *oi, struct inode *lower)
{
    if (!S_ISLNK(lower->attr.mode))
        return 0;
    oi->inode.link = lower->link;
    if (lower->link || !lower->ops->readlink)
        return 0;
    int err = lower->ops->readlink(lower, &oi->owned_link);
    oi->inode.link = oi->owned_link;
    return err;
}

static int lower_new(struct overlay *ovl, struct ovl_inode *parent, const struct name *name,
                     struct inode *lower, struct ovl_inode **ret)
{
    struct attr attr;
    struct ovl_inode *oi;
    int err = inode_getattr(lower, &attr);
    if (err)
        return err;
    if (attr.dev == ovl->lower_sb->dev || attr.dev == ovl->lower_root->attr.dev)
        attr.dev = ovl->sb->dev;
    err = inode_new(ovl, &attr, &oi);
    if (err)
        return err;
    oi->lower = inode_get(lower);
    err = fetch_link(oi, lower);
    oi->name = name ? strndup(name->s, name->len) : NULL;
    if (err || (name && !oi->name)) {
        inode_put(&oi->inode);
        return err ? err : -ENOMEM;
    }
    if (parent) {
        inode_get(&parent->inode);
        oi->parent = parent;
    }
    *ret = oi;
    return 0;
}

int ovl_get_lower(struct ovl_inode *parent, const struct name *name, struct inode *lower,
                  struct inode **ret)
{
    struct overlay *ovl = ovl_of(&parent->inode);
    struct ovl_inode *oi, *other;
    spin_lock(&ovl->lock);
    oi = find_lower_locked(ovl, lower);
    spin_unlock(&ovl->lock);
    if (!oi) {
        int err = lower_new(ovl, parent, name, lower, &oi);
        if (err)
            return err;
        spin_lock(&ovl->lock);
        other = find_lower_locked(ovl, lower); /* another name of it may have been faster */
        if (!other)
            ovl_table_add(&ovl->by_lower, lower, &oi->lower_link);
        spin_unlock(&ovl->lock);
        ovl_tables_grow(ovl);
        if (other) {
            inode_put(&oi->inode);
            oi = other;
        }
    }
    *ret = &oi->inode;
    return 0;
}

static void pin_locked(struct ovl_inode *oi)
{
    if (oi->pinned || !oi->lower)
        return;
    oi->pinned = true;
    refcount_get(&oi->inode.ref);
}

void ovl_pin(struct ovl_inode *oi)
{
    struct overlay *ovl = ovl_of(&oi->inode);
    spin_lock(&ovl->lock);
    pin_locked(oi);
    spin_unlock(&ovl->lock);
}

void ovl_set_upper(struct ovl_inode *oi, struct inode *upper)
{
    struct overlay *ovl = ovl_of(&oi->inode);
    spin_lock(&ovl->lock);
    atomic_store(&oi->upper, upper);
    ovl_table_add(&ovl->by_upper, upper, &oi->upper_link);
    pin_locked(oi);
    spin_unlock(&ovl->lock);
    if (inode_is_dir(upper))
        oi->inode.attr.nlink = 1; /* of a merged directory, as Linux's overlayfs says: unknown */
    ovl_sync_attr(oi);
}

void ovl_unpin(struct ovl_inode *oi)
{
    struct overlay *ovl = ovl_of(&oi->inode);
    spin_lock(&ovl->lock);
    bool was = oi->pinned;
    oi->pinned = false;
    spin_unlock(&ovl->lock);
    if (was)
        inode_put(&oi->inode);
}

/* ---- the end ---- */

static void inode_destroy(struct ovl_inode *oi)
{
    if (oi->lower)
        inode_put(oi->lower);
    if (oi->upper)
        inode_put(oi->upper);
    if (oi->parent)
        inode_put(&oi->parent->inode);
    free(oi->name);
    free(oi->owned_link);
    free(oi);
}

/* Freeing an inode may be the end of its parent: the outermost call takes them one by one, whatever
 * the depth. */
void ovl_evict(struct inode *inode)
{
    struct ovl_inode *oi = ovl_inode(inode);
    struct overlay *ovl = ovl_of(inode);
    spin_lock(&ovl->lock);
    ovl_table_remove(&ovl->by_lower, &oi->lower_link);
    ovl_table_remove(&ovl->by_upper, &oi->upper_link);
    list_add_tail(&ovl->dying, &oi->lower_link);
    bool mine = !ovl->reaping;
    ovl->reaping = true;
    while (mine && (oi = list_first(&ovl->dying, struct ovl_inode, lower_link))) {
        list_del(&oi->lower_link);
        spin_unlock(&ovl->lock);
        inode_destroy(oi);
        spin_lock(&ovl->lock);
    }
    if (mine)
        ovl->reaping = false;
    spin_unlock(&ovl->lock);
}

/* ---- attributes ---- */

int ovl_getattr(struct inode *inode)
{
    struct ovl_inode *oi = ovl_inode(inode);
    struct inode *upper = oi->upper;
    struct attr fresh;
    if (!upper)
        return 0;
    int err = inode_getattr(upper, &fresh);
    if (!err)
        ovl_sync_attr(oi);
    return err;
}

int ovl_setattr(struct inode *inode, const struct setattr *change)
{
    struct ovl_inode *oi = ovl_inode(inode);
    int err = ovl_copy_up(oi, !(change->valid & ATTR_SIZE && change->size == 0));
    if (err)
        return err;
    struct inode *upper = oi->upper;
    mutex_lock(&upper->lock);
    err = upper->ops->setattr ? upper->ops->setattr(upper, change) : -EPERM;
    mutex_unlock(&upper->lock);
    if (!err)
        ovl_sync_attr(oi);
    return err;
}

/* ---- the super block ---- */

static int ovl_statfs(struct super_block *sb, struct statfs *ret)
{
    struct overlay *ovl = sb->fs;
    const struct super_ops *ops = ovl->upper_sb->ops;
    return ops && ops->statfs ? ops->statfs(ovl->upper_sb, ret) : 0;
}

static void drop_layers(struct overlay *ovl)
{
    if (ovl->whiteout)
        inode_put(ovl->whiteout);
    inode_put(ovl->lower_root);
    inode_put(ovl->upper_root);
    sb_put(ovl->lower_sb);
    sb_put(ovl->upper_sb);
    ovl_tables_free(ovl);
    free(ovl);
}

static void collect_pinned(struct overlay *ovl, struct ovl_inode *oi, struct list *pinned)
{
    ovl_table_remove(&ovl->by_upper, &oi->upper_link);
    ovl_table_remove(&ovl->by_lower, &oi->lower_link);
    if (oi->pinned)
        list_add(pinned, &oi->upper_link);
}

/* Gives every pinned inode up. Nobody else refers to inodes of this super block any more, but they
 * do to each other. */
static void ovl_free(struct super_block *sb)
{
    struct overlay *ovl = sb->fs;
    struct list pinned = LIST_INIT(pinned), *link;
    struct ovl_inode *oi;
    size_t at = 0;
    while ((link = ovl_table_any(&ovl->by_upper, &at)))
        collect_pinned(ovl, list_entry(link, struct ovl_inode, upper_link), &pinned);
    at = 0;
    while ((link = ovl_table_any(&ovl->by_lower, &at)))
        collect_pinned(ovl, list_entry(link, struct ovl_inode, lower_link), &pinned);
    while ((oi = list_first(&pinned, struct ovl_inode, upper_link))) {
        list_del(&oi->upper_link);
        inode_put(&oi->inode);
    }
    drop_layers(ovl);
}

static const struct super_ops ovl_super_ops = {.statfs = ovl_statfs, .free = ovl_free};

static int make_whiteout(struct overlay *ovl)
{
    struct inode *root = ovl->upper_root;
    struct name name = name_make("#whiteout", 9);
    if (ovl->merges)
        return 0;
    MUTEX_GUARD(&root->lock);
    int err = root->ops->mknod(root, &name, S_IFCHR, 0, current_cred(), &ovl->whiteout);
    return err ? err : root->ops->unlink(root, &name, ovl->whiteout);
}

/* The root: both sides, the upper made to look like the lower. */
static int make_root(struct overlay *ovl, struct inode **ret)
{
    struct ovl_inode *oi;
    struct inode *upper = ovl->upper_root;
    int err = lower_new(ovl, NULL, NULL, ovl->lower_root, &oi);
    if (err)
        return err;
    if (ovl->merges) {
        oi->upper = inode_get(upper);
        ovl_sync_attr(oi);
        *ret = &oi->inode;
        return 0;
    }
    const struct attr *a = &oi->inode.attr;
    struct setattr change = {ATTR_MODE | ATTR_UID | ATTR_GID | ATTR_MTIME | ATTR_ATIME,
                             a->mode,
                             a->uid,
                             a->gid,
                             0,
                             a->atime,
                             a->mtime};
    mutex_lock(&upper->lock);
    err = upper->ops->setattr(upper, &change);
    mutex_unlock(&upper->lock);
    if (err) {
        inode_put(&oi->inode);
        return err;
    }
    oi->upper = inode_get(upper);
    *ret = &oi->inode;
    return 0;
}

static struct overlay *overlay_alloc(const struct overlay_layer *lower, const struct overlay_layer *upper,
                                     unsigned flags)
{
    struct overlay *ovl = calloc(1, sizeof(*ovl));
    if (!ovl)
        return NULL;
    ovl->lower_sb = sb_get(lower->sb);
    ovl->upper_sb = sb_get(upper->sb);
    ovl->lower_root = inode_get(lower->root);
    ovl->upper_root = inode_get(upper->root);
    ovl->fixed = flags & OVERLAY_FIXED;
    ovl->merges = flags != 0;
    mutex_init(&ovl->copy_lock);
    spin_init(&ovl->lock);
    list_init(&ovl->dying);
    if (ovl_tables_init(ovl)) {
        drop_layers(ovl);
        return NULL;
    }
    return ovl;
}

int overlay_new(struct super_block *lower, struct super_block *upper, const char *source,
                struct super_block **ret)
{
    return overlay_new_layers(&(struct overlay_layer){lower, lower->root}, &(struct overlay_layer){upper, upper->root},
                              0, source, ret);
}

int overlay_new_layers(const struct overlay_layer *lower, const struct overlay_layer *upper, unsigned flags,
                       const char *source, struct super_block **ret)
{
    struct super_block *sb;
    struct overlay *ovl = overlay_alloc(lower, upper, flags);
    if (!ovl)
        return -ENOMEM;
    int err = make_whiteout(ovl);
    if (!err)
        err = sb_new("overlay", source, OVERLAYFS_SUPER_MAGIC, &ovl_super_ops, &sb);
    if (err) {
        drop_layers(ovl);
        return err;
    }
    ovl->sb = sb;
    sb->fs = ovl;
    sb->read_only = ovl->fixed;
    if (flags & OVERLAY_MERGES)
        sb->stack_depth = MAX(lower->sb->stack_depth, upper->sb->stack_depth) + 1;
    err = make_root(ovl, &sb->root);
    if (err) {
        sb_put(sb);
        return err;
    }
    *ret = sb;
    return 0;
}
