/*
 * Orders: the queue of a context, the hand-off itself, and the simple orders.
 *
 * The queue is the order list in shared memory: the kernel writes it and never reads it back but
 * for results. A result is what a guest wants it to be; callers may return it to the guest, and
 * check it before any other use.
 */
#include "base/log.h"
#include "platform/internal.h"
#include <linux/futex.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static void wake_stub(struct stub_context *shared)
{
    syscall(SYS_futex, &shared->state, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/* The other half of platform_kick() when it came before the guest was resumed. */
static void send_kick(struct context *ctx)
{
    __atomic_store_n(&ctx->shared->kick, 1, __ATOMIC_SEQ_CST);
    syscall(SYS_tgkill, ctx->as->pid, ctx->tid, KICK_SIGNAL);
}

void platform_kick(struct context *ctx)
{
    /* One is enough until it has been answered: more would nest in the stub's handler and overflow its stack. */
    if (atomic_exchange(&ctx->kick_pending, 1))
        return;
    if (atomic_load(&ctx->in_guest))
        send_kick(ctx);
}

/* It is the stub's turn from here on. */
static void reply(struct context *ctx, uint32_t reply_flags)
{
    struct stub_context *shared = ctx->shared;
    uint32_t sleeper;

    if (ctx->bytes_len) {
        shared->args[1] = ctx->bytes_to;
        memcpy(&shared->args[2], ctx->bytes, sizeof(ctx->bytes));
        reply_flags |= ctx->bytes_len << 24;
        ctx->bytes_len = 0;
    }
    __atomic_store_n(&shared->word, ctx->order_count | reply_flags, __ATOMIC_RELAXED);
    ctx->order_count = 0;
    ctx->window_used = 0;
    doorbell_unpark(&ctx->bell);
    __atomic_store_n(&shared->state, STATE_REPLY, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    sleeper = __atomic_load_n(&shared->sleeping, __ATOMIC_RELAXED);
    doorbell_note_sleeper(&ctx->bell, sleeper);
    if (sleeper)
        wake_stub(shared);
}

int hand_over(struct context *ctx, uint32_t reply_flags)
{
    if (UNLIKELY(atomic_load_explicit(&ctx->as->dead, memory_order_relaxed)))
        return -ESRCH;
    reply(ctx, reply_flags);
    if (UNLIKELY(atomic_load_explicit(&ctx->kick_pending, memory_order_relaxed)) &&
        (reply_flags & REPLY_RESUME))
        send_kick(ctx);
    while (!doorbell_wait(&ctx->bell))
        if (atomic_load(&ctx->as->dead))
            return -ESRCH;
    return (int)(__atomic_load_n(&ctx->shared->word, __ATOMIC_ACQUIRE) & 0xffff);
}

void order_leave(struct context *ctx)
{
    if (!atomic_load(&ctx->as->dead))
        reply(ctx, 0);
}

int orders_flush(struct context *ctx)
{
    int kind;

    if (!ctx->order_count && !ctx->bytes_len)
        return atomic_load_explicit(&ctx->as->dead, memory_order_relaxed) ? -ESRCH : 0;
    kind = hand_over(ctx, 0);
    if (kind == KIND_ORDER_FAILED)
        ctx->deferred_failed = true;
    else if (kind >= 0 && kind != KIND_ORDERS_DONE)
        protocol_broken(ctx, "orders not acknowledged");
    return kind < 0 ? kind : 0;
}

struct stub_order *order_queue(struct context *ctx, enum stub_op op, size_t window_bytes)
{
    struct stub_order *o;

    assert(window_bytes <= WINDOW_SIZE);
    if (ctx->order_count == MAX_ORDERS || ctx->window_used + window_bytes > WINDOW_SIZE)
        if (orders_flush(ctx) < 0)
            return NULL;
    if (UNLIKELY(atomic_load_explicit(&ctx->as->dead, memory_order_relaxed)))
        return NULL;
    o = &ctx->orders[ctx->order_count++];
    ctx->window_used += (uint32_t)align_up(window_bytes, 16);
    o->op = (uint16_t)op;
    o->flags = 0;
    return o;
}

int64_t order_sync(struct context *ctx, struct stub_order *o)
{
    int err;

    o->flags |= ORDER_IGNORE_ERRORS;
    err = orders_flush(ctx);
    return err < 0 ? err : __atomic_load_n(&o->result, __ATOMIC_RELAXED);
}

void protocol_broken(struct context *ctx, const char *what)
{
    if (log_limited(20))
        log_warn("platform: process %d: %s: killed", ctx->as->pid, what);
    platform_kill(ctx->as);
}

/* ---- descriptors ---- */

int order_send_fds(struct context *ctx, const int *fds, unsigned count)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(2 * sizeof(int))];
    } control = {0};
    char byte = 0;
    struct iovec iov = {&byte, 1};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = &control,
                         .msg_controllen = CMSG_SPACE(count * sizeof(int))};

    assert(count <= 2);
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(&control.header), fds, count * sizeof(int));
    if (sendmsg(ctx->as->control, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        return -errno;
    return 0;
}

int64_t order_futex(struct context *ctx, const uint64_t args[6])
{
    struct stub_order *o = order_queue(ctx, ORDER_FUTEX, 0);
    int64_t ret;

    if (!o)
        return -ESRCH;
    memcpy(o->args, args, sizeof(o->args));
    atomic_store(&ctx->in_guest, 1); /* kicks reach it as if the guest ran */
    if (atomic_load(&ctx->kick_pending))
        send_kick(ctx);
    ret = order_sync(ctx, o);
    atomic_store(&ctx->in_guest, 0);
    return ret;
}

int64_t order_mmap_fd(struct context *ctx, uaddr_t addr, size_t len, int prot, int flags, int fd,
                      uint64_t offset, bool deferred)
{
    struct stub_order *o = order_queue(ctx, ORDER_MAP_FD, 0);
    int err;

    if (!o)
        return -ESRCH;
    err = order_send_fds(ctx, &fd, 1);
    if (err < 0) {
        ctx->order_count--;
        return err == -EPIPE || err == -ECONNRESET ? -ESRCH : err;
    }
    o->args[0] = addr;
    o->args[1] = len;
    o->args[2] = (uint64_t)prot;
    o->args[3] = (uint64_t)flags;
    o->args[5] = offset;
    return deferred ? (int64_t)addr : order_sync(ctx, o);
}

/* ---- host calls, FP state, bases ---- */

static struct stub_order *queue_host(struct context *ctx, int nr, const uint64_t args[6])
{
    struct stub_order *o = order_queue(ctx, ORDER_HOST, 0);

    if (!o)
        return NULL;
    o->nr = (uint16_t)nr;
    memcpy(o->args, args, sizeof(o->args));
    return o;
}

int64_t order_host(struct context *ctx, int nr, const uint64_t args[6])
{
    struct stub_order *o = queue_host(ctx, nr, args);

    return o ? order_sync(ctx, o) : -ESRCH;
}

void order_defer_host(struct context *ctx, int nr, const uint64_t args[6], bool ignore_errors)
{
    struct stub_order *o = queue_host(ctx, nr, args);

    if (o && ignore_errors)
        o->flags = ORDER_IGNORE_ERRORS;
}

static int sync_simple(struct context *ctx, enum stub_op op, uint64_t a, uint64_t b)
{
    struct stub_order *o = order_queue(ctx, op, 0);
    int64_t ret;

    if (!o)
        return -ESRCH;
    o->args[0] = a;
    o->args[1] = b;
    ret = order_sync(ctx, o);
    return ret < 0 && ret >= -4095 ? (int)ret : 0;
}

int order_save_fp(struct context *ctx, uaddr_t dst)
{
    return sync_simple(ctx, ORDER_SAVE_FP, dst, platform_xsave_features());
}

int order_load_fp(struct context *ctx, uaddr_t src)
{
    return sync_simple(ctx, ORDER_LOAD_FP, src, platform_xsave_features());
}

static void defer_fp(struct context *ctx, enum stub_op op, uint64_t a, uint64_t b)
{
    struct stub_order *o = order_queue(ctx, op, 0);

    if (o) {
        o->args[0] = a;
        o->args[1] = b;
    }
}

void order_defer_save_fp(struct context *ctx, uaddr_t dst)
{
    defer_fp(ctx, ORDER_SAVE_FP, dst, platform_xsave_features());
}

void order_defer_load_fp(struct context *ctx, uaddr_t src)
{
    defer_fp(ctx, ORDER_LOAD_FP, src, platform_xsave_features());
}

void order_defer_reset_fp(struct context *ctx)
{
    defer_fp(ctx, ORDER_RESET_FP, platform_xsave_features(), 0);
}

/* Through the window, at its start: XSAVE wants 64-byte alignment. */
int context_get_fp(struct context *ctx, void *image)
{
    size_t size = platform_xsave_size();
    int err = orders_flush(ctx);

    if (err == 0) {
        memset(ctx->window, 0, size);
        err = sync_simple(ctx, ORDER_SAVE_FP, context_stub_address(ctx) + CONTEXT_WINDOW,
                          platform_xsave_features());
    }
    if (err == 0)
        memcpy(image, ctx->window, size);
    return err;
}

int context_set_fp(struct context *ctx, const void *image)
{
    int err = orders_flush(ctx);

    if (err < 0)
        return err;
    memcpy(ctx->window, image, platform_xsave_size());
    return sync_simple(ctx, ORDER_LOAD_FP, context_stub_address(ctx) + CONTEXT_WINDOW,
                       platform_xsave_features());
}

int order_set_gs(struct context *ctx, uint64_t base)
{
    struct stub_order *o = order_queue(ctx, ORDER_SET_GS, 0);

    if (!o)
        return -ESRCH;
    atomic_store(&ctx->as->uses_gs, 1);
    o->args[0] = base;
    o->args[1] = 1;
    o->args[2] = PATCH_SLOW_ENTRY;
    return order_sync(ctx, o) == -ESRCH ? -ESRCH : 0;
}

void order_defer_set_fs(struct context *ctx, uint64_t base)
{
    struct stub_order *o = order_queue(ctx, ORDER_SET_FS, 0);

    if (o)
        o->args[0] = base;
}

int context_save_bases(struct context *ctx)
{
    int err = sync_simple(ctx, ORDER_GET_BASES, 0, 0);

    if (err < 0)
        return err;
    ctx->regs.fs_base = __atomic_load_n(&ctx->shared->fs_base, __ATOMIC_RELAXED);
    ctx->regs.gs_base = __atomic_load_n(&ctx->shared->gs_base, __ATOMIC_RELAXED);
    return 0;
}
