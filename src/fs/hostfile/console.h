/* A terminal of the host as a terminal of the guest: see hostfile.h. */
#pragma once
#include "vfs/file.h"
#include <sys/stat.h>

struct console;
struct tty;

/* One reference. `devpts`: where it gets its number (fs/tty.h). */
NODISCARD int console_new(dev_t rdev, struct super_block *devpts, uint32_t uid, struct console **ret);
void console_put(struct console *c);
dev_t console_device(const struct console *c);

/* A file on the guest's side of the terminal behind host_fd, which it consumes. */
NODISCARD int console_open_fd(struct console *c, int host_fd, const struct stat *st, struct file **ret);
/* After the first file. true: it is the standard input, the other side makes it raw, and its keys are read from now
 * on, wanted or not. false: the host's line discipline stays at work, and the guest's settings are passed on to it. */
void console_has_keyboard(struct console *c, bool keyboard);
struct tty *console_tty(struct console *c); /* a reference; NULL after the end */
void console_take_window(struct console *c); /* the host's window size, and another try at input */
void console_drain(struct console *c);       /* waits a second at most for the host to take what was written */
void console_finish(struct console *c);      /* it ends if nobody uses it */
