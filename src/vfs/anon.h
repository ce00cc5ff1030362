/*
 * What the nameless file systems (pipes, sockets, event descriptors, host files) share: numbered
 * names.
 */
#pragma once
#include "vfs/file.h"

/* As file_new_anon(), named "KIND:[N]" as /proc/PID/fd shows pipes and sockets; N is the inode's
 * number. */
NODISCARD int anon_file_numbered(const char *kind, uint32_t mode, const struct file_ops *ops,
                                 void *private_data, uint32_t flags, struct file **ret);
