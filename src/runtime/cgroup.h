/*
 * The host's cgroups of a container: where its agent, and in the first container of a sandbox the
 * kernel process with all its stubs, are accounted and limited.
 *
 * Both versions of the interface, alone or side by side (hybrid). Missing privileges are tolerated:
 * a cgroup that cannot be made is not used, a limit that cannot be set is a warning; the kernel
 * inside keeps the guest's view of its limits in any case. The pids limit is never set on the host:
 * there it would count the kernel's threads and stubs, while it is meant for the guest's processes,
 * which the kernel counts itself.
 *
 * The systemd driver makes a scope through systemd's bus interface (with busctl) where systemd
 * runs, else the same path by hand.
 */
#pragma once
#include "base/base.h"
#include "runtime/error.h"
#include "runtime/spec.h"

/* The path below each hierarchy, in fresh memory. */
NODISCARD char *cgroup_path(const struct spec *spec, const char *id, bool systemd);
/* Makes it and moves pid into it. 0, or -1 when no hierarchy took it (nothing is left then). */
int cgroup_enter(const char *path, bool systemd, pid_t pid);
/* Sets the limits that are given. */
void cgroup_limit(const char *path, const struct spec_resources *r);
/* Kills what is left in it, if asked, and removes it. */
void cgroup_remove(const char *path, bool kill_all);
/* All pids in it; *ret is the caller's. The number of them. */
size_t cgroup_pids(const char *path, pid_t **ret);
/* For `events --stats`: the "data" of a stats event. */
json_t *cgroup_stats(const char *path);
