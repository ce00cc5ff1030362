/*
 * sysfs(5), as much as programs read in a container: CPUs and their topology, one memory node, the
 * loopback interface, kernel knobs that run-times look up, and the directories that others are
 * mounted on. Built of the tables of vfs/synthetic.h.
 */
#pragma once
#include "base/base.h"
#include "base/host_facts.h"

/* Registers the file system type. The facts are kept by reference. */
void sysfs_init(const struct host_facts *facts);
