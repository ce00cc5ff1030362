/*
 * membarrier(2): the private commands, carried out by the host on the stub process, whose threads
 * are just the ones concerned. DEVIATION: the global commands are not offered, and a registration
 * outlives an exec that reuses the host process.
 */
#include "kernel/membarrier.h"
#include "kernel/task.h"
#include <linux/membarrier.h>
#include <sys/syscall.h>

#define SUPPORTED                                                                     \
    (MEMBARRIER_CMD_PRIVATE_EXPEDITED | MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED |   \
     MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE |                                     \
     MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE |                           \
     MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ |                                         \
     MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ)

int64_t do_membarrier(int command, unsigned flags)
{
    const uint64_t args[6] = {(uint64_t)command, 0, 0};
    if (flags)
        return -EINVAL;
    if (command == MEMBARRIER_CMD_QUERY)
        return SUPPORTED;
    if (command & ~SUPPORTED || command & (command - 1))
        return -EINVAL;
    return order_host(current->ctx, SYS_membarrier, args);
}
