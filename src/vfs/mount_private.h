/* What the files about mounts share: mount.c (life, tree, namespaces), mount_propagate.c (peer
 * groups), mount_change.c (the verbs of mount(2)), mount_api.c (detached trees). All with
 * mount_lock held. */
#pragma once
#include "vfs/internal.h"
#include "vfs/mount.h"

#define MOUNT_DEPTH_MAX 128 /* trees are walked recursively on small stacks */

/* A fresh mount outside the tree, with one reference. */
NODISCARD int mount_new(struct super_block *sb, struct dentry *root, unsigned flags, struct mount **ret);
NODISCARD int mount_room(void); /* -ENOSPC: there are as many as there may be */
/* The dentry of a super block's root: one for all its mounts. mount_lock need not be held. */
NODISCARD int sb_root_dentry(struct super_block *sb);
unsigned with_relatime(unsigned flags);

/* Puts m (a root without a place) somewhere; takes over one reference to m. */
void mount_attach(struct mount *m, const struct path *at);
/* Takes m off its place; its reference passes to the caller, what it held is given to ret_old for
 * path_put(). */
void mount_detach(struct mount *m, struct path *ret_old);
void mount_set_namespace(struct mount *m, struct mount_namespace *ns); /* and all below it */
/* The end of the tree below and including m, which has no place any more. Consumes m's reference. */
void mount_dissolve(struct mount *m);
void mount_root_show(const struct mount *m, struct strbuf *out); /* which part of its file system it shows */
bool mount_is_below(const struct mount *m, const struct mount *top);
unsigned mount_height(const struct mount *m);

/* How a copy stands to its original's peers. */
#define COPY_SLAVE 1u           /* gets what happens there, gives nothing */
#define COPY_SHARED 2u          /* a peer, of an original that may be private as yet */
#define COPY_PRIVATE 4u
#define COPY_UNBINDABLE 8u      /* unbindable ones, too */
#define COPY_SHARED_TO_SLAVE 16u
#define COPY_LOCK 32u           /* for less privileged eyes: flags and places become fixed */
#define COPY_NAMESPACE 64u      /* not the files that stand for mount namespaces */
/* A copy of the tree from m on, rooted at `root`: one reference for the caller. */
NODISCARD int mount_copy_tree(struct mount *m, struct dentry *root, bool recursive, unsigned how, struct mount **ret);

/* ---- mount_propagate.c ---- */
void mount_copy_propagation(struct mount *copy, struct mount *m, unsigned how);
void mount_change_propagation(struct mount *m, unsigned type);
/* Attaches a tree that has no place, and copies of it wherever the place's mount propagates to.
 * Consumes m's reference on success. */
NODISCARD int mount_attach_tree(struct mount *m, const struct path *at);
/* Takes m's whole tree away, and its likes where its parent's peers have them. */
void mount_umount_tree(struct mount *m);
/* Would it, without MNT_DETACH, find one in use? refs: how many references m has when idle. */
bool mount_propagation_busy(struct mount *m, uint32_t refs);
