/* Permission to add and remove names, shared by names.c and rename.c. Private to vfs/. */
#pragma once
#include "kernel/cred.h"
#include "vfs/dentry.h"
#include "vfs/inode.h"

/* dir is locked. */
NODISCARD int may_create(struct inode *dir, const struct cred *cred);
/* victim is positive. want_dir: rmdir; -EISDIR, -ENOTDIR, -EBUSY on a mount point. */
NODISCARD int may_delete(struct inode *dir, const struct dentry *victim, bool want_dir,
                         const struct cred *cred);
