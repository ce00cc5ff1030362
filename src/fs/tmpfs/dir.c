/*
 * tmpfs directories: entries in two trees, by name for look-up and by cookie for readdir. A cookie
 * is never used twice, so a reader that stopped at one goes on at the next whatever was made or
 * removed meanwhile.
 *
 * All run with the directory locked by the VFS. A link count belongs to the target, whose lock is
 * taken for it (the VFS holds that of a directory being removed or replaced already).
 */
#include "fs/tmpfs/private.h"
#include <dirent.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>

/* ---- the two trees ---- */

static int compare(const struct name *name, const struct tmpfs_entry *e)
{
    if (name->hash != e->hash)
        return name->hash < e->hash ? -1 : 1;
    if (name->len != e->len)
        return name->len < e->len ? -1 : 1;
    return memcmp(name->s, e->name, e->len);
}

static struct tmpfs_entry *entry_find(const struct tmpfs_dir *dir, const struct name *name)
{
    struct rb_node *node = dir->by_name.node;
    while (node) {
        struct tmpfs_entry *e = rb_entry(node, struct tmpfs_entry, by_name);
        int order = compare(name, e);
        if (!order)
            return e;
        node = order < 0 ? node->left : node->right;
    }
    return NULL;
}

/* The first entry whose cookie is at least `cookie`, or NULL. */
static struct tmpfs_entry *entry_from(const struct tmpfs_dir *dir, int64_t cookie)
{
    struct tmpfs_entry *found = NULL;
    struct rb_node *node = dir->by_cookie.node;
    while (node) {
        struct tmpfs_entry *e = rb_entry(node, struct tmpfs_entry, by_cookie);
        if (e->cookie >= cookie)
            found = e;
        node = e->cookie >= cookie ? node->left : node->right;
    }
    return found;
}

static void insert_by_name(struct tmpfs_dir *dir, struct tmpfs_entry *e, const struct name *name)
{
    struct rb_node *parent = NULL, **link = &dir->by_name.node;
    while (*link) {
        parent = *link;
        link = compare(name, rb_entry(parent, struct tmpfs_entry, by_name)) < 0 ? &parent->left
                                                                                : &parent->right;
    }
    rb_insert(&dir->by_name, &e->by_name, parent, link);
}

static void insert_last(struct tmpfs_dir *dir, struct tmpfs_entry *e)
{
    struct rb_node *parent = NULL, **link = &dir->by_cookie.node;
    while (*link) {
        parent = *link;
        link = &parent->right;
    }
    e->cookie = dir->next_cookie++;
    rb_insert(&dir->by_cookie, &e->by_cookie, parent, link);
}

/* Adds a name; takes over the reference to inode on success. */
static int entry_add(struct inode *dir, const struct name *name, struct inode *inode)
{
    struct tmpfs_dir *d = &tmpfs_inode(dir)->dir;
    struct tmpfs_entry *e = malloc(sizeof(*e) + name->len);
    if (!e)
        return -ENOMEM;
    e->inode = inode;
    e->hash = name->hash;
    e->len = name->len;
    memcpy(e->name, name->s, name->len);
    insert_by_name(d, e, name);
    insert_last(d, e);
    d->count++;
    dir->attr.size += 20; /* as Linux's tmpfs shows directories */
    return 0;
}

/* Takes a name away and gives its reference to the caller. */
static struct inode *entry_remove(struct inode *dir, struct tmpfs_entry *e)
{
    struct tmpfs_dir *d = &tmpfs_inode(dir)->dir;
    struct inode *inode = e->inode;
    rb_erase(&d->by_name, &e->by_name);
    rb_erase(&d->by_cookie, &e->by_cookie);
    d->count--;
    dir->attr.size -= 20;
    free(e);
    return inode;
}

void tmpfs_dir_destroy(struct tmpfs_inode *ti)
{
    struct rb_node *node;
    while ((node = ti->dir.by_name.node))
        inode_put(entry_remove(&ti->inode, rb_entry(node, struct tmpfs_entry, by_name)));
}

static void touch(struct inode *dir, int64_t now)
{
    dir->attr.mtime = dir->attr.ctime = now;
}

/* ---- making ---- */

static int tmpfs_lookup(struct inode *dir, const struct name *name, struct inode **ret)
{
    struct tmpfs_entry *e = entry_find(&tmpfs_inode(dir)->dir, name);
    if (!e)
        return -ENOENT;
    *ret = inode_get(e->inode);
    return 0;
}

