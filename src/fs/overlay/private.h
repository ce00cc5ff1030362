/*
 * What overlay's files share: the inode and its two sides.
 *
 * Locks, after the VFS's locks of overlay inodes: ovl->copy_lock (mutex: one copy-up at a time) >
 * locks of upper inodes > locks of lower inodes > ovl->lock (spinlock: the tables, pins, inodes
 * being freed).
 */
#pragma once
#include "fs/overlay/overlay.h"
#include "sched/spinlock.h"
#include "vfs/vfs.h"

/* Inode numbers of files born in the upper layer are moved out of the way of the lower layer's. */
#define OVL_UPPER_INO (1ULL << 40)

/* A hash table of inodes by one of their sides (table.c). */
struct ovl_table {
    struct list *heads;                      /* [lock] `size` chains, a power of two */
    size_t size, count;                      /* [lock] */
    struct inode *(*key)(struct list *link); /* [I] */
};

struct overlay {
    struct super_block *sb, *lower_sb, *upper_sb; /* [I] references on the layers */
    struct inode *lower_root, *upper_root; /* [I] references */
    bool merges, fixed;     /* [I] OVERLAY_... */
    struct inode *whiteout; /* [I] reference: the one all whiteouts are names of; NULL: each its own */
    struct mutex copy_lock;
    struct spinlock lock;
    struct ovl_table by_lower, by_upper; /* [lock] of ovl_inode.lower_link and upper_link */
    struct list dying;                   /* [lock] of ovl_inode.lower_link */
    bool reaping;                        /* [lock] somebody empties `dying` */
};

struct ovl_inode {
    struct inode inode;
    struct inode *lower;         /* [I] reference, or NULL */
    struct inode *_Atomic upper; /* [copy_lock to set, once] reference, or NULL */
    struct ovl_inode *
        parent; /* [I] reference: where `name` lies in the lower layer; NULL if born in the upper */
    char *name; /* [I] */
    struct list lower_link, upper_link; /* [ovl->lock] */
    bool pinned; /* [ovl->lock] the table holds a reference: there is more to it than its sides tell
                  */
    bool covers; /* [inode.lock] some name of it may hide one of the lower layer */
    char *owned_link; /* [I] a symlink's text, if the lower inode does not keep one */
};

/* An open file: the real file below, changed over once if the inode is copied up meanwhile. */
struct ovl_file {
    struct file *lower;         /* [I] or NULL */
    struct file *_Atomic upper; /* set once */
};

static inline struct ovl_inode *ovl_inode(struct inode *inode)
{
    return container_of(inode, struct ovl_inode, inode);
}

static inline struct overlay *ovl_of(const struct inode *inode)
{
    return inode->sb->fs;
}

static inline bool ovl_is_whiteout(const struct inode *inode)
{
    return S_ISCHR(inode->attr.mode) && inode->attr.rdev == 0;
}

/* An upper directory that hides the lower one of its name. */
#define OVL_OPAQUE "trusted.overlay.opaque"

extern const struct inode_ops ovl_dir_inode_ops, ovl_inode_ops;
extern const struct file_ops ovl_dir_ops, ovl_file_ops;

/* table.c; ovl->lock held by all but init, free and grow */
NODISCARD int ovl_tables_init(struct overlay *ovl);
void ovl_tables_free(struct overlay *ovl);
void ovl_tables_grow(struct overlay *ovl); /* after additions */
struct list *ovl_table_chain(struct ovl_table *t, const struct inode *real);
void ovl_table_add(struct ovl_table *t, const struct inode *real, struct list *link);
void ovl_table_remove(struct ovl_table *t, struct list *link); /* harmless when not in it */
/* Some entry, or NULL; the cursor starts at 0 and goes up as chains run empty. */
struct list *ovl_table_any(struct ovl_table *t, size_t *cursor);

/* overlay.c */
NODISCARD int ovl_get_upper(struct overlay *ovl, struct inode *upper,
                            struct inode **ret); /* consumes upper */
NODISCARD int ovl_get_lower(struct ovl_inode *parent, const struct name *name, struct inode *lower,
                            struct inode **ret);
void ovl_set_upper(struct ovl_inode *oi, struct inode *upper); /* consumes upper; pins */
void ovl_pin(
    struct ovl_inode *oi); /* what the table knows of it is more than the lower side shows */
void ovl_unpin(struct ovl_inode *oi);     /* the last name is gone */
void ovl_sync_attr(struct ovl_inode *oi); /* after the upper inode changed */
struct inode *ovl_find_upper(struct overlay *ovl, struct inode *upper); /* a reference, or NULL */
void ovl_evict(struct inode *inode);
int ovl_getattr(struct inode *inode);
int ovl_setattr(struct inode *inode, const struct setattr *change);

/* copy_up.c: after it the inode has an upper side. data: a regular file's contents are wanted
 * too. */
NODISCARD int ovl_copy_up(struct ovl_inode *oi, bool data);

/* readdir.c; the directory is locked */
NODISCARD int
ovl_dir_is_empty(struct ovl_inode *dir); /* 0 or -ENOTEMPTY; merged directories as well */
NODISCARD int ovl_clear_whiteouts(struct inode *upper_dir);

ssize_t ovl_getxattr(struct inode *inode, const char *name, void *value, size_t size);
int ovl_setxattr(struct inode *inode, const char *name, const void *value, size_t size, int flags);
int ovl_removexattr(struct inode *inode, const char *name);
ssize_t ovl_listxattr(struct inode *inode, char *list, size_t size);
