/* Event counters: eventfd(2). */
#pragma once
#include "vfs/file.h"

/* flags: EFD_SEMAPHORE, EFD_NONBLOCK, EFD_CLOEXEC (ignored here). */
/* The file behind a descriptor, referenced: -EINVAL if it is no eventfd. */
NODISCARD int eventfd_file(int fd, struct file **ret);
NODISCARD int eventfd_new(unsigned count, unsigned flags, struct file **ret);
