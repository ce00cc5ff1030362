/*
 * Device nodes and FIFOs: which file_ops stand behind a node, whatever file system it lies in.
 *
 * Drivers register ranges of device numbers at boot; open() of a node looks its number up here. The
 * file system of the node plays no part, unless it gives the inode file_ops of its own.
 */
#pragma once
#include "base/base.h"
#include "vfs/file.h"
#include "vfs/inode.h"

/* type: S_IFCHR or S_IFBLK. The ops are static; their open() sees inode->attr.rdev. */
void special_register(uint32_t type, unsigned major, unsigned first_minor, unsigned minors,
                      const struct file_ops *ops);
void fifo_register(const struct file_ops *ops);
/* What open() uses for this inode: -ENXIO for sockets and numbers without a driver. */
NODISCARD int special_file_ops(const struct inode *inode, const struct file_ops **ret);
