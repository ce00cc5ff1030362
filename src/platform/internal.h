/*
 * Inside the platform: the objects behind platform.h.
 *
 * An address_space is referenced by each of its contexts and, while its process is not reaped, by
 * the table of processes. The process may die at any moment; `dead` then makes every order fail
 * with -ESRCH, and what is left is taken down by context_exit().
 *
 * Lock order: table lock (space.c) > as->lock. Both are spinlocks.
 */
#pragma once
#include "base/base.h"
#include "base/refcount.h"
#include "platform/platform.h"
#include "sched/doorbell.h"
#include "sched/spinlock.h"
#include "stub/shared.h"
#include <stdatomic.h>

#define BANK_CONTEXTS 64
#define BANK_COUNT (CONTEXT_MAX / BANK_CONTEXTS)
#define BANK_SIZE ((size_t)BANK_CONTEXTS * CONTEXT_STRIDE)
#define NONCE_SIZE 16

struct patch_space;

/* A file whose descriptor the stub keeps, to read from it by itself. */
struct loan {
    uint64_t file;      /* whose descriptor it is; 0: none */
    int fd;             /* in the stub */
    uint64_t candidate; /* the file last read */
    unsigned reads;     /* of it, in a row */
};

struct address_space {
    struct refcount refs;
    struct list link;            /* [table] in the table of processes, by pid */
    pid_t pid;                   /* [I] once registered */
    int memfd, control;          /* [I] of the contexts; kernel's end of the control socket */
    _Atomic bool dead;           /* the process is gone, or being killed */
    _Atomic int uses_gs;         /* a guest thread has set its GS base */
    uint8_t nonce[NONCE_SIZE];   /* [I] */
    struct patch_space *patches; /* [I] patch.h */
    struct loan loan;            /* [the only context's fiber] lend.c */
    struct spinlock lock;
    struct list contexts;         /* [lock] of context.link */
    unsigned context_count;       /* [lock] */
    uint64_t used[BANK_COUNT];    /* [lock] slots taken, one word a bank */
    uint64_t leaving[BANK_COUNT]; /* [lock] of those, whose thread may not be gone yet */
    char *banks[BANK_COUNT];      /* [lock to set] kernel's mapping, made on demand */
};

struct context {
    struct address_space *as; /* [I] */
    struct list link;         /* [as->lock] */
    unsigned slot;            /* [I] */
    bool leader; /* [I] the first thread of its process: never leaves before the process */
    pid_t tid;   /* [I] as the stub told it */
    struct stub_context *shared; /* [I] these point into shared memory */
    struct stub_order *orders;   /* [I] */
    char *window;                /* [I] */
    struct doorbell bell;
    /* own fiber only */
    struct regs regs;
    bool loaded;  /* regs is complete; else only rax and orig_rax, the rest still in the context */
    bool in_call; /* the last event was a system call */
    bool dirty;   /* regs must travel to the stub */
    bool deferred_failed;  /* a deferred order failed while others were made */
    uint32_t order_count;  /* queued in orders[] */
    uint32_t bytes_len;    /* of a small copy out, queued before all orders: it travels in the reply's own line */
    uint64_t bytes_to;
    char bytes[REPLY_MAX_BYTES];
    uint32_t window_used;  /* bytes of the window that queued orders need */
    uint64_t hint_addr[2]; /* what the stub sent ahead with this call */
    uint32_t hint_len[2];
    struct stub_answers answers;
    /* any */
    _Atomic bool all_calls;        /* the stub answers nothing by itself */
    _Atomic uint32_t in_guest;     /* the thread may be running guest code: a kick needs a signal */
    _Atomic uint32_t kick_pending; /* a kick since the last event */
};

/* ---- space.c ---- */

NODISCARD int space_new(struct address_space **ret);
void space_put(struct address_space *as);
/* Makes the process known; -ESRCH if it has died already, -EEXIST if the pid is taken: the stub
 * lied. */
NODISCARD int space_register(struct address_space *as, pid_t pid);
void space_unregister(struct address_space *as);
/* The reaper: marks the process as dead and rings all its contexts. */
void space_died(pid_t pid);
void space_mark_dead(struct address_space *as);
/* Brackets a fork: a child may die before it is registered. */
void space_fork_begin(void);
void space_fork_end(void);
/* The kernel's address of a slot, mapping its bank if need be. */
NODISCARD int space_slot_memory(struct address_space *as, unsigned slot, char **ret);
NODISCARD int space_take_slot(struct address_space *as, unsigned *ret_slot);
void space_take_given_slot(struct address_space *as, unsigned slot);
/* The slot's thread is leaving: it is used again when the host says that it has gone. */
void space_leave_slot(struct address_space *as, unsigned slot);
void space_free_slot(struct address_space *as, unsigned slot);

/* ---- context.c ---- */

NODISCARD int context_new(struct address_space *as, unsigned slot, struct context **ret);
void context_free(struct context *ctx);
/* What a new thread or process inherits from the one that made it. */
void context_inherit(struct context *ctx, const struct context *from);

/* ---- order.c ---- */

/* Replies with what is queued and waits until the stub rings: its kind, or -ESRCH. */
int hand_over(struct context *ctx, uint32_t reply_flags);
/* Replies with what is queued, the last of which ends the thread. */
void order_leave(struct context *ctx);
NODISCARD int orders_flush(struct context *ctx);
/* Room for an order (and window bytes), flushing if need be: NULL after death. */
struct stub_order *order_queue(struct context *ctx, enum stub_op op, size_t window_bytes);
/* Executes everything queued, the order last: its result, or -ESRCH. */
int64_t order_sync(struct context *ctx, struct stub_order *o);
NODISCARD int order_send_fds(struct context *ctx, const int *fds, unsigned count);
static inline uint64_t context_stub_address(const struct context *ctx)
{
    return CONTEXT_BASE + (uint64_t)ctx->slot * CONTEXT_STRIDE;
}

/* ---- measure.c ---- */

/* The oom_score_adj of stubs, from the kernel process's own. */
int measure_oom_base(int own);

/* ---- process.c, reaper.c, pool.c, template.c ---- */

NODISCARD int fork_ordered(struct context *ctx, struct address_space **ret_as,
                           struct context **ret_ctx);
void fork_expect(pid_t tid);
void fork_unexpect(pid_t tid);
/* `listener`: of the filter's notifications */
NODISCARD int reaper_start(int listener, pid_t template_pid);
/* `entry`: where thunks enter the stub */
NODISCARD int pool_start(struct context *template_ctx, uint64_t entry);
void protocol_broken(struct context *ctx, const char *what);
