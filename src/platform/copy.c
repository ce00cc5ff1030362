/*
 * Bytes between the kernel and guest memory. Three ways, by cost:
 *
 *   - bytes the stub sent ahead with the call (hints): free;
 *   - the window: an order, free for copies out (they travel with the next reply), a hand-off for
 * copies in;
 *   - process_vm_readv/writev: a host call; for what is larger than the window, and when the stub
 * sleeps, since waking it costs more.
 */
#include "platform/internal.h"
#include <string.h>
#include <sys/uio.h>

/* Above this a host call beats copying through the window, twice. */
#define PEEK_MIN (12 * 1024)

ssize_t platform_peek(struct address_space *as, void *dst, uaddr_t src, size_t n)
{
    struct iovec local = {dst, n}, remote = {(void *)src, n};
    ssize_t ret;

    if (atomic_load(&as->dead))
        return -ESRCH;
    if (src >= GUEST_END || n > GUEST_END - src)
        return -EFAULT;
    ret = process_vm_readv(as->pid, &local, 1, &remote, 1, 0);
    return ret < 0 ? -errno : ret;
}

ssize_t platform_poke(struct address_space *as, uaddr_t dst, const void *src, size_t n)
{
    struct iovec local = {(void *)src, n}, remote = {(void *)dst, n};
    ssize_t ret;

    if (atomic_load(&as->dead))
        return -ESRCH;
    if (dst >= GUEST_END || n > GUEST_END - dst)
        return -EFAULT;
    ret = process_vm_writev(as->pid, &local, 1, &remote, 1, 0);
    return ret < 0 ? -errno : ret;
}

/* What a copy that stops at a bad address reports. */
static ssize_t short_count(ssize_t ret)
{
    return ret == -EFAULT ? 0 : ret;
}

/* The whole of [src, src + n), or what of it lies below GUEST_END: the stub is no guest memory. */
static size_t clip(uaddr_t addr, size_t n)
{
    if (addr >= GUEST_END)
        return 0;
    return MIN(n, (size_t)(GUEST_END - addr));
}

static bool stub_sleeps(const struct context *ctx)
{
    return __atomic_load_n(&ctx->shared->sleeping, __ATOMIC_RELAXED) != 0;
}

static const char *hint_buffer(const struct context *ctx, unsigned slot)
{
    if (slot == 0 && ctx->hint_len[0] <= HINT_NEAR_SIZE)
        return ctx->shared->hint_near;
    return (const char *)ctx->shared + CONTEXT_HINT + slot * HINT_SIZE;
}

/* The sent-ahead bytes from `addr` on, in shared memory; how many are there. */
static size_t find_hint(const struct context *ctx, uaddr_t addr, const char **ret)
{
    for (unsigned i = 0; i < 2; i++) {
        uint64_t offset = addr - ctx->hint_addr[i];
        if (offset < ctx->hint_len[i]) {
            *ret = hint_buffer(ctx, i) + offset;
            return ctx->hint_len[i] - offset;
        }
    }
    return 0;
}

static ssize_t copy_in_order(struct context *ctx, void *dst, uaddr_t src, size_t n)
{
    struct stub_order *o = order_queue(ctx, ORDER_COPY_IN, n);
    uint64_t offset;
    int64_t ret;

    if (!o)
        return -ESRCH;
    offset = ctx->window_used - align_up(n, 16);
    o->args[0] = src;
    o->args[1] = context_stub_address(ctx) + CONTEXT_WINDOW + offset;
    o->args[2] = n;
    ret = order_sync(ctx, o);
    if (ret < 0)
        return ret == -ESRCH ? -ESRCH : 0;
    n = MIN(n, (size_t)ret);
    memcpy(dst, ctx->window + offset, n);
    return (ssize_t)n;
}

ssize_t platform_copy_in(struct context *ctx, void *dst, uaddr_t src, size_t n)
{
    const char *hint;

    if (n == 0)
        return 0;
    if (find_hint(ctx, src, &hint) >= n) {
        memcpy(dst, hint, n);
        return (ssize_t)n;
    }
    n = clip(src, n);
    if (n == 0)
        return 0;
    if (n > PEEK_MIN || stub_sleeps(ctx)) {
        int err = orders_flush(ctx);
        return err < 0 ? err : short_count(platform_peek(ctx->as, dst, src, n));
    }
    return copy_in_order(ctx, dst, src, n);
}

/* Queues "window -> dst" for bytes that lie at the end of the used part of the window. */
static void *queue_out(struct context *ctx, uaddr_t dst, size_t n, struct stub_order **ret_order)
{
    struct stub_order *o = order_queue(ctx, ORDER_COPY_OUT, n);
    uint64_t offset;

    if (!o)
        return NULL;
    offset = ctx->window_used - align_up(n, 16);
    o->args[0] = dst;
    o->args[1] = context_stub_address(ctx) + CONTEXT_WINDOW + offset;
    o->args[2] = n;
    *ret_order = o;
    return ctx->window + offset;
}

/* The cheapest copy out, if it fits and nothing is queued before it. */
static bool queue_bytes(struct context *ctx, uaddr_t dst, const void *src, size_t n)
{
    if (n > REPLY_MAX_BYTES || ctx->order_count || ctx->bytes_len)
        return false;
    ctx->bytes_to = dst;
    ctx->bytes_len = (uint32_t)n;
    memcpy(ctx->bytes, src, n);
    return true;
}

