/* What the files of fs/sysfs share. */
#pragma once
#include "fs/sysfs/sysfs.h"
#include "vfs/synthetic.h"

extern const struct host_facts *sysfs_facts;

#define DIR(name_, ...)                                    \
    {                                                      \
        .name = name_, .mode = S_IFDIR | 0755, __VA_ARGS__ \
    }
#define REG(name_, show_, ...)                                            \
    {                                                                     \
        .name = name_, .mode = S_IFREG | 0444, .show = show_, __VA_ARGS__ \
    }
#define TEXT(name_, text_)                                   \
    {                                                        \
        .name = name_, .mode = S_IFREG | 0444, .text = text_ \
    }
#define LNK(name_, link_)                                    \
    {                                                        \
        .name = name_, .mode = S_IFLNK | 0777, .link = link_ \
    }

extern const struct synth_entry cpu_entries[], node_entries[];
int cpu_lookup(struct synth_inode *dir, const struct name *name, struct inode **ret);
int cpu_iterate(struct synth_inode *dir, struct dir_emitter *e, int64_t *pos);
/* The interfaces of the mount's network namespace; arg 1: as links. */
int net_dir_lookup(struct synth_inode *dir, const struct name *name, struct inode **ret);
int net_dir_iterate(struct synth_inode *dir, struct dir_emitter *e, int64_t *pos);
