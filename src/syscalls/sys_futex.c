/*
 * futex(2), as far as it comes to the kernel: the stub gives waiting, waking and requeueing
 * straight to the host, which knows guest memory and its sharing best (stub/call.c; kernel/run.c
 * resolves a wait that a signal broke up). Of a task whose every call is looked at, the kernel
 * sends them back as orders. Locks with priority inheritance are Picket's own (kernel/futex_pi.h).
 */
#include "kernel/call_entry.h"
#include "kernel/futex_pi.h"
#include "kernel/task.h"
#include "syscalls/prototypes.h"
#include "syscalls/timespec.h"
#include <linux/futex.h>

#ifndef FUTEX_LOCK_PI2
#define FUTEX_LOCK_PI2 13
#endif
#define BIT(n) (1u << (n))
#define ON_THE_HOST                                                                              \
    (BIT(FUTEX_WAIT) | BIT(FUTEX_WAKE) | BIT(FUTEX_REQUEUE) | BIT(FUTEX_CMP_REQUEUE) |           \
     BIT(FUTEX_WAKE_OP) | BIT(FUTEX_WAIT_BITSET) | BIT(FUTEX_WAKE_BITSET))

static bool is_private(uint64_t op)
{
    return op & FUTEX_PRIVATE_FLAG;
}

/* An absolute time of a clock that waits do not use, or none. */
static int lock_deadline(uaddr_t from, bool realtime, int64_t *ret)
{
    int64_t when;
    *ret = NO_DEADLINE;
    if (!from)
        return 0;
    int err = timespec_from_user(from, &when);
    if (err == 0 && when < TIME_MAX_NS)
        *ret = realtime ? now_monotonic() + (when - now_realtime()) : when;
    return err;
}

static int64_t lock_pi(const uint64_t *a, bool realtime)
{
    int64_t deadline;
    int err = lock_deadline(a[3], realtime, &deadline);
    return err < 0 ? err : futex_lock_pi(a[0], is_private(a[1]), false, deadline);
}

static int64_t futex_of_kernel(const uint64_t *a, uint32_t op)
{
    bool realtime = a[1] & FUTEX_CLOCK_REALTIME;
    if (realtime && op != FUTEX_LOCK_PI2)
        return -ENOSYS;
    switch (op) {
    case FUTEX_LOCK_PI:
        return lock_pi(a, true);
    case FUTEX_LOCK_PI2:
        return lock_pi(a, realtime);
    case FUTEX_TRYLOCK_PI:
        return futex_lock_pi(a[0], is_private(a[1]), true, 0);
    case FUTEX_UNLOCK_PI:
        return futex_unlock_pi(a[0], is_private(a[1]));
    default:
        return -ENOSYS;
    }
}

int64_t sys_futex(const uint64_t *a)
{
    uint32_t op = (uint32_t)a[1] & ~(uint32_t)(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME);
    if (op >= 32 || !(BIT(op) & ON_THE_HOST))
        return futex_of_kernel(a, op);
    int64_t ret = order_futex(current->ctx, a);
    return ret == -EINTR ? interrupted_futex(a) : ret;
}

/* ---- futex_wake(2), futex_wait(2): the same operations by other names ---- */

#define SIZE_U32 2u
#define PRIVATE2 128u

static int check_flags(uint64_t flags, uint64_t mask)
{
    if (flags & ~(uint64_t)(3 | PRIVATE2))
        return -EINVAL;
    return (flags & 3) != SIZE_U32 || mask >> 32 || !mask ? -EINVAL : 0;
}

int64_t sys_futex_wake(const uint64_t *a)
{
    int err = check_flags((uint32_t)a[3], a[1]);
    if (err < 0)
        return err;
    uint64_t op = FUTEX_WAKE_BITSET | (a[3] & PRIVATE2 ? FUTEX_PRIVATE_FLAG : 0);
    const uint64_t args[6] = {a[0], op, (uint32_t)a[2], 0, 0, a[1]};
    if ((int)a[2] == 0)
        return 0;
    return order_futex(current->ctx, args);
}

int64_t sys_futex_wait(const uint64_t *a)
{
    int err = check_flags((uint32_t)a[3], a[2]);
    if (err < 0)
        return err;
    if (a[1] >> 32)
        return -EINVAL;
    if (a[4] && (int)a[5] != CLOCK_MONOTONIC && (int)a[5] != CLOCK_REALTIME)
        return -EINVAL;
    uint64_t op = FUTEX_WAIT_BITSET | (a[3] & PRIVATE2 ? FUTEX_PRIVATE_FLAG : 0) |
                  (a[4] && (int)a[5] == CLOCK_REALTIME ? FUTEX_CLOCK_REALTIME : 0);
    const uint64_t args[6] = {a[0], op, a[1], a[4], 0, a[2]};
    int64_t ret = order_futex(current->ctx, args);
    return ret == -EINTR ? -ERESTARTSYS : ret;
}
