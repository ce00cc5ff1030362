/*
 * The dentry cache: names in directories, found without asking the file system.
 *
 * A dentry is one name in one parent directory: positive (has an inode), or negative (the name is
 * known to be absent). The cache is a hash table over (parent, name), bounded, with second-chance
 * replacement; the table itself holds one reference to each of its dentries. Parents are pinned by
 * their children. A dentry's reference pins it, its inode and its ancestors.
 *
 * Locks: dentry_lock (one spinlock, vfs/dentry.c) protects the hash, LRU, parent/name changes by
 * rename, and the step from negative to positive and back. d->inode of a referenced positive dentry
 * changes only under its parent's inode->lock.
 */
#pragma once
#include "base/base.h"
#include "base/refcount.h"
#include "vfs/inode.h"

struct dentry {
    struct refcount ref;
    struct dentry *parent;  /* [dentry_lock] reference; itself for a root */
    struct inode *inode;    /* [dentry_lock] reference, or NULL: negative */
    struct super_block *sb; /* [I] */
    struct list hash_link;  /* [dentry_lock] */
    struct list lru_link;   /* [dentry_lock] */
    struct list children;   /* [dentry_lock] of sibling: every dentry whose parent this is */
    struct list sibling;    /* [dentry_lock] */
    bool hashed;     /* [dentry_lock] the cache holds one reference; false: unlinked, anonymous or
                        volatile */
    bool deleted;    /* [dentry_lock] its name was removed */
    bool used;       /* [dentry_lock] found since the LRU scan last passed */
    bool mountpoint; /* [mount lock] something is mounted here in some namespace */
    const char *anon_name; /* [I] what d_path shows for an anonymous file, or NULL */
    uint32_t name_len, name_hash;
    char *name; /* [dentry_lock] NUL-terminated */
    char inline_name[40];
};

uint32_t name_hash(const char *s, size_t len);
struct name name_make(const char *s, size_t len);

NODISCARD int dentry_new_root(struct super_block *sb, struct dentry **ret);
NODISCARD int dentry_new_anon(const char *name, struct inode *inode,
                              struct dentry **ret); /* takes a reference to inode */
/* The nameless dentry of an O_TMPFILE file in `parent`; takes a reference to inode. */
NODISCARD int dentry_new_unlinked(struct dentry *parent, struct inode *inode, struct dentry **ret);
struct dentry *dentry_get(struct dentry *d);
void dentry_put(struct dentry *d);

/* The cached child, with a reference; NULL if the cache does not know. */
struct dentry *dentry_cached(struct dentry *parent, const struct name *name);
/* The child, from the cache or by ops->lookup under the parent's inode lock (which the caller does
 * not hold): positive or negative; -errno. */
NODISCARD int dentry_lookup(struct dentry *parent, const struct name *name, struct dentry **ret);
NODISCARD int dentry_lookup_locked(struct dentry *parent, const struct name *name,
                                   struct dentry **ret);
/* After create/mkdir/...: the negative dentry becomes positive (takes over the reference to
 * inode). */
void dentry_instantiate(struct dentry *d, struct inode *inode);
/* After unlink/rmdir: the name is now absent (the dentry is unhashed if still referenced, a
 * negative one may replace it). */
void dentry_delete(struct dentry *d);
/* After rename: d moves to (new_parent, new_name), replacing target. */
void dentry_move(struct dentry *d, struct dentry *target);
void dentry_exchange(struct dentry *a, struct dentry *b);
/* Forgets cached children of a directory whose contents changed behind the VFS (hostfs shared,
 * proc). */
void dentry_invalidate(struct dentry *d);
/* A cached dentry of the inode with this number, referenced, or NULL. Looks at all of them. */
struct dentry *dentry_find_ino(struct super_block *sb, uint64_t ino);
bool dentry_is_ancestor(struct dentry *ancestor, struct dentry *d);
void dcache_forget_sb(
    struct super_block *sb); /* the last mount is going: every cached dentry of it */
unsigned dcache_count(void);
void dcache_shrink(void); /* drop every unreferenced dentry (umount, tests) */
