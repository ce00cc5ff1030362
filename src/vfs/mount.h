/*
 * Mounts, mount namespaces and paths.
 *
 * A mount shows a tree (a dentry of a super block) at a mount point. A path is a place: a mount and
 * a dentry in it. A mount namespace is a tree of mounts with one root. Propagation: private,
 * shared, slave and unbindable flags are kept; shared subtrees propagate. Lock: mount_lock (a
 * mutex, vfs/mount.c) protects the tree of all namespaces. Changes to what the walk reads (the
 * hash, parent, mountpoint, root) also hold dentry_lock (vfs/dentry.h), so a walk needs that one
 * alone.
 */
#pragma once
#include "base/base.h"
#include "base/refcount.h"
#include "kernel/namespaces.h"

struct dentry;
struct mount;
struct super_block;
struct cred;
struct strbuf;
struct mount_namespace;

struct path {
    struct mount *mount;
    struct dentry *dentry;
};

struct mount *mount_get(struct mount *m);
void mount_put(struct mount *m);
void path_get(const struct path *p); /* references both */
void path_put(const struct path *p);
static inline bool path_equal(const struct path *a, const struct path *b)
{
    return a->mount == b->mount && a->dentry == b->dentry;
}
static inline void path_put_cleanup(struct path *p)
{
    if (p->dentry)
        path_put(p);
}
#define CLEANUP_PATH_REF __attribute__((cleanup(path_put_cleanup)))

struct mount {
    struct refcount ref;        /* paths, children, the namespace */
    struct mount_namespace *ns; /* [mount_lock] NULL: detached */
    struct mount *parent;       /* [mount_lock] reference; NULL for a root */
    struct dentry *mountpoint;  /* [mount_lock] reference, in the parent */
    struct dentry *root;        /* [I] reference */
    struct super_block *sb;     /* [I] reference */
    _Atomic uint32_t flags; /* MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_NOATIME, MS_RELATIME,
                               MS_NODIRATIME */
    int id;                 /* [I] /proc/PID/mountinfo */
    uint32_t propagation;   /* [mount_lock] MS_SHARED, MS_SLAVE, MS_UNBINDABLE or MS_PRIVATE */
    int peer_group;         /* [mount_lock] */
    struct list children, child_link; /* [mount_lock] */
    struct list hash_link;            /* [mount_lock] */
    bool detached;                    /* [mount_lock] lazily unmounted */
};

struct mount_namespace {
    struct ns_common common;
    struct mount *root; /* [mount_lock] reference */
};

extern const struct ns_kind mount_ns_kind;

/* A new namespace whose root is sb's root. Takes its own reference to sb. */
NODISCARD int mount_namespace_new(struct super_block *sb, unsigned flags,
                                  struct mount_namespace **ret);
NODISCARD int mount_namespace_copy(
    struct mount_namespace *ns, struct user_namespace *owner, struct path *root, struct path *cwd,
    struct mount_namespace **ret); /* CLONE_NEWNS: root and cwd are moved to the copy */
struct mount_namespace *mount_namespace_get(struct mount_namespace *ns);
void mount_namespace_put(struct mount_namespace *ns);
void mount_namespace_root(struct mount_namespace *ns,
                          struct path *ret); /* what is mounted there now, referenced */

/* A mount in no namespace: anonymous files, a tree that only the kernel looks into. */
NODISCARD int mount_new_internal(struct super_block *sb, struct mount **ret);
NODISCARD int do_mount(struct super_block *sb, const struct path *at,
                       unsigned flags); /* over a directory or file */
NODISCARD int do_bind(const struct path *from, const struct path *at, bool recursive);
NODISCARD int do_move_mount(const struct path *from, const struct path *at);
NODISCARD int do_remount(const struct path *at, unsigned flags, bool bind, const char *data);
NODISCARD int do_change_propagation(const struct path *at, unsigned type, bool recursive);
NODISCARD int do_umount(const struct path *at,
                        int flags); /* MNT_DETACH, MNT_FORCE, UMOUNT_NOFOLLOW is the walk's */
NODISCARD int do_pivot_root(const struct path *new_root, const struct path *put_old);

/* What is mounted in ns and has this device number: a reference, or NULL. */
struct super_block *mounts_find_dev(struct mount_namespace *ns, uint64_t dev);
void mounts_sync(struct mount_namespace *ns); /* sync(2): every super block mounted in ns */

/* Steps of the walk. follow_mounts: while something is mounted on *p, step onto it (consumes and
 * replaces references). */
void follow_mounts(struct path *p);
/* One ".." : stops at `root`; crosses mounts upwards. */
void follow_dotdot(struct path *p, const struct path *root);

/* Is the mount or its super block read-only? -EROFS. */
int mount_want_write(const struct mount *m);

/* The path as a string, seen from `root`; "(unreachable)/..." when outside, " (deleted)" appended
 * when unlinked. */
NODISCARD int path_string(const struct path *p, const struct path *root, struct strbuf *out);
/* /proc/PID/mounts, mountinfo, mountstats. */
void mounts_show(struct mount_namespace *ns, const struct path *root, struct strbuf *out);
void mountinfo_show(struct mount_namespace *ns, const struct path *root, struct strbuf *out);
