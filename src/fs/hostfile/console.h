/* The host's terminal as a terminal of the guest: see hostfile.h. */
#pragma once
#include "vfs/file.h"
#include <sys/stat.h>

/* A file on the guest's side of the terminal behind host_fd, which it consumes. */
/* After the first console was opened. true: it is the standard input, the runtime makes it raw, and
 * its keys are read from now on, wanted or not. false: the host's line discipline stays at work,
 * and the guest's settings are passed on to it. */
void console_has_keyboard(bool keyboard);
NODISCARD int console_open_fd(int host_fd, const struct stat *st, struct file **ret);
