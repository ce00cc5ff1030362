/* The cgroup2 and cgroup file systems: the kernel's tree of control groups (kernel/cgroup.h) as
 * directories and files. */
#pragma once
#include "base/base.h"

struct cgroup;
struct super_block;

/* A mount's super block that shows `root` as "/". v1: version 1's controllers, "cpu,cpuacct"; NULL:
 * version 2. */
NODISCARD int cgroupfs_new(const char *source, const char *v1, struct cgroup *root, struct super_block **ret);
void cgroupfs_init(void);
