/*
 * The stub's side of the hand-off: rings, waits for the kernel's reply, executes its orders, and
 * leaves for the guest or rings again. Runs on the context's own small stack, which every entry
 * finds empty.
 */
#include "stub/stub.h"
#include <asm/unistd.h>
#include <errno.h>
#include <linux/futex.h>
#include <linux/socket.h>
#include <linux/uio.h>

/* ---- waiting ---- */

#define PATIENCE 200000 /* ns of sleep before a stub doubts that its call is being served */

struct timespec64 {
    int64_t sec, nsec;
};

static unsigned current_cpu(void)
{
    unsigned limit;

    __asm__("lsl %1, %0" : "=r"(limit) : "r"(0x7b));
    return limit & 0xfff;
}

static uint64_t time_stamp(void)
{
    uint32_t lo, hi;

    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
    return (uint64_t)hi << 32 | lo;
}

static bool spin_for_reply(struct stub_context *ctx)
{
    uint64_t start = time_stamp();

    for (;;) {
        for (int i = 0; i < 32; i++) {
            if (__atomic_load_n(&ctx->state, __ATOMIC_ACQUIRE) != STATE_RING)
                return true;
            __builtin_ia32_pause();
        }
        if (__atomic_load_n(&ctx->parked, __ATOMIC_RELAXED) ||
            !__atomic_load_n(&ctx->polled, __ATOMIC_RELAXED) ||
            time_stamp() - start > __atomic_load_n(&ctx->spin_budget, __ATOMIC_RELAXED))
            return false;
    }
}

/* Until the reply, or until the time is over (NULL: there is none). */
static void sleep_for_reply(struct stub_context *ctx, const struct timespec64 *time)
{
    long ret = 0;

    __atomic_exchange_n(&ctx->sleeping, current_cpu() + 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&ctx->state, __ATOMIC_SEQ_CST) == STATE_RING && ret != -ETIMEDOUT)
        ret = host6(__NR_futex, (uint64_t)&ctx->state, FUTEX_WAIT, STATE_RING, (uint64_t)time, 0, 0);
    __atomic_store_n(&ctx->sleeping, 0, __ATOMIC_RELAXED);
}

static void wake_worker(struct stub_context *ctx)
{
    static const uint64_t one = 1;
    unsigned fd = STUB_EVENT_FD + current_cpu() % stub_values.event_fds;
    host3(__NR_write, fd, &one, sizeof(one));
}

static bool has_reply(struct stub_context *ctx)
{
    return __atomic_load_n(&ctx->state, __ATOMIC_ACQUIRE) != STATE_RING;
}

/* ---- lingering ---- */

#define LINGER_BUDGET 60000     /* ticks: about what a sleep and a wake-up of an idle CPU cost */
#define LINGER_CONTENDED 100000 /* ticks: a yield that took longer let somebody run who computes */
#define LINGER_MAX_SKIPS 1024

/* The next waits sleep at once: twice as many as the last time. */
static void linger_failed(struct stub_context *ctx)
{
    uint32_t skips = ctx->linger_skips * 2 + 1;

    ctx->linger_skips = skips < LINGER_MAX_SKIPS ? skips : LINGER_MAX_SKIPS;
    ctx->linger_wait = ctx->linger_skips;
}

bool stub_linger(struct stub_context *ctx, bool (*over)(struct stub_context *ctx, const void *arg), const void *arg)
{
    uint64_t start = time_stamp(), now = start, before = start;
    bool came;

    if (ctx->linger_wait) {
        ctx->linger_wait--;
        return false;
    }
    if (__atomic_load_n(&ctx->polled, __ATOMIC_RELAXED) == current_cpu() + 1)
        return false; /* the poller needs this CPU */
    __atomic_store_n(&ctx->blocked, 1, __ATOMIC_RELAXED);
    while (!(came = over(ctx, arg)) && now - before < LINGER_CONTENDED && now - start < LINGER_BUDGET && !ctx->kick) {
        before = now;
        host3(__NR_sched_yield, 0, 0, 0);
        now = time_stamp();
    }
    __atomic_store_n(&ctx->blocked, 0, __ATOMIC_RELAXED);
    if (came)
        ctx->linger_skips = 0;
    else
        linger_failed(ctx);
    return came;
}

static bool reply_came(struct stub_context *ctx, const void *unused)
{
    (void)unused;
    return has_reply(ctx);
}

static void wait_for_reply(struct stub_context *ctx, bool polled)
{
    static const struct timespec64 patience = {0, PATIENCE};

    /* Spinning on the poller's own CPU would keep it from answering. It looks again before it sleeps. */
    if (polled && __atomic_load_n(&ctx->polled, __ATOMIC_RELAXED) == current_cpu() + 1) {
        sleep_for_reply(ctx, NULL);
        return;
    }
    if (polled && spin_for_reply(ctx))
        return;
    /* The answer takes its time, or whoever polled has lost its CPU: then the worker of this one is to look. */
    if (polled && !__atomic_load_n(&ctx->parked, __ATOMIC_RELAXED)) {
        sleep_for_reply(ctx, &patience);
        if (has_reply(ctx))
            return;
        wake_worker(ctx);
    } else if (polled && stub_linger(ctx, reply_came, NULL)) {
        return;
    }
    sleep_for_reply(ctx, NULL);
}

