/*
 * Memory that is a file: memfd_create(2). Contents and seals are those of a host memfd, so that
 * guest mappings and read/write agree and seals hold against both.
 */
#pragma once
#include "vfs/file.h"

#define MEMFD_NAME_MAX 249

/* flags: MFD_...; -EINVAL for those we don't know and for huge pages. */
NODISCARD int memfd_check_flags(unsigned flags); /* -EINVAL */
NODISCARD int memfd_new(const char *name, unsigned flags, struct file **ret);
