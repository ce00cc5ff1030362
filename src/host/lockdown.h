/*
 * Lock-down: what the kernel process gives up before the first guest instruction, and can never have again.
 *
 *     host_empty_root()           (host/mounts.h) no path of the host
 *     host_drop_privileges(...)   no capability but the few that the donated trees need; no_new_privs
 *     host_filter_install(...)    a seccomp allow-list of host calls; anything else kills the process
 *
 * All once, in this order, while the process has one thread.
 */
#pragma once
#include "base/base.h"

/* Capabilities, in the process's own user namespace, to keep. Guest root reads the host's trees whoever owns the files;
 * writing to them as root needs more. */
enum host_access { HOST_ACCESS_READ, HOST_ACCESS_WRITE };
NODISCARD int host_drop_privileges(enum host_access access);

/* log_only: refused calls are logged by the host's audit instead of killing (for developing only). */
NODISCARD int host_filter_install(enum host_access access, bool log_only);
