/*
 * Bytes sent ahead with a call: its path strings, small buffers to write, and small structures.
 *
 * One table row a call, up to two hints. A hint that cannot be read is not sent; the kernel then
 * asks for the bytes and finds out itself. The kernel uses a hint only for the very addresses it
 * wants.
 */
#include "stub/stub.h"
#include <asm/unistd.h>

#define FIXED 0xff
#define FRAME 6 /* the signal frame that rt_sigreturn goes back through */

struct hint {
    uint8_t used;
    uint8_t arg;     /* the argument that holds the address, or FRAME */
    uint8_t len_arg; /* FIXED, or the argument that holds a count of elements */
    uint16_t size;   /* of an element; 0: a string */
};

struct hint_row {
    struct hint hints[2];
};

#define STRING(arg)      \
    {                    \
        1, arg, FIXED, 0 \
    }
#define BYTES(arg, size)    \
    {                       \
        1, arg, FIXED, size \
    }
#define ARRAY(arg, count_arg, size) \
    {                               \
        1, arg, count_arg, size     \
    }
#define PATH_0        \
    {                 \
        {             \
            STRING(0) \
        }             \
    }
#define PATH_1        \
    {                 \
        {             \
            STRING(1) \
        }             \
    }
#define BUFFER             \
    {                      \
        {                  \
            ARRAY(1, 2, 1) \
        }                  \
    }

static const struct hint_row rows[] = {
    [__NR_write] = BUFFER,
    [__NR_open] = PATH_0,
    [__NR_stat] = PATH_0,
    [__NR_lstat] = PATH_0,
    [__NR_poll] = {{ARRAY(0, 1, 8)}},
    [__NR_rt_sigaction] = {{BYTES(1, 32)}},
    [__NR_rt_sigreturn] = {{BYTES(FRAME, 312)}}, /* up to the siginfo */
    [__NR_pwrite64] = BUFFER,
    [__NR_readv] = {{ARRAY(1, 2, 16)}},
    [__NR_writev] = {{ARRAY(1, 2, 16)}},
    [__NR_access] = PATH_0,
    [__NR_nanosleep] = {{BYTES(0, 16)}},
    [__NR_setitimer] = {{BYTES(1, 32)}},
    [__NR_connect] = BUFFER,
    [__NR_sendto] = {{ARRAY(1, 2, 1), ARRAY(4, 5, 1)}},
    [__NR_sendmsg] = {{BYTES(1, 56)}},
    [__NR_recvmsg] = {{BYTES(1, 56)}},
    [__NR_bind] = BUFFER,
    [__NR_setsockopt] = {{ARRAY(3, 4, 1)}},
    [__NR_execve] = PATH_0,
    [__NR_truncate] = PATH_0,
    [__NR_chdir] = PATH_0,
    [__NR_rename] = {{STRING(0), STRING(1)}},
    [__NR_mkdir] = PATH_0,
    [__NR_rmdir] = PATH_0,
    [__NR_creat] = PATH_0,
    [__NR_link] = {{STRING(0), STRING(1)}},
    [__NR_unlink] = PATH_0,
    [__NR_symlink] = {{STRING(0), STRING(1)}},
    [__NR_readlink] = PATH_0,
    [__NR_chmod] = PATH_0,
    [__NR_chown] = PATH_0,
    [__NR_lchown] = PATH_0,
    [__NR_rt_sigtimedwait] = {{BYTES(0, 8), BYTES(2, 16)}},
    [__NR_rt_sigsuspend] = {{BYTES(0, 8)}},
    [__NR_sigaltstack] = {{BYTES(0, 24)}},
    [__NR_mknod] = PATH_0,
    [__NR_statfs] = PATH_0,
    [__NR_getxattr] = {{STRING(0), STRING(1)}},
    [__NR_lgetxattr] = {{STRING(0), STRING(1)}},
    [__NR_clock_nanosleep] = {{BYTES(2, 16)}},
    [__NR_epoll_ctl] = {{BYTES(3, 12)}},
    [__NR_utimes] = PATH_0,
    [__NR_openat] = PATH_1,
    [__NR_mkdirat] = PATH_1,
    [__NR_mknodat] = PATH_1,
    [__NR_fchownat] = PATH_1,
    [__NR_newfstatat] = PATH_1,
    [__NR_unlinkat] = PATH_1,
    [__NR_renameat] = {{STRING(1), STRING(3)}},
    [__NR_linkat] = {{STRING(1), STRING(3)}},
    [__NR_symlinkat] = {{STRING(0), STRING(2)}},
    [__NR_readlinkat] = PATH_1,
    [__NR_fchmodat] = PATH_1,
    [__NR_faccessat] = PATH_1,
    [__NR_ppoll] = {{ARRAY(0, 1, 8), BYTES(2, 16)}},
    [__NR_utimensat] = {{STRING(1), BYTES(2, 32)}},
    [__NR_timerfd_settime] = {{BYTES(2, 32)}},
    [__NR_prlimit64] = {{BYTES(2, 16)}},
    [__NR_renameat2] = {{STRING(1), STRING(3)}},
    [__NR_execveat] = PATH_1,
    [__NR_statx] = PATH_1,
    [__NR_clone3] = {{ARRAY(0, 1, 1)}},
    [__NR_openat2] = {{STRING(1), ARRAY(2, 3, 1)}},
    [__NR_faccessat2] = PATH_1,
};

