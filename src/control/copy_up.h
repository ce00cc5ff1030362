/* A copy of a directory's contents into an empty one: what a tmpfs mounted with "tmpcopyup" begins with. */
#pragma once
#include "vfs/mount.h"

/* Files, directories, symbolic links, device nodes and FIFOs with their owners and modes; what is mounted below `from`
 * is not looked into. Bounded: -ENOSPC for what is too deep or too much. In a container (container_step_in()). */
NODISCARD int copy_up_tree(const struct path *from, const struct path *to);
