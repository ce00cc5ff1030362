/*
 * Mounts, mount namespaces and paths.
 *
 * A mount shows a tree (a dentry of a super block) at a mount point. A path is a place: a mount and
 * a dentry in it. A mount namespace is a tree of mounts with one root. Shared mounts are in rings of
 * peers, slaves on their masters' lists; what is mounted in one happens in its peers and slaves, in
 * whatever namespace (mount_namespaces(7)). Lock: mount_lock (a
 * mutex, vfs/mount.c) protects the tree of all namespaces. Changes to what the walk reads (the
 * hash, parent, mountpoint, root) also hold dentry_lock (vfs/dentry.h), so a walk needs that one
 * alone.
 */
#pragma once
#include "base/base.h"
#include "base/refcount.h"
#include "base/strbuf.h"
#include "kernel/namespaces.h"

struct dentry;
struct mount;
struct super_block;
struct cred;
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
    uint32_t locked_flags;  /* [mount_lock] of flags, those that may not be taken away */
    bool atime_locked;      /* [mount_lock] nor may how access times are kept change */
    bool locked;            /* [mount_lock] stays where it is: what is under it is not for its owner to see */
    bool expiry_mark;       /* [mount_lock] MNT_EXPIRE has been asked for once */
    uint32_t propagation;   /* [mount_lock] MS_SHARED or MS_UNBINDABLE or 0; a slave has a master */
    int peer_group;         /* [mount_lock] number of its peers; 0: not shared */
    struct list share_link; /* [mount_lock] the ring of its peers, without a head */
    struct mount *master;   /* [mount_lock] who propagates to it, weak: whoever goes is taken out */
    struct list slaves, slave_link; /* [mount_lock] */
    unsigned mark;          /* [mount_lock] of walks over what propagates */
    struct list work_link;  /* [mount_lock] */
    struct mount *work_source; /* [mount_lock] */
    struct list children, child_link; /* [mount_lock] */
    struct list hash_link;            /* [mount_lock] */
    bool detached;                    /* [mount_lock] lazily unmounted */
    _Atomic int writers;              /* files open for writing through it */
    bool is_detached_root;            /* [mount_lock] a descriptor holds it: see do_open_tree() */
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
/* The same of a part of it: `root` is a dentry of sb, perhaps a file's. */
NODISCARD int do_mount_part(struct super_block *sb, struct dentry *root, const struct path *at, unsigned flags);
NODISCARD int do_bind(const struct path *from, const struct path *at, bool recursive);
NODISCARD int do_move_mount(const struct path *from, const struct path *at);
/* Changes the mount's flags: those in `clear` go, those in `set` come (MS_...; of the access time
 * flags one is set). -EPERM: locked. recursive: with everything below, all or nothing. */
struct mount_change {
    unsigned set, clear;
    unsigned propagation; /* MS_SHARED ..., or 0 */
    bool recursive;
};
NODISCARD int do_mount_setattr(const struct path *at, const struct mount_change *change);
NODISCARD int do_remount(const struct path *at, unsigned flags, bool bind, const char *data);
NODISCARD int do_change_propagation(const struct path *at, unsigned type, bool recursive);
/* MNT_DETACH, MNT_FORCE, MNT_EXPIRE; UMOUNT_NOFOLLOW is the walk's. Consumes `at`. */
NODISCARD int do_umount(struct path *at, int flags);

/* Trees outside any namespace, which a descriptor holds: open_tree(2), fsmount(2). The new mount
 * has one reference, for mount_detached_end(). */
NODISCARD int do_open_tree(const struct path *from, bool recursive, struct mount **ret);
NODISCARD int do_fsmount(struct super_block *sb, unsigned flags, struct mount **ret);
void mount_detached_end(struct mount *m); /* unless move_mount(2) has given it a place */
/* move_mount(2) of one, and MOVE_MOUNT_SET_GROUP. */
NODISCARD int do_set_group(const struct path *from, const struct path *to);
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
/* What statmount(2) tells. */
struct mount_stat {
    uint64_t id, parent_id, magic, attr, propagation, peer_group, master, propagate_from;
    uint32_t old_id, old_parent_id, dev_major, dev_minor, sb_flags;
    const char *fs_type;
    struct strbuf root, point, source, options;
};
/* Never given out twice, and not to be taken for a number of the old kind. */
static inline uint64_t mount_unique_of(int id)
{
    return (1ULL << 31) + (uint64_t)id;
}
static inline uint64_t mount_unique_id(const struct mount *m)
{
    return mount_unique_of(m->id);
}
NODISCARD int mount_stat(uint64_t id, struct mount_stat *ret); /* -ENOENT: none such in sight */
void mount_stat_fini(struct mount_stat *m);
/* The unique numbers of what is mounted below `id` (0: the caller's root), in order, beyond `after`:
 * how many, at most `room`. */
int64_t mount_list(uint64_t id, uint64_t after, bool reverse, uint64_t *ids, size_t room);

/* /proc/PID/mounts, mountinfo, mountstats. */
void mounts_show(struct mount_namespace *ns, const struct path *root, struct strbuf *out);
void mountinfo_show(struct mount_namespace *ns, const struct path *root, struct strbuf *out);
