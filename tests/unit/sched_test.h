/* Runs the body of a scheduler test as the first fiber of a fresh scheduler. */
#pragma once
#include "sched/fiber.h"
#include "sched/mutex.h"
#include "sched/timer.h"
#include "sched/wait.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

/* cmocka's assertions jump out of the test function and cannot be used in a fiber. */
#define check(cond) assert_always(cond)

struct fiber_test {
    void (*body)(void);
};

static void fiber_test_main(void *arg)
{
    ((struct fiber_test *)arg)->body();
    sched_stop(0);
}

static inline void run_in_fiber(unsigned worker_threads, void (*body)(void))
{
    struct fiber_test t = {body};
    assert_int_equal(sched_init(worker_threads), 0);
    struct fiber *f = fiber_new("test", fiber_test_main, &t);
    assert_non_null(f);
    fiber_start(f);
    assert_int_equal(sched_run(), 0);
}

/* Counts fibers that are done, and lets one wait for all. */
struct countdown {
    _Atomic int left;
    struct wait_queue queue;
};

static inline void countdown_init(struct countdown *c, int n)
{
    atomic_store(&c->left, n);
    wait_queue_init(&c->queue);
}

static inline void countdown_done(struct countdown *c)
{
    /* Under the queue's lock, so that the waiter cannot free it under our hands. */
    spin_lock(&c->queue.lock);
    atomic_fetch_sub(&c->left, 1);
    struct wait_entry *e;
    list_for_each(e, &c->queue.waiters, link) fiber_wake(e->fiber);
    spin_unlock(&c->queue.lock);
}

static inline void countdown_wait(struct countdown *c)
{
    wait_event(&c->queue, atomic_load(&c->left) == 0);
    spin_lock(&c->queue.lock);
    spin_unlock(&c->queue.lock);
}

static inline struct fiber *spawn(void (*fn)(void *arg), void *arg)
{
    struct fiber *f = fiber_new("worker", fn, arg);
    check(f);
    fiber_start(f);
    return f;
}
