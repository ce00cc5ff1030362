/* Root, working directory and umask: shared by tasks made with CLONE_FS. */
#pragma once
#include "base/base.h"
#include "base/refcount.h"
#include "sched/spinlock.h"
#include "vfs/mount.h"

struct fs_context {
    struct refcount ref;
    struct spinlock lock;
    struct path root, cwd;      /* [lock] */
    uint32_t umask;             /* [lock] */
    struct mount_namespace *ns; /* [lock] reference */
    struct list link;           /* [fs_context.c] of all contexts */
};

NODISCARD int fs_context_new(struct mount_namespace *ns,
                             struct fs_context **ret); /* root = cwd = the namespace's root */
NODISCARD int fs_context_copy(struct fs_context *fs, struct fs_context **ret);
struct fs_context *fs_context_get(struct fs_context *fs);
void fs_context_put(struct fs_context *fs);
void fs_get_root(struct fs_context *fs, struct path *ret); /* referenced copies */
void fs_get_cwd(struct fs_context *fs, struct path *ret);
void fs_set_root(struct fs_context *fs, const struct path *p); /* takes its own reference */
void fs_set_cwd(struct fs_context *fs, const struct path *p);

/* pivot_root: every root and working directory that is `from` becomes `to`. */
void fs_contexts_move(const struct path *from, const struct path *to);

/* Of the running task; vfs/ itself never looks into struct task. */
struct fs_context *current_fs(void);
