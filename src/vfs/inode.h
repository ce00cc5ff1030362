/*
 * Inodes and file systems.
 *
 * An inode is a file itself, whatever names lead to it. Each file system embeds struct inode in its
 * own struct, fills it with inode_init() and gives it life through two const tables at the foot of
 * its main file: inode_ops (what can be done to it by name and attribute) and file_ops (what an
 * open file of it does, vfs/file.h).
 *
 * References: dentries, open files and mappings each hold one; the file system holds none but its
 * own caches'. When the last goes, ops->evict() frees the private part (an unlinked tmpfs file dies
 * here).
 *
 * Locks, in order:  mount namespace lock > rename lock (super block) > directory inode->lock
 * (parent before child; two directories by address unless ancestor related) > file inode->lock > fs
 * private locks > spinlocks. The VFS takes inode->lock of a directory around every operation that
 * changes its entries, and of the file around setattr; lookup and readdir are called with the
 * directory's lock held as well. read/write/fallocate take what they need.
 */
#pragma once
#include "base/base.h"
#include "base/refcount.h"
#include "kernel/cred.h"
#include "sched/mutex.h"
#include <stdatomic.h>
#include <sys/stat.h>
#include <time.h>

struct inode;
struct dentry;
struct file;
struct file_ops;
struct super_block;
struct uio;
struct path;
struct statfs;

/* What stat shows. Times are nanoseconds since the epoch. */
struct attr {
    uint64_t dev, ino, size, blocks; /* blocks of 512 bytes */
    uint32_t mode, uid, gid, nlink, blksize;
    uint64_t rdev;
    int64_t atime, mtime, ctime, btime; /* btime 0: unknown */
};

#define ATTR_MODE 1u
#define ATTR_UID 2u
#define ATTR_GID 4u
#define ATTR_SIZE 8u
#define ATTR_ATIME 16u
#define ATTR_MTIME 32u
#define ATTR_CTIME 64u
/* A change asked for by setattr: `valid` says which fields count. The VFS has checked permission,
 * and has cleared set-id bits where chown and truncate must. ctime is set by the file system. */
struct setattr {
    unsigned valid;
    uint32_t mode, uid, gid;
    uint64_t size;
    int64_t atime, mtime;
};

/* A name in a directory: not NUL-terminated, hash made by name_hash(). */
struct name {
    const char *s;
    uint32_t len;
    uint32_t hash;
};

/*
 * All: called by the VFS with permissions checked, names valid (1..NAME_MAX bytes, not "." or
 * ".."), `dir` locked, the target's existence settled by a lookup under that lock. NULL means the
 * file system cannot: the errno is in the comment. ret_inode: a new reference for the caller.
 */
