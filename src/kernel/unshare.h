/* unshare(2): giving up what is shared with other tasks, and new namespaces for oneself. */
#pragma once
#include "base/base.h"

NODISCARD int do_unshare(uint64_t flags);
