/*
 * hostfs: a directory tree of the host as a file system of the guest.
 *
 * The tree is a donated O_PATH descriptor of a detached mount tree (host/mounts.h): the kernel
 * process has no other way to any file. Every host access names one component below a directory
 * descriptor (openat2 with RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS, or a single-name *at call); no
 * symbolic link and no ".." is ever followed by the host.
 *
 * An exclusive tree is changed by nobody else while the sandbox lives: entries, absences and
 * attributes are cached for good. A shared tree is looked at again on each look-up and stat.
 *
 * The process's umask is 0: the modes of new files come from guests, whose own masks have been applied.
 *
 * Not for: single files (bind mounts of files are a dentry in a tree), inherited descriptors
 * (fs/hostfile), /proc and /sys.
 */
#pragma once
#include "base/base.h"

struct super_block;

#define HOSTFS_EXCLUSIVE 1u
#define HOSTFS_READ_ONLY 2u
#define HOSTFS_ROOTLESS \
    4u /* the user namespace maps one id: host ids without a mapping are shown as 0 */

/* A super block with one reference over the tree below root_fd (a directory; consumed on success).
 * `source` is what /proc/mounts shows. -ENOTDIR, -ENOMEM, or what statx says. Before lock-down or
 * after; not in a fiber is fine. */
void hostfs_init(void); /* before lock-down */
NODISCARD int hostfs_new(int root_fd, unsigned flags, const char *source, struct super_block **ret);
