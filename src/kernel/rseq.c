/* See rseq.h. */
#include "kernel/rseq.h"
#include "kernel/task.h"
#include "mm/uaccess.h"
#include <sys/syscall.h>

#define UNREGISTER 1

int64_t do_rseq(uaddr_t area, uint32_t len, int flags, uint32_t signature)
{
    struct task *t = current;
    const uint64_t args[6] = {area, len, (uint64_t)flags, signature};
    if (flags & ~UNREGISTER)
        return -EINVAL;
    if (!access_ok(area, len))
        return flags ? -EINVAL : -EFAULT;
    int64_t err = order_host(t->ctx, SYS_rseq, args);
    if (err == 0)
        t->rseq = (struct rseq_registration){flags & UNREGISTER ? 0 : area, len, signature};
    return err;
}

void rseq_release(struct task *t)
{
    const uint64_t args[6] = {t->rseq.area, t->rseq.len, UNREGISTER, t->rseq.signature};
    if (!t->rseq.area)
        return;
    t->rseq.area = 0;
    const struct task *execing = __atomic_load_n(&t->process->exec_task, __ATOMIC_ACQUIRE);
    /* An exec is about to unmap everything, and does not wait for the host's thread to end. */
    if (!execing || execing == t || order_host(t->ctx, SYS_rseq, args) < 0)
        order_defer_host(t->ctx, SYS_rseq, args, true);
}
