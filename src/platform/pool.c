/*
 * The pool: pristine stub processes, forked from the template ahead of need by one fiber, which is
 * the only one that uses the template's context. With the pool full it sleeps.
 */
#include "base/log.h"
#include "platform/patch.h"
#include "sched/wait.h"

#define POOL_SIZE 2

static struct {
    struct spinlock lock;
    struct context *ready[POOL_SIZE];
    unsigned count;
    unsigned waiting; /* callers of platform_new() */
    int error;        /* the last fork's, for those who wait */
    struct wait_queue room, filled;
    struct context *template_ctx;
    uint64_t entry;
} pool;

static bool has_room(void)
{
    bool room;

    spin_lock(&pool.lock);
    room = pool.count < POOL_SIZE && (pool.error == 0 || pool.waiting);
    spin_unlock(&pool.lock);
    return room;
}

static void store(struct context *ctx, int err)
{
    spin_lock(&pool.lock);
    pool.error = err;
    if (err == 0)
        pool.ready[pool.count++] = ctx;
    spin_unlock(&pool.lock);
    wake_all(&pool.filled);
}

static void pool_main(void *arg)
{
    if (patch_table_map(pool.template_ctx, pool.entry) < 0)
        log_warn("platform: system call sites cannot be patched on this host");
    for (;;) {
        struct address_space *as;
        struct context *ctx = NULL;
        wait_event(&pool.room, has_room());
        int err = platform_fork(pool.template_ctx, &as, &ctx);
        store(ctx, err);
    }
}

/* True when there is an outcome: a context, or an error. */
static bool take(struct context **ret, int *ret_err)
{
    bool done = false;

    struct context *dead[POOL_SIZE];
    unsigned dead_count = 0;

    spin_lock(&pool.lock);
    while (pool.count && atomic_load(&pool.ready[pool.count - 1]->as->dead))
        dead[dead_count++] = pool.ready[--pool.count];
    if (pool.count) {
        *ret = pool.ready[--pool.count];
        *ret_err = 0;
        done = true;
    } else if (pool.error) {
        *ret_err = pool.error;
        pool.error = 0;
        done = true;
    }
    spin_unlock(&pool.lock);
    while (dead_count) /* killed from outside while they waited */
        context_exit(dead[--dead_count]);
    return done;
}

static void set_waiting(int delta)
{
    spin_lock(&pool.lock);
    pool.waiting += (unsigned)delta;
    spin_unlock(&pool.lock);
}

int platform_new(struct address_space **ret_as, struct context **ret_ctx)
{
    struct context *ctx = NULL;
    int err = 0;

    if (!take(&ctx, &err)) {
        set_waiting(1);
        wake_all(&pool.room);
        wait_event(&pool.filled, take(&ctx, &err));
        set_waiting(-1);
    }
    wake_all(&pool.room);
    if (err < 0)
        return err;
    *ret_as = ctx->as;
    *ret_ctx = ctx;
    return 0;
}

int pool_start(struct context *template_ctx, uint64_t entry)
{
    struct fiber *f;

    wait_queue_init(&pool.room);
    wait_queue_init(&pool.filled);
    pool.template_ctx = template_ctx;
    pool.entry = entry;
    f = fiber_new("pool", pool_main, NULL);
    if (!f)
        return -ENOMEM;
    fiber_start(f);
    return 0;
}
