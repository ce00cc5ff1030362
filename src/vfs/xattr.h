/*
 * Extended attributes by place: name spaces and permission of xattr(7), then the file system's
 * operation. Names are bounded by XATTR_NAME_MAX, values by XATTR_SIZE_MAX, by the caller. POSIX
 * ACLs are not kept: -EOPNOTSUPP.
 */
#pragma once
#include "base/base.h"
#include "base/cleanup.h"
#include "vfs/mount.h"

NODISCARD ssize_t vfs_getxattr(const struct path *p, const char *name, void *value, size_t size);
NODISCARD int vfs_setxattr(const struct path *p, const char *name, const void *value, size_t size,
                           int flags);
NODISCARD int vfs_removexattr(const struct path *p, const char *name);
/* Names the caller may see, NUL-separated: bytes, or with size 0 the room needed. */
NODISCARD ssize_t vfs_listxattr(const struct path *p, char *list, size_t size);