static int inode_in(struct inode *dir, uint32_t mode, const struct cred *cred, struct inode **ret)
{
    uint32_t gid;
    inode_init_owner(dir, mode, cred, &mode, &gid);
    return tmpfs_inode_new(dir->sb, mode, cred->fsuid, gid, ret);
}

/* Names a fresh inode: one reference for the entry, one for the caller. Consumes it on failure. */
static int name_it(struct inode *dir, const struct name *name, struct inode *inode,
                   struct inode **ret)
{
    int err = entry_add(dir, name, inode);
    if (err) {
        inode_put(inode);
        return err;
    }
    if (inode_is_dir(inode))
        dir->attr.nlink++;
    touch(dir, inode->attr.ctime);
    *ret = inode_get(inode);
    return 0;
}

static int tmpfs_create(struct inode *dir, const struct name *name, uint32_t mode,
                        const struct cred *cred, struct inode **ret)
{
    struct inode *inode;
    int err = inode_in(dir, mode, cred, &inode);
    return err ? err : name_it(dir, name, inode, ret);
}

static int tmpfs_mknod(struct inode *dir, const struct name *name, uint32_t mode, uint64_t rdev,
                       const struct cred *cred, struct inode **ret)
{
    struct inode *inode;
    int err = inode_in(dir, mode, cred, &inode);
    if (err)
        return err;
    inode->attr.rdev = rdev;
    return name_it(dir, name, inode, ret);
}

static int tmpfs_symlink(struct inode *dir, const struct name *name, const char *target,
                         const struct cred *cred, struct inode **ret)
{
    struct inode *inode;
    char *text = strdup(target);
    if (!text)
        return -ENOMEM;
    int err = inode_in(dir, S_IFLNK | 0777, cred, &inode);
    if (err) {
        free(text);
        return err;
    }
    inode->link = text;
    inode->attr.size = strlen(text);
    return name_it(dir, name, inode, ret);
}

static int tmpfs_tmpfile(struct inode *dir, uint32_t mode, const struct cred *cred,
                         struct inode **ret)
{
    int err = inode_in(dir, mode, cred, ret);
    if (!err)
        (*ret)->attr.nlink = 0;
    return err;
}

static int tmpfs_link(struct inode *dir, const struct name *name, struct inode *target)
{
    MUTEX_GUARD(&target->lock);
    if (target->attr.nlink >= INT32_MAX)
        return -EMLINK;
    int err = entry_add(dir, name, inode_get(target));
    if (err) {
        inode_put(target);
        return err;
    }
    target->attr.nlink++;
    target->attr.ctime = vfs_now();
    touch(dir, target->attr.ctime);
    return 0;
}

/* ---- removing ---- */

/* A name of target is gone. Its lock is taken unless it is a directory: then the VFS holds it. */
static void drop_link(struct inode *target, int64_t now)
{
    bool is_dir = inode_is_dir(target);
    if (!is_dir)
        mutex_lock(&target->lock);
    target->attr.nlink = is_dir ? 0 : target->attr.nlink - 1;
    target->attr.ctime = now;
    if (!is_dir)
        mutex_unlock(&target->lock);
}

static void remove_entry(struct inode *dir, struct tmpfs_entry *e)
{
    int64_t now = vfs_now();
    struct inode *target = entry_remove(dir, e);
    drop_link(target, now);
    if (inode_is_dir(target))
        dir->attr.nlink--;
    touch(dir, now);
    inode_put(target);
}

static int tmpfs_unlink(struct inode *dir, const struct name *name, struct inode *target)
{
    struct tmpfs_entry *e = entry_find(&tmpfs_inode(dir)->dir, name);
    if (!e)
        return -ENOENT;
    remove_entry(dir, e);
    return 0;
}

static int tmpfs_rmdir(struct inode *dir, const struct name *name, struct inode *target)
{
    return tmpfs_inode(target)->dir.count ? -ENOTEMPTY : tmpfs_unlink(dir, name, target);
}

/* ---- rename ---- */

static void move_subdir(struct inode *from, struct inode *to, const struct inode *moved)
{
    if (from != to && inode_is_dir(moved)) {
        from->attr.nlink--;
        to->attr.nlink++;
    }
}

static void exchange(struct inode *old_dir, struct tmpfs_entry *a, struct inode *new_dir,
                     struct tmpfs_entry *b)
{
    struct inode *inode = a->inode;
    a->inode = b->inode;
    b->inode = inode;
    move_subdir(old_dir, new_dir, inode);
    move_subdir(new_dir, old_dir, a->inode);
    a->inode->attr.ctime = vfs_now();
}

