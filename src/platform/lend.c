/*
 * Loans: files that a guest reads much are read by its stub, in one host call and without a copy in between.
 *
 * An address space has at most one loan, and only while it has one thread, so that no order can meet a descriptor that
 * another thread's order closes. A forked child inherits the descriptor with all others, and so the loan. What hostile
 * guest code can do with the descriptor is what the guest could do with its own: the kernel ends the loan before a
 * guest has given up any of its descriptors, and its rights.
 */
#include "platform/internal.h"
#include <sys/syscall.h>

#define LOAN_AT_ONCE (64 * 1024) /* a read of this size pays for the loan by itself */
#define LOAN_READS 3             /* so many of the others, in a row, do */

uint64_t platform_new_file_id(void)
{
    static _Atomic uint64_t last;

    return atomic_fetch_add_explicit(&last, 1, memory_order_relaxed) + 1;
}

static bool only_thread(struct address_space *as)
{
    spin_lock(&as->lock);
    bool only = as->context_count == 1;
    spin_unlock(&as->lock);
    return only;
}

void platform_end_loan(struct context *ctx)
{
    struct loan *loan = &ctx->as->loan;

    if (LIKELY(!loan->file))
        return;
    loan->file = 0;
    order_defer_host(ctx, SYS_close, (uint64_t[6]){(uint64_t)loan->fd}, true);
}

/* 0, or -errno when the descriptor could not travel. */
static int lend(struct context *ctx, uint64_t file, int fd)
{
    struct loan *loan = &ctx->as->loan;
    struct stub_order *o;
    int64_t ret;

    platform_end_loan(ctx);
    o = order_queue(ctx, ORDER_LEND, 0);
    if (!o)
        return -ESRCH;
    int err = order_send_fds(ctx, &fd, 1);
    if (err < 0) {
        ctx->order_count--;
        return err;
    }
    ret = order_sync(ctx, o);
    if (ret < STUB_FIRST_FREE_FD || ret > INT32_MAX)
        return -EAGAIN; /* the stub has no room, or it lies: nothing depends on it */
    loan->file = file;
    loan->fd = (int)ret;
    return 0;
}

/* Counts the read; true if the file is to be lent for it. */
static bool worth_a_loan(struct loan *loan, uint64_t file, size_t n)
{
    loan->reads = loan->candidate == file ? loan->reads + 1 : 1;
    loan->candidate = file;
    return n >= LOAN_AT_ONCE || loan->reads >= LOAN_READS;
}

ssize_t platform_read_file(struct context *ctx, uaddr_t dst, size_t n, uint64_t file, int fd, int64_t pos, bool sure)
{
    struct loan *loan = &ctx->as->loan;
    struct stub_order *o;
    int64_t ret;

    if (dst >= GUEST_END || n > GUEST_END - dst)
        return -EAGAIN;
    if (loan->file != file) {
        if (!worth_a_loan(loan, file, n) || !only_thread(ctx->as))
            return -EAGAIN;
        int err = lend(ctx, file, fd);
        if (err < 0)
            return err == -ESRCH ? err : -EAGAIN;
    }
    o = order_queue(ctx, sure ? ORDER_READ : ORDER_HOST, 0);
    if (!o)
        return -ESRCH;
    o->nr = SYS_pread64;
    o->args[0] = (uint64_t)loan->fd;
    o->args[1] = dst;
    o->args[2] = n;
    o->args[3] = (uint64_t)pos;
    if (sure)
        return (ssize_t)n;
    ret = order_sync(ctx, o);
    return ret > (int64_t)n ? -EIO : (ssize_t)MAX(ret, -4095L);
}
