/* Event counters: eventfd(2). */
#pragma once
#include "vfs/file.h"

/* flags: EFD_SEMAPHORE, EFD_NONBLOCK, EFD_CLOEXEC (ignored here). */
NODISCARD int eventfd_new(unsigned count, unsigned flags, struct file **ret);
