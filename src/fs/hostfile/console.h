/* The host's terminal as a terminal of the guest: see hostfile.h. */
#pragma once
#include "vfs/file.h"
#include <sys/stat.h>

/* A file on the guest's side of the terminal behind host_fd, which it consumes. */
/* The first console's keys are read from now on, wanted or not: the sandbox has the keyboard. */
void console_start_input(void);
NODISCARD int console_open_fd(int host_fd, const struct stat *st, struct file **ret);
