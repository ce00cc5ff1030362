/*
 * The host's mounts as the sandbox sees them: detached trees, held by a descriptor and reachable by nothing else.
 *
 * A detached tree is a private copy of the mounts below a directory. It has no place in any mount namespace: ".."
 * at its root leads nowhere, and it stays whole after its mount namespace has been emptied.
 */
#pragma once
#include "base/base.h"

/* A detached copy of `path` (a directory or file) and all mounted below it; read_only holds for all of them. The
 * descriptor, close-on-exec, or -errno. */
NODISCARD int host_clone_tree(const char *path, bool read_only);

/* The same of one directory of /proc or the like, read-write and without what is mounted below. */
NODISCARD int host_clone_directory(const char *path);

/* The same of a directory that will be a root: where /proc, /sys and /dev are mounted below it, the copy has an empty
 * read-only directory instead. The caller is in its own mount namespace. */
NODISCARD int host_clone_root(const char *path);

/* A procfs of the caller's own pid namespace with its processes and nothing else, at no place: the descriptor, or
 * -errno (some hosts allow it only where all of /proc is visible). */
NODISCARD int host_own_proc(void);

/* Replaces the root of the caller's (own) mount namespace by an empty read-only directory: no path of the host
 * exists any more. */
NODISCARD int host_empty_root(void);
