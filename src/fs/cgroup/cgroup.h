/* The cgroup2 and cgroup file systems: the kernel's tree of control groups (kernel/cgroup.h) as
 * directories and files. */
#pragma once

void cgroupfs_init(void);
