/* membarrier(2). */
#pragma once
#include "base/base.h"

NODISCARD int64_t do_membarrier(int command, unsigned flags);