struct inode_ops {
    /* -ENOENT if absent. Called only when the dentry cache has no answer. NULL: not a directory. */
    int (*lookup)(struct inode *dir, const struct name *name, struct inode **ret_inode);
    int (*create)(struct inode *dir, const struct name *name, uint32_t mode,
                  const struct cred *cred, struct inode **ret_inode); /* NULL: -EACCES */
    int (*mkdir)(struct inode *dir, const struct name *name, uint32_t mode, const struct cred *cred,
                 struct inode **ret_inode); /* NULL: -EPERM */
    int (*mknod)(struct inode *dir, const struct name *name, uint32_t mode, uint64_t rdev,
                 const struct cred *cred,
                 struct inode **ret_inode); /* NULL: -EPERM; FIFO, socket, device */
    int (*symlink)(struct inode *dir, const struct name *name, const char *target,
                   const struct cred *cred, struct inode **ret_inode); /* NULL: -EPERM */
    int (*link)(struct inode *dir, const struct name *name,
                struct inode *target); /* NULL: -EPERM */
    int (*unlink)(struct inode *dir, const struct name *name,
                  struct inode *target); /* NULL: -EPERM */
    int (*rmdir)(struct inode *dir, const struct name *name,
                 struct inode *target); /* checks emptiness: -ENOTEMPTY */
    /* flags: RENAME_NOREPLACE (already checked), RENAME_EXCHANGE, RENAME_WHITEOUT. target NULL if
     * new is absent. */
    int (*rename)(struct inode *old_dir, const struct name *old_name, struct inode *inode,
                  struct inode *new_dir, const struct name *new_name, struct inode *target,
                  unsigned flags); /* NULL: -EPERM */
    /* An unnamed file (O_TMPFILE); NULL: -EOPNOTSUPP. */
    int (*tmpfile)(struct inode *dir, uint32_t mode, const struct cred *cred,
                   struct inode **ret_inode);
    /* The link's text, NUL-terminated, in fresh memory. Symlinks only. */
    int (*readlink)(struct inode *inode, char **ret_target);
    /* Magic links (/proc/self/fd/3, /proc/self/exe): the place itself instead of a text to walk.
     * NULL: ordinary. Gives references on both. */
    int (*get_link)(struct inode *inode, struct dentry *self, struct path *ret_path);
    /* NULL: inode->attr as it stands (most). Otherwise brings inode->attr up to date first. */
    int (*getattr)(struct inode *inode);
    int (*setattr)(struct inode *inode, const struct setattr *change); /* NULL: -EPERM */
    /* NULL: the mode bits, by vfs_generic_permission(). mask of MAY_READ/WRITE/EXEC. */
    int (*permission)(struct inode *inode, int mask, const struct cred *cred);
    /* Extended attributes; NULL: -EOPNOTSUPP. getxattr with size 0 asks the length. listxattr:
     * NUL-separated names. */
    ssize_t (*getxattr)(struct inode *inode, const char *name, void *value, size_t size);
    int (*setxattr)(struct inode *inode, const char *name, const void *value, size_t size,
                    int flags);
    int (*removexattr)(struct inode *inode, const char *name);
    ssize_t (*listxattr)(struct inode *inode, char *list, size_t size);
    /* Is a cached dentry of this (positive or negative) child still right? NULL: always (exclusive
     * trees). */
    bool (*revalidate)(struct inode *dir, const struct name *name, struct inode *inode);
    /* The last reference went: free everything, the struct inode included. Required. */
    void (*evict)(struct inode *inode);
};

#define MAY_EXEC 1
#define MAY_WRITE 2
#define MAY_READ 4

struct inode {
    struct refcount ref;
    const struct inode_ops *ops;     /* [I] */
    const struct file_ops *file_ops; /* [I] of files opened on it; NULL for symlinks; see
                                        vfs/special.h for FIFOs, devices */
    struct super_block *sb;          /* [I] borrowed: the super block outlives its inodes */
    struct mutex lock;
    struct attr attr;          /* [lock] except fields read singly for display and permission */
    _Atomic uint16_t mmap_proven;     /* [a] a bit for each kind of mapping the host has made of it: mm/mmap.c */
    bool dcache_volatile;      /* [I] children are never cached (proc's pid directories) */
    _Atomic int opens;         /* [a] open files of a regular file, for leases */
    _Atomic int leases;        /* [a] how many are held: vfs/leases.h */
    _Atomic unsigned char write_hint; /* [a] F_SET_RW_HINT */
    _Atomic bool caps_absent;  /* [a] it is known to have no security.capability: kernel/file_caps.c */
    _Atomic bool attr_current; /* [a] attr is up to date although ops->getattr exists: stat need not
                                  call it */
    bool dead;                 /* [lock] a directory that was removed: nothing can be made in it */
    _Atomic int writers; /* [a] >0: files open for writing; <0: being executed, which forbids that */
    bool linkable;             /* [lock] nlink 0, but linkat may give it a name (O_TMPFILE) */
    const char
        *link;  /* [I] a symlink's text if it never changes (owned by the file system), or NULL */
    void *pipe; /* [lock] the pipe behind a FIFO (fs/pipe) */
    void *sock; /* [lock] the socket bound to this name */
    struct file_lock_list *locks; /* [a] advisory locks, made on first use (vfs/locks.c) */
    struct notify_list *watches;  /* [a] inotify, made on first use (vfs/notify.c) */
};

