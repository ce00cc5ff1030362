/*
 * Processes and threads: fork, thread, and exec in place.
 *
 * A fork: the kernel makes the child's contexts and control socket, sends both to the parent's
 * stub, and orders ORDER_FORK. The filter turns the stub's clone call into a notification, which
 * reaper.c continues because the fork is expected. The child maps its own contexts over its
 * parent's, at the same slot, and waits for a first reply; the parent's stub tells the pid. That
 * pid is a guest's word. It is believed after its memory has shown the nonce of the child's
 * contexts, or of the parent's if the child has not come so far yet, and no other address space has
 * it.
 */
#include "base/cleanup.h"
#include "base/log.h"
#include "platform/patch.h"
#include "sched/fiber.h"
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

/* True if the process has the contexts of one of the two mapped. */
static bool nonce_matches(pid_t pid, const struct context *child, const struct context *parent)
{
    uint8_t nonce[NONCE_SIZE];
    uint64_t at = context_stub_address(child) + offsetof(struct stub_context, nonce);
    struct iovec local = {nonce, sizeof(nonce)}, remote = {(void *)at, sizeof(nonce)};

    if (process_vm_readv(pid, &local, 1, &remote, 1, 0) != sizeof(nonce))
        return false;
    return memcmp(nonce, child->as->nonce, sizeof(nonce)) == 0 ||
           memcmp(nonce, parent->as->nonce, sizeof(nonce)) == 0;
}

/* Registers what the parent's stub says the child's pid is, if it can be believed. */
static int adopt_child(struct context *parent, struct context *child, int64_t pid)
{
    int err;

    if (pid <= 1 || pid > INT32_MAX) {
        protocol_broken(parent, "impossible pid");
        return -EAGAIN;
    }
    /* Another liar may have claimed this pid; that cannot last. */
    for (unsigned i = 0; (err = space_register(child->as, (pid_t)pid)) == -EEXIST && i < 100; i++)
        fiber_yield();
    if (err == -EEXIST)
        protocol_broken(parent, "claims another process's pid");
    if (err < 0)
        return -EAGAIN;
    if (!nonce_matches((pid_t)pid, child, parent) && !atomic_load(&child->as->dead)) {
        space_unregister(child->as);
        protocol_broken(parent, "claims a process that is not its child");
        return -EAGAIN;
    }
    child->tid = (pid_t)pid;
    doorbell_set_thread(&child->bell, child->tid);
    return 0;
}

/* The child's address space with the kernel's end of its control socket; the stub's end in
 * ret_control. */
static int child_space(struct address_space **ret, int *ret_control)
{
    int sockets[2], err = space_new(ret);

    if (err < 0)
        return err;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0) {
        err = -errno;
        space_put(*ret);
        return err;
    }
    (*ret)->control = sockets[0];
    *ret_control = sockets[1];
    return 0;
}

static int64_t run_fork_order(struct context *ctx, int memfd, int control)
{
    int fds[2] = {memfd, control};
    struct stub_order *o;
    int64_t pid;
    int err = orders_flush(ctx);

    if (err < 0)
        return err;
    err = order_send_fds(ctx, fds, 2);
    if (err < 0)
        return err;
    o = order_queue(ctx, ORDER_FORK, 0);
    if (!o)
        return -ESRCH;
    fork_expect(ctx->tid);
    pid = order_sync(ctx, o);
    fork_unexpect(ctx->tid);
    return pid;
}

static int fork_into(struct context *ctx, struct context *child, int control)
{
    int64_t pid;
    int err;

    space_fork_begin();
    pid = run_fork_order(ctx, child->as->memfd, control);
    if (pid < 0)
        err = pid == -ESRCH ? -ESRCH : pid == -ENOMEM ? -ENOMEM : -EAGAIN;
    else
        err = adopt_child(ctx, child, pid);
    space_fork_end();
    return err;
}

int platform_fork(struct context *ctx, struct address_space **ret_as, struct context **ret_ctx)
{
    struct address_space *as;
    struct context *child = NULL;
    CLEANUP_FD int control = -1;
    int err = child_space(&as, &control);

    if (err < 0)
        return err;
    space_take_given_slot(as, ctx->slot);
    err = context_new(as, ctx->slot, &child);
    if (err == 0) {
        child->leader = true;
        child->regs = *context_regs(ctx);
        context_inherit(child, ctx);
        atomic_store(&as->uses_gs, atomic_load(&ctx->as->uses_gs));
        as->loan = ctx->as->loan;
        err = patch_space_copy(as, ctx->as);
        if (err == 0)
            err = fork_into(ctx, child, control);
        if (err < 0)
            context_free(child);
    }
    space_put(as); /* its context holds it */
    if (err < 0)
        return err;
    *ret_as = as;
    *ret_ctx = child;
    return 0;
}

static int64_t run_thread_order(struct context *ctx, const struct context *child, bool set_fs,
                                uint64_t fs_base)
{
    struct stub_order *o = order_queue(ctx, ORDER_THREAD, 0);

    if (!o)
        return -ESRCH;
    o->args[0] = context_stub_address(child);
    o->args[1] = fs_base;
    if (set_fs)
        o->flags |= ORDER_SET_TLS;
    return order_sync(ctx, o);
}

int platform_thread(struct context *ctx, const struct regs *regs, bool set_fs, uint64_t fs_base,
                    struct context **ret_ctx)
{
    struct context *child;
    unsigned slot = 0;
    int64_t tid;
    int err = space_take_slot(ctx->as, &slot);

    if (err < 0)
        return err;
    platform_end_loan(ctx);
    err = context_new(ctx->as, slot, &child);
    if (err < 0) {
        space_free_slot(ctx->as, slot);
        return err;
    }
    child->regs = *regs;
    context_inherit(child, ctx);
    tid = run_thread_order(ctx, child, set_fs, fs_base);
    if (tid <= 0 || tid > INT32_MAX) {
        context_free(child);
        space_free_slot(ctx->as, slot);
        return tid == -ESRCH ? -ESRCH : -EAGAIN;
    }
    child->tid = (pid_t)tid;
    doorbell_set_thread(&child->bell, child->tid);
    *ret_ctx = child;
    return 0;
}

int platform_reset(struct context *ctx)
{
    struct stub_order *o;

    platform_end_loan(ctx);
    patch_space_clear(ctx->as);
    order_defer_host(ctx, SYS_munmap, (uint64_t[6]){0, GUEST_RESERVED_START}, false);
    order_defer_host(ctx, SYS_munmap,
                     (uint64_t[6]){GUEST_RESERVED_END, GUEST_END - GUEST_RESERVED_END}, false);
    o = order_queue(ctx, ORDER_RESET_FP, 0);
    if (!o)
        return -ESRCH;
    o->args[0] = platform_xsave_features();
    order_defer_set_fs(ctx, 0);
    if (atomic_exchange(&ctx->as->uses_gs, 0)) {
        o = order_queue(ctx, ORDER_SET_GS, 0);
        if (!o)
            return -ESRCH;
        o->args[0] = o->args[1] = 0;
        o->args[2] = patch_table_entry();
    }
    return 0;
}
