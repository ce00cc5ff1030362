/*
 * nsfs: what the links in /proc/PID/ns lead to. A file whose inode number is the namespace's id, so
 * that programs can compare, which keeps the namespace alive, can be bind-mounted, and is what
 * setns(2) takes. Each link followed makes a new inode.
 */
#pragma once
#include "base/base.h"

struct file;
struct inode;
struct ns_common;
struct path;

NODISCARD int nsfs_init(void);
NODISCARD int nsfs_path(struct ns_common *ns, struct path *ret); /* takes a reference of its own */
struct ns_common *nsfs_inode_ns(const struct inode *inode);      /* borrowed; NULL: not of nsfs */
