/*
 * membarrier(2).
 * DEVIATION: no command is supported yet, and the query says so (0): programs then fall back on
 * real fences. What it needs is that every other thread of the process has passed a barrier before
 * the call returns.
 */
#include "kernel/membarrier.h"
#include <linux/membarrier.h>

int64_t do_membarrier(int command, unsigned flags)
{
    return command == MEMBARRIER_CMD_QUERY && !flags ? 0 : -EINVAL;
}
