/*
 * The files without a place in a tree, put to work.
 */
#pragma once

/* At boot, after vfs_init(): registers FIFOs, terminals and epoll's hook. 0 or -errno. */
int files_init(void);
