/*
 * What hostfs's files share: the tree, its inodes and their cached descriptors.
 *
 * An inode is found by (host device, host inode number) in its tree's table, so that hard links
 * share one. Its *place* is the last name it was found under, in a parent inode it keeps alive;
 * that is how the host object is reached again when no descriptor is at hand. An inode unlinked
 * while open is an *orphan*: it lives by its pinned descriptor only.
 *
 * Locks, after the VFS's inode locks: fs->lock (spinlock: table, places, cached descriptors).
 * host_fd_lock (spinlock, fds.c: the list of cached descriptors). Neither is held across a host
 * call.
 */
#pragma once
#include "base/base.h"
#include "base/cleanup.h"
#include "base/refcount.h"
#include "fs/hostfs/calls.h"
#include "fs/hostfs/hostfs.h"
#include "sched/spinlock.h"
#include "vfs/vfs.h"

#define HOSTFS_BUCKETS 16384
#define HOSTFS_MAX_DEVICES 64

/* A host descriptor with several users: a cache, open files, mappings being made. */
struct host_fd {
    struct refcount ref;
    int fd;    /* [I] */
    int flags; /* [I] O_PATH, or the access mode */
    uint64_t id; /* [I] for platform_read_file() */
    bool
        listed; /* [directory's inode.lock] read as a directory before: not at its start any more */
};

struct device_id {
    uint64_t host, guest;
};

struct hostfs {
    unsigned flags; /* [I] HOSTFS_... */
    struct super_block *sb;
    struct spinlock lock;
    struct host_inode *buckets[HOSTFS_BUCKETS];   /* [lock] chained by host_inode.hash_next */
    struct device_id devices[HOSTFS_MAX_DEVICES]; /* [lock] */
    unsigned device_count;
    struct list dying; /* [lock] of host_inode.dying_link: being freed, parents after children */
    bool reaping;      /* [lock] somebody empties `dying` */
};

struct dir_list;

struct host_inode {
    struct inode inode;
    uint64_t host_dev, host_ino;  /* [I] */
    int64_t birth;                /* [I] ns, 0 unknown: tells a reused inode number */
    struct host_inode *hash_next; /* [fs->lock] */
    struct list dying_link;       /* [fs->lock] */
    bool hashed;                  /* [fs->lock] */
    struct host_inode *parent;    /* [fs->lock] reference; NULL for the root and orphans */
    char *name;                   /* [fs->lock] owned; in parent */

    struct host_fd *fd;       /* [host_fd_lock] cached: a directory's, or a file's for reading */
    struct list fd_link;      /* [host_fd_lock] in the list of cached descriptors */
    bool fd_used;             /* [host_fd_lock] since the hand of the clock last passed */
    bool fd_pinned;           /* [host_fd_lock] orphan: `fd` is all there is */
    struct host_fd *write_fd; /* [host_fd_lock] weak: some open file's, writable */

    _Atomic unsigned opens; /* open files */
    struct dir_list *list;  /* [inode.lock] a directory's cached listing, reference */
    void *content;          /* [fs->lock] the whole of a small file, read.c */
    _Atomic unsigned reads;
};

static inline struct host_inode *host_inode(struct inode *inode)
{
    return container_of(inode, struct host_inode, inode);
}

static inline struct hostfs *hostfs_of(const struct inode *inode)
{
    return inode->sb->fs;
}

/* Attributes changed on the host by ourselves: look before showing them. */
static inline void host_attr_stale(struct host_inode *h)
{
    h->inode.attr_current = false;
}

static inline bool hostfs_exclusive(const struct inode *inode)
{
    return hostfs_of(inode)->flags & HOSTFS_EXCLUSIVE;
}

/* ---- fds.c: descriptors ---- */

/* Takes over fd; closes it on failure. */
NODISCARD int host_fd_new(int fd, int flags, struct host_fd **ret);
struct host_fd *host_fd_get(struct host_fd *f);
void host_fd_put(struct host_fd *f);
DEFINE_CLEANUP(struct host_fd *, host_fd_put)
#define CLEANUP_HOST_FD CLEANUP_OF(host_fd_put)

/* A directory's descriptor, opened if need be: for *at calls and, unless O_PATH in its flags, for
 * reading. */
NODISCARD int dir_fd(struct host_inode *dir, struct host_fd **ret);
/* A regular file's (shared, cached) descriptor for reading. */
NODISCARD int read_fd(struct host_inode *h, struct host_fd **ret);
/* Any descriptor of the object, O_PATH if nothing better is at hand; `real`: must be open for
 * reading. */
NODISCARD int object_fd(struct host_inode *h, bool real, struct host_fd **ret);
/* Opens the object anew at its place; `flags` as open(2) without O_CREAT. */
NODISCARD int place_open(struct host_inode *h, int flags, struct host_fd **ret);
NODISCARD int place_statx(struct host_inode *h,
                          struct statx *ret); /* -ESTALE when something else is there now */
