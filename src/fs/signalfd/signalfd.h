/* Signals read from a file: signalfd(2). */
#pragma once
#include "kernel/signal.h"
#include "vfs/file.h"

/* mask: the signals to be had; SIGKILL and SIGSTOP are dropped. flags: SFD_NONBLOCK. */
NODISCARD int signalfd_new(sigmask_t mask, unsigned flags, struct file **ret);
/* Another mask for an existing one; -EINVAL when the file is no signalfd. */
NODISCARD int signalfd_set_mask(struct file *file, sigmask_t mask);
