/*
 * overlay: a writable file system in memory on top of a read-only one: the root of every sandbox.
 *
 * What is not in the upper layer shows through from the lower. A file is copied up when it is first
 * changed; a name of the lower layer that is removed is covered by a whiteout, a character device
 * 0:0 in the upper layer. Both layers belong to the overlay alone: nothing else changes them, so
 * everything is cached for good and a second stat calls neither.
 *
 * The upper layer must live as long as the overlay and no longer (tmpfs). So what an on-disk
 * overlay writes in xattrs is kept in memory here: an inode that has both an upper and a lower side
 * stays in the overlay's table until it is removed. That keeps inode numbers stable, hard links of
 * the lower layer together after a copy-up, and lets directories of the lower layer be renamed
 * (Linux's overlayfs gives EXDEV).
 */
#pragma once
#include "base/base.h"

struct inode;
struct super_block;

void overlay_register(void); /* the type that guests mount: mount.c */

struct overlay_layer {
    struct super_block *sb;
    struct inode *root; /* a directory of it */
};

/* The upper layer is somebody's directory: what it holds of earlier mounts is merged and understood,
 * and written so that a later one will. */
#define OVERLAY_MERGES 1u
/* It is merged as well, but never changed: the result is read-only. */
#define OVERLAY_FIXED 2u
NODISCARD int overlay_new_layers(const struct overlay_layer *lower, const struct overlay_layer *upper, unsigned flags,
                                 const char *source, struct super_block **ret);

/* One reference; takes its own on both layers. `source` is what /proc/mounts shows. */
NODISCARD int overlay_new(struct super_block *lower, struct super_block *upper, const char *source,
                          struct super_block **ret);