ssize_t platform_copy_out(struct context *ctx, uaddr_t dst, const void *src, size_t n)
{
    struct stub_order *o;
    void *window;

    if (n == 0)
        return 0;
    if (n > WINDOW_SIZE || clip(dst, n) < n)
        return platform_copy_out_sync(ctx, dst, src, n);
    if (queue_bytes(ctx, dst, src, n))
        return (ssize_t)n;
    window = queue_out(ctx, dst, n, &o);
    if (!window)
        return -ESRCH;
    o->flags = ORDER_NO_RESULT;
    memcpy(window, src, n);
    return (ssize_t)n;
}

ssize_t platform_copy_out_sync(struct context *ctx, uaddr_t dst, const void *src, size_t n)
{
    struct stub_order *o;
    void *window;
    int64_t ret;

    n = clip(dst, n);
    if (n == 0)
        return 0;
    if (n > PEEK_MIN || stub_sleeps(ctx)) {
        int err = orders_flush(ctx);
        return err < 0 ? err : short_count(platform_poke(ctx->as, dst, src, n));
    }
    window = queue_out(ctx, dst, n, &o);
    if (!window)
        return -ESRCH;
    memcpy(window, src, n);
    ret = order_sync(ctx, o);
    if (ret < 0)
        return ret == -ESRCH ? -ESRCH : 0;
    return (ssize_t)MIN(n, (size_t)ret);
}

/* ---- strings ---- */

static ssize_t string_from_hint(struct context *ctx, char *dst, uaddr_t src, size_t max)
{
    const char *hint;
    size_t n = MIN(find_hint(ctx, src, &hint), max), len;

    if (n == 0)
        return -ENODATA;
    len = strnlen(hint, n);
    memcpy(dst, hint, len);
    if (len == n)
        return n == max ? -ENAMETOOLONG : -ENODATA;
    dst[len] = 0;
    return (ssize_t)strnlen(dst, len);
}

/* One piece: its length without the NUL, `size` if there is none in it. */
static ssize_t string_piece(struct context *ctx, char *dst, uaddr_t src, size_t size)
{
    struct stub_order *o = order_queue(ctx, ORDER_COPY_STRING, size);
    uint64_t offset;
    int64_t ret;

    if (!o)
        return -ESRCH;
    offset = ctx->window_used - align_up(size, 16);
    o->args[0] = src;
    o->args[1] = context_stub_address(ctx) + CONTEXT_WINDOW + offset;
    o->args[2] = size;
    ret = order_sync(ctx, o);
    if (ret <= 0)
        return ret == -ESRCH ? -ESRCH : -EFAULT;
    if ((uint64_t)ret > size) {
        memcpy(dst, ctx->window + offset, size);
        return (ssize_t)size;
    }
    memcpy(dst, ctx->window + offset, (size_t)ret);
    dst[ret - 1] = 0;
    return (ssize_t)strlen(dst);
}

ssize_t platform_copy_string(struct context *ctx, char *dst, uaddr_t src, size_t max)
{
    size_t done = 0;
    ssize_t ret = string_from_hint(ctx, dst, src, max);

    if (ret != -ENODATA)
        return ret;
    while (done < max) {
        size_t size = MIN(max - done, (size_t)PAGE_SIZE);
        if (clip(src + done, size) < size)
            size = clip(src + done, size);
        if (size == 0)
            return -EFAULT;
        ret = string_piece(ctx, dst + done, src + done, size);
        if (ret < 0)
            return ret;
        if ((size_t)ret < size)
            return (ssize_t)done + ret;
        done += size;
    }
    return -ENAMETOOLONG;
}

/* ---- window buffers ---- */

void *window_reserve(struct context *ctx, size_t want, size_t *ret_len)
{
    size_t room = WINDOW_SIZE - ctx->window_used;

    if (room < MIN(want, (size_t)PAGE_SIZE) || ctx->order_count == MAX_ORDERS) {
        int err = orders_flush(ctx);
        (void)err; /* after death the window is still memory, and the caller's next order fails */
        room = WINDOW_SIZE;
    }
    *ret_len = MIN(want, room);
    return ctx->window + ctx->window_used;
}

/* The buffer may be any part of the last reservation: the window is used up to its end. */
void order_defer_window_out(struct context *ctx, uaddr_t dst, void *window, size_t n)
{
    uint64_t offset = (uint64_t)((char *)window - ctx->window);
    uint32_t used = ctx->window_used;
    struct stub_order *o;

    assert(offset >= used && offset + n <= WINDOW_SIZE);
    if (n == 0)
        return;
    if (clip(dst, n) < n) {
        ctx->deferred_failed = true;
        return;
    }
    if (queue_bytes(ctx, dst, window, n))
        return;
    o = order_queue(ctx, ORDER_COPY_OUT, 0);
    if (!o)
        return;
    o->flags = ORDER_NO_RESULT;
    o->args[0] = dst;
    o->args[1] = context_stub_address(ctx) + CONTEXT_WINDOW + offset;
    o->args[2] = n;
    ctx->window_used = (uint32_t)MIN(align_up(offset + n, 16), (uint64_t)WINDOW_SIZE);
}
