/* Files that stand for a process: pidfd_open(2). Readable once the process is a zombie. */
#pragma once
#include "base/base.h"

struct file;
struct pid;

NODISCARD int pidfd_new(struct pid *pid, uint32_t flags, struct file **ret); /* takes its own reference */
/* The process a descriptor stands for: a reference, -EBADF if it is no pidfd. */
NODISCARD int pidfd_pid(int fd, struct pid **ret);
NODISCARD int pidfd_pid_flags(int fd, struct pid **ret, uint32_t *ret_flags);
/* pidfd_getfd(2): a reference to the file behind `fd` of that process; -ESRCH, -EPERM, -EBADF. */
NODISCARD int pidfd_get_file(struct pid *pid, int fd, struct file **ret);
