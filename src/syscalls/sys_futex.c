/*
 * futex(2), as far as it comes to the kernel: the stub gives waiting, waking and requeueing
 * straight to the host, which knows guest memory and its sharing best (stub/call.c; kernel/run.c
 * resolves a wait that a signal broke up). Of a task whose every call is looked at, the kernel
 * sends them back as orders. What is left is priority inheritance: ENOSYS, on which glibc reports
 * that the protocol is not supported.
 */
#include "kernel/call_entry.h"
#include "kernel/task.h"
#include "syscalls/prototypes.h"
#include <linux/futex.h>

#define BIT(n) (1u << (n))
#define ON_THE_HOST                                                                              \
    (BIT(FUTEX_WAIT) | BIT(FUTEX_WAKE) | BIT(FUTEX_REQUEUE) | BIT(FUTEX_CMP_REQUEUE) |           \
     BIT(FUTEX_WAKE_OP) | BIT(FUTEX_WAIT_BITSET) | BIT(FUTEX_WAKE_BITSET))

int64_t sys_futex(const uint64_t *a)
{
    uint32_t op = (uint32_t)a[1] & ~(uint32_t)(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME);
    if (op >= 32 || !(BIT(op) & ON_THE_HOST))
        return -ENOSYS;
    int64_t ret = order_futex(current->ctx, a);
    return ret == -EINTR ? interrupted_futex(a) : ret;
}