static uint64_t argument(const struct stub_regs *r, unsigned n)
{
    switch (n) {
    case 0:
        return r->rdi;
    case 1:
        return r->rsi;
    case 2:
        return r->rdx;
    case 3:
        return r->r10;
    case 4:
        return r->r8;
    case FRAME:
        return r->rsp - sizeof(uint64_t);
    default:
        return r->r9;
    }
}

static uint32_t send_string(struct stub_context *ctx, unsigned slot, uint64_t from)
{
    long n = HINT_NEAR_SIZE + 1;

    if (slot == 0)
        n = stub_copy_string(ctx->hint_near, (const char *)from, HINT_NEAR_SIZE);
    if (n > HINT_NEAR_SIZE)
        n = stub_copy_string(context_hint(ctx, slot), (const char *)from, HINT_SIZE);
    if (n < 0)
        return 0;
    return n > HINT_SIZE ? HINT_SIZE : (uint32_t)n;
}

/* A copy that a bad address cuts short is not sent: its length would name another buffer. */
static uint32_t send_bytes(struct stub_context *ctx, unsigned slot, uint64_t from, const struct hint *h)
{
    uint64_t count = h->len_arg == FIXED ? 1 : argument(&ctx->regs, h->len_arg);

    if (count == 0 || count > HINT_SIZE / h->size)
        return 0;
    uint64_t n = count * h->size;
    char *buffer = slot == 0 && n <= HINT_NEAR_SIZE ? ctx->hint_near : context_hint(ctx, slot);
    return stub_copy(buffer, (const void *)from, n) == n ? (uint32_t)n : 0;
}

bool stub_send_hints(struct stub_context *ctx)
{
    const struct stub_regs *r = &ctx->regs;

    if (r->nr >= sizeof(rows) / sizeof(rows[0]) || !rows[r->nr].hints[0].used)
        return false;
    ctx->hint_len[0] = ctx->hint_len[1] = 0;
    for (unsigned i = 0; i < 2 && rows[r->nr].hints[i].used; i++) {
        const struct hint *h = &rows[r->nr].hints[i];
        uint64_t from = argument(r, h->arg);
        if (!from || from >= STUB_BASE)
            continue;
        ctx->hint_addr[i] = from;
        ctx->hint_len[i] = h->size ? send_bytes(ctx, i, from, h) : send_string(ctx, i, from);
    }
    return true;
}
