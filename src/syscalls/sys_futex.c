/*
 * futex(2), as far as it comes to the kernel: the stub gives waiting, waking and requeueing
 * straight to the host, which knows guest memory and its sharing best (stub/call.c; kernel/run.c
 * resolves a wait that a signal broke up). What is left is priority inheritance: ENOSYS, on which
 * glibc reports that the protocol is not supported.
 */
#include "syscalls/prototypes.h"
#include <errno.h>

int64_t sys_futex(const uint64_t *a)
{
    return -ENOSYS;
}
