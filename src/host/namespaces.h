/*
 * The sandbox's own namespaces of the host: user, pid, mount, network, IPC and UTS, all fresh.
 *
 *     pid = host_clone_namespaces();
 *     child:   waits until its parent has mapped its ids, then prepares mounts (host/mounts.h) and execs
 *     parent:  host_map_ids(pid), then tells the child
 *
 * The child is process 1 of its pid namespace: when it dies, for whatever reason, the host kills all the others.
 */
#pragma once
#include "base/base.h"

/* As fork(2): 0 in the child. -EPERM or -ENOSPC where the host forbids user namespaces. Only for a single-threaded
 * caller. */
NODISCARD pid_t host_clone_namespaces(void);

/* Gives the child its ids, each meaning the same inside as outside: all of them if the caller may (root), else the
 * caller's own uid and gid only. */
NODISCARD int host_map_ids(pid_t pid);

/* In the child: the capabilities it has in its namespaces survive the coming exec(2), which would take them from
 * anybody but uid 0. The kernel process needs them until it locks itself down. */
NODISCARD int host_keep_capabilities(void);
