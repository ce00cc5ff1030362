/*
 * futex(2), as far as it comes to the kernel at all: the stub gives the common operations straight to the host, and the
 * kernel sees them only when it has to see every call (--strace). They are then ordered from the host in the caller's
 * place. Priority inheritance is not there: ENOSYS, on which glibc reports that the protocol is unsupported.
 *
 * A wait inside an order cannot be interrupted, so the kernel waits itself, looking at the word now and then.
 * DEVIATION: while tracing, a waiter notices a wake-up late, and one that did not change the word not at all.
 */
#include "kernel/signal.h"
#include "kernel/task.h"
#include "mm/uaccess.h"
#include "syscalls/prototypes.h"
#include <linux/futex.h>
#include <sys/syscall.h>

#define SLICE (5 * NSEC_PER_MSEC)

struct futex_wait {
    uaddr_t addr;
    uint32_t value;
    bool realtime;
    int64_t deadline;  /* on that clock, or NO_DEADLINE */
};

static int64_t clock_of(const struct futex_wait *w)
{
    return w->realtime ? now_realtime() : now_monotonic();
}

static int64_t wait_slice(const struct futex_wait *w, bool first)
{
    uint32_t value;
    if (w->addr & 3)
        return -EINVAL;
    if (copy_from_user(&value, w->addr, sizeof(value)) < 0)
        return -EFAULT;
    if (value != w->value)
        return first ? -EAGAIN : 0;
    int64_t now = clock_of(w), left = w->deadline == NO_DEADLINE ? SLICE : MIN(SLICE, w->deadline - now);
    if (left <= 0)
        return -ETIMEDOUT;
    int err = sleep_until(now_monotonic() + left);
    return err < 0 ? err : -EINPROGRESS;
}

static int64_t wait_in_slices(const struct futex_wait *w)
{
    int64_t err = wait_slice(w, true);
    while (err == -EINPROGRESS)
        err = wait_slice(w, false);
    if (err == -ERESTARTSYS && w->deadline != NO_DEADLINE)
        return -ERESTARTNOHAND;
    return err;
}

static int read_deadline(uaddr_t timeout, bool relative, struct futex_wait *w)
{
    struct timespec ts;
    w->deadline = NO_DEADLINE;
    if (!timeout)
        return 0;
    if (copy_from_user(&ts, timeout, sizeof(ts)) < 0)
        return -EFAULT;
    if (ts.tv_sec < 0 || (unsigned long)ts.tv_nsec >= NSEC_PER_SEC)
        return -EINVAL;
    int64_t ns;
    if (__builtin_mul_overflow(ts.tv_sec, NSEC_PER_SEC, &ns) || __builtin_add_overflow(ns, ts.tv_nsec, &ns) ||
        (relative && __builtin_add_overflow(ns, clock_of(w), &ns)))
        ns = NO_DEADLINE;
    w->deadline = ns;
    return 0;
}

static int64_t futex_wait(const uint64_t *a, int op, bool realtime)
{
    struct futex_wait w = {.addr = a[0], .value = (uint32_t)a[2], .realtime = realtime};
    int err = read_deadline(a[3], op == FUTEX_WAIT, &w);
    if (err < 0)
        return err;
    if (op == FUTEX_WAIT_BITSET && !(uint32_t)a[5])
        return -EINVAL;
    return wait_in_slices(&w);
}

int64_t sys_futex(const uint64_t *a)
{
    int op = (int)a[1] & FUTEX_CMD_MASK;
    switch (op) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET:
        return futex_wait(a, op, a[1] & FUTEX_CLOCK_REALTIME);
    case FUTEX_WAKE:
    case FUTEX_WAKE_BITSET:
    case FUTEX_REQUEUE:
    case FUTEX_CMP_REQUEUE:
    case FUTEX_WAKE_OP:
        if (a[1] & FUTEX_CLOCK_REALTIME)
            return -ENOSYS;
        return order_host(current->ctx, SYS_futex, a);
    default:
        return -ENOSYS;
    }
}