ssize_t place_readlink(struct host_inode *h, char *buf, size_t size);
NODISCARD int place_link(struct host_inode *h, int new_dir, const char *new_name);
/* As host_openat, but makes room among the cached descriptors when the process has no more. */
NODISCARD int host_openat_retry(int dir, const char *name, int flags, uint32_t mode);

/* An open file's writable descriptor serves truncation of an unlinked file. */
void write_fd_offer(struct host_inode *h, struct host_fd *f);
void write_fd_withdraw(struct host_inode *h, struct host_fd *f);
NODISCARD int write_fd(struct host_inode *h, struct host_fd **ret);

/* The descriptor a file was just created with waits for the open that follows; one in the whole
 * process. */
void spare_offer(struct host_inode *h, struct host_fd *f);
bool spare_take(struct host_inode *h, struct host_fd **ret);
void spare_drop(struct host_inode *h);

/* Before an unlink: makes sure an open inode can be reached without its name. */
NODISCARD int host_inode_pin(struct host_inode *h);
void host_inode_set_fd(struct host_inode *h, struct host_fd *f); /* takes its own reference */
void host_inode_drop_fd(struct host_inode *h, struct host_fd **ret_fd);

/* ---- inode.c: identity and life ---- */

/* The inode of a host object just looked at. `parent` NULL: no place (O_TMPFILE). */
NODISCARD int host_inode_get(struct hostfs *fs, const struct statx *st, struct host_inode *parent,
                             const struct name *name, struct inode **ret);
NODISCARD int host_inode_set_place(struct host_inode *h, struct host_inode *parent,
                                   const char *name, size_t len);
void host_inode_orphan(struct host_inode *h); /* its last name is gone */
void host_attr_set(struct host_inode *h, const struct statx *st);
NODISCARD int host_inode_refresh(struct host_inode *h); /* statx now */
int hostfs_lookup(struct inode *dir, const struct name *name, struct inode **ret);
bool hostfs_revalidate(struct inode *dir, const struct name *name, struct inode *inode);
int hostfs_getattr(struct inode *inode);
int hostfs_readlink(struct inode *inode, char **ret_target);
void hostfs_evict(struct inode *inode);
extern const struct inode_ops hostfs_dir_ops, hostfs_shared_dir_ops, hostfs_file_inode_ops,
    hostfs_symlink_ops, hostfs_special_ops;

/* A name as the host wants it. */
struct host_name {
    char s[256];
};
NODISCARD int host_name_make(const struct name *name, struct host_name *ret);

/* ---- modify.c: directory changes; attr.c: setattr, xattrs ---- */

int hostfs_create(struct inode *dir, const struct name *name, uint32_t mode,
                  const struct cred *cred, struct inode **ret);
int hostfs_mkdir(struct inode *dir, const struct name *name, uint32_t mode, const struct cred *cred,
                 struct inode **ret);
int hostfs_mknod(struct inode *dir, const struct name *name, uint32_t mode, uint64_t rdev,
                 const struct cred *cred, struct inode **ret);
int hostfs_symlink(struct inode *dir, const struct name *name, const char *target,
                   const struct cred *cred, struct inode **ret);
int hostfs_link(struct inode *dir, const struct name *name, struct inode *target);
int hostfs_unlink(struct inode *dir, const struct name *name, struct inode *target);
int hostfs_rmdir(struct inode *dir, const struct name *name, struct inode *target);
int hostfs_rename(struct inode *old_dir, const struct name *old_name, struct inode *inode,
                  struct inode *new_dir, const struct name *new_name, struct inode *target,
                  unsigned flags);
int hostfs_tmpfile(struct inode *dir, uint32_t mode, const struct cred *cred, struct inode **ret);

int hostfs_setattr(struct inode *inode, const struct setattr *change);
ssize_t hostfs_getxattr(struct inode *inode, const char *name, void *value, size_t size);
int hostfs_setxattr(struct inode *inode, const char *name, const void *value, size_t size,
                    int flags);
int hostfs_removexattr(struct inode *inode, const char *name);
ssize_t hostfs_listxattr(struct inode *inode, char *list, size_t size);

/* ---- dir.c, file.c ---- */

extern const struct file_ops hostfs_dir_file_ops, hostfs_file_ops, hostfs_socket_ops;
void dir_list_forget(
    struct host_inode *dir); /* the directory changed; inode.lock held, or the inode is dying */
/* content.c: bytes served from memory; 0: none, read from the host. len is what the file has at
 * pos. */
ssize_t content_read(struct host_inode *h, struct uio *to, size_t len, int64_t pos);
void content_forget(struct host_inode *h);
