/*
 * /dev: the memory devices (null, zero, full, random, urandom), and what an OCI container's /dev
 * contains.
 *
 * The nodes lie in an ordinary tmpfs; a node means what its number means wherever it lies
 * (vfs/special.h). Terminals (tty, console, ptmx) register their own numbers.
 */
#pragma once
#include "base/base.h"

struct dentry;

void dev_init(void); /* registers the drivers; once */
/* Makes the nodes, links and mount points in an empty directory that nobody else uses yet.
 * `console`: a /dev/console too. */
NODISCARD int dev_populate(struct dentry *dir, bool console);
