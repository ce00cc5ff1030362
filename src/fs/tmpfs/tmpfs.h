/*
 * tmpfs: a file system in memory. Also the upper layer of the root overlay, and the specimen of a
 * file system: read tmpfs.c first (mounting and the ops tables), then dir.c, file.c, data.c.
 *
 * Small files live on the heap; larger ones, and those a guest maps, in a memfd that the kernel has
 * mapped, so that read and write are a memcpy and a mapping shows the same bytes. Nothing survives
 * the last unmount.
 */
#pragma once
#include "base/base.h"

struct super_block;

struct tmpfs_options {
    uint64_t max_pages, max_inodes; /* 0: half of the host's memory */
    uint32_t mode, uid, gid;        /* of the root directory; mode 0: 01777 */
};

void tmpfs_register(void); /* the type "tmpfs", and "ramfs" without limits; before lock-down */
/* One reference. `source` is what /proc/mounts shows. */
NODISCARD int tmpfs_new(const char *source, const struct tmpfs_options *options,
                        struct super_block **ret);
