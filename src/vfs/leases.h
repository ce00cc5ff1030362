/*
 * Leases: fcntl(2)'s F_SETLEASE. Whoever holds one on a regular file is told (SIGIO or F_SETSIG) before somebody else
 * opens or truncates it in a way that conflicts, and has lease_break_time to let go; the other one waits, or gets
 * EWOULDBLOCK. A lease belongs to the open file and goes with it.
 */
#pragma once
#include "vfs/file.h"

#define LEASE_BREAK_SECONDS 45 /* /proc/sys/fs/lease-break-time */

/* type: F_RDLCK, F_WRLCK, F_UNLCK. fd: what si_fd will say. -EACCES, -EAGAIN, -EINVAL. */
int64_t lease_set(struct file *f, int fd, uint64_t type);
int lease_get(struct file *f); /* what is left once it is broken, if it is being broken */
void lease_release_slow(struct file *f);
NODISCARD int lease_break_slow(struct inode *inode, bool write, bool nonblock);

/* Before the inode is opened or changed: 0, -EWOULDBLOCK, -ERESTARTSYS. */
static inline int lease_break(struct inode *inode, bool write, bool nonblock)
{
    return UNLIKELY(inode->leases) ? lease_break_slow(inode, write, nonblock) : 0;
}
static inline void lease_release(struct file *f)
{
    if (UNLIKELY(f->inode->leases))
        lease_release_slow(f);
}
