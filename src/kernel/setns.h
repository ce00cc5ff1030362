/* setns(2): joining namespaces that exist. */
#pragma once
#include "base/base.h"

/* fd: a file of nsfs (flags: its CLONE_NEW... or 0), or a pidfd (flags: which ones of that task's). */
NODISCARD int do_setns(int fd, uint64_t flags);