/* Hands over to the kernel. True: a worker was polling, so an answer may come soon. */
static bool ring(struct stub_context *ctx)
{
    if (ctx->kick)
        __atomic_store_n(&ctx->kick, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&ctx->state, STATE_RING, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (__atomic_load_n(&ctx->polled, __ATOMIC_RELAXED))
        return true;
    wake_worker(ctx);
    return false;
}

/* ---- orders ---- */

struct user_message {
    void *name;
    int name_len;
    struct iovec *iov;
    size_t iov_len;
    void *control;
    size_t control_len;
    unsigned flags;
};

/* Receives one message of the kernel's, with exactly `count` descriptors. 0 or -errno. */
int stub_receive_fds(int *ret_fds, int count)
{
    struct {
        size_t len;
        int level, type;
        int fds[2];
    } control;
    char byte;
    struct iovec iov = {&byte, 1};
    struct user_message msg = {
        .iov = &iov, .iov_len = 1, .control = &control, .control_len = sizeof(control)};
    long n;

    do
        n = host3(__NR_recvmsg, STUB_CONTROL_FD, &msg, 0);
    while (n == -EINTR);
    if (n < 0)
        return (int)n;
    if (n == 0 || control.len != 16 + sizeof(int) * (unsigned)count)
        return -EPROTO;
    for (int i = 0; i < count; i++)
        ret_fds[i] = control.fds[i];
    return 0;
}

static long order_map_fd(const struct stub_order *o)
{
    int fd = -1;
    long ret = stub_receive_fds(&fd, 1);

    if (ret < 0)
        return ret;
    ret =
        host6(__NR_mmap, o->args[0], o->args[1], o->args[2], o->args[3], (uint64_t)fd, o->args[5]);
    host3(__NR_close, fd, 0, 0);
    return ret;
}

static long order_lend(void)
{
    int fd = -1;
    long ret = stub_receive_fds(&fd, 1);

    return ret < 0 ? ret : fd;
}

static long order_fork(struct stub_context *ctx)
{
    int fds[2] = {-1, -1};
    long ret = stub_receive_fds(fds, 2);

    if (ret < 0)
        return ret;
    do
        ret = stub_fork(fds[0], fds[1], ctx);
    while (ret == -EINTR);
    host3(__NR_close, fds[0], 0, 0);
    host3(__NR_close, fds[1], 0, 0);
    return ret;
}

static long order_set_gs(struct stub_context *ctx, const struct stub_order *o)
{
    ctx->guest_gs = o->args[0];
    ctx->uses_gs = (uint32_t)o->args[1];
    if (o->args[2])
        stub_copy((void *)PATCH_ENTRY, &o->args[2], sizeof(o->args[2]));
    return 0;
}

static long order_get_bases(struct stub_context *ctx)
{
    ctx->fs_base = __builtin_ia32_rdfsbase64();
    ctx->gs_base = ctx->guest_gs;
    return 0;
}

static _Noreturn void order_park(struct stub_context *ctx)
{
    for (;;)
        host6(__NR_futex, (uint64_t)&ctx->reserved3[0], FUTEX_WAIT, 0, 0, 0, 0);
}

static long order_futex(struct stub_context *ctx, const struct stub_order *o)
{
    uint32_t op = (uint32_t)o->args[1] & ~(uint32_t)(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME);

    if (op == FUTEX_WAIT || op == FUTEX_WAIT_BITSET) /* a kick must be able to end it */
        return stub_futex_wait(o->args[0], (uint32_t)o->args[1], o->args[2], o->args[3], ctx,
                               o->args[5]);
    return host6(__NR_futex, o->args[0], (uint32_t)o->args[1], o->args[2], o->args[3], o->args[4],
                 o->args[5]);
}

static long order_thread(const struct stub_order *o)
{
    uint64_t flags = o->flags & ORDER_SET_TLS ? STUB_THREAD_FLAGS_TLS : STUB_THREAD_FLAGS;

    return stub_thread(flags, (struct stub_context *)o->args[0], o->args[1]);
}

/* Executes one order; false when it failed. */
static bool execute(struct stub_context *ctx, struct stub_order *o)
{
    long ret = 0;

    switch (o->op) {
    case ORDER_COPY_IN:
        ret = (long)stub_copy((void *)o->args[1], (void *)o->args[0], o->args[2]);
        o->result = ret;
        return (uint64_t)ret == o->args[2];
    case ORDER_COPY_OUT:
        ret = (long)stub_copy((void *)o->args[0], (void *)o->args[1], o->args[2]);
        if (!(o->flags & ORDER_NO_RESULT))
            o->result = ret;
        return (uint64_t)ret == o->args[2];
    case ORDER_COPY_STRING:
        ret = stub_copy_string((char *)o->args[1], (char *)o->args[0], o->args[2]);
        break;
    case ORDER_HOST:
        ret = host6(o->nr, o->args[0], o->args[1], o->args[2], o->args[3], o->args[4], o->args[5]);
        break;
    case ORDER_MAP_FD:
        ret = order_map_fd(o);
        break;
    case ORDER_READ:
        ret = host6(__NR_pread64, o->args[0], o->args[1], o->args[2], o->args[3], 0, 0);
        return (uint64_t)ret == o->args[2];
    case ORDER_LEND:
        ret = order_lend();
        break;
    case ORDER_SAVE_FP:
        ret = stub_save_fp((void *)o->args[0], o->args[1]);
        break;
    case ORDER_LOAD_FP:
        ret = stub_load_fp((void *)o->args[0], o->args[1]);
        break;
    case ORDER_RESET_FP:
        stub_reset_fp(o->args[0]);
        break;
    case ORDER_SET_FS:
        __builtin_ia32_wrfsbase64(o->args[0]);
        break;
    case ORDER_SET_GS:
        ret = order_set_gs(ctx, o);
        break;
    case ORDER_GET_BASES:
        ret = order_get_bases(ctx);
        break;
    case ORDER_FORK:
        ret = order_fork(ctx);
        break;
    case ORDER_THREAD:
        ret = order_thread(o);
        break;
    case ORDER_EXIT:
        stub_gone();
    case ORDER_PARK:
        order_park(ctx);
    case ORDER_FUTEX:
        ret = order_futex(ctx, o);
        break;
    case ORDER_PATCH:
        ret = stub_patch(o);
        break;
    default:
        ret = -ENOSYS;
        break;
    }
    o->result = ret;
    /* Addresses that mmap returns are positive; nothing else is below -4095. */
    return ret >= 0 || ret < -4095;
}

#define WINDOW_AHEAD 192 /* bytes of the window that are fetched together with the first order */

/* Executes a reply's orders: what to ring with, or 0 to resume the guest. */
static uint32_t run_orders(struct stub_context *ctx, uint32_t reply)
{
    struct stub_order *orders = context_orders(ctx);
    uint32_t count = REPLY_COUNT(reply);

    bool failed = false;
    uint64_t bytes = REPLY_BYTES(reply);

    if (bytes && (bytes > REPLY_MAX_BYTES || stub_copy((void *)ctx->args[1], &ctx->args[2], bytes) != bytes))
        failed = true;
    if (count > MAX_ORDERS)
        count = MAX_ORDERS;
    for (unsigned i = 0; i < WINDOW_AHEAD && count; i += 64)
        __builtin_prefetch((char *)ctx + CONTEXT_WINDOW + i);
    for (uint32_t i = 0; i < count; i++)
        if (!execute(ctx, &orders[i]) && !(orders[i].flags & ORDER_IGNORE_ERRORS))
            failed = true;
    if (failed)
        return KIND_ORDER_FAILED;
    return reply & REPLY_RESUME ? 0 : KIND_ORDERS_DONE;
}

_Noreturn void stub_leave(struct stub_context *ctx)
{
    if (ctx->patched)
        stub_exit_fast(ctx);
    stub_exit_full(ctx);
}

static _Noreturn void resume(struct stub_context *ctx, uint32_t reply)
{
    if (reply & REPLY_FULL)
        ctx->patched = 0;
    else
        ctx->regs.rax = ctx->args[0];
    stub_leave(ctx);
}

/* Follows the kernel's replies until one leads back to the guest. */
static _Noreturn void serve(struct stub_context *ctx, bool polled)
{
    for (;;) {
        wait_for_reply(ctx, polled);
        uint32_t reply = ctx->word;
        uint32_t kind = reply == REPLY_RESUME ? 0 : run_orders(ctx, reply);
        if (!kind)
            resume(ctx, reply);
        ctx->word = kind;
        polled = ring(ctx);
    }
}

_Noreturn void stub_event(struct stub_context *ctx, uint32_t kind)
{
    ctx->word = kind;
    serve(ctx, ring(ctx));
}

/* A new context: the kernel's turn already, and its first reply is on its way. */
_Noreturn void stub_wait_first(struct stub_context *ctx)
{
    uint64_t start = time_stamp();

    while (__atomic_load_n(&ctx->state, __ATOMIC_ACQUIRE) == STATE_RING &&
           time_stamp() - start < ctx->spin_budget)
        __builtin_ia32_pause();
    serve(ctx, false);
}

_Noreturn void stub_thread_main(struct stub_context *ctx)
{
    stub_set_altstack(ctx);
    stub_wait_first(ctx);
}