struct super_ops {
    int (*statfs)(struct super_block *sb,
                  struct statfs *ret);    /* NULL: zeroes with the type's magic */
    int (*sync)(struct super_block *sb);  /* NULL: nothing to do */
    int (*remount)(struct super_block *sb, const char *data); /* NULL: options cannot change, and are ignored */
    void (*free)(struct super_block *sb); /* the last mount is gone and all inodes evicted */
};

struct super_block {
    struct refcount ref;         /* mounts */
    const struct super_ops *ops; /* [I] */
    const char *type;            /* [I] "tmpfs", as /proc/mounts shows */
    const char *source;          /* [I] owned: what /proc/mounts shows in the first column */
    char *options;               /* [I] owned: super block options for /proc/mounts, or NULL */
    uint64_t dev;                /* [I] st_dev of its files, from sb_new_dev() */
    unsigned long magic;         /* [I] statfs f_type */
    struct inode *root;          /* [I] reference */
    struct dentry *root_dentry;  /* [a] reference, made by the first mount */
    struct mutex rename_lock;    /* serialises directory renames */
    _Atomic uint64_t next_ino;
    unsigned stack_depth; /* [I] of overlays that guests have mounted on each other */
    bool read_only;
    _Atomic int writers; /* files open for writing, through whatever mount */
    struct user_namespace *user_ns; /* [I] reference: of who mounted it first */
    bool no_dcache; /* every lookup goes to ops->lookup */
    void *fs;       /* [I] the file system's own */
};

NODISCARD int sb_new(const char *type, const char *source, unsigned long magic,
                     const struct super_ops *ops,
                     struct super_block **ret); /* dev, locks, ref = 1; the caller sets root */
struct super_block *sb_get(struct super_block *sb);
void sb_put(struct super_block *sb);
uint64_t
sb_new_dev(void); /* a device number of major 0, as Linux gives file systems without a device */

/* The time for stamps: CLOCK_REALTIME at the granularity of the tick, as Linux's file systems take
 * it. Cheap. */
int64_t vfs_now(void);

/* Fills ref = 1, lock, ops and attr: mode, uid/gid, nlink 1 (2 for directories), dev, ino
 * (next_ino), times now. */
void inode_init(struct inode *inode, struct super_block *sb, const struct inode_ops *ops,
                const struct file_ops *file_ops, uint32_t mode, uint32_t uid, uint32_t gid);
struct inode *inode_get(struct inode *inode);
void inode_put(struct inode *inode);

/* New files take the group of a set-gid directory, and directories its bit: inode(7). */
void inode_init_owner(struct inode *dir, uint32_t mode, const struct cred *cred, uint32_t *ret_mode,
                      uint32_t *ret_gid);
int inode_permission(struct inode *inode, int mask,
                     const struct cred *cred); /* 0, -EACCES, -EROFS not here */
int vfs_generic_permission(const struct inode *inode, int mask, const struct cred *cred);
int inode_getattr(struct inode *inode, struct attr *ret);
static inline bool inode_is_dir(const struct inode *inode)
{
    return S_ISDIR(inode->attr.mode);
}

static inline bool capable_over_inode(const struct cred *cred, const struct inode *inode, int cap)
{
    return cred_capable_over(cred, inode->attr.uid, inode->attr.gid, cap);
}

/* A file system type that mount(2) and the boot code know by name. `data` is mount's option string,
 * may be NULL. */
struct fs_type {
    const char *name;
    unsigned flags; /* FS_... */
    int (*mount)(const char *source, unsigned long flags, const char *data,
                 struct super_block **ret_sb);
};
#define FS_NODEV 1u /* listed as nodev in /proc/filesystems */
void fs_register(const struct fs_type *type);
const struct fs_type *fs_find(const char *name);
const struct fs_type *fs_next(const struct fs_type *type); /* NULL: the first */
