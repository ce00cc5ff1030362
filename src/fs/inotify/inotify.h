/*
 * inotify(7): watches on inodes, events read from a file.
 *
 * An instance has watches, each on one inode (to which it holds a reference) with a mask; the VFS
 * tells of every change to a watched inode (vfs/notify.h), and the events queue up in the instance
 * until they are read.
 */
#pragma once
#include "vfs/file.h"

struct inotify;

void inotify_start(void); /* at boot: registers with vfs/notify.h */
NODISCARD int inotify_new(unsigned flags, struct file **ret); /* IN_NONBLOCK; -EMFILE */
struct inotify *inotify_of(const struct file *f);             /* NULL if it is something else */

/* The watch's number. mask: IN_..., with IN_MASK_ADD, IN_MASK_CREATE, IN_ONESHOT. -EEXIST, -ENOSPC,
 * -ENOMEM. */
NODISCARD int inotify_add(struct inotify *in, struct inode *inode, uint32_t mask);
NODISCARD int inotify_remove(struct inotify *in, int wd); /* -EINVAL: no such watch */
