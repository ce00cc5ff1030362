/* All of the VFS's headers, for files that use most of it. */
#pragma once
#include "vfs/dentry.h"
#include "vfs/file.h"
#include "vfs/fs_context.h"
#include "vfs/inode.h"
#include "vfs/mount.h"
#include "vfs/poll.h"
#include "vfs/uio.h"
#include "vfs/walk.h"

int vfs_init(void); /* tables and locks; before anything is mounted */