/* The source's reference moves to target's entry, whose own is dropped. */
static void replace(struct inode *new_dir, struct tmpfs_entry *target, struct inode *source)
{
    struct inode *old = target->inode;
    target->inode = source;
    drop_link(old, vfs_now());
    if (inode_is_dir(old))
        new_dir->attr.nlink--;
    inode_put(old);
}

/* from's reference goes to the new name; the old one goes, or gets the whiteout (consumed). */
static int move_reference(struct inode *old_dir, struct tmpfs_entry *from, struct inode *new_dir,
                          const struct name *new_name, struct tmpfs_entry *to,
                          struct inode *whiteout)
{
    struct inode *inode = from->inode;
    int err = to ? 0 : entry_add(new_dir, new_name, inode);
    if (err) {
        if (whiteout)
            inode_put(whiteout);
        return err;
    }
    if (to)
        replace(new_dir, to, inode);
    move_subdir(old_dir, new_dir, inode);
    if (whiteout)
        from->inode = whiteout;
    else
        entry_remove(old_dir, from);
    return 0;
}

static int tmpfs_rename(struct inode *old_dir, const struct name *old_name, struct inode *inode,
                        struct inode *new_dir, const struct name *new_name, struct inode *target,
                        unsigned flags)
{
    struct tmpfs_entry *from = entry_find(&tmpfs_inode(old_dir)->dir, old_name);
    struct tmpfs_entry *to = target ? entry_find(&tmpfs_inode(new_dir)->dir, new_name) : NULL;
    struct inode *whiteout = NULL;
    int64_t now = vfs_now();
    int err = 0;
    if (!from || (target && !to))
        return -ENOENT;
    if (target && !(flags & RENAME_EXCHANGE) && inode_is_dir(target) &&
        tmpfs_inode(target)->dir.count)
        return -ENOTEMPTY;
    if (flags & RENAME_WHITEOUT)
        err = tmpfs_inode_new(old_dir->sb, S_IFCHR, 0, 0, &whiteout);
    if (err)
        return err;
    if (flags & RENAME_EXCHANGE)
        exchange(old_dir, from, new_dir, to);
    else
        err = move_reference(old_dir, from, new_dir, new_name, to, whiteout);
    if (err)
        return err;
    inode->attr.ctime = now;
    touch(old_dir, now);
    touch(new_dir, now);
    return 0;
}

/* ---- reading ---- */

static int tmpfs_readdir(struct file *file, struct dir_emitter *e, int64_t *pos)
{
    struct tmpfs_dir *dir = &tmpfs_inode(file->inode)->dir;
    if (!dir_emit_dots(file, e, pos))
        return 0;
    struct tmpfs_entry *entry = entry_from(dir, *pos);
    while (entry) {
        const struct attr *a = &entry->inode->attr;
        if (!e->emit(e, entry->name, entry->len, a->ino, IFTODT(a->mode), entry->cookie + 1))
            break;
        *pos = entry->cookie + 1;
        struct rb_node *next = rb_next(&entry->by_cookie);
        entry = next ? rb_entry(next, struct tmpfs_entry, by_cookie) : NULL;
    }
    file_accessed(file);
    return 0;
}

static int tmpfs_dir_fsync(struct file *file, bool data_only)
{
    return 0; /* memory is as durable as it gets */
}

const struct inode_ops tmpfs_dir_inode_ops = {
    .lookup = tmpfs_lookup,
    .create = tmpfs_create,
    .mkdir = tmpfs_create,
    .mknod = tmpfs_mknod,
    .symlink = tmpfs_symlink,
    .link = tmpfs_link,
    .unlink = tmpfs_unlink,
    .rmdir = tmpfs_rmdir,
    .rename = tmpfs_rename,
    .tmpfile = tmpfs_tmpfile,
    .setattr = tmpfs_setattr,
    .getxattr = tmpfs_getxattr,
    .setxattr = tmpfs_setxattr,
    .removexattr = tmpfs_removexattr,
    .listxattr = tmpfs_listxattr,
    .evict = tmpfs_evict_dir,
};

const struct file_ops tmpfs_dir_ops = {
    .readdir = tmpfs_readdir,
    .lseek = dir_lseek,
    .fsync = tmpfs_dir_fsync,
};
