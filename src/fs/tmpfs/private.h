/*
 * What tmpfs's files share: the inode and the content store.
 *
 * Locks: a directory's entries and a file's data are protected by inode->lock (taken by the VFS for
 * directories, by file.c for files); counters of the super block are atomic; fs->lock guards the
 * list of directories being taken down.
 */
#pragma once
#include "base/rbtree.h"
#include "fs/tmpfs/tmpfs.h"
#include "sched/spinlock.h"
#include "vfs/vfs.h"

struct tmpfs {
    struct super_block *sb;
    _Atomic uint64_t max_pages, max_inodes; /* changed by remounting */
    _Atomic uint64_t used_pages, used_inodes;
    struct spinlock lock;
    struct list dying; /* [lock] of tmpfs_inode.dying_link */
    bool reaping;      /* [lock] somebody empties `dying` */
};

/* One name in a directory. Cookies count up as entries are made: the order of readdir, and where it
 * goes on. */
struct tmpfs_entry {
    struct rb_node by_name, by_cookie;
    struct inode *inode; /* reference */
    int64_t cookie;
    uint32_t hash, len;
    char name[];
};

struct tmpfs_dir {
    struct rb_root by_name, by_cookie;
    int64_t next_cookie;
    unsigned count;
};

/*
 * A file's bytes. Up to HEAP_MAX in one heap block, beyond in a memfd; a memfd never goes back.
 * Heap: what lies at and beyond the size is garbage, cleared when the file grows over it.
 * memfd: what lies beyond the size is zero.
 */
struct tmpfs_data {
    unsigned char *base; /* heap block or mapping of the memfd; NULL while mapped is 0 */
    uint64_t mapped;     /* bytes that may be touched at base, as far as the memfd reaches */
    uint64_t pages;      /* charged to the file system */
    uint64_t present;    /* heap: one bit a page that was written; the others are holes */
    uint64_t dense;      /* memfd: up to here every page is allocated */
    uint64_t populated;  /* memfd: so far pages were made ahead of a file that is being appended to; they are charged */
    uint64_t fd_size;    /* memfd: its length */
    uint64_t generation; /* counts changes of content */
    uint64_t read_id;    /* what read_fd is to platform_read_file() */
    int fd, read_fd;     /* memfd, and the same opened for reading only; -1 */
    bool exact;          /* the memfd has exactly the file's size, for a guest has mapped it */
    bool shared_write;   /* a guest may write through a mapping: blocks and content change unseen */
};

struct tmpfs_xattr {
    struct list link;
    size_t size;
    char *value; /* behind the name in the same block */
    char name[];
};

struct tmpfs_inode {
    struct inode inode;
    struct list xattrs; /* [inode.lock] of tmpfs_xattr.link */
    unsigned xattr_count;
    struct list dying_link;
    union {
        struct tmpfs_dir dir;
        struct tmpfs_data data;
    };
};

static inline struct tmpfs_inode *tmpfs_inode(struct inode *inode)
{
    return container_of(inode, struct tmpfs_inode, inode);
}

static inline struct tmpfs *tmpfs_of(const struct inode *inode)
{
    return inode->sb->fs;
}

extern const struct inode_ops tmpfs_dir_inode_ops, tmpfs_file_inode_ops, tmpfs_symlink_ops,
    tmpfs_special_ops;
extern const struct file_ops tmpfs_dir_ops, tmpfs_file_ops;

/* tmpfs.c */
NODISCARD int tmpfs_charge(struct tmpfs *fs, uint64_t pages); /* -ENOSPC */
void tmpfs_uncharge(struct tmpfs *fs, uint64_t pages);
NODISCARD int tmpfs_inode_new(struct super_block *sb, uint32_t mode, uint32_t uid, uint32_t gid,
                              struct inode **ret);
void tmpfs_evict_dir(struct inode *inode);
int tmpfs_setattr(struct inode *inode, const struct setattr *change);

/* dir.c */
void tmpfs_dir_destroy(struct tmpfs_inode *dir); /* drops every entry */

/* xattr.c */
ssize_t tmpfs_getxattr(struct inode *inode, const char *name, void *value, size_t size);
int tmpfs_setxattr(struct inode *inode, const char *name, const void *value, size_t size,
                   int flags);
int tmpfs_removexattr(struct inode *inode, const char *name);
ssize_t tmpfs_listxattr(struct inode *inode, char *list, size_t size);
void tmpfs_xattrs_free(struct tmpfs_inode *ti);

/* data.c; inode->lock held by all */
#define HEAP_MAX (64 * PAGE_SIZE) /* one bit of `present` a page */
int tmpfs_data_init(void);        /* before lock-down */
void data_init(struct tmpfs_data *d);
void data_free(struct tmpfs_inode *ti);
ssize_t data_read(struct tmpfs_inode *ti, struct uio *to, uint64_t pos, size_t n);
ssize_t data_write(struct tmpfs_inode *ti, struct uio *from, uint64_t pos,
                   size_t n); /* grows attr.size */
NODISCARD int data_resize(struct tmpfs_inode *ti, uint64_t size);
NODISCARD int data_allocate(struct tmpfs_inode *ti, uint64_t start, uint64_t end, bool grow);
NODISCARD int data_punch(struct tmpfs_inode *ti, uint64_t start,
                         uint64_t end);                                  /* within the size */
int64_t data_seek(struct tmpfs_inode *ti, uint64_t pos, bool want_data); /* pos < size; -ENXIO */
NODISCARD int data_make_mappable(struct tmpfs_inode *ti);
void data_refresh_blocks(struct tmpfs_inode *ti);
